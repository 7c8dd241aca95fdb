"""The other end of the program in the box: what the agent's hands do there, asked over its standard input and output."""

from typing import Any

import anyio
import msgspec

from remit.errors import RemitError
from remit.ports.runtime import Seat

LONGEST = 64 * 1024 * 1024
"""bytes of one line; a program that says more is no longer listened to"""


class Gone(RemitError):
    """The program in the box is gone, so nothing can be done there."""


class HandsFailed(RemitError):
    """What was asked of the box did not work; the words are for the model."""


class Hands:
    """Asks the program in the box; `sandboxes/inside/hands.py` says how. `listen` runs beside those who ask."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._asked: dict[int, tuple[anyio.Event, list[dict[str, Any]]]] = {}
        self._count = 0
        self.gone = False

    async def listen(self) -> None:
        """Hand out answers until the program is gone."""
        left = bytearray()
        while (data := await self._seat.read()) is not None:
            left += data
            *lines, rest = left.split(b"\n") if b"\n" in data else [left]
            for line in lines:
                self._answered(bytes(line))
            left = bytearray(rest)
            if len(left) > LONGEST:
                break
        self.gone = True
        for event, _ in self._asked.values():
            event.set()

    async def ask(self, do: str, **given: Any) -> dict[str, Any]:
        """One request and its answer. Raises HandsFailed with words for the model, Gone when the box has ended."""
        if self.gone:
            raise Gone("the box has ended")
        self._count += 1
        number = self._count
        event, said = anyio.Event(), list[dict[str, Any]]()
        self._asked[number] = event, said
        try:
            await self._seat.say(msgspec.json.encode({"id": number, "do": do, **given}) + b"\n")
            await event.wait()
        finally:
            del self._asked[number]
        if not said:
            raise Gone("the box has ended")
        answer = said[0]
        if not answer.get("ok"):
            raise HandsFailed(str(answer.get("why") or answer.get("error") or "it failed"))
        return answer

    def _answered(self, line: bytes) -> None:
        """A line that is no answer, or to nothing that was asked, is what a program in the box printed: it is passed over."""
        try:
            answer = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        number = answer.get("id") if isinstance(answer, dict) else None
        waiting = self._asked.get(number) if isinstance(number, int) else None
        if waiting is not None:
            waiting[1].append(answer)
            waiting[0].set()
