"""One attempt: a fresh stage, a box compiled from the contract, watched until nothing of it is left, then sealed."""

import os
import shutil
import signal
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import anyio

from remit.engine import boundary
from remit.engine.delegation import Drive, delegate, look_after
from remit.engine.doorkeeper import MOST_PROGRAMS, Doorkeeper
from remit.engine.errands import run_errand
from remit.engine.gate import Gate
from remit.engine.gear import Gear, fitted
from remit.engine.hands import Hands
from remit.engine.last_words import last_words
from remit.engine.lineage import names_verb
from remit.engine.meter import left_open
from remit.engine.outbox import beyond
from remit.engine.seat import MOST_WORDS, reported
from remit.engine.sight import hidden, touches
from remit.engine.working import Working, too_fast
from remit.errors import Broken, Refused, RemitError, Unavailable
from remit.ports import Box, BoxPlan, Containment, Exit, Stage
from remit.run.errand import errand
from remit.run.event import (
    AttemptLost,
    AttemptStarted,
    BoxStarted,
    Event,
    LimitReached,
    Output,
    Stuck,
    Warned,
    WorkDone,
)
from remit.run.next_move import Work
from remit.run.state import Run

TICK = 0.2
GRACE = 10.0
"""seconds a runtime has to end after it said that it is done"""
TOLD = 5.0
"""seconds a runtime has to end after it was told that a limit is used up"""
LAST = 2.0
"""seconds a driver has to read what a dead box had printed"""
REPEATS = 8
LOOP = 16
"""identical actions in a row that are no progress, even where each is allowed"""
STORM = 20


async def work(hands: Hands, gate: Gate, drive: Drive, run: Run, move: Work) -> None:
    """Carry out one attempt. If the box cannot be made, the attempt is lost and the error goes up."""
    found = await require_level(hands, run)
    started = AttemptStarted(run=run.id, attempt=move.attempt, because=move.because, carried=move.carried)
    await hands.record(started)
    state = await hands.replay(run.id)
    place = hands.place(run.id, move.attempt)
    shutil.rmtree(place, ignore_errors=True)
    try:
        gear = await fitted(hands, gate, state)
        stage, plan = await _prepare(hands, gate, state, place, gear)
        await _inside(hands, gate, drive, state, stage, plan, found, gear)
    except OSError as error:
        why = f"the machine failed: {error.strerror or error}" + (f": `{error.filename}`" if error.filename else "")
        await hands.record(AttemptLost(run=run.id, attempt=move.attempt, why=why))
        raise Broken(why, hint="mend that, then `remit resume` tries again") from error
    except RemitError as error:
        await hands.record(AttemptLost(run=run.id, attempt=move.attempt, why=str(error)))
        raise


async def require_level(hands: Hands, run: Run) -> Containment:
    """What this machine can contain. Raises Unavailable, with the cure, when it is less than the contract needs."""
    assert run.started is not None
    found = await hands.sandbox.probe()
    needed = run.started.accepted_level or run.contract.containment
    if found.level < needed:
        missing = "; ".join(f"{part.name}: {part.detail}" for part in found.parts if part.required and not part.ok)
        cure = next((part.cure for part in found.parts if part.required and not part.ok and part.cure), "")
        raise Unavailable(
            f"the contract needs containment {needed}, this machine gives {found.level} ({missing})",
            hint=cure or f"`remit doctor` says more; a person may type `--accept-containment {found.level}`",
        )
    return found


async def _prepare(hands: Hands, gate: Gate, run: Run, place: Path, gear: Gear) -> tuple[Stage, BoxPlan]:
    assert run.started is not None
    root = Path(run.started.workspace)
    async with gate.transaction() as transaction:
        authorities = gate.lineage(transaction, gate.fold(transaction, run.id))
        above = [gate.fold(transaction, ancestor).contract for ancestor in run.started.ancestors]
    now = hands.clock.now()
    secrets, there = gear.masking(hidden(authorities, run.started.organisation.secrets, now))
    await hands.workspace.inspect(root, writable=touches(authorities, now, "write"))
    parent = await _parent_stage(hands, run)
    if run.carried:
        stage = await hands.workspace.carry(hands.place(run.id, run.carried), place)
    else:
        stage = await hands.workspace.open(
            root, place, secrets=secrets, named=there, quota=boundary.quota(run.limits, authorities),
            under=parent, identity=(f"remit {run.id}", run.contract.owner),
        )  # fmt: skip
    made = boundary.plan(
        run, stage, authorities, above=above, visible=run.started.visible, passed=dict(os.environ),
        owner=boundary.dropped_to(root),
    )  # fmt: skip
    return stage, gear.furnished(made)


