"""At which exact step a person becomes responsible, and how that is recorded: read from the contract, before any run (OWN-02).

What is merely implied is an error: nobody, or more than one, or somebody who could not answer or may not sign.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from remit.authority.action import Action
from remit.authority.compile import Authority, compile_organisation
from remit.authority.consequence import irreversible
from remit.authority.counting import may_sign
from remit.authority.responsible import LEAVING, transition
from remit.authority.subject import subject
from remit.contract.contract import Finding, Mark
from remit.contract.glob import compile_glob
from remit.contract.outcome import Escalation
from remit.contract.parse import Draft
from remit.contract.party import Organisation, Tool
from remit.contract.rule import GIT_VERBS, Rule
from remit.evidence.ownership_bounds import upper_bounds
from remit.value import Value

SCHEMA = "remit.ownership/1"
IMPLIED = "OWNERSHIP-IMPLIED"


class HandOff(Value, frozen=True, kw_only=True):
    """One step at which the work changes hands: what, by which rule, what it turns into, who answers from there.

    `ladder` is who is asked next, in order; `silence` what happens when nobody says anything.
    """

    step: int
    what: str
    rule: str
    transition: str
    responsible: tuple[str, ...]
    recorded: str
    ladder: tuple[str, ...]
    silence: str


class Plan(Value, frozen=True, kw_only=True):
    """Every hand-off of a contract in the order of the work, and what is only implied (errors)."""

    schema: str = SCHEMA
    goal: str
    owner: str
    steps: tuple[HandOff, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether each step has a person who can answer for it."""
        return not self.findings


def plan(
    draft: Draft, organisation: Organisation | None, *, identity: str | None = None, marks: Mapping[str, Mark] | None = None
) -> Plan:
    """The hand-offs of a contract as written. `identity` is the person of the local key, who needs no organisation."""
    reading = _Reading(draft, organisation or Organisation(), identity, marks or {})
    steps = list(reading.steps())
    reading.uncovered()
    reading.owners()
    return Plan(
        goal=draft.goal, owner=draft.owners[0] if len(draft.owners) == 1 else "",
        steps=tuple(_numbered(step, at) for at, step in enumerate(steps, 1)), findings=tuple(dict.fromkeys(reading.findings)),
    )  # fmt: skip


def _numbered(step: HandOff, number: int) -> HandOff:
    return HandOff(**{name: getattr(step, name) for name in step.__struct_fields__} | {"step": number})


