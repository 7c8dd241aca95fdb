"""Runtimes that are scripts: what the driver does is a Python function, so that every course of an attempt can be tried."""

from collections.abc import Awaitable, Callable, Mapping

import anyio

from remit.errors import BadInput
from remit.ports.runtime import Outfit, Runtime, Seat, Task

Driving = Callable[[Seat, Task], Awaitable[None]]
"""What a driver does with its seat; what it raises comes out of `drive`"""
PLAIN = Outfit(argv=("agent",), version="scripted", talks=True)


class ScriptedRuntime:
    """See `remit.ports.Runtime`. `drives` are called one after another, one for each attempt; the last one stays.

    A deaf one does not leave off when it is asked to. Found by a table it is made anew for each attempt, and all of one name
    share the list of what is left to do; `made` of the table has them in the order in which they were driven.
    """

    def __init__(
        self, *drives: Driving, name: str = "scripted", shows: bool = True, outfit: Outfit = PLAIN, deaf: bool = False
    ) -> None:  # fmt: skip
        self.name, self.shows, self.deaf = name, shows, deaf
        self.task: Task | None = None
        """what it was told, once it is driven"""
        self.cancelled = 0
        """how often it was asked to leave off"""
        self._drives, self._outfit = list(drives), outfit
        self._scope = anyio.CancelScope()

    async def outfit(self, task: Task) -> Outfit:
        """As it was given."""
        return self._outfit

    async def drive(self, seat: Seat, task: Task) -> None:
        """Do the next thing."""
        self.task = task
        driving = self._drives.pop(0) if len(self._drives) > 1 else self._drives[0]
        with self._scope:
            await driving(seat, task)

    async def cancel(self) -> None:
        """Leave off where it waits; a deaf one only counts."""
        self.cancelled += 1
        if self.deaf:
            await anyio.sleep_forever()
        self._scope.cancel()

    def again(self) -> "ScriptedRuntime":
        """A fresh one that goes on where the list of this one is."""
        fresh = ScriptedRuntime(name=self.name, shows=self.shows, outfit=self._outfit, deaf=self.deaf)
        fresh._drives = self._drives
        return fresh


class ScriptedRuntimes:
    """See `remit.ports.Runtimes`: a table of scripted ones, by their names."""

    def __init__(self, *runtimes: ScriptedRuntime) -> None:
        self._table: Mapping[str, ScriptedRuntime] = {each.name: each for each in runtimes}
        self._found: list[ScriptedRuntime] = []

    def find(self, name: str) -> Runtime:
        """A fresh one. Raises BadInput for a name that is not in the table."""
        if name not in self._table:
            raise BadInput(f"there is no runtime `{name}`", hint=f"one of {', '.join(self._table) or 'none'}")
        self._found.append(self._table[name].again())
        return self._found[-1]

    @property
    def made(self) -> list[ScriptedRuntime]:
        """Those that were driven; whoever was only asked for an outfit does not count."""
        return [each for each in self._found if each.task is not None]