async def _parent_stage(hands: Hands, run: Run) -> Stage | None:
    assert run.started is not None
    if run.started.parent is None:
        return None
    parent = await hands.replay(run.started.parent)
    place = hands.place(parent.id, parent.attempt)
    return await hands.workspace.live(place) or await hands.workspace.reopen(place)


async def _inside(
    hands: Hands, gate: Gate, drive: Drive, run: Run, stage: Stage, plan: BoxPlan, found: Containment, gear: Gear
) -> None:
    async with gate.transaction() as transaction:
        authorities = gate.lineage(transaction, gate.fold(transaction, run.id))
    below = replace(hands, turn=gear.coordinator.merging.turn if gear.coordinator is not None else None)
    keeper = Doorkeeper(
        hands, gate, run.id, log=hands.place(run.id, run.attempt).parent / f"{run.attempt}.log",
        observes=names_verb(authorities, "run"), shows=gear.shows, meter=gear.meter, attempt=run.attempt,
        delegate=lambda parent, arguments, answer: delegate(below, drive, parent, arguments, answer, keeper.box),
    )  # fmt: skip
    keeper.talks = plan.talks
    async with hands.sandbox.open(plan, keeper) as box:
        keeper.box = box
        if gear.coordinator is not None:
            gear.coordinator.holds(box)
        await hands.record(
            BoxStarted(run=run.id, attempt=run.attempt, pid=box.pid, born=born(box.pid)),
            boundary.boundary(run, plan, stage, found),
        )
        paces = [each.limits.pace for each in authorities if each.limits.pace is not None]
        working = Working(hands, gate, gear, keeper, box, paces)
        ended, stuck = await _watch(hands, gate, run, box, keeper, working)
    keeper.speech.deafen()
    await keeper.flush()
    await _close(hands, run, stage, keeper, ended, stuck, working)


async def _watch(hands: Hands, gate: Gate, run: Run, box: Box, keeper: Doorkeeper, working: Working) -> tuple[Exit, str]:
    """Wait for the box while looking for a stop, a used-up limit, and no progress."""
    stuck = ""

    async def look() -> None:
        nonlocal stuck
        seen, state = -1, run
        while True:
            with anyio.move_on_after(TICK):
                await keeper.wake.wait()
            await keeper.flush()
            version = await hands.ledger.version()
            if version != seen:
                seen, state = version, await hands.replay(run.id, state)
            now = hands.clock.now()
            if state.stop or working.finished(now, GRACE):
                working.leave()
                await working.left_off()
                return await box.stop("stopped")
            if over := keeper.over or working.gear.meter.ended(now, TOLD):
                working.leave()
                return await box.stop("limit", over)
            await _warn(hands, state)
            if stuck := aimless(state, working, now):
                working.gear.meter.closed = True
                await working.left_off()
                return await box.stop("stopped")

    errand_lock = anyio.Lock()
    async with anyio.create_task_group() as group:
        group.start_soon(look)
        group.start_soon(_errands, hands, gate, run, errand_lock)
        group.start_soon(working.drive)
        ended = await box.wait()
        keeper.speech.end()
        await _quiet(working, errand_lock)
        group.cancel_scope.cancel()
    return ended, stuck or ("" if ended.why == "limit" else working.trouble)


async def _quiet(working: Working, errands: anyio.Lock) -> None:
    """Until the driver has read what was printed and no errand is under way, and not for long: a page that is cut off on its way
    would go out a second time.
    """
    with anyio.move_on_after(LAST):
        await working.over.wait()
    with anyio.move_on_after(LAST):
        await errands.acquire()


async def _errands(hands: Hands, gate: Gate, run: Run, lock: anyio.Lock) -> None:
    """While the agent works: pages go out, questions move on, and what people said yes to is released; in children too."""
    seen, state = -1, run
    async with anyio.create_task_group() as group:
        group.start_soon(look_after, hands, gate, run)
        while True:
            version = await hands.ledger.version()
            if version != seen:
                seen, state = version, await hands.replay(run.id, state)
            found = errand(state, hands.clock.now(), alive=True, beyond=frozenset(await beyond(hands, state)))
            if found is None:
                await anyio.sleep(TICK)
                continue
            async with lock:
                await run_errand(hands, gate, state, found)
            state = await hands.replay(run.id, state)


