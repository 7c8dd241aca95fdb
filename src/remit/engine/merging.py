"""Steps that ran side by side are merged one after another, in the order of the plan, and never over one another."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import anyio

from remit.errors import Conflict
from remit.run.state import Run


class Merging:
    """Whose turn it is to publish into the stage of the run above: whoever begins takes a place, and gives it up at the end."""

    def __init__(self, order: Sequence[str]) -> None:
        self._order = {name: place for place, name in enumerate(order)}
        self._at_work: dict[str, int] = {}
        self._changed = anyio.Event()

    @asynccontextmanager
    async def place(self, step: str) -> AsyncIterator[None]:
        """While this step is under way; those after it in the plan wait to be merged until it is over."""
        self._at_work[step] = self._order.get(step, len(self._order))
        try:
            yield
        finally:
            del self._at_work[step]
            self._changed.set()
            self._changed = anyio.Event()

    async def turn(self, step: str) -> None:
        """Until every step before this one that is under way has come back."""
        mine = self._order.get(step, len(self._order))
        while any(place < mine for name, place in self._at_work.items() if name != step):
            await self._changed.wait()


def apart(parent: Run, child: Run, paths: Sequence[str]) -> None:
    """Raises Conflict where a step that was merged after this one's stage was forked has changed one of its paths."""
    if parent.chain is None or not parent.chain.paths:
        return
    late = {path: step for path, (seq, step) in parent.chain.paths.items() if seq > child.attempt_seq}
    above = {folder: step for path, step in late.items() for folder in _folders(path)}
    for path in paths:
        step = late.get(path) or above.get(path) or next((late[each] for each in _folders(path) if each in late), "")
        if step:
            raise Conflict(
                f"`{path}` was changed by step `{step}`, which was merged while this one worked",
                hint="retry it: a fresh sub-agent begins with what is merged now",
            )


def _folders(path: str) -> Iterator[str]:
    """The folders a path lies in, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path
