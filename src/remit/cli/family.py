"""A run and every run below it."""

from remit.ports import Ledger
from remit.run.event import ChildStarted


async def family(ledger: Ledger, run: str) -> list[str]:
    """The run first, then its children and theirs, in the order they were started."""
    found, at = [run], 0
    while at < len(found):
        for record in await ledger.events(found[at]):
            if isinstance(record.event, ChildStarted) and record.event.child not in found:
                found.append(record.event.child)
        at += 1
    return found