def aimless(run: Run, working: Working, now: datetime) -> str:
    """Why the attempt is ended before anybody asked for it, or nothing (KILL-03)."""
    nowhere = no_progress(run, working.moved(now), now) or working.trouble or working.astray()
    return nowhere or too_fast(working.paces, working.gear.meter, now)


def no_progress(run: Run, moved: datetime, now: datetime) -> str:
    """Why the run goes nowhere, or nothing: the same action over and over, a storm of refusals, silence."""
    scripted = run.started is not None and run.started.runtime == "command"  # a script may wait for something by asking again
    if run.repeats >= (REPEATS if run.storm else LOOP) and (run.storm or not scripted):
        return f"the same action was asked {run.repeats} times in a row"
    if run.storm >= STORM:
        return f"{run.storm} refusals in a row"
    limit = run.limits.time or 1800
    idle = min(900.0, max(60.0, 0.8 * limit))
    if (now - moved).total_seconds() > idle:
        return f"nothing was done for {idle:.0f} s"
    return ""


async def _warn(hands: Hands, run: Run) -> None:
    """At four fifths of the time, say so once."""
    limits, spend = run.limits, run.spend
    time = spend.time
    if run.attempt_at is not None:
        time += (hands.clock.now() - run.attempt_at).total_seconds()
    if limits.time and time >= 0.8 * limits.time and "time" not in run.warned:
        await hands.record(Warned(run=run.id, limit="time", used=f"{time:.0f}", of=str(limits.time)))


async def _close(hands: Hands, run: Run, stage: Stage, keeper: Doorkeeper, ended: Exit, stuck: str, working: Working) -> None:
    state = await hands.replay(run.id)
    why: Literal["ended", "limit", "stopped", "stuck"] = "stuck" if stuck else ended.why
    if why == "stopped" and keeper.done is not None and not state.stop:
        why = "ended"
    if why == "ended" and state.stop:  # it left off when it was asked to
        why = "stopped"
    if why == "ended" and working.gear.meter.over:  # it was told, and did end: it is the limit that ended it
        why = "limit"
    sealed = await stage.seal()
    facts: list[Event] = [*left_open(state, "the attempt was over before it was settled"), *working.unasked(run.attempt)]
    facts += _printed_last(hands, run)
    if keeper.programs > MOST_PROGRAMS:
        facts.append(Warned(run=run.id, limit="recorded programs", used=str(keeper.programs), of=str(MOST_PROGRAMS)))
    if ended.why == "limit" and ended.limit not in {"turns", "calls", "tokens", "usd"}:
        facts.append(LimitReached(run=run.id, limit=ended.limit, used="", of=str(getattr(run.limits, ended.limit, ""))))
    if stuck:
        facts.append(Stuck(run=run.id, why=stuck))
    await hands.record(
        *facts,
        Output(
            run=run.id, attempt=run.attempt, bytes=keeper.bytes, sha256=keeper.sha256,
            tail=keeper.tail.decode("utf-8", "replace"), cut=keeper.bytes > len(keeper.tail),
        ),
        WorkDone(
            run=run.id, attempt=run.attempt, status=ended.status, why=why, sealed=sealed, receipt=ended.receipt,
            ended=ended.killed,
        ),
    )  # fmt: skip


def _printed_last(hands: Hands, run: Run) -> list[Event]:
    """The last words of a program that was given a brief: what it printed is all it says."""
    assert run.started is not None
    if run.started.runtime != "command" or not run.started.brief:
        return []
    words = last_words(hands.place(run.id, run.attempt).parent / f"{run.attempt}.log", MOST_WORDS)
    return [reported(run.id, run.attempt, words)] if words else []


def born(pid: int) -> int:
    """When the process started, in clock ticks since boot; 0 when it is gone. A pid alone may be somebody else's by now."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[19])


async def lose(hands: Hands, run: Run) -> None:
    """The supervisor of this attempt died: make sure its box is gone, drop its stage, say so."""
    if run.box is not None and run.box[1] and born(run.box[0]) == run.box[1]:
        os.kill(run.box[0], signal.SIGKILL)
        for _ in range(250):
            if born(run.box[0]) != run.box[1]:
                break
            await anyio.sleep(0.02)
        if born(run.box[0]) == run.box[1]:
            raise Refused(f"process {run.box[0]} of the attempt before does not die", hint="end it by hand, then resume")
    await anyio.to_thread.run_sync(lambda: shutil.rmtree(hands.place(run.id, run.attempt), ignore_errors=True))
    lost = AttemptLost(run=run.id, attempt=run.attempt, why="the supervisor was gone before the stage was sealed")
    await hands.record(*left_open(run, "the supervisor was gone before it was settled"), lost)
