"""The coordinator of a chain: it hands steps on, asks when one is in trouble, has everything validated, and ends.

It keeps nothing of its own. What it does next follows from the ledger (`run.chain_move`), so it can be killed at any moment and
started again. It invokes no skill: a step is a child run, and the words of one reach another only as outputs (SUB-01..03).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import anyio
from anyio.abc import TaskGroup

from remit.contract.models import CHAIN
from remit.engine import chain_asking
from remit.engine.bring import bring
from remit.engine.came_back import Back, ended, validated
from remit.engine.hands import Hands
from remit.engine.merging import Merging
from remit.engine.resting import possible
from remit.errors import Conflict, RemitError
from remit.plan.contracting import who
from remit.plan.graph import following, needs
from remit.plan.step import CONVERSATION, VALIDATION
from remit.ports import Box, Outfit, Seat, Task
from remit.run import chain_move as m
from remit.run.chained import GapsAccepted, Outcome, PlanEnded, StepEnded, StepReopened, StepSkipped
from remit.run.event import Event, StopAsked
from remit.run.state import Run

TICK = 0.2
IDLE = ("cat",)
"""what holds the stage while the coordinator works: it waits for the end of its input"""


class Coordinator:
    """See `ports.Runtime`. It sits in the engine, beside the box that holds the stage of its chain."""

    name = CHAIN
    shows = False

    def __init__(self, hands: Hands, run: Run) -> None:
        assert run.chain is not None
        self.merging = Merging([step.id for step in run.chain.plan.steps])
        self._hands, self._id = hands, run.id
        self._busy: set[str] = set()
        self._turn = anyio.Event()
        self._scope = anyio.CancelScope()
        self._left_off = False
        self._known: Run | None = None

    def holds(self, box: Box) -> None:
        """The box that the stage of the chain is written through."""
        self._hands = replace(self._hands, above=box)

    async def outfit(self, task: Task) -> Outfit:
        """Nothing of its own: a program that waits, so that the stage has somebody to write to it."""
        return Outfit(argv=IDLE, version="1", talks=True, meter=False)

    async def drive(self, seat: Seat, task: Task) -> None:
        """Until the chain is over, or nothing can be done before a person or a child says something."""
        failed: Exception | None = None
        with self._scope:
            if self._left_off:
                self._scope.cancel()
            try:
                await self._restore()
                await self._coordinate(seat)
            except Exception as error:  # noqa: BLE001 - a group would wrap it, and the box has to be closed first
                failed = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        await seat.close()
        if failed is not None:
            raise failed

    async def cancel(self) -> None:
        """Leave off. Children that are under way are stopped with their boxes; the ledger says how far they were."""
        self._left_off = True
        self._scope.cancel()

    async def _run(self) -> Run:
        self._known = await self._hands.replay(self._id, self._known)
        return self._known

    async def _restore(self) -> None:
        """What complete steps had made goes into a stage that has nothing of it, in the order in which it was merged."""
        run = await self._run()
        if run.chain is None:
            return
        ours = set[str]()
        for child_id in run.chain.merged[run.chain.sealed if run.carried else 0 :]:
            child, run = await self._hands.replay(child_id), await self._run()
            if run.chain is None or child_id not in run.chain.merged:
                continue  # it was built on what did not fit
            try:
                ours |= {*(await bring(self._hands, child, again=True, ours=ours)).paths}
            except Conflict as error:
                await self._hands.record(*_apart(run, child, str(error)))

    async def _coordinate(self, seat: Seat) -> None:
        async with anyio.create_task_group() as group:
            while True:
                run = await self._run()
                if run.stop or run.chain is None or run.chain.over:
                    break
                for move in await possible(self._hands, run, self._busy):
                    await self._make(group, seat, run, move)
                run = await self._run()
                if run.chain is None or run.chain.over:
                    break
                if not self._busy and not await possible(self._hands, run, self._busy):
                    break  # a person is awaited, or a child that waits for one
                with anyio.move_on_after(TICK):
                    await self._turn.wait()
            group.cancel_scope.cancel()

    async def _make(self, group: TaskGroup, seat: Seat, run: Run, move: m.Step) -> None:
        name = getattr(move, "step", "") or type(move).__name__
        if name in self._busy:
            return
        match move:
            case m.Take():
                self._begin(group, name, partial(self._take, seat, move))
            case m.Validate():
                self._begin(group, name, partial(self._validate, seat, move.round))
            case m.AskStep() | m.AskPerson() | m.AskGaps():
                self._begin(group, name, partial(chain_asking.ask, self._hands, self._id, move))
            case _:
                await self._hands.record(self._fact(run, move))

    def _begin(self, group: TaskGroup, name: str, act: Callable[[], Awaitable[None]]) -> None:
        self._busy.add(name)
        group.start_soon(self._do, name, act)

    async def _do(self, name: str, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        finally:
            self._busy.discard(name)
            self._turn.set()
            self._turn = anyio.Event()

    def _fact(self, run: Run, move: m.Step) -> Event:
        match move:
            case m.Settle():
                how: Outcome = "complete" if move.done else "failed"
                why = f"{move.question} was answered {'yes' if move.done else 'no'}"
                return StepEnded(run=run.id, step=move.step, number=1, child="", outcome=how, why=why)
            case m.Reopen():
                return StepReopened(run=run.id, step=move.step, why=move.why, question=move.question)
            case m.Skip():
                return StepSkipped(run=run.id, step=move.step, person=move.person, question=move.question, why=move.why)
            case m.Accept():
                return GapsAccepted(run=run.id, person=move.person, question=move.question, missing=move.missing)
            case m.Finish():
                return PlanEnded(run=run.id, how=move.how, why=move.why)
            case _:
                raise AssertionError(move)

    async def _take(self, seat: Seat, move: m.Take) -> None:
        run = await self._run()
        assert run.chain is not None
        plan = run.chain.plan
        runtime = plan.runtime if move.step == CONVERSATION else who(plan, plan.step(move.step))[0]
        arguments: dict[str, object] = {"step": move.step, "number": move.number, "because": move.because}
        if move.step != CONVERSATION and (reason := plan.step(move.step).why):
            arguments["why"] = reason
        async with self.merging.place(move.step):
            why = await _handed_on(seat, runtime, arguments)
            await self._came_back(Back(step=move.step, number=move.number, refused=why))

    async def _came_back(self, back: Back) -> None:
        run = await self._run()
        events = await ended(self._hands, run, back)
        if events:
            await self._hands.record(*events)

    async def _validate(self, seat: Seat, round_: int) -> None:
        run = await self._run()
        assert run.chain is not None
        arguments = {"step": VALIDATION, "number": round_}
        why = await _handed_on(seat, run.chain.plan.validate_by or "command", arguments)
        fact = await validated(self._hands, await self._run(), round_, why)
        if fact is not None:
            await self._hands.record(fact)


def _apart(run: Run, child: Run, why: str) -> list[Event]:
    """What a complete step had made does not fit any more, and so neither does what was built on it."""
    assert run.chain is not None and child.started is not None
    step, facts = child.started.step, list[Event]()
    for name in run.chain.steps:
        stood = run.chain.steps[name]
        if name == step or (name in following(needs(run.chain.plan), [step]) and stood.status in {"complete", "in_progress"}):
            facts.append(
                StepEnded(
                    run=run.id,
                    step=name,
                    number=stood.tries,
                    child=child.id if name == step else stood.children[-1] if stood.children else "",
                    outcome="conflict",
                    why=why if name == step else f"it was built on `{step}`: {why}",
                    report=stood.report,
                    flagged=stood.flagged,
                    digest=stood.digest,
                )
            )
            if stood.status == "in_progress" and stood.children:
                facts.append(StopAsked(run=stood.children[-1], by=run.id, why="what it was built on is not there any more"))
    return facts


async def _handed_on(seat: Seat, runtime: str, arguments: dict[str, object]) -> str:
    """Hand work to a child and wait until it has ended or waits; why it could not be, or nothing."""
    try:
        said = await seat.act({"verb": "delegate", "object": runtime, "arguments": arguments, "schema": "remit.act/1"})
    except (Conflict, RemitError) as error:
        return str(error)
    if said.get("child"):
        return ""
    reasons = said.get("reasons") or []
    return "; ".join(str(each.get("why") or "") for each in reasons) or f"the gate said {said.get('decision')}"
