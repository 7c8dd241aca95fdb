"""Runs whose work is done by a loop of the caller's own: the same gate, outbox and checks, without a box."""

from pathlib import Path
from typing import Literal

from remit.engine.hands import Hands
from remit.ports import Stage
from remit.run.event import AttemptStarted, WorkDone
from remit.run.state import Run


async def begin(hands: Hands, run: Run) -> None:
    """Open the stage that the checks will judge, and say that the work has begun."""
    assert run.started is not None
    await hands.workspace.open(
        Path(run.started.workspace), hands.place(run.id, 1), secrets=(), named=lambda _: False, quota=None,
        identity=(f"remit {run.id}", run.owner),
    )  # fmt: skip
    await hands.record(AttemptStarted(run=run.id, attempt=1, because=run.started.trigger))


async def seal(hands: Hands, run: Run) -> None:
    """The caller's loop is over, or was stopped: seal what there is."""
    stage = await opened(hands, run)
    digest = await stage.seal() if stage is not None else ""
    receipt = "the loop is the caller's own: remit gave it no processes, and gives it no more grants"
    why: Literal["stopped", "ended"] = "stopped" if run.stop else "ended"
    await hands.record(
        WorkDone(run=run.id, attempt=run.attempt, status=None if run.stop else 0, why=why, sealed=digest, receipt=receipt)
    )


async def opened(hands: Hands, run: Run) -> Stage | None:
    """The stage of a hosted run, sealed or not."""
    place = hands.place(run.id, run.attempt)
    return await hands.workspace.reopen(place) or await hands.workspace.live(place)
