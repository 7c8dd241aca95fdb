"""What a copy of an answer says: the tokens it used, and the tools that the model calls in it."""

from collections.abc import Callable
from typing import Any

import msgspec

from remit.adapters.models.sse import Events
from remit.ports.models import ToolUse, Usage

MOST_TOOLS = 512
"""tool calls of one answer that are kept"""
MOST_WRITTEN = 2**20
"""characters of their arguments that are kept, in all"""
MOST_WHOLE = 32 * 2**20
"""bytes of an answer in one piece that are kept to be read"""


class Tally:
    """What was read so far. `usage` is None until it is that of the whole answer; `ended` says that nothing else will follow.

    `finished` is for formats that count all along: what they say before the model has finished is not yet the whole.
    """

    def __init__(self) -> None:
        self.ended = self.finished = False
        self.usage: Usage | None = None
        self.counts: dict[str, int] = {}
        self._calls: dict[Any, tuple[str, str, list[str]]] = {}
        self._written = 0

    def call(self, place: Any, call: Any, name: Any, arguments: Any = "") -> None:
        """A tool call begins, or is there whole; `place` tells it from the others of this answer."""
        if place not in self._calls and len(self._calls) < MOST_TOOLS:
            self._calls[place] = (_short(call), _short(name), [])
        self.more(place, arguments)  # some servers say the id again with every piece

    def more(self, place: Any, arguments: Any) -> None:
        """More of the arguments of a call: JSON text, or a value."""
        if place not in self._calls or arguments in (None, "", {}):
            return
        text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
        text = text[: max(0, MOST_WRITTEN - self._written)]
        self._written += len(text)
        self._calls[place][2].append(text)

    @property
    def tools(self) -> tuple[ToolUse, ...]:
        """The tool calls, in the order in which they began."""
        return tuple(ToolUse(id=call, name=name, arguments="".join(texts)) for call, name, texts in self._calls.values())


Read = Callable[[Tally, Any], None]


class Reading:
    """Reads along while an answer passes: a stream of events, or one piece of JSON."""

    def __init__(self, event: Read, whole: Read, kind: str) -> None:
        self.tally = Tally()
        self._event, self._whole = event, whole
        self._events = Events() if kind == "events" else None
        self._pieces: list[bytes] | None = [] if kind == "json" else None
        self._size = 0

    def feed(self, piece: bytes) -> None:
        """What just came. Never raises: what cannot be read is not counted."""
        if self._events is not None:
            for data in self._events.feed(piece):
                self._read(self._event, data)
        elif self._pieces is not None:
            self._size += len(piece)
            if self._size > MOST_WHOLE:
                self._pieces = None
            else:
                self._pieces.append(piece)

    def end(self) -> None:
        """Nothing more comes."""
        if self._pieces is not None:
            self._read(self._whole, b"".join(self._pieces))
            self._pieces = None
        if self._events is not None and self._events.lost:
            self.tally.usage = None

    def _read(self, read: Read, data: bytes) -> None:
        if data == b"[DONE]":
            self.tally.ended = True
            return
        try:
            read(self.tally, msgspec.json.decode(data))
        except (msgspec.MsgspecError, ValueError, RecursionError, AttributeError, TypeError, LookupError):
            return


def tokens(found: Any, name: str) -> int:
    """A count of tokens as the provider gives it; 0 where it says none. Raises ValueError for what is none."""
    value = found.get(name) if isinstance(found, dict) else None
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**12:
        raise ValueError(name)
    return value


def used(*, taken: int, given: int, cache_read: int = 0, cache_write: int = 0) -> Usage | None:
    """The usage, unless it says that nothing was used, which no call is."""
    if taken == given == 0:
        return None
    cache_read = min(cache_read, taken)
    return Usage(input=taken, output=given, cache_read=cache_read, cache_write=min(cache_write, taken - cache_read))


def _short(text: Any) -> str:
    return text[:200] if isinstance(text, str) else ""
