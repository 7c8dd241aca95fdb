"""Who answers, who is asked, and which tools are declared how high."""

import re
from collections.abc import Iterator

from remit.contract.case import Case
from remit.contract.condition import Condition, Known, Not
from remit.contract.contract import Finding
from remit.contract.party import Organisation, Tool
from remit.contract.reading import nearest
from remit.contract.tiers import kind_of_tool

_AGENT = re.compile(
    r"(?:^|[^a-z])(?:agent|bot|robot|assistant|ai|llm|gpt|claude|codex|copilot|gemini|devin)(?:$|[^a-z])|\[bot\]", re.IGNORECASE
)
_SEVERAL = re.compile(r"[,;&]|\band\b|\bor\b")


def party_findings(case: Case) -> Iterator[Finding]:
    """Everything about people, registers and tools."""
    yield from _owner(case)
    yield from _asked(case)
    yield from _registers(case)
    for tool in case.draft.tools:
        where = f"tools.{tool.name}"
        yield from (case.say(code, "error", where, message, hint) for code, message, hint in tool_trouble(tool))
    for tool in case.organisation.tools if case.organisation else ():
        for code, message, hint in tool_trouble(tool):
            yield case.say(code, "error", "", f"in the organisation file: {message}", hint)


def tool_trouble(tool: Tool) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the declared tier of a tool (TIER-06, TIER-12): code, message, hint."""
    kind = kind_of_tool(tool.name)
    if tool.tier == "read-only" and kind is not None:
        code = "SHELL-UNDER-READ-ONLY" if kind == "shell" else "TIER-TOO-LOW"
        yield (
            code,
            f"`{tool.name}` is a tool of {kind} and declared read-only",
            "declare it `tier: high-risk`, or leave the tier out",
        )
    elif tool.tier == "read-only" and tool.effect not in ("read", "suggest"):
        yield (
            "TIER-TOO-LOW",
            f"`{tool.name}` has the effect `{tool.effect}` and is declared read-only",
            "declare it `tier: bounded` or higher",
        )


def people_of(organisation: Organisation | None) -> frozenset[str]:
    """Ids and roles that can be named."""
    people = organisation.people if organisation else ()
    return frozenset({person.id for person in people} | {role for person in people for role in person.roles} | {"owner"})


def _owner(case: Case) -> Iterator[Finding]:
    owners = case.draft.owners
    if not owners:
        if not case.faulty("owner"):
            what = "no owner: nobody answers for the outcome"
            yield case.say("OWNER-MISSING", "error", "owner", what, "write `owner:` with one person")
        return
    if len(owners) > 1 or _SEVERAL.search(owners[0]):
        what = "more than one owner: each will think that another one answers"
        yield case.say("OWNER-MANY", "error", "owner", what, "name one person; others can be asked with `who:`")
        return
    owner = owners[0]
    people = {person.id for person in case.organisation.people} if case.organisation else set()
    if owner in people or owner == case.identity:
        return
    if _AGENT.search(owner):
        what = f"`{owner}` looks like an agent, and an agent can never be an owner"
        yield case.say("OWNER-IS-AGENT", "error", "owner", what, "name the person who answers")
    elif case.organisation is None and case.identity is None:
        what = f"nobody here can tell whether `{owner}` is a person"
        yield case.say("OWNER-UNPROVED", "warning", "owner", what, "run `remit init`, or give the organisation file with `--org`")
    else:
        known = sorted(people | ({case.identity} if case.identity else set()))
        near = nearest(owner, known)
        hint = f"did you mean `{near}`?" if near else f"known here: {', '.join(known)}"
        yield case.say("OWNER-UNKNOWN", "error", "owner", f"`{owner}` is no person known here", hint)


def _asked(case: Case) -> Iterator[Finding]:
    named = [(f"rule {rule.id}", rule.who, "asked") for rule in case.draft.rules if rule.who]
    named += [(f"escalation[{at}].page", entry.page, "paged") for at, entry in enumerate(case.draft.escalation)]
    named += [
        (f"escalation[{at}].then[{number}]", who, "next") for at, entry in enumerate(case.draft.escalation)
        for number, who in enumerate(entry.then)
    ]  # fmt: skip
    named += [(f"recovery[{at}].to", rung.to, "handed to") for at, rung in enumerate(case.draft.recovery) if rung.to]
    known = people_of(case.organisation) | ({case.identity} if case.identity else frozenset()) | frozenset(case.draft.owners)
    for where, who, verb in named:
        if who in known:
            continue
        mark = case.parsed.marks.get(where)
        if case.organisation is None:
            what = f"`{who}` is to be {verb}, and there is no organisation file to say who that is"
            yield case.say("WHO-UNPROVED", "warning", case.place(where), what, "give it with `--org`", mark=mark)
        else:
            near = nearest(who or "", known)
            hint = f"did you mean `{near}`?" if near else f"known here: {', '.join(sorted(known))}"
            yield case.say(
                "WHO-UNKNOWN", "error", case.place(where), f"`{who}` is to be {verb} and is nobody known here", hint, mark=mark
            )


def _registers(case: Case) -> Iterator[Finding]:
    known = {register.name for register in case.organisation.registers} if case.organisation else set()
    for rule in (*case.draft.rules, *case.late):
        for name in dict.fromkeys(name for where in rule.where for name in _named(where.condition)):
            if name in known:
                continue
            if case.organisation is None:
                what = f"the register `{name}` belongs to an organisation file, and there is none"
                yield case.of_rule("REGISTER-UNPROVED", "warning", rule, what, "give it with `--org`")
            else:
                near = nearest(name, known)
                hint = f"did you mean `{near}`?" if near else "add it below `known:` in the organisation file"
                yield case.of_rule("UNKNOWN-REGISTER", "error", rule, f"the organisation knows no register `{name}`", hint)


def _named(condition: Condition) -> Iterator[str]:
    match condition:
        case Known(register=name):
            yield name
        case Not(condition=inner):
            yield from _named(inner)
        case _:
            return
