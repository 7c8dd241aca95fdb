"""Local delivery: a run's open jobs are worked off in this process, at least once; the lease keeps a second one out.

The port is `Transaction.submit` and `revoke`: a job is written in the very transaction that makes a move possible, so nothing
waits in memory and a crash loses nothing. Beyond one machine another engine delivers the same jobs (ADR 0004).
"""

from collections.abc import AsyncIterator

from remit.engine.hands import Hands
from remit.engine.outbox import beyond
from remit.engine.supervisor import Supervisor
from remit.run.next_move import Rest, next_move
from remit.run.state import Run


async def deliver(supervisor: Supervisor, run_id: str) -> Run:
    """Drive the run until it rests and none of its jobs is open. Raises Busy when another process drives it."""
    ledger = supervisor.hands.ledger
    while True:
        jobs = [job for job in await ledger.jobs() if job.run == run_id]
        run = await supervisor.drive(run_id)
        for job in jobs:
            await ledger.finish(job)
        if not any(job.run == run_id for job in await ledger.jobs()):
            return run


async def unfinished(hands: Hands) -> AsyncIterator[str]:
    """Runs with something to do: an open job, or a deadline that has passed. A child is carried on by its parent."""
    open_jobs = {job.run for job in await hands.ledger.jobs()}
    for record in await hands.ledger.runs():
        if "." in record.run or record.event is None:
            continue
        if record.run in open_jobs or await _due(hands, record.run):
            yield record.run


async def _due(hands: Hands, run_id: str) -> bool:
    """Whether a move can be made. A parent whose work is over moves only when a child of it does."""
    run = await hands.replay(run_id)
    if run.phase == "sealed" and run.children and not run.stop:
        return any([await _due(hands, child) for child in run.children])
    return not isinstance(next_move(run, hands.clock.now(), beyond=frozenset(await beyond(hands, run))), Rest)
