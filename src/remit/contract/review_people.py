"""Whether those who are to answer can: enough of them, with keys, told what they need, and not only for a test."""

from collections.abc import Iterator

from remit.contract.case import Case
from remit.contract.contract import Finding
from remit.contract.parse_people import bare, called
from remit.contract.reading import nearest


def people_findings(case: Case) -> Iterator[Finding]:
    """Everything about answers that is known before anybody is asked."""
    yield from _attached(case)
    if case.organisation is None:
        return
    yield from _quorum(case)
    yield from _keys(case)
    yield from _alone(case)
    yield from _attested(case)
    if case.organisation.assurance == "scripted":
        what = "the organisation takes scripted answers, even for what cannot be undone: this is test mode"
        yield case.say("TEST-MODE", "warning", "", what, "write `assurance: terminal`, or stricter, for real work")


# ---------------------------------------------------------------------------------------------------------------------


def _attached(case: Case) -> Iterator[Finding]:
    """What a question must carry has to be an argument of the tool."""
    tools = {tool.name: tool for tool in (*case.draft.tools, *(case.organisation.tools if case.organisation else ()))}
    for at, entry in enumerate(case.draft.escalation):
        tool = tools.get(entry.about)
        if tool is None or not tool.arguments:
            continue
        known = [argument.name for argument in tool.arguments]
        for name in entry.attach:
            if name not in known:
                near = nearest(name, known)
                hint = f"did you mean `{near}`?" if near else f"it takes {', '.join(known)}"
                what = f"`{tool.name}` has no argument `{name}`, so no question about it could ever be sent"
                yield case.say("ATTACH-UNKNOWN", "error", f"escalation[{at}].attach", what, hint)


def _quorum(case: Case) -> Iterator[Finding]:
    for rule in (*case.draft.rules, *case.late):
        holders = _holders(case, rule.who or "owner")
        if rule.effect == "ask" and rule.quorum > 1 and len(holders) < rule.quorum:
            what = f"{rule.quorum} people of `{rule.who}` must say yes, and there {_are(len(holders))}"
            hint = "ask for fewer, or give the role to more people in the organisation file"
            yield case.of_rule("QUORUM-UNREACHABLE", "error", rule, what, hint)


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count}" if count else "is nobody"


def _holders(case: Case, name: str) -> tuple[str, ...]:
    """The people that `who`, `page` or `then` means."""
    if name == "owner":
        return case.draft.owners[:1]
    people = case.organisation.people if case.organisation else ()
    return called(name, people) or tuple(owner for owner in case.draft.owners[:1] if owner == name)


def _keys(case: Case) -> Iterator[Finding]:
    """Somebody without a key can only be believed, not verified."""
    bare = {person.id for person in case.organisation.people if not person.keys} if case.organisation else set()
    named = [("owner", "owner")] if case.draft.owners else []
    named += [(f"rule {rule.id}", rule.who) for rule in (*case.draft.rules, *case.late) if rule.effect == "ask" and rule.who]
    named += [(f"escalation[{at}]", who) for at, entry in enumerate(case.draft.escalation) for who in (entry.page, *entry.then)]
    said: set[str] = set()
    for where, name in named:
        without = [person for person in _holders(case, name) if person in bare - said]
        if without:
            said.update(without)
            what = f"no key is known of {', '.join(without)}, so their answer could not be verified"
            mark = case.parsed.marks.get(where)
            yield case.say("NO-KEY", "warning", case.place(where), what, "add `keys:` in the organisation file", mark=mark)


def _attested(case: Case) -> Iterator[Finding]:
    """The key of an inbox speaks for whoever is signed in there: nobody holds it as their own, nor two people the same key."""
    assert case.organisation is not None
    whose: dict[str, str] = {}
    for key in filter(None, map(bare, case.organisation.inbox_keys)):
        whose[key] = "an inbox"
    for person in case.organisation.people:
        for key in filter(None, map(bare, person.keys)):
            other = whose.setdefault(key, person.id)
            if other != person.id:
                what = f"a key of {person.id} is that of {other} too, so nobody could tell which of them answered"
                yield case.say("KEY-TWICE", "error", "", what, "every person, and every inbox, has keys of its own")


def _alone(case: Case) -> Iterator[Finding]:
    """Under four eyes an owner who starts the run needs somebody else to ask."""
    assert case.organisation is not None
    owner = next((person for person in case.organisation.people if person.id in case.draft.owners[:1]), None)
    asks = next((rule for rule in case.draft.rules if rule.effect == "ask" and (rule.who or "owner") == "owner"), None)
    paged = any(
        set(_holders(case, who)) - set(case.draft.owners) for entry in case.draft.escalation for who in (entry.page, *entry.then)
    )
    if not case.organisation.four_eyes or asks is None or paged or (owner and (owner.substitutes or owner.answers_to)):
        return
    what = "the owner is asked, and may not approve what they started themselves: the organisation wants four eyes"
    yield case.of_rule("FOUR-EYES-ALONE", "warning", asks, what, "name a substitute of the owner, or ask somebody else")
