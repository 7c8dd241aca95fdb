"""Whether a run can go on by itself, children and steps included."""

from collections.abc import Collection

from remit.engine.hands import Hands
from remit.engine.outbox import beyond
from remit.run.chain_move import Step, Take, chain_moves
from remit.run.next_move import Rest, next_move
from remit.run.state import Run

SUCCESS = frozenset({"success", "success_with_exceptions"})


async def at_rest(hands: Hands, run: Run) -> bool:
    """Whether nothing can be done for it before somebody, or something elsewhere, says something."""
    if run.phase == "sealed" and run.children and not run.stop and not (run.chain is not None and run.chain.over):
        if run.chain is not None:
            return not await possible(hands, run)
        return all([await at_rest(hands, await hands.replay(child)) for child in run.children])
    return isinstance(next_move(run, hands.clock.now(), beyond=frozenset(await beyond(hands, run))), Rest)


async def possible(hands: Hands, run: Run, busy: Collection[str] = ()) -> list[Step]:
    """What a chain's coordinator can do now: its moves, without steps that are busy and those whose child is at rest."""
    moves = [move for move in chain_moves(run) if getattr(move, "step", "") not in busy]
    return [move for move in moves if not (isinstance(move, Take) and await _awaits(hands, run, move))]


async def _awaits(hands: Hands, run: Run, move: Take) -> bool:
    assert run.chain is not None
    stood = run.chain.steps.get(move.step)
    if stood is None or stood.status != "in_progress" or not stood.children:
        return False
    child = await hands.replay(stood.children[-1])
    if child.verdict is not None and (child.published is not None or child.verdict not in SUCCESS or child.publish_failed):
        return False  # it has come back, and nobody has taken that down yet
    return await at_rest(hands, child)
