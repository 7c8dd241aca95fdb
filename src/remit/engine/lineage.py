"""The contracts that answer for a run, compiled once, and what has been used up under them."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.compile import Authority, compile_contract, compile_organisation
from remit.authority.spent import Spent, Used
from remit.ports import Transaction
from remit.run.event import Intended, Recorded
from remit.run.ladder import unlocked
from remit.run.state import Run

Find = Callable[[str], Run]
"""The run of an id, as it stands in the current transaction."""

FOREVER = timedelta(days=3650)


class Lineages:
    """Compiled contracts by run and by how many rungs it has taken: a rung may unlock rules."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, int], Authority] = {}
        self._ceilings: dict[str, Authority] = {}

    def of(self, run: Run, find: Find) -> tuple[Authority, ...]:
        """Organisation, every ancestor, then this run's own contract, with the rules its recovery has unlocked."""
        assert run.started is not None
        root = run.id.split(".")[0]
        if root not in self._ceilings:
            self._ceilings[root] = compile_organisation(run.started.organisation)
        return (self._ceilings[root], *(self._own(find(ancestor)) for ancestor in run.started.ancestors), self._own(run))

    def _own(self, run: Run) -> Authority:
        key = (run.id, len(run.rungs))
        if key not in self._compiled:
            assert run.started is not None
            extra = [rule for entry in unlocked(run) for rule in entry.may]
            self._compiled[key] = compile_contract(run.contract, run.started.organisation, unlocked=extra)
        return self._compiled[key]


def spent(run: Run, transaction: Transaction, now: datetime, authorities: tuple[Authority, ...], *, metered: bool) -> Spent:
    """What `decide` must count. Ancestors' limits were reserved when the child began, so only this run's own are charged.

    Not `metered`: the work is over and is only being judged, so its turns count no more.
    """
    spend = {authorities[-1].hash: run.spend.plus(run.reserved)} if metered else {}
    window = max((_window(authority) for authority in authorities), default=timedelta())
    if not window:
        return Spent(spend=spend, created=run.created, run=run.id)
    tree = run.id.split(".")[0]
    intended = transaction.used(since=now - window)
    times: dict[tuple[str, str], int] = {}
    for record in intended:
        if isinstance(record.event, Intended) and record.run.split(".")[0] == tree:
            for rule in record.event.rules:
                times[rule] = times.get(rule, 0) + 1
    return Spent(spend=spend, times=times, used=tuple(map(_used, intended)), created=run.created, run=run.id)


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


def approvals(run: Run, *, unused: bool) -> tuple[Approval, ...]:
    """Every yes about an action of this run. At the door a used one counts no more; at publishing it is the same effect."""
    found: list[Approval] = []
    for asked in run.questions.values():
        if asked.answer is None or asked.answer.answer != "yes" or not asked.question.digest:
            continue
        if unused and asked.used:
            continue
        found += [
            Approval(
                action=asked.question.digest, contract=contract, person=asked.answer.person,
                roles=asked.answer.roles, expires=asked.question.expires, assurance=asked.answer.assurance,
                question=asked.question.question,
            )
            for contract in dict.fromkeys(reason.contract for reason in asked.question.reasons)
        ]  # fmt: skip
    return tuple(found)


def denied(run: Run, digest: str) -> bool:
    """Whether a person has said no to exactly this action: a no is sticky."""
    return any(asked.said == "no" and asked.question.digest == digest for asked in run.questions.values())
