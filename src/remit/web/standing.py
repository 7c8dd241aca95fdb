"""A run as its page shows it: where it stands, what it did, what is left of its limits, who it is related to."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from remit.authority.words import shown_rule, shown_where
from remit.contract.limits import Spend
from remit.contract.rule import Rule
from remit.evidence.account import Account, account
from remit.ports import Ledger
from remit.run.change import Change
from remit.run.event import ChildStarted, Recorded
from remit.run.evolve import evolve, replay
from remit.run.outbox import Draft
from remit.run.state import Run
from remit.web.drawings import Line, Node
from remit.web.told import Moment, moments
from remit.web.words import limits_of

MOST_POINTS = 120
MOST_RUNS = 80
GOOD = frozenset({"success", "success_with_exceptions"})
DRAFT_TONES = {"published": "good", "unknown": "bad", "refused": "bad", "expired": "bad", "abandoned": "plain"}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run page is made of. `records` are of the run itself, `family` of it and all runs below, in ledger order."""

    run: Run
    records: tuple[Recorded, ...]
    family: tuple[Recorded, ...]
    nodes: tuple[Node, ...]

    @property
    def moments(self) -> tuple[Moment, ...]:
        """What happened, oldest first."""
        return tuple(moments(self.records))

    @property
    def account(self) -> Account:
        """The five questions, of the run and those below it."""
        return account(self.family)


async def standing(ledger: Ledger, name: str) -> Standing | None:
    """The run as it stands now; None when there is none of this name."""
    records = await ledger.events(name)
    if not records or records[0].kind != "started":
        return None
    run = replay(records)
    found, nodes = list(records), [node(run, name, "", 0)]
    waiting = [(child, name, 1) for child in reversed(children(records))]
    while waiting and len(nodes) < MOST_RUNS:
        child, parent, depth = waiting.pop()
        theirs = await ledger.events(child)
        found += theirs
        nodes.append(node(replay(theirs), child, parent, depth))
        waiting += [(each, child, depth + 1) for each in reversed(children(theirs))]
    found.sort(key=lambda record: record.seq)
    return Standing(run=run, records=tuple(records), family=tuple(found), nodes=tuple(nodes))


def children(records: Sequence[Recorded]) -> list[str]:
    """The runs this one delegated to, in order."""
    return list(dict.fromkeys(record.event.child for record in records if isinstance(record.event, ChildStarted)))


def node(run: Run, name: str, parent: str, depth: int) -> Node:
    """One run of the tree."""
    goal = run.started.contract.goal if run.started else "(not to be read)"
    return Node(run=name, parent=parent, depth=depth, stands=stands(run), tone=tone(run), goal=goal)


def stands(run: Run) -> str:
    """Verdict and acceptance in words, or what it is doing."""
    if run.verdict is not None:
        return f"{verdict(run)}, {'undone' if run.undone else run.acceptance}"
    if run.stop:
        return "stopping"
    return "waits for a person" if run.blocking else "running"


def verdict(run: Run) -> str:
    """What the checks said, as words."""
    return (run.verdict or "none yet").replace("_", " ")


def tone(run: Run) -> str:
    """Good only when it succeeded and its owner took it: completed is not owned (OWN-01)."""
    if run.verdict is None:
        return "wait" if run.blocking else "plain"
    if run.verdict not in GOOD or run.acceptance == "declined":
        return "bad"
    return "good" if run.acceptance == "accepted" and not run.undone else "wait"


def lines(records: Sequence[Recorded], now: datetime) -> list[Line]:
    """What was left of each limit after each fact; at most MOST_POINTS of them, the last one among them."""
    run, points = Run(), dict[str, list[tuple[float, float]]]()
    every = max(1, len(records) // MOST_POINTS)
    for at, record in enumerate(records):
        run = evolve(run, record)
        if run.started is None or run.started_at is None or (at % every and at != len(records) - 1):
            continue
        seconds = (record.at - run.started_at).total_seconds()
        for name, used, most, _, _ in limits_of(run.limits, spent(run, record.at)):
            points.setdefault(name, []).append((seconds, 1.0 - used / most if most else 0.0))
    if run.verdict is None and run.started is not None and run.started_at is not None:
        until = (now - run.started_at).total_seconds()
        for name, used, most, _, _ in limits_of(run.limits, spent(run, now)):
            points[name].append((until, 1.0 - used / most if most else 0.0))
    return [Line(name=name, points=tuple(found)) for name, found in points.items()]


def spent(run: Run, at: datetime) -> Spend:
    """What is used at this moment: the time of an attempt is charged when it ends, and passes before that."""
    if run.phase != "working" or run.attempt_at is None:
        return run.spend
    return run.spend.plus(Spend(time=max(0.0, (at - run.attempt_at).total_seconds())))


def rule_text(rule: Rule) -> str:
    """A rule as a person reads it."""
    where = f" when {shown_where(rule)}" if rule.where else ""
    return shown_rule(rule).removeprefix(f"{rule.effect} ") + where


def draft_tone(draft: Draft) -> str:
    """Green only once it is known to have happened, red where nobody knows or it was refused."""
    return "bad" if draft.conflict else DRAFT_TONES.get(draft.state, "wait")


def changed(run: Run) -> Iterator[tuple[str, str, str]]:
    """Every changed path: how, the path, and why it is not published."""
    if run.judged is None:
        return
    dropped = set(run.judged.dropped)
    for change in run.judged.changes.changes:
        yield how(change), change.path, "dropped, not published" if change.path in dropped else ""


def how(change: Change) -> str:
    """added, changed or deleted."""
    if change.verb == "delete":
        return "deleted"
    return "added" if change.before.type == "absent" else "changed"