class _Reading:
    """One contract being read: what is known of people and tools, and what was found wanting."""

    def __init__(self, draft: Draft, organisation: Organisation, identity: str | None, marks: Mapping[str, Mark]) -> None:
        self.draft, self.organisation, self.identity, self.marks = draft, organisation, identity, marks
        self.findings: list[Finding] = []
        self.owner = draft.owners[0] if len(draft.owners) == 1 else ""
        self.tools: dict[str, Tool] = {tool.name: tool for tool in (*draft.tools, *organisation.tools)}
        self.signing: Authority = replace(compile_organisation(organisation), tools=self.tools)

    def wrong(self, where: str, message: str, hint: str = "") -> None:
        """Something nobody wrote down."""
        mark = self.marks.get(where)
        self.findings.append(Finding(code=IMPLIED, severity="error", where=where, message=message, hint=hint, mark=mark))

    def owners(self) -> None:
        """Exactly one, who is a person (OWN-03)."""
        owners = self.draft.owners
        if not owners:
            self.wrong("owner", "no owner: nobody answers for what nobody is asked about", "write `owner:` with one person")
        elif len(owners) > 1:
            what = f"{len(owners)} owners: each will think that another one answers"
            self.wrong("owner", what, "name one; others are asked with `who:`")
        elif self.organisation.people and not self.people(self.owner):
            self.wrong("owner", f"`{self.owner}` owns this and is nobody the organisation knows", "name a person it knows")

    def people(self, who: str) -> tuple[str, ...]:
        """The people a name means: the owner, a person, everybody of a role."""
        if who in ("owner", self.owner) and self.owner:
            known = {person.id for person in self.organisation.people}
            return (self.owner,) if not known or self.owner in known or self.owner == self.identity else ()
        return tuple(person.id for person in self.organisation.people if who == person.id or who in person.roles)

    def steps(self) -> Iterator[HandOff]:
        """In the order of the work: effects, then the workspace, then the outcome."""
        for rule in self.draft.rules:
            if rule.effect != "never":
                for name in self._leaving(rule):
                    yield self._asked(rule, name) if rule.effect == "ask" else self._kept(rule, name)
        if any(rule.effect != "never" and rule.verb in {"write", "delete", *GIT_VERBS} - {"push"} for rule in self.draft.rules):
            yield self._workspace()
        for rung in self.draft.recovery:
            if rung.do == "hand over" and rung.to is not None:
                yield self._handed_over(rung.to, rung.when)
        yield HandOff(
            step=0, what="take the outcome", rule="owner", transition="suggestion to decision", responsible=self.people("owner"),
            recorded="signed acceptance bound to the outcome", ladder=(),
            silence="it stays pending: completed is not owned",
        )  # fmt: skip

    def _leaving(self, rule: Rule) -> Iterator[str]:
        """The objects of a rule whose effect leaves the workspace or cannot be called back."""
        if rule.verb in ("publish", "push"):
            yield from rule.objects
        if rule.verb != "call":
            return
        for name, tool in self.tools.items():
            named = any(text == "any" or text == name or compile_glob(text)(name) for text in rule.objects)
            if named and (tool.effect in LEAVING or _final(name, tool)):
                yield name

    def _tool(self, rule: Rule, name: str) -> Tool | None:
        return self.tools.get(name) if rule.verb == "call" else None

    def _kept(self, rule: Rule, name: str) -> HandOff:
        """Allowed without asking: the owner keeps it, as far as they may sign it themselves."""
        tool = self._tool(rule, name)
        if self.owner and (tool is None or _final(name, tool)):
            self._may_sign(rule, name, (self.owner,), f"`{self.owner}` keeps it and may not sign it")
        return HandOff(
            step=0, what=f"{rule.verb} {name}", rule=rule.id, transition=transition(tool, rule.verb),
            responsible=self.people("owner"), recorded=f"kept by the owner under rule {rule.id}", ladder=(),
            silence="nobody is asked: it happens when the agent wants it",
        )  # fmt: skip

    def _asked(self, rule: Rule, name: str) -> HandOff:
        """A person says yes first: they answer for it, and their signature covers exactly this action."""
        who, where = rule.who or "owner", f"rule {rule.id}"
        people = self._answering(who, where, "is to be asked")
        rung = next((each for each in self.draft.escalation if each.about in {name, rule.verb, "any"}), None)
        ladder = tuple(self._ladder(rung)) if rung is not None else ()
        behind = tuple(person for step in ladder for person in self.people(step))
        if people and any(True for _ in upper_bounds(rule, self.organisation, bounded=True)):
            asked = tuple(dict.fromkeys((*people, *behind)))
            self._may_sign(rule, name, asked, f"nobody who is asked ({', '.join(asked)}) may sign all of it", bounded=True)
        many = f", of {rule.quorum} different people" if rule.quorum > 1 else ""
        if len(people) < rule.quorum and people:
            self.wrong(where, f"{rule.quorum} different people must say yes, and {who} is {len(people)}", "name a larger role")
        return HandOff(
            step=0, what=f"{rule.verb} {name}", rule=rule.id, transition=transition(self._tool(rule, name), rule.verb),
            responsible=people, recorded=f"signed answer bound to the action{many}", ladder=ladder, silence=_silence(rung),
        )  # fmt: skip

    def _workspace(self) -> HandOff:
        asked = self.draft.publish == "ask"
        kept = "kept by the owner, whose checks decide; it can be undone"
        return HandOff(
            step=0, what="publish the workspace", rule=f"publish: {self.draft.publish}", transition="suggestion to decision",
            responsible=self.people("owner"),
            recorded="signed answer bound to the outcome" if asked else kept,
            ladder=(), silence="it waits: nothing is published" if asked else "nobody is asked: the checks decide",
        )  # fmt: skip

    def _handed_over(self, to: str, when: str) -> HandOff:
        self._answering(to, "recovery", "is to take it over")
        return HandOff(
            step=0, what=f"hand over to {to} when {when}", rule="recovery", transition="suggestion to decision",
            responsible=self.people("owner"), recorded=f"offer of ownership, and its signed acceptance by {to}", ladder=(),
            silence="it stays with the owner until it is accepted",
        )  # fmt: skip

    def _answering(self, who: str, where: str, what: str) -> tuple[str, ...]:
        """The people of a name, each of whom must be able to answer."""
        if who == "owner" and not self.owner:
            return ()
        people = self.people(who)
        if not people:
            self.wrong(where, f"`{who}` {what}, and that is nobody the organisation knows, nor a role anybody holds")
        for person in self.organisation.people:
            if person.id in people and not person.keys and person.id != self.identity:
                hint = f"put the public key of {person.id} into the organisation file"
                self.wrong(where, f"`{person.id}` {what} and has no key, so no answer of theirs could be proved", hint)
        return people

    def _ladder(self, rung: Escalation) -> Iterator[str]:
        at = self.draft.escalation.index(rung)
        for who in (rung.page, *rung.then):
            self._answering(who, f"escalation[{at}].page", "is to be paged")
            yield who

    def _may_sign(self, rule: Rule, name: str, people: tuple[str, ...], what: str, *, bounded: bool = False) -> None:
        """The strongest acts the rule covers must be within what one of these people may sign (OWN-05)."""
        for arguments in upper_bounds(rule, self.organisation, bounded=bounded):
            if any(self._signs(rule, name, arguments, person, filled=bounded) for person in people):
                continue
            shown = ", ".join(f"{key} {value}" for key, value in arguments.items() if value) or "anything it covers"
            self.wrong(f"rule {rule.id}", f"{what}: {shown}", "bound the rule, or ask somebody who may sign it")
            return

    def _signs(self, rule: Rule, name: str, arguments: dict[str, Any], person: str, *, filled: bool) -> bool:
        """Whether the person may sign this act; `filled`: with what the rule leaves open as their own authority has it."""
        cases = [arguments]
        known = next((each for each in self.organisation.people if each.id == person), None)
        if filled and known is not None:
            cases += [fill | arguments for own in known.may_sign for fill in upper_bounds(own, self.organisation)]
        for case in cases:
            ready = subject(Action(verb=rule.verb, object=name, arguments=case))
            if isinstance(ready, str) or may_sign(self.signing, ready, person):
                return True
        return False

    def uncovered(self) -> None:
        """A tool of the contract's own that cannot be called back, and that no rule speaks of: nobody decided about it."""
        named = [rule for rule in self.draft.rules if rule.verb == "call"]
        for tool in self.draft.tools:
            final = _final(tool.name, self.tools[tool.name])
            if final and not any(text == "any" or compile_glob(text)(tool.name) for rule in named for text in rule.objects):
                what = f"`{tool.name}` cannot be called back, and no rule says who answers for it"
                self.wrong(f"tools.{tool.name}", what, f"write `ask: - call: {tool.name}`, or `never:`")


def _final(name: str, tool: Tool) -> bool:
    """Whether some call of this tool cannot be called back."""
    given = {argument.name: "given" for argument in tool.arguments if argument.irreversible}
    ready = subject(Action(verb="call", object=name, arguments=given))
    return not isinstance(ready, str) and irreversible(ready, tool)


def _silence(rung: Escalation | None) -> str:
    if rung is None or rung.within is None:
        return "it waits: nothing happens until somebody answers"
    end = "the run is stopped" if rung.otherwise == "stop" else "it is refused"
    passed = f", then {', '.join(rung.then)}" if rung.then else ""
    return f"after {rung.within} s for {rung.page}{passed}: {end}"
