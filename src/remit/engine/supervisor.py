"""Drive one run: replay, find the next move, make it, again; until nothing is to be done or a person is awaited."""

from dataclasses import replace

from remit.engine.attempt import lose, work
from remit.engine.checks import check
from remit.engine.delegation import settle
from remit.engine.errands import run_errand
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.hosted import seal
from remit.engine.judge import judge
from remit.engine.outbox import beyond
from remit.engine.perform import perform
from remit.engine.release import discard, publish, undo
from remit.engine.resting import at_rest
from remit.engine.telling import told
from remit.run import next_move as m
from remit.run.asking import deadline, escalation
from remit.run.event import Event, QuestionAsked, RecoveryEntered, StopAsked, Stopped, VerdictReached
from remit.run.state import Run


class Supervisor:
    """The engine loop. It holds no state: started again after a crash, it carries on from the ledger."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.gate = Gate(hands)

    async def drive(self, run_id: str) -> Run:
        """Make every move there is. Raises Busy when another process drives this run."""
        with self.hands.leases.hold(run_id):
            while True:
                run = await self.hands.replay(run_id)
                if run.phase == "sealed" and run.children and not run.stop and await self._waits_below(run):
                    return run
                move = m.next_move(run, self.hands.clock.now(), beyond=frozenset(await beyond(self.hands, run)))
                if isinstance(move, m.Rest) or await self._held_back(run, move):
                    return run
                await self._make(run, move)

    async def _make(self, run: Run, move: m.Move) -> None:
        match move:
            case m.Work():
                await work(self.hands, self.gate, drive, run, move)
            case m.Lose():
                await lose(self.hands, run)
            case m.Perform():
                await perform(self.hands, self.gate, run, move.question)
            case m.Seal():
                await seal(self.hands, run)
            case m.Judge():
                await judge(self.hands, self.gate, run)
            case m.Check():
                await check(self.hands, run, move.round)
            case m.Recover():
                await self._recover(run, move)
            case m.AskPublish():
                await self._ask(run, "publish", "The checks passed. Shall this be published?", "refuse")
            case m.Conclude():
                await self._conclude(run, move)
            case m.Publish():
                await publish(self.hands, run)
            case m.Discard():
                await discard(self.hands, run)
            case m.Undo():
                await undo(self.hands, run)
            case m.Tell():
                await self.hands.record(*told(run, run.owner, ending(run), ending=True))
            case m.Rest():
                return
            case _:
                await run_errand(self.hands, self.gate, run, move)

    async def _recover(self, run: Run, move: m.Recover) -> None:
        rung = move.rung
        entered = RecoveryEntered(run=run.id, entry=move.entry, when=rung.when, do=rung.do, why=move.why)
        if rung.do == "ask owner":
            await self._ask(run, "recovery", f"{move.why}. Shall the agent try once more?", "refuse", entered)
        elif rung.do == "hand over":
            await self.hands.record(entered, *told(run, rung.to or run.owner, f"handed over: {move.why}"))
        else:
            await self.hands.record(entered)

    async def _ask(self, run: Run, about: str, text: str, otherwise: str, *before: Event) -> None:
        question = f"Q{len(run.questions) + 1}"
        rung = escalation(run.contract, about)
        asked = QuestionAsked(
            run=run.id, question=question, about="publish" if about == "publish" else "recovery", text=text, of=(run.owner,),
            contract=run.contract.hash(), otherwise=otherwise, expires=deadline(rung, self.hands.clock.now()),
        )  # fmt: skip
        await self.hands.record(*before, asked, *told(run, run.owner, f"{question}: {text}", question=question))
        if self.hands.asker is not None:
            await self.hands.asker(asked)

    async def _held_back(self, run: Run, move: m.Move) -> bool:
        """A step of a chain is merged while its coordinator works and in its turn, and never into a stage that is sealed."""
        if not isinstance(move, m.Publish) or self.hands.above is not None or run.started is None or not run.started.step:
            return False
        assert run.started.parent is not None
        chain = (await self.hands.replay(run.started.parent)).chain
        return chain is not None and not chain.over

    async def _waits_below(self, run: Run) -> bool:
        """Whether runs below it hold it up. The steps of a chain are its coordinator's: it takes up those that can go on."""
        if run.chain is None:
            return await self._children_wait(run)
        return not run.chain.over and await at_rest(self.hands, run)

    async def _children_wait(self, run: Run) -> bool:
        """Carry on the children that are still open; whether one of them waits for a person, and so its parent does."""
        below = self._below()
        for child_id in run.children:
            await settle(self.hands, run.id, await below.drive(child_id))
        return bool((await self.hands.replay(run.id)).children)

    async def _end_children(self, run: Run) -> None:
        """No child outlives its parent: one that is still open is stopped, and its reservation settled."""
        for child_id in run.children:
            child = await self.hands.replay(child_id)
            if child.verdict is None and not child.stop:
                await self.hands.record(StopAsked(run=child_id, by=run.id, why="the run above it has ended"))
            await settle(self.hands, run.id, await self._below().drive(child_id))

    def _below(self) -> "Supervisor":
        """Whoever drives a child of a run whose work is over: the box and the turn of a run above are none of its business."""
        return Supervisor(replace(self.hands, above=None, turn=None))

    async def _conclude(self, run: Run, move: m.Conclude) -> None:
        await self._end_children(run)
        facts: list[Event] = []
        if move.verdict == "stopped":
            now = await self.hands.replay(run.id)
            below = [child for child in now.keys.values() if (await self.hands.replay(child)).verdict == "stopped"]
            facts.append(stopped(now, below))
        facts.append(VerdictReached(run=run.id, verdict=move.verdict, exceptions=move.exceptions, why=move.why))
        await self.hands.record(*facts)


async def drive(hands: Hands, run_id: str) -> Run:
    """Drive a run with these hands until it ends or waits."""
    return await Supervisor(hands).drive(run_id)


def stopped(run: Run, below: list[str]) -> Stopped:
    """What ended with the stop, and what it could not call back. `below` are children that were stopped with it."""
    ended = []
    if run.work is not None and run.work.why == "stopped":
        ended.append(f"attempt {run.attempt}")
        ended += run.work.ended
    ended += [f"run {child}" for child in below]
    remains = [
        f"{draft.action.said()} ({draft.state})" for draft in run.drafts.values()
        if draft.state in {"published", "publishing", "unknown"}
    ]  # fmt: skip
    if run.published is not None:
        remains.append(f"what was published stays until `remit undo {run.id}`")
    receipt = run.work.receipt if run.work is not None else "no attempt was running"
    return Stopped(run=run.id, receipt=receipt, ended=tuple(ended), remains=tuple(remains))


def ending(run: Run) -> str:
    """How the run ended, in one line: tasks do not complete silently (OWN-12)."""
    said = (run.verdict or "waiting").replace("_", " ")
    if run.exceptions:
        said += f" ({len(run.exceptions)})"
    parts = [said, run.why, f"{run.refusals} refused" if run.refusals else ""]
    if run.published is None and run.verdict == "success_with_exceptions":
        parts.append(f"nothing is published until you take it: remit accept {run.id}")
    if run.publish_failed:
        parts.append(f"not published: {run.publish_failed}")
    return "; ".join(part for part in parts if part)
