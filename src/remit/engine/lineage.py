"""The contracts that answer for a run, compiled once, and what has been used up under them."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.compile import (
    Authority,
    compile_condition_rules,
    compile_contract,
    compile_organisation,
    with_owner,
)
from remit.authority.spent import Spent, Used
from remit.contract.limits import Count, Sum
from remit.contract.party import Tool
from remit.ports import Transaction
from remit.run.event import Intended, Recorded
from remit.run.ladder import unlocked
from remit.run.state import Asked, Run

Find = Callable[[str], Run]
"""The run of an id, as it stands in the current transaction."""

FOREVER = timedelta(days=3650)
A_DAY = timedelta(days=1)
MOST = 1000
"""compiled contracts that are remembered; then all of them are made again"""


class Lineages:
    """Compiled contracts by run, by how many rungs it has taken, by its owner and the conditions people added."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, int, str, int], tuple[Authority, ...]] = {}
        self._ceilings: dict[str, Authority] = {}

    def of(self, run: Run, find: Find) -> tuple[Authority, ...]:
        """Organisation, every ancestor, then this run's own contract, with the rules its recovery has unlocked.

        What people added as a condition answers too, just before the contract it narrows; the run's own contract is the last.
        """
        assert run.started is not None
        root = run.id.split(".")[0]
        if root not in self._ceilings:
            self._ceilings[root] = compile_organisation(run.started.organisation)
        ceiling = self._ceilings[root]
        above = [each for ancestor in run.started.ancestors for each in self._own(find(ancestor))]
        return (ceiling, *above, *self._own(run))

    def denied(self, run: Run, digest: str, find: Find, asked: Callable[[str], Iterable[str]]) -> bool:
        """Whether anybody said no to exactly this anywhere in the tree of this run: asking through a child is asking again.

        `asked` says in which runs of a tree there were questions at all: in no other can there be a no.
        """
        return any(denied(run if name == run.id else find(name), digest) for name in asked(run.id.split(".")[0]))

    def _own(self, run: Run) -> tuple[Authority, ...]:
        key = (run.id, len(run.rungs), run.owner, len(run.conditions))
        if key not in self._compiled:
            if len(self._compiled) >= MOST:
                self._compiled.clear()
                self._ceilings.clear()
            assert run.started is not None
            known = run.started.organisation
            extra = [rule for entry in unlocked(run) for rule in entry.may]
            own = with_owner(compile_contract(run.contract, known, unlocked=extra), run.owner)
            added = [compile_condition_rules(each.rules, known, by=each.person) for each in run.conditions]
            self._compiled[key] = (*added, own)
        return self._compiled[key]


def tool_of(authorities: tuple[Authority, ...], action: Action) -> Tool | None:
    """The declared tool a call is about; the organisation's word on it stands."""
    if action.verb != "call":
        return None
    return next((each.tools[str(action.object)] for each in authorities if str(action.object) in each.tools), None)


def spent(run: Run, transaction: Transaction, now: datetime, authorities: tuple[Authority, ...], *, metered: bool) -> Spent:
    """What `decide` must count. Ancestors' limits were reserved when the child began, so only this run's own are charged.

    Not `metered`: the work is over and is only being judged, so its turns count no more.
    """
    spend = {authorities[-1].hash: run.spend.plus(run.reserved)} if metered else {}
    window = max((_window(authority) for authority in authorities), default=timedelta())
    if not window:
        return Spent(spend=spend, created=run.created, run=run.id)
    tree = run.id.split(".")[0]
    intended = _once(transaction.used(since=now - window))
    times: dict[tuple[str, str], int] = {}
    for record in intended:
        if isinstance(record.event, Intended) and record.run.split(".")[0] == tree:
            for rule in record.event.rules:
                times[rule] = times.get(rule, 0) + 1
    return Spent(
        spend=spend, times=times, used=tuple(map(_used, intended)), created=run.created, run=run.id,
        trees=_trees(run, authorities),
    )  # fmt: skip


