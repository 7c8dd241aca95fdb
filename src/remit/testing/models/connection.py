"""HTTP/1.1 on one accepted connection: requests as they come, answers as they are to be given."""

import math
from collections.abc import Callable, Iterable

import anyio
import h11
import msgspec
from anyio.abc import ByteStream

from remit.value import Value

_LARGEST = 64 * 1024 * 1024


class Gone(Exception):
    """The caller left."""


class Request(Value, frozen=True, kw_only=True):
    """One request, whole."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class Reply(Value, frozen=True, kw_only=True):
    """How an answer is given: its pieces, the seconds before each, and after how many the connection breaks."""

    status: int = 200
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    kind: str = "application/json"
    pieces: tuple[bytes, ...] = ()
    streams: bool = False
    pace: float = 0
    cut: int | None = None
    hangs: bool = False


class Connection:
    """The server's end of one connection."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.SERVER)

    async def request(self) -> Request | None:
        """The next request, None when the caller is done; what is no HTTP ends the connection too."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            try:
                found = self._http.next_event()
            except h11.RemoteProtocolError:
                return None
            if found is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    await self._send(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
                try:
                    await self._more()
                except Gone:
                    return None
            elif isinstance(found, h11.Request):
                head = found
            elif isinstance(found, h11.Data):
                body += found.data
                if len(body) > _LARGEST:
                    return None
            elif isinstance(found, h11.EndOfMessage) and head is not None:
                return _request(head, bytes(body))
            else:
                return None

    async def answer(self, reply: Reply, ending: Callable[[], None]) -> bool:
        """Give an answer; True when the connection may be used again. `Gone` when the caller left meanwhile.

        `ending` is called right before the last bytes, so that whoever has read them finds it done.
        """
        if reply.hangs:
            await self._wait(math.inf)
        headers = {"content-type": reply.kind, **reply.headers}
        if not reply.streams:
            headers["content-length"] = str(sum(map(len, reply.pieces)))
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send(self._http.send(h11.Response(status_code=reply.status, headers=told)))
        *before, last = _shown(reply) or (b"",)
        for piece in before:
            await self._wait(reply.pace)
            await self._send(self._http.send(h11.Data(data=piece)))
        await self._wait(reply.pace)
        ending()
        end = self._http.send(h11.Data(data=last)) or b""
        if reply.cut is not None:
            await self._send(end)
            return False
        await self._send(end + (self._http.send(h11.EndOfMessage()) or b""))
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _more(self) -> None:
        try:
            data = await self._stream.receive()
        except anyio.EndOfStream:
            data = b""
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise Gone from error
        self._http.receive_data(data)
        if not data and self._http.their_state is not h11.SEND_BODY and self._http.our_state is not h11.IDLE:
            raise Gone

    async def _wait(self, seconds: float) -> None:
        """Let time pass, and notice when the caller leaves."""
        if not seconds:
            return
        with anyio.move_on_after(seconds):
            while True:
                await self._more()

    async def _send(self, data: bytes | None) -> None:
        try:
            await self._stream.send(data or b"")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise Gone from error


def _request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode("latin-1").partition("?")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers}
    return Request(method=head.method.decode(), path=path, query=query, headers=headers, body=body)


def _shown(reply: Reply) -> tuple[bytes, ...]:
    """The pieces to send; of a document that is to be cut the first half, since it has no pieces."""
    if reply.cut is None:
        return reply.pieces
    if reply.streams:
        return reply.pieces[: reply.cut]
    text = joined(reply.pieces)
    return (text[: len(text) // 2],)


def joined(pieces: Iterable[bytes]) -> bytes:
    """The pieces as one."""
    return b"".join(pieces)
