"""What a person sees while a run goes on: every fact that matters, with the counters."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from remit.cli.line import one_line
from remit.cli.say import talk
from remit.run import event as e
from remit.run.state import Run

if TYPE_CHECKING:
    from remit.cli.chained import Teller
    from remit.cli.live import Live
    from remit.engine.hands import Hands

FRAME = 0.2
"""seconds between two pictures of a tree"""


def line(fact: e.Event) -> str | None:
    """One fact as one line; None for facts that would only be noise."""
    match fact:
        case e.AttemptStarted():
            return f"attempt {fact.attempt}" + (f" ({one_line(fact.because)})" if fact.because else "")
        case e.BoundarySet():
            net = ", ".join(fact.hosts) or "no network"
            return f"contained at {fact.level} · {fact.stage} stage · {net} · {len(fact.hidden)} secret paths hidden"
        case e.Decided() if fact.decision != "allow":
            return f"{fact.decision:7} {one_line(fact.action.said())}: {one_line(fact.reasons[0].why)}"
        case e.Decided() if fact.at_door in {"door", "proxy", "runtime"}:
            return f"allow   {one_line(fact.action.said())}"
        case e.Blocked():
            return f"blocked {one_line(fact.what)} {one_line(fact.object)} (by {fact.by})"
        case e.QuestionAsked():
            return f"waits   {fact.question} of {', '.join(fact.of)}: {one_line(fact.text)}"
        case e.QuestionAnswered():
            return f"{fact.person} answered {fact.question}: {fact.answer}"
        case e.Warned():
            return f"near the limit: {fact.used} of {fact.of} {fact.limit}"
        case e.LimitReached():
            return f"limit reached: {fact.limit} {fact.of}"
        case e.Stuck():
            return f"stuck: {fact.why}"
        case e.RuntimeChosen() | e.ModelRefused() | e.Unasked() | e.Escalated() | e.Deescalated():
            return _runtime_line(fact)
        case e.WorkDone():
            return f"work over ({fact.why}, status {fact.status}) · {fact.receipt}"
        case _:
            return _outcome_line(fact)


def _runtime_line(fact: e.RuntimeChosen | e.ModelRefused | e.Unasked | e.Escalated | e.Deescalated) -> str:
    match fact:
        case e.RuntimeChosen():
            return f"runtime {fact.runtime} {fact.version}" + (f", model {one_line(fact.model)}" if fact.model else "")
        case e.ModelRefused():
            return f"refuse  model call to {one_line(fact.model)}: {one_line(fact.why)}"
        case e.Unasked():
            return f"unasked {one_line(fact.tool)} {one_line(fact.text)} (only the box decided)"
        case e.Escalated():
            return f"up      to {fact.runtime} as {fact.child}: {', '.join(fact.needs)}; {one_line(fact.why)}"
        case e.Deescalated():
            return f"back    from {fact.runtime}: {fact.verdict}, {len(fact.paths)} paths"


def _outcome_line(fact: e.Event) -> str | None:
    match fact:
        case e.AttemptLost():
            return f"attempt {fact.attempt} lost: {one_line(fact.why)}"
        case e.ChangesJudged():
            kept = len(fact.changes.changes) - len(fact.dropped)
            return f"judged {len(fact.changes.changes)} changed paths: {kept} publishable, {len(fact.dropped)} dropped"
        case e.CheckRan():
            items = f" · {len(fact.failing)} failing" if fact.failing else ""
            return f"check   {fact.check}: {'passes' if fact.ok else 'fails'}{items}"
        case e.RecoveryEntered():
            return f"recovery: {fact.when}, so {fact.do}"
        case e.Published():
            return f"published {len(fact.paths)} paths, {len(fact.refs)} refs"
        case e.PublishFailed():
            return f"not published: {one_line(fact.why)}"
        case e.Undone():
            return f"undone: {one_line(fact.receipt)}"
        case e.UndoFailed():
            return f"not undone: {one_line(fact.why)}"
        case e.Accepted():
            return f"{fact.person} {fact.acceptance} the outcome"
        case e.Stopped():
            return f"stopped · {one_line(fact.receipt)}"
        case _:
            return None


def stamped(record: e.Recorded, run: Run) -> str | None:
    """The line of a fact, with time, turns and refusals in front."""
    said = line(record.event) if record.event is not None else None
    if said is None:
        return None
    since = (record.at - run.started_at).total_seconds() if run.started_at else 0.0
    turns = f"{run.spend.turns}" + (f"/{run.limits.turns}" if run.limits.turns else "")
    paid = f"  {run.spend.usd / 1_000_000:.4f} usd" if run.modelled else ""
    front = f"{since:6.1f}s  turns {turns:>5}{paid}  refused {run.refusals:>2}  "
    return click.style(front, dim=True) + said  # click leaves the style out where nobody sits at a terminal


class View:
    """How the facts of one run are shown: as lines; of a chain on its own screens, or, with `tree`, as a tree drawn over itself.

    `asking` is the person who is asked at this terminal, empty where nobody is. What a chain needs is imported with its first
    fact.
    """

    def __init__(self, hands: "Hands", *, asking: str = "", tree: bool = False) -> None:
        self._hands = hands
        self._asking = asking
        self._tree = tree
        self._run: Run | None = None
        self._children: Mapping[str, Run] = {}
        self._teller: Teller | None = None
        self._live: Live | None = None
        self._drawn = 0.0

    def show(self, record: e.Recorded, run: Run) -> None:
        """Print what this fact says; `run` is after it."""
        if record.event is None:
            return
        if run.chain is None:
            self._print([each] if (each := stamped(record, run)) else [])
            return
        from remit.cli.chained import Teller
        from remit.cli.live import shown

        self._teller = self._teller or Teller(asking=self._asking)
        said = self._teller.lines(record.event, run)
        if self._live is not None and (shown(record.event) or said is None):
            return
        self._print(said if said is not None else [each] if (each := stamped(record, run)) else [])

    def _print(self, lines: list[str]) -> None:
        if self._live is not None and lines:
            self._live.above(lines)
            return
        for each in lines:
            talk(each)

    async def look(self, run: Run) -> None:
        """Take in where a chain and its sub-agents stand, to be drawn."""
        if not self._tree or run.chain is None:
            return
        known, stood = self._children, run.chain.steps.values()
        names = [child for each in stood for child in each.children]
        live = {each.children[-1] for each in stood if each.status == "in_progress" and each.children}
        fresh = {
            name: known[name] if name in known and known[name].verdict and name not in live
            else await self._hands.replay(name, known.get(name))
            for name in names
        }  # fmt: skip
        self._run, self._children = run, fresh

    def due(self) -> bool:
        """Whether there is a tree, and its next picture is due."""
        return self._run is not None and time.monotonic() - self._drawn >= FRAME

    def draw(self) -> None:
        """The next picture."""
        if self._run is None or self._run.chain is None:
            return
        from remit.cli.live import Live

        self._drawn = time.monotonic()
        self._live = self._live or Live()
        self._live.draw(self._run.chain, self._children, self._hands.clock.now())

    def hold(self) -> None:
        """Leave the terminal to somebody else until the next picture."""
        if self._live is not None:
            self._live.hold()

    def end(self) -> None:
        """The last picture; what comes after it is printed below."""
        self.draw()
        self.hold()
        self._live, self._run = None, None
