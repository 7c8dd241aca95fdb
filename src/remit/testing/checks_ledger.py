"""What every ledger must do; run it on yours: `await check_ledger(make)`."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from remit.authority.action import Action
from remit.errors import BadInput
from remit.ports import Clock, Job, Ledger
from remit.run.event import Intended, Notified, QuestionAsked, Stopped
from remit.testing.clock import JumpingClock

Make = Callable[[Clock], Ledger]


async def events_come_back_in_order_with_places_across_runs(make: Make) -> None:
    """Places count over all runs; reading gives one run, above a place."""
    ledger = make(JumpingClock())
    async with ledger.transaction() as transaction:
        places = [transaction.append(_told(run)).seq for run in ("r1", "r2", "r1")]
        assert [record.seq for record in transaction.events("r1")] == [0, 2], "a transaction sees its own writes"
    assert places == [0, 1, 2]
    assert [(record.seq, record.event) for record in await ledger.events("r1")] == [(0, _told("r1")), (2, _told("r1"))]
    assert [record.seq for record in await ledger.events("r1", after=0)] == [2]


async def nothing_of_a_broken_transaction_stays(make: Make) -> None:
    """Neither events nor jobs, and the places are given out again."""
    ledger = make(JumpingClock())
    with suppress(ZeroDivisionError):
        async with ledger.transaction() as transaction:
            transaction.append(_told("r1"))
            transaction.submit(Job(id="j", run="r1"))
            raise ZeroDivisionError
    assert await ledger.events("r1") == []
    assert await ledger.jobs() == []
    async with ledger.transaction() as transaction:
        assert transaction.append(_told("r1")).seq == 0


async def nothing_is_seen_before_it_is_committed(make: Make) -> None:
    """A reader beside the writer sees the past only."""
    ledger = make(JumpingClock())
    async with ledger.transaction() as transaction:
        transaction.append(_told("r1"))
        assert await ledger.events("r1") == []
    assert len(await ledger.events("r1")) == 1


async def what_cannot_be_recorded_is_refused_and_leaves_nothing(make: Make) -> None:
    """A number that JSON cannot hold."""
    ledger = make(JumpingClock())
    bad = Intended(run="r1", key="k", action=Action(verb="call", object="x", arguments={"n": _nan()}))
    for event in (bad, _told("a run id with spaces")):
        try:
            async with ledger.transaction() as transaction:
                transaction.append(event)
        except BadInput:
            continue
        raise AssertionError("it was recorded")
    assert await ledger.events("r1") == []


async def jobs_are_known_by_their_id(make: Make) -> None:
    """Submitting twice, finishing and revoking."""
    ledger = make(JumpingClock())
    first, second = Job(id="1", run="r1"), Job(id="2", run="r2")
    async with ledger.transaction() as transaction:
        for job in (first, first, second):
            transaction.submit(job)
    assert await ledger.jobs() == [first, second]
    await ledger.finish(first)
    async with ledger.transaction() as transaction:
        transaction.submit(first)
        transaction.revoke("r2")
    assert await ledger.jobs() == []


async def windows_see_intents_of_every_run(make: Make) -> None:
    """`used` goes by the moment, over all runs, and includes its edge."""
    clock = JumpingClock()
    ledger = make(clock)
    for run in ("r1", "r2", "r3"):
        async with ledger.transaction() as transaction:
            transaction.append(Intended(run=run, key=run, action=Action(verb="call", object="refund")))
            transaction.append(_told(run))
        clock.jump(60)
    async with ledger.transaction() as transaction:
        since = clock.now() - timedelta(seconds=120)
        assert [record.run for record in transaction.used(since=since)] == ["r2", "r3"]


async def questions_are_found_by_the_tree_they_were_put_in(make: Make) -> None:
    """`asked` names the runs of a tree with questions, its own among them, once each, and no other tree's."""
    ledger = make(JumpingClock())
    async with ledger.transaction() as transaction:
        states = [transaction.clean]
        for run in ("r1.2", "r1", "r1.2", "r12", "r2.1"):
            transaction.append(QuestionAsked(run=run, question="Q1", about="context", text="?", of=("owner",)))
        transaction.append(_told("r1.3"))
        assert sorted(transaction.asked("r1")) == ["r1", "r1.2"]
        states.append(transaction.clean)
    assert states == [True, False]
    async with ledger.transaction() as transaction:
        assert sorted(transaction.asked("r1")) == ["r1", "r1.2"]
        assert transaction.asked("r3") == []


async def the_version_changes_with_every_commit(make: Make) -> None:
    """And not without one."""
    ledger = make(JumpingClock())
    before = await ledger.version()
    assert await ledger.version() == before
    async with ledger.transaction() as transaction:
        transaction.append(Stopped(run="r1", receipt=""))
    assert await ledger.version() != before


CHECKS: tuple[Callable[[Make], Awaitable[None]], ...] = (
    events_come_back_in_order_with_places_across_runs,
    nothing_of_a_broken_transaction_stays,
    nothing_is_seen_before_it_is_committed,
    what_cannot_be_recorded_is_refused_and_leaves_nothing,
    jobs_are_known_by_their_id,
    windows_see_intents_of_every_run,
    questions_are_found_by_the_tree_they_were_put_in,
    the_version_changes_with_every_commit,
)


async def check_ledger(make: Make) -> None:
    """Run every check; `make` gives a fresh, empty ledger on this clock each time. Raises AssertionError."""
    for check in CHECKS:
        await check(make)


def _told(run: str) -> Notified:
    return Notified(run=run, who="release-lead@example.com", how="inbox", what="hello")


def _nan() -> object:
    from decimal import Decimal

    return Decimal("NaN")
