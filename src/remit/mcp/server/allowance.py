"""What all runs that hosts delegate may cost together: each contract names its own limit, and there may be many."""

from datetime import timedelta

from remit.contract.limits import MICRO
from remit.engine.hands import Hands
from remit.errors import Refused
from remit.run.event import Started
from remit.run.state import Run

HOST = "mcp host"
"""how the trigger of such a run begins"""
WITHIN = timedelta(hours=24)


async def within_allowance(hands: Hands, asked: int | None, most: int) -> None:
    """Raises Refused when a further run of `asked` millionths of a dollar could bring the last day's above `most`."""
    if asked is None:
        return
    since = hands.clock.now() - WITHIN
    begun = [record for record in await hands.ledger.runs() if record.at >= since and _delegated(record.event)]
    taken = sum([_taken(await hands.replay(record.run)) for record in begun])
    if taken + asked > most:
        left = max(0, most - taken) / MICRO
        said = f"`usd: {asked / MICRO:.2f}` is more than the {left:.2f} that are left of what hosts may spend in 24 hours"
        raise Refused(said, hint=f"ask for less; a person sets it with `remit mcp serve --usd N` (now {most / MICRO:.2f})")


def _taken(run: Run) -> int:
    """What it has cost, or while it is at work could still."""
    return run.spend.usd if run.verdict is not None else max(run.spend.usd, run.contract.limits.usd or 0)


def _delegated(event: object) -> bool:
    return isinstance(event, Started) and event.parent is None and event.trigger.startswith(HOST)
