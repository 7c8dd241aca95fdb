"""The line to an ACP agent: JSON messages over the standard input and output of the box, as the SDK's transport.

What the agent sends was made by someone who may want to break this end. Only messages that the SDK reads without harm come
through; the rest is dropped, or answered here.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from decimal import Decimal
from typing import Any, NoReturn

import anyio

from remit.ports.runtime import Seat

LONGEST = 16 * 1024 * 1024
"""bytes of one message; a longer one is dropped"""
AT_ONCE = 32
"""requests of the agent that may be open; further ones are not read until one is answered"""
DEEPEST = 64
"""objects and lists within one another"""
ASKED = "session/request_permission"
WRITTEN = "fs/write_text_file"
UNKNOWN = -32601


class SeatLine:
    """`acp` `Transport` on a seat. `heard` gets what the agent tells about its work (`session/update`), in order; `served` are
    the requests of the agent that the SDK gets to see.
    """

    def __init__(
        self,
        seat: Seat,
        heard: Callable[[Mapping[str, Any]], Awaitable[None]],
        served: Collection[str] = (ASKED, WRITTEN),
    ) -> None:
        self._served = served
        self._seat = seat
        self._heard = heard
        self._buffer = bytearray()
        self._skipping = False
        self._lines: list[bytes] = []
        self._open: set[Any] = set()
        self._room = anyio.Event()
        self.trouble: Exception | None = None
        """what went wrong on this side; the SDK would only log it, or tell the agent"""
        self._reading = anyio.CancelScope()

    async def send(self, message: dict[str, Any]) -> None:
        """One message as one line."""
        if "method" not in message:
            self._open.discard(message.get("id"))
            self._room.set()
            if isinstance(message.get("error"), dict):
                message["error"].pop("data", None)  # the SDK sends everything back that it did not like
        await self._seat.say(json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n")

    async def receive(self) -> dict[str, Any] | None:
        """The next message the SDK has to see; None when the agent is gone."""
        with anyio.CancelScope() as self._reading:
            try:
                return await self._next()
            except Exception as error:  # noqa: BLE001 - whatever it is, `drive` raises it
                self.fail(error)
        return None

    def fail(self, error: Exception) -> None:
        """Something went wrong on this side: the conversation ends at once, as if the agent had left."""
        self.trouble = self.trouble or error
        self._reading.cancel()

    async def _next(self) -> dict[str, Any] | None:
        while self.trouble is None:
            while len(self._open) >= AT_ONCE:
                self._room = anyio.Event()
                await self._room.wait()
            line = await self._line()
            message = read(line) if line is not None else None
            if line is None or (message is not None and await self._passes(message)):
                return message
        return None

    async def close(self) -> None:
        """Nothing to do: the box is the engine's to end."""

    async def _passes(self, message: dict[str, Any]) -> bool:
        """Whether it is for the SDK; what is not is heard, answered or dropped here."""
        method, known = message.get("method"), message.get("id")
        if "method" not in message:
            return type(known) is int and shaped(message)
        params = message.get("params")
        if not isinstance(method, str) or not isinstance(params, dict):
            return False
        if "id" not in message:
            if method == "session/update" and isinstance(params.get("update"), dict):
                await self._heard(params["update"])
            return False
        if not isinstance(known, int | str) or known in self._open:
            return False
        if method not in self._served:
            error = {"code": UNKNOWN, "message": f"`{method[:100]}` is not offered here"}
            await self.send({"jsonrpc": "2.0", "id": known, "error": error})
            return False
        params.pop("_meta", None)  # the SDK lays its keys over the checked ones
        self._open.add(known)
        return True

    async def _line(self) -> bytes | None:
        """The next whole line, without its end. A part that is never finished is dropped."""
        while not self._lines:
            data = await self._seat.read()
            if data is None:
                return None
            *whole, rest = data.split(b"\n")
            for piece in whole:
                self._take(piece)
                if not self._skipping and self._buffer.strip():
                    self._lines.append(bytes(self._buffer))
                self._buffer.clear()
                self._skipping = False
            self._take(rest)
            self._lines.reverse()
        return self._lines.pop()

    def _take(self, piece: bytes) -> None:
        if len(self._buffer) + len(piece) > LONGEST:
            self._skipping = True
            self._buffer.clear()
        if not self._skipping:
            self._buffer += piece


def read(line: bytes) -> dict[str, Any] | None:
    """A message, its numbers exact; None for what is none."""
    try:
        message = json.loads(line, parse_float=Decimal, parse_constant=_refuse)
        if depth(message) > DEEPEST:
            return None
        if b"\\u" in line:
            json.dumps(message, ensure_ascii=False, default=str).encode()  # half a character has no bytes
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def depth(message: object) -> int:
    """How deep it is nested."""
    found, level = 0, [message]
    while level := [each for each in level if isinstance(each, dict | list)]:
        found += 1
        if found > DEEPEST:
            break
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return found


def shaped(message: Mapping[str, Any]) -> bool:
    """Whether an answer is one: a result, or an error with a number and words."""
    error = message.get("error")
    if error is None:
        return isinstance(message.get("result"), dict | None)
    return isinstance(error, dict) and type(error.get("code")) is int and isinstance(error.get("message"), str)


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)
