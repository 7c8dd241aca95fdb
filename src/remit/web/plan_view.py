"""A chain as its page shows it: waves of steps, each with how it stands and what it left, and what validation found."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from remit.contract.limits import Spend
from remit.plan.contracting import who
from remit.plan.graph import Needs, needs, waves
from remit.plan.reported import Report
from remit.plan.screens.naming import named
from remit.plan.step import CONVERSATION, VALIDATION, Step
from remit.run.chain import Chain, Stood
from remit.run.state import Run
from remit.value import Value
from remit.web.words import dollars, span

MARKS = {"complete": "✓", "in_progress": "▸", "failed": "✗", "skipped": "○", "pending": "·", "partial": "⚠", "missing": "✗"}
TONES = {
    "complete": "good", "in_progress": "wait", "failed": "bad", "skipped": "quiet", "pending": "quiet", "partial": "wait",
    "missing": "bad", "PASS": "good", "PARTIAL": "wait", "FAIL": "bad",
}  # fmt: skip
JUDGED = {"PASS": "complete", "PARTIAL": "partial", "FAIL": "failed"}


class Seen(Value, frozen=True, kw_only=True):
    """One step. `anchor` is its place on the page, `state` one of MARKS, `time` and `spend` words, `runs` its sub-agents and
    how each stands, newest last; `deep` says that the newest is itself a chain.
    """

    id: str
    anchor: str
    name: str
    title: str = ""
    kind: str = ""
    doer: str = ""
    invocation: str = ""
    state: str = "pending"
    tries: int = 0
    time: str = ""
    spend: str = ""
    why: str = ""
    person: str = ""
    waits: tuple[str, ...] = ()
    runs: tuple[tuple[str, str], ...] = ()
    deep: bool = False
    report: Report = Report()
    files: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """A sign of its own for each state: colour alone says nothing."""
        return MARKS[self.state]

    @property
    def word(self) -> str:
        """The state as a word."""
        return self.state.replace("_", " ")

    @property
    def tone(self) -> str:
        """Which colour it has beside that."""
        return TONES[self.state]


class View(Value, frozen=True, kw_only=True):
    """The whole plan. `waves` are steps that begin together, `last` the validation; `lines` say what waits for what: from, to,
    and whether it has to be complete.
    """

    waves: tuple[tuple[Seen, ...], ...]
    last: Seen
    lines: tuple[tuple[str, str, bool], ...]
    done: int
    total: int
    flagged: int
    tries: int

    @property
    def steps(self) -> tuple[Seen, ...]:
        """Every step in the order of its wave, the validation last."""
        return (*(step for wave in self.waves for step in wave), self.last)


def view(run: Run, children: Mapping[str, Run], now: datetime) -> View:
    """`children` are the runs of its sub-agents by their ids; those that are not given are left out."""
    chain = run.chain
    assert chain is not None
    plan, wanted = chain.plan, needs(chain.plan)
    ordered = waves(plan)
    inside = {name for wave in ordered for name in wave}
    rest = tuple(step.id for step in plan.steps if step.id not in inside)
    groups = [*ordered, rest] if rest else list(ordered)
    place = {step.id: f"step-{at}" for at, step in enumerate(plan.steps, 1)}
    seen = {step.id: _step(chain, step, place, wanted[step.id], children, now) for step in plan.steps}
    shown = [tuple(seen[name] for name in group) for group in groups]
    if CONVERSATION in chain.steps:
        shown.insert(0, (_conversation(chain, children, now),))
    last = _validation(chain, children, now)
    counted = [*seen.values(), last]
    return View(
        waves=tuple(shown), last=last, lines=tuple(_lines(wanted, place)), done=sum(each.state == "complete" for each in counted),
        total=len(counted), flagged=sum(len(each.flagged) for each in counted),
        tries=sum(max(0, stood.tries - 1) for stood in chain.steps.values()),
    )  # fmt: skip


def _step(
    chain: Chain, step: Step, place: Mapping[str, str], mine: Needs, children: Mapping[str, Run], now: datetime
) -> Seen:  # fmt: skip
    runtime, model, _ = who(chain.plan, step)
    doer = step.person or "a person" if step.kind == "person" else f"{runtime}, {model}" if model else runtime
    names = {each.id: named(each) for each in chain.plan.steps}
    waited = dict.fromkeys((*mine.over, *mine.ended, *(each for group in mine.groups for each in group)))
    return _stood(
        Seen(
            id=step.id, anchor=place[step.id], name=named(step), title=step.title, kind=step.kind, doer=doer,
            invocation=step.skill.invocation if step.skill is not None else "",
            waits=tuple(names.get(each, each) for each in waited),
        ),
        chain.steps[step.id], children, now,
    )  # fmt: skip


def _conversation(chain: Chain, children: Mapping[str, Run], now: datetime) -> Seen:
    """Standard mode: the one sub-agent that takes every step."""
    plan = chain.plan
    doer = f"{plan.runtime}, {plan.model}" if plan.model else plan.runtime
    start = Seen(id=CONVERSATION, anchor="conversation", name="One conversation", title="it takes every step", doer=doer)
    return _stood(start, chain.steps[CONVERSATION], children, now)


def _validation(chain: Chain, children: Mapping[str, Run], now: datetime) -> Seen:
    ran = [child for child in children.values() if child.started is not None and child.started.step == VALIDATION]
    state = "pending"
    if ran and ran[-1].verdict is None:
        state = "in_progress"
    elif chain.validation is not None and chain.current:
        state = JUDGED[chain.validation.status]
    why = "what was found is of before the last step" if chain.validation is not None and not chain.current else ""
    seconds = sum(_seconds(child.started_at, child.at, child.verdict is None, now) for child in ran)
    return Seen(
        id=VALIDATION, anchor="validation-step", name="Final validation", title="a fresh sub-agent that may only read",
        kind="validation", doer=chain.plan.validate_by or "remit itself", state=state, tries=len(ran), why=why,
        time=span(seconds) if ran else "", spend=spent_words(_sum(ran)), runs=_runs([child.id for child in ran], children),
    )  # fmt: skip


def _stood(start: Seen, stood: Stood, children: Mapping[str, Run], now: datetime) -> Seen:
    """The step with everything that is on record of it."""
    ran = [children[each] for each in stood.children if each in children]
    state = str(stood.status)
    said = f"{stood.outcome}: {stood.why}" if state == "failed" and stood.why else stood.why or stood.outcome
    return replace(
        start, state=state, tries=stood.tries, why="" if state == "complete" else said, person=stood.person,
        time=span(_seconds(stood.began, stood.ended, state == "in_progress", now)) if stood.began else "",
        spend=spent_words(_sum(ran)), runs=_runs(stood.children, children), report=stood.report, files=stood.files,
        deep=bool(ran and ran[-1].chain is not None), flagged=stood.flagged,
    )  # fmt: skip


def _seconds(began: datetime | None, ended: datetime | None, going: bool, now: datetime) -> float:
    until = now if going else ended
    return max(0.0, (until - began).total_seconds()) if began is not None and until is not None else 0.0


def _sum(runs: list[Run]) -> Spend:
    total = Spend()
    for each in runs:
        total = total.plus(each.spend)
    return total


def spent_words(spend: Spend) -> str:
    """Turns, tokens and money, each only where there is some."""
    found = [f"{spend.turns:,} turn{'' if spend.turns == 1 else 's'}"] if spend.turns else []
    found += [f"{spend.tokens:,} tokens"] if spend.tokens else []
    found += [dollars(spend.usd)] if spend.usd else []
    return " · ".join(found)


def _runs(names: list[str] | tuple[str, ...], children: Mapping[str, Run]) -> tuple[tuple[str, str], ...]:
    """Each sub-agent, and its verdict or that it is at work."""
    found = []
    for name in names:
        child = children.get(name)
        if child is None:
            found.append((name, "not to be read"))
        elif child.verdict is not None:
            found.append((name, child.verdict.replace("_", " ")))
        else:
            found.append((name, "waits for a person" if child.blocking else "at work"))
    return tuple(found)


def _lines(wanted: Mapping[str, Needs], place: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """What waits for what, without those that follow from others."""
    direct = {
        name: {each: each in mine.over for each in (*mine.over, *mine.ended, *(x for group in mine.groups for x in group))}
        for name, mine in wanted.items()
    }
    above: dict[str, set[str]] = {}
    for name in wanted:
        seen: set[str] = set()
        todo = [each for each in direct[name] if each in direct]
        while todo:
            each = todo.pop()
            if each not in seen:
                seen.add(each)
                todo.extend(one for one in direct[each] if one in direct)
        above[name] = seen
    return [
        (place[need], place[name], firm)
        for name, found in direct.items()
        for need, firm in found.items()
        if need in place and not any(need in above.get(other, ()) for other in found if other != need)
    ]