def _trees(run: Run, authorities: tuple[Authority, ...]) -> dict[Sum | Count, str]:
    """The run for which each window is kept; where several contracts have the same one, the outermost answers for all."""
    assert run.started is not None
    found: dict[Sum | Count, str] = {}
    runs = iter((*run.started.ancestors, run.id))
    for authority in authorities:
        top = run.id.split(".")[0] if authority.ceiling else next(runs, run.id)
        windows: tuple[Sum | Count, ...] = (*authority.limits.sums, *authority.limits.counts)
        for window in windows:
            found.setdefault(window, top)
    return found


def _once(intended: list[Recorded]) -> list[Recorded]:
    """An effect that was tried again under its key is still one effect."""
    found: dict[tuple[str, str], Recorded] = {}
    for record in intended:
        if isinstance(record.event, Intended):
            found[record.run, record.event.key] = record
    return list(found.values())


def counts(authorities: Iterable[Authority]) -> bool:
    """Whether any of these contracts counts what is granted: `times`, counts or sums."""
    return any(_window(authority) for authority in authorities)


def after(spent: Spent, action: Action, rules: tuple[tuple[str, str], ...], numbers: dict[str, str], now: datetime) -> Spent:
    """What is used up once this action is granted too, within one sitting."""
    times = dict(spent.times)
    for rule in rules:
        times[rule] = times.get(rule, 0) + 1
    shown = action.object if isinstance(action.object, str) else " ".join(action.object)
    used = Used(at=now, run=spent.run, verb=action.verb, object=shown, arguments=numbers, rules=rules)
    return replace(spent, times=times, used=(*spent.used, used))


def names_verb(authorities: Iterable[Authority], verb: str) -> bool:
    """Whether any of these contracts has a rule for the verb."""
    return any(verb in authority.shelves for authority in authorities)


def _window(authority: Authority) -> timedelta:
    """How far back this contract counts: nothing, its longest window, or for ever where a rule has `times` or a sum no window."""
    limits = authority.limits
    windows = [each.within for each in limits.sums] + [each.within for each in limits.counts]
    counts_times = any(rule.rule.times is not None for shelf in authority.shelves.values() for rule in shelf.rules)
    if counts_times or None in windows:
        return FOREVER
    return timedelta(seconds=max((window for window in windows if window is not None), default=0))


def _used(record: Recorded) -> Used:
    assert isinstance(record.event, Intended)
    action = record.event.action
    shown = action.object if isinstance(action.object, str) else " ".join(action.object)
    return Used(
        at=record.at, run=record.run, verb=action.verb, object=shown, arguments=record.event.numbers, rules=record.event.rules
    )


def approvals(run: Run, *, unused: bool, draft: str = "") -> tuple[Approval, ...]:
    """Every yes about an action of this run; a draft of the outbox has answers of its own.

    At the door a used one counts no more; at publishing it is the same effect.
    """
    found: list[Approval] = []
    for asked in run.questions.values():
        question = asked.question
        if asked.said != "yes" or not question.digest or question.draft != draft or (unused and asked.used):
            continue
        found += [
            Approval(
                action=question.digest, contract=contract, person=each.person, roles=each.roles, expires=_until(asked, at),
                assurance=each.assurance, question=question.question,
                reasons=frozenset(reason.token for reason in question.reasons if reason.contract == contract),
            )
            for each, at in zip(asked.answers, asked.times, strict=True)
            if each in asked.counting
            for contract in dict.fromkeys(reason.contract for reason in question.reasons)
        ]  # fmt: skip
    return tuple(found)


def denied(run: Run, digest: str) -> bool:
    """Whether a person has said no to exactly this action, before or after it was changed: a no is sticky."""
    return digest in noes(run)


def noes(run: Run) -> frozenset[str]:
    """The digests of what people said no to in this run."""
    said = [asked for asked in run.questions.values() if asked.said == "no"]
    return frozenset(digest for asked in said for digest in (asked.digest, asked.question.digest) if digest)


def _until(asked: Asked, at: datetime) -> datetime | None:
    """How long a yes counts: it was given in time, and the engine may have been away; but not for longer than it was open for."""
    return None if asked.question.expires is None else at + max(asked.question.expires - asked.at, A_DAY)
