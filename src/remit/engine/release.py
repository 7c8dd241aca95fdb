"""Releasing a stage, dropping it, putting it back: intent first, outcome after."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import anyio

from remit.engine.bring import bring
from remit.engine.checks import check
from remit.engine.hands import Hands
from remit.engine.judge import sealed_stage
from remit.errors import BadInput, Broken, Busy, Conflict, Refused
from remit.ports import Job, Publication, Stage
from remit.run.event import (
    PublishAsked,
    Published,
    PublishFailed,
    PublishIntended,
    UndoFailed,
    UndoIntended,
    Undone,
)
from remit.run.evolve import replay
from remit.run.lifecycle import next_phase
from remit.run.state import Run

PATIENCE = 30.0
"""seconds a run waits for another one that is publishing into the same workspace"""


async def publish(hands: Hands, run: Run) -> None:
    """Release what was judged publishable, all or nothing. Finishing after a crash takes the same road."""
    stage = await sealed_stage(hands, run)
    assert run.judged is not None and run.started is not None
    try:
        if run.phase != "publishing":
            if run.started.parent is None and not await _still_good(hands, run, stage):
                return
            if run.started.step and hands.turn is not None:
                await hands.turn(run.started.step)
            intent = PublishIntended(run=run.id, attempt=run.attempt, journal=str(hands.place(run.id, run.attempt)))
            await hands.record(intent)
        async with _turn(hands, run.started.workspace):
            done = await _released(hands, run, stage)
    except (Conflict, Broken) as error:
        hints = (error.hint,) if error.hint else ()
        await hands.record(PublishFailed(run=run.id, attempt=run.attempt, why=str(error), conflicts=hints))
        return
    await hands.record(Published(run=run.id, attempt=run.attempt, paths=done.paths, refs=done.refs, receipt=done.receipt))


@asynccontextmanager
async def _turn(hands: Hands, workspace: str) -> AsyncIterator[None]:
    """Two runs may work on one workspace at once; one publishes after the other. Raises Busy after PATIENCE seconds."""
    name = "workspace-" + hashlib.sha256(workspace.encode()).hexdigest()[:16]
    until = anyio.current_time() + PATIENCE
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(hands.leases.hold(name))
                break
            except Busy:
                if anyio.current_time() > until:
                    raise
            await anyio.sleep(0.05)
        yield


async def _still_good(hands: Hands, run: Run, stage: Stage) -> bool:
    """Whether what would be released passes its checks; they run again when the workspace moved since."""
    assert run.finished is not None
    if await stage.moved() != run.finished.moved:
        await check(hands, run, run.round + 1)
        run = await hands.replay(run.id, run)
    finished = run.finished
    if finished is None:  # stopped while they ran
        return False
    failing = sorted(set(finished.failed) - set(finished.excused))
    if not failing and set(finished.exceptions) <= set(run.exceptions):
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
    assert run.started is not None
    try:
        stage = await sealed_stage(hands, run)
        async with _turn(hands, run.started.workspace):
            done = await stage.undo()
    except (Conflict, Broken) as error:
        await hands.record(UndoFailed(run=run.id, why=str(error)))
        return
    await hands.record(Undone(run=run.id, paths=(*done.paths, *done.refs), receipt=done.receipt))


async def ask_undo(hands: Hands, run_id: str, *, by: str) -> None:
    """Have what a run published put back, or its unpublished stage dropped. Raises BadInput when there is neither."""
    run = await hands.replay(run_id)
    if run.started is not None and run.started.step:
        raise BadInput(f"`{run_id}` is a step of `{run.started.parent}`", hint=f"undo the whole: remit undo {run.started.parent}")
    if run.undone:
        raise BadInput(f"run `{run_id}` is undone already")
    if run.verdict is None or run.work is None:
        raise BadInput(f"run `{run_id}` has no outcome to undo yet", hint=f"`remit stop {run_id}` ends it")
    if run.published is not None:
        await _submitted(hands, run_id, UndoIntended(run=run_id, by=by))
        return
    with hands.leases.hold(run_id):  # whoever drives this run may be about to publish what would be dropped
        _fits(await hands.replay(run_id), "undone")
        await discard(hands, run)


async def publish_again(hands: Hands, run_id: str, *, by: str) -> None:
    """Try once more to release what was kept back. Raises Refused for anybody but the owner, and for a declined outcome."""
    run = await hands.replay(run_id)
    if by != run.owner:
        raise Refused(f"the owner {run.owner} releases this, not {by}")
    if run.acceptance == "declined":
        raise Refused(f"the outcome of `{run_id}` was declined")
    await _submitted(hands, run_id, PublishAsked(run=run_id, by=by))


async def _submitted(hands: Hands, run_id: str, mover: UndoIntended | PublishAsked) -> None:
    async with hands.ledger.transaction() as transaction:
        _fits(replay(transaction.events(run_id)), "undo_intended" if isinstance(mover, UndoIntended) else "publish_asked")
        recorded = transaction.append(mover)
        transaction.submit(Job(id=f"{run_id}:{recorded.seq}", run=run_id))


def _fits(run: Run, kind: str) -> None:
    """Two people may want the same at once, or a crash left it half done: a fact the lifecycle has no place for breaks it."""
    if next_phase(run.phase, kind) is None:
        raise BadInput(f"run `{run.id}` is `{run.phase}` now", hint=f"`remit resume {run.id}` carries on what was begun")
