"""Releasing a stage, dropping it, putting it back: intent first, outcome after."""

from remit.engine.bring import bring
from remit.engine.checks import check
from remit.engine.hands import Hands
from remit.engine.judge import sealed_stage
from remit.errors import BadInput, Broken, Conflict
from remit.ports import Job, Publication, Stage
from remit.run.event import (
    Event,
    Notified,
    Published,
    PublishFailed,
    PublishIntended,
    UndoFailed,
    UndoIntended,
    Undone,
)
from remit.run.state import Run


async def publish(hands: Hands, run: Run) -> None:
    """Release what was judged publishable, all or nothing. Finishing after a crash takes the same road."""
    stage = await sealed_stage(hands, run)
    assert run.judged is not None and run.started is not None
    if run.phase != "publishing":
        if run.started.parent is None and not await _still_good(hands, run, stage):
            return
        intent = PublishIntended(run=run.id, attempt=run.attempt, journal=str(hands.place(run.id, run.attempt)))
        await hands.record(intent)
    with hands.leases.hold(workspace_lease(run.started.workspace)):
        try:
            done = await _released(hands, run, stage)
        except (Conflict, Broken) as error:
            await hands.record(
                PublishFailed(run=run.id, attempt=run.attempt, why=str(error), conflicts=(error.hint,) if error.hint else ())
            )
            return
    await hands.record(Published(run=run.id, attempt=run.attempt, paths=done.paths, refs=done.refs, receipt=done.receipt))


async def _still_good(hands: Hands, run: Run, stage: Stage) -> bool:
    """When the base moved since the checks ran, they run again on the merged tree before anything is released."""
    assert run.finished is not None
    if await stage.moved() == run.finished.moved:
        return True
    await check(hands, run, run.round + 1)
    fresh = await hands.replay(run.id)
    assert fresh.finished is not None
    failing = sorted(set(fresh.finished.failed) - set(fresh.finished.excused))
    if not failing and set(fresh.finished.exceptions) <= set(run.exceptions):
        return True
    what = f"check {', '.join(failing)} fails" if failing else "there are new exceptions"
    why = f"the workspace moved meanwhile, and on the merged tree {what}"
    await hands.record(PublishFailed(run=run.id, attempt=run.attempt, why=why))
    return False


async def _released(hands: Hands, run: Run, stage: Stage) -> Publication:
    assert run.judged is not None and run.started is not None
    if run.started.parent is not None:
        return await bring(hands, run)
    return await stage.publish(dropped=run.judged.dropped, withheld=run.judged.withheld, refs=run.judged.refs)


async def discard(hands: Hands, run: Run) -> None:
    """Drop the stage: the workspace is as it was."""
    stage = await hands.workspace.reopen(hands.place(run.id, run.attempt))
    if stage is not None:
        await stage.discard()
    await hands.record(Undone(run=run.id, paths=(), receipt="the stage was dropped; nothing of it had been published"))


async def undo(hands: Hands, run: Run) -> None:
    """Put back exactly what was published, or say why not."""
    stage = await sealed_stage(hands, run)
    assert run.started is not None
    with hands.leases.hold(workspace_lease(run.started.workspace)):
        try:
            done = await stage.undo()
        except (Conflict, Broken) as error:
            await hands.record(UndoFailed(run=run.id, why=str(error)))
            return
    await hands.record(Undone(run=run.id, paths=(*done.paths, *done.refs), receipt=done.receipt))


async def ask_undo(hands: Hands, run_id: str, *, by: str) -> None:
    """Have what a run published put back, or its unpublished stage dropped. Raises BadInput when there is neither."""
    run = await hands.replay(run_id)
    if run.undone:
        raise BadInput(f"run `{run_id}` is undone already")
    if run.verdict is None or run.work is None:
        raise BadInput(f"run `{run_id}` has no outcome to undo yet", hint=f"`remit stop {run_id}` ends it")
    if run.published is None:
        await discard(hands, run)
        return
    await _submitted(hands, run, UndoIntended(run=run_id, by=by))


async def publish_again(hands: Hands, run_id: str, *, by: str) -> None:
    """Try once more to release what a conflict kept back."""
    run = await hands.replay(run_id)
    place = str(hands.place(run_id, run.attempt))
    notice = Notified(run=run_id, who=run.contract.owner, how="inbox", what=f"{by} asked to publish once more")
    await _submitted(hands, run, notice, PublishIntended(run=run_id, attempt=run.attempt, journal=place))


async def _submitted(hands: Hands, run: Run, *events: Event) -> None:
    async with hands.ledger.transaction() as transaction:
        recorded = [transaction.append(event) for event in events]
        transaction.submit(Job(id=f"{run.id}:{recorded[-1].seq}", run=run.id))


def workspace_lease(root: str) -> str:
    """Two runs may work on one workspace at once; only one publishes at a time."""
    import hashlib

    return "workspace-" + hashlib.sha256(root.encode()).hexdigest()[:16]
