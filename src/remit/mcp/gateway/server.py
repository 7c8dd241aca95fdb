"""The server behind the gateway: every request goes to it under an id of the gateway's own, and only that is answered."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

import anyio

from remit.errors import Broken
from remit.mcp.gateway import messages
from remit.mcp.gateway.messages import Id, Note, Reply, Request, Unreadable
from remit.mcp.gateway.passing import Passing

GRACE = 0.5
"""seconds in which a server may still answer what its host has given up"""


class Pipe(Protocol):
    """What carries messages to a server and back."""

    async def send(self, message: bytes, *, method: str = "", params: Mapping[str, Any] = {}) -> None:
        """Raises OSError when it cannot be reached."""
        ...

    def back(self) -> AsyncIterator[bytes | None]:
        """What it says, one message each; None for one that is too long. Ends when it is gone."""
        ...


class Lost(Broken):
    """The server is gone, or was given up, in the middle: whether it did what was asked nobody knows."""


class _Awaited:
    def __init__(self, passing: Passing | None, method: str) -> None:
        self.passing, self.method = passing, method
        self.done = anyio.Event()
        self.reply: Reply | None = None

    def wake(self) -> None:
        """Whoever waits for it looks whether there is anything to wait for."""
        self.done.set()


class Server:
    """One server and what it owes us. `heard` gets its requests and notifications, `log` the lines for people."""

    def __init__(
        self, pipe: Pipe, heard: Callable[[Request | Note], Awaitable[None]], log: Callable[[str], None], name: str = "server"
    ) -> None:  # fmt: skip
        self.name = name
        self.gone = anyio.Event()
        self._pipe, self._heard, self._log = pipe, heard, log
        self._owed: dict[int, _Awaited] = {}
        self._last = 0

    async def attend(self) -> None:
        """Read what it says until it is gone."""
        try:
            async for line in self._pipe.back():
                await self._read(line)
        finally:
            self.gone.set()
            for each in self._owed.values():
                each.done.set()

    async def ask(self, method: str, params: Mapping[str, Any], passing: Passing | None = None) -> Reply:
        """Its answer. Raises Lost when none comes: the server is gone, or whoever asked has left."""
        if self.gone.is_set():
            raise Lost("the server is gone")
        self._last += 1
        number, awaited = self._last, _Awaited(passing, method)
        self._owed[number] = awaited
        try:
            await self._sent(messages.request(number, method, params), method, params)
            await self._answered(awaited, number)
        finally:
            del self._owed[number]
        if awaited.reply is None:
            raise Lost("the server ended before it answered" if self.gone.is_set() else "it was given up before it answered")
        return awaited.reply

    async def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """A notification."""
        if not self.gone.is_set():
            await self._sent(messages.note(method, params), method, params)

    async def say(self, message: bytes) -> None:
        """An answer to a request of its own."""
        if not self.gone.is_set():
            await self._sent(message, "", {})

    def host_id(self, number: object) -> Id | None:
        """The host's id of a request that is under way here."""
        awaited = self._owed.get(number) if isinstance(number, int) else None
        return awaited.passing.id if awaited is not None and awaited.passing is not None else None

    def awaiting(self) -> list[Passing]:
        """The requests it owes an answer to, the newest last."""
        return [each.passing for each in self._owed.values() if each.passing is not None]

    async def _sent(self, message: bytes, method: str, params: Mapping[str, Any]) -> None:
        try:
            await self._pipe.send(message, method=method, params=params)
        except OSError as error:
            raise Lost(f"the server cannot be reached: {error.strerror or type(error).__name__}") from error

    async def _answered(self, awaited: _Awaited, number: int) -> None:
        """Until it has answered, is gone, or was given up for longer than the grace it has."""
        passing = awaited.passing
        if passing is None:
            await awaited.done.wait()
            return
        passing.waking.append(awaited.wake)
        try:
            if not passing.left.is_set():
                await awaited.done.wait()
            if awaited.reply is None and not self.gone.is_set():
                awaited.done = anyio.Event()
                why = "the host does not wait for it any more"
                await self.tell("notifications/cancelled", {"requestId": number, "reason": why})
                with anyio.move_on_after(GRACE):
                    await awaited.done.wait()
        finally:
            passing.waking.remove(awaited.wake)

    async def _read(self, line: bytes | None) -> None:
        if line is None:
            self._log(f"a message of {self.name} of more than {messages.MOST_BACK} bytes was left out")
            return
        try:
            message = messages.read_server(line)
        except Unreadable as error:
            self._log(f"{self.name} said what is no message: {error}")
            return
        if not isinstance(message, Reply):
            await self._heard(message)
            return
        awaited = self._owed.get(message.id) if isinstance(message.id, int) else None
        if awaited is None or awaited.reply is not None:
            self._log(f"{self.name} answered what nobody had asked, under the id {str(message.id)[:40]!r}: it was left out")
            return
        awaited.reply = message
        awaited.done.set()
