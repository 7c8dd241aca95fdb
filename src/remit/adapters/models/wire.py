"""HTTP/1.1 as a server speaks it, on one accepted socket, many requests after another (RFC 9112)."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import anyio
import h11

from remit.adapters.models.plug import Gone, Plug

LONGEST_HEAD = 64 * 2**10
"""bytes of a request line and its headers"""
LONGEST_BODY = 32 * 2**20
"""bytes of the body of a request"""
IDLE = 600.0
"""seconds in which the next byte of a request has to come"""
LINGER = 2.0
"""seconds in which a refused body is still taken in, so that the answer is not lost"""

_STATUSES = frozenset(HTTPStatus)

Headers = Sequence[tuple[str, str]]


class Bad(Exception):
    """The other side does not speak HTTP as it should, in words."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The beginning of a request: method, target as sent, headers with small names."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for found, value in self.headers if found == name]

    def one(self, name: str) -> str:
        """The value of a header; empty where there is none, or more than one."""
        found = self.all(name)
        return found[0] if len(found) == 1 else ""


class Line:
    """One connection from inside a box."""

    def __init__(self, plug: Plug) -> None:
        self._plug = plug
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self._taken = 0
        self._bare = False
        self._held = b""
        self.begun = False

    async def head(self) -> Head | None:
        """The next request; None when there is no other. Raises Bad and Gone."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        elif self._http.our_state is not h11.IDLE:
            return None
        self._taken, self.begun = 0, False
        event = await self._event()
        if not isinstance(event, h11.Request):
            return None
        if event.http_version not in (b"1.1", b"1.0"):
            raise Bad("only HTTP/1.1 is spoken here")
        self._bare = event.method == b"HEAD"
        headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers)
        head = Head(method=event.method.decode("ascii"), target=event.target.decode("ascii", "replace"), headers=headers)
        if head.all("transfer-encoding") and head.all("content-length"):
            raise Bad("a request has Content-Length or Transfer-Encoding, not both")
        return head

    async def body(self) -> bytes:
        """The body of the request. Raises Bad when it is too long, and Gone."""
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        pieces = []
        while True:
            match await self._event():
                case h11.Data(data=data):
                    pieces.append(bytes(data))
                    self._taken += len(data)
                    if self._taken > LONGEST_BODY:
                        raise Bad(f"the body is longer than {LONGEST_BODY} bytes")
                case h11.EndOfMessage():
                    return b"".join(pieces)
                case _:
                    raise Gone

    async def answer(self, status: int, headers: Headers, body: bytes = b"", *, close: bool = False) -> None:
        """A whole answer."""
        close = close or self._http.their_state is not h11.DONE
        more = [("content-length", str(len(body))), *([("connection", "close")] if close else [])]
        await self.begin(status, [*headers, *more], more=bool(body))
        await self.part(body)
        await self.finish()

    async def begin(self, status: int, headers: Headers, *, more: bool = False) -> None:
        """Status and headers of an answer that comes in parts. Where `more` follows at once, they go out with it."""
        self.begun = True
        reason = HTTPStatus(status).phrase if status in _STATUSES else ""
        await self._send(h11.Response(status_code=status, headers=[*headers], reason=reason), more=more)

    async def part(self, data: bytes) -> None:
        """The next bytes; returns when the other side has room for more."""
        if data and not self._bare:
            await self._send(h11.Data(data=data))

    async def finish(self) -> None:
        """The answer is whole."""
        await self._send(h11.EndOfMessage())

    async def gone(self) -> None:
        """Return when the other side hangs up. What it says meanwhile is kept for its turn, up to a size."""
        room = LONGEST_HEAD
        while room > 0:
            try:
                data = await self._plug.receive()
            except Gone:
                return
            if not data:
                return
            room -= len(data)
            self._http.receive_data(data)
        await anyio.sleep_forever()

    async def shut(self) -> None:
        """Close; where an answer was the last word, only when the other side has heard it, or after a while."""
        try:
            if self._http.our_state in (h11.MUST_CLOSE, h11.CLOSED):
                with anyio.move_on_after(LINGER):
                    self._plug.ended()
                    taken = 0
                    while taken < LONGEST_BODY and (data := await self._plug.receive()):
                        taken += len(data)
        except Gone:
            pass
        finally:
            self._plug.close()

    async def _event(self) -> object:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise Bad(f"not HTTP/1.1 as it should be: {error}") from None
            if event is not h11.NEED_DATA:
                return event
            try:
                with anyio.fail_after(IDLE):
                    data = await self._plug.receive()
            except TimeoutError:
                raise Gone from None
            self._http.receive_data(data)

    async def _send(self, event: h11.Event, *, more: bool = False) -> None:
        try:
            data = self._held + (self._http.send(event) or b"")
        except h11.LocalProtocolError:
            raise Gone from None
        self._held = data if more else b""
        if data and not more:
            await self._plug.send(data)
