"""One JSON object a line, with a program that may print anything: what is no message is passed over, nothing grows for ever."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from remit.ports import Seat

LONGEST = 8 * 1024 * 1024
"""bytes of a line; a longer one is dropped, however long it gets"""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Messages:
    """The messages a program prints, in order. Numbers with a fraction are `Decimal`, never float."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._rest = bytearray()
        self._searched = 0
        self._dropping = False
        self._ended = False
        self.strange = 0
        """lines that were no messages"""

    async def next(self) -> dict[str, Any] | None:
        """The next message; None when no more will come."""
        while True:
            line = self._line()
            if line is None:
                if self._ended:
                    return None
                await self._more()
                continue
            if not line.strip():
                continue
            message = decoded(line)
            if message is not None:
                return message
            self.strange += 1

    def _line(self) -> bytes | None:
        end = self._rest.find(b"\n", self._searched)
        if end < 0:
            if len(self._rest) > LONGEST:
                self._rest.clear()
                self._dropping = True
            self._searched = len(self._rest)
            if self._ended and self._rest and not self._dropping:
                line = bytes(self._rest)
                self._rest.clear()
                self._searched = 0
                return line
            return None
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        self._searched = 0
        if self._dropping or len(line) > LONGEST:
            self._dropping = False
            self.strange += 1
            return b""
        return line

    async def _more(self) -> None:
        data = await self._seat.read()
        if data is None:
            self._ended = True
        else:
            self._rest += data


def decoded(line: bytes) -> dict[str, Any] | None:
    """The object of a line, None where it is anything else."""
    try:
        read = json.loads(line, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError):
        return None
    return read if isinstance(read, dict) else None


def line(message: Mapping[str, Any]) -> bytes:
    """A message as a line. Raises ValueError for what is no text, as half a character."""
    return _ENCODER.encode(message) + b"\n"


def text(value: object) -> str:
    """A value that ought to be text, empty where it is none."""
    return value if isinstance(value, str) else ""


def table(value: object) -> dict[str, Any]:
    """A value that ought to be an object, empty where it is none."""
    return value if isinstance(value, dict) else {}


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
