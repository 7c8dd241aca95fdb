"""A gateway that hosts reach over HTTP: a session each in the older eras, no session in the stateless one, one run for all."""

import hmac
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from anyio.streams.memory import MemoryObjectSendStream
from msgspec import Raw
from msgspec import json as plain
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as Http
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from remit.errors import BadInput
from remit.mcp.gateway import messages
from remit.mcp.gateway.messages import INVALID, MOST, Id, Note, Reply, Request, Unreadable
from remit.mcp.gateway.methods import NAMED
from remit.mcp.gateway.passing import polled
from remit.mcp.gateway.server import Pipe, Server
from remit.mcp.gateway.session import Session
from remit.mcp.gateway.shelf import Shelf
from remit.mcp.gateway.sse import event, headed
from remit.web.server import Server as Uvicorn
from remit.web.server import bind

MISMATCH = -32020
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_SESSIONS = 100
Reach = Callable[[], AbstractAsyncContextManager[Pipe]]
Queue = MemoryObjectSendStream[bytes]


class Line:
    """One host's line to a server of its own, or the one line of all stateless requests."""

    def __init__(self, shelf: Shelf, reach: Reach, log: Callable[[str], None], name: str) -> None:
        self.session: Session
        self.over = anyio.Event()
        self._shelf, self._reach, self._log, self._name = shelf, reach, log, name
        self._streams: dict[Id, tuple[Queue, Id, Any]] = {}
        self._own: Queue | None = None
        self._last = 0

    async def keep(self, *, task_status: TaskStatus[None]) -> None:
        """The line, from its beginning until it is over."""
        async with self._reach() as pipe, anyio.create_task_group() as group:
            session = Session(self._shelf, self._send, self._log, group)
            session.server = Server(pipe, session.heard, self._log, self._name)
            self._shelf.desk.behind(session.server)
            group.start_soon(session.server.attend)
            self.session = session
            task_status.started()
            await self.over.wait()
            session.leave(silent=True)
            await self._shelf.desk.quiet()
            group.cancel_scope.cancel()

    async def asked(self, request: Request, *, shared: bool) -> AsyncIterator[bytes]:
        """Everything a host hears about one request, its answer last. `shared`: others may use the same ids."""
        queue, heard = anyio.create_memory_object_stream[bytes](256)
        self._last += 1
        number: Id = f"h{self._last}" if shared else request.id
        meta = request.params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        if shared and token is not None:
            request.params["_meta"] = {**request.meta, "progressToken": number}
        if number in self._streams:
            yield messages.error(request.id, INVALID, "a request with this id is under way")
            return
        self._streams[number] = (queue, request.id, token)
        try:
            await self.session.take(Request(id=number, method=request.method, params=request.params))
            async with heard:
                async for message in heard:
                    yield message
        finally:
            queue.close()
            if self._streams.pop(number, None) and shared:  # nobody hears it any more: in the stateless era that is a cancel
                self.session.give_up(number)

    async def told(self) -> AsyncIterator[bytes]:
        """What a host hears by itself."""
        self._own, heard = anyio.create_memory_object_stream[bytes](256)
        async with heard:
            async for message in heard:
                yield message

    async def _send(self, message: bytes, about: Id | None) -> None:
        stream = self._streams.get(about) if about is not None else None
        if stream is None:
            if self._own is not None:
                await self._put(self._own, message)
            return
        queue, number, token = stream
        document = plain.decode(message)
        if about != number:
            document, message = self._restored(document, about, number, token)
        await self._put(queue, message)
        if "method" not in document:
            self._streams.pop(about or "", None)
            queue.close()

    def _restored(self, document: dict[str, Any], about: Id | None, number: Id, token: Any) -> tuple[dict[str, Any], bytes]:
        """A message under the id and the token its host knows."""
        parts = plain.decode(plain.encode(document), type=dict[str, Raw])
        if "method" not in document and document.get("id") == about:
            parts["id"] = Raw(plain.encode(number))
        params = document.get("params")
        if isinstance(params, dict) and params.get("progressToken") == about:
            parts["params"] = Raw(plain.encode({**params, "progressToken": token}))
        return document, plain.encode(parts)

    async def _put(self, queue: Queue, message: bytes) -> None:
        try:
            await queue.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._log("a host does not listen any more")


class Listener:
    """The HTTP side of a gateway. `token`: what hosts must show; none is needed on loopback."""

    def __init__(
        self, shelf: Shelf, reach: Reach, log: Callable[[str], None], group: TaskGroup, *, name: str, host: str, token: str
    ) -> None:  # fmt: skip
        self._shelf, self._reach, self._log, self._group, self._name = shelf, reach, log, group, name
        self._hosts, self._token = LOOPBACK | {host}, token
        self._lines: dict[str, Line] = {}
        self._all: Line | None = None
        self._open: set[Line] = set()
        self._turn = anyio.Lock()

    def application(self) -> Starlette:
        """One address, `/mcp`."""
        return Starlette(routes=[Route("/mcp", self._http, methods=["GET", "POST", "DELETE"])])

    def close(self) -> None:
        """Every line is over."""
        for line in [*self._lines.values(), *([self._all] if self._all else [])]:
            line.over.set()

    @property
    def over(self) -> bool:
        """Whether every line has ended."""
        return not self._open

    async def _http(self, http: Http) -> Response:
        if refused := self._barred(http):
            return refused
        line = self._lines.get(http.headers.get("mcp-session-id", ""))
        if http.method == "DELETE" and line is not None:
            del self._lines[http.headers["mcp-session-id"]]
            line.over.set()
            return Response(status_code=204)
        if http.method == "GET" and line is not None:
            return _streamed(line.told())
        if http.method != "POST":
            return Response(status_code=404 if http.headers.get("mcp-session-id") else 405)
        try:
            message = messages.read_host(await _body(http))
        except Unreadable as error:
            return _json(messages.error(error.id, error.code, str(error)), 400)
        except ClientDisconnect:
            return Response(status_code=400)
        return await self._said(http, message, line)

    async def _said(self, http: Http, message: Request | Note | Reply, line: Line | None) -> Response:
        if isinstance(message, Request) and message.modern:
            if why := _mismatch(http.headers, message):
                return _json(messages.error(message.id, MISMATCH, why), 400)
            return await _answer(http, (await self._shared()).asked(message, shared=True))
        if isinstance(message, Request) and message.method == "initialize":
            if len(self._lines) >= MOST_SESSIONS:
                return _json(messages.error(message.id, INVALID, "too many hosts are here"), 503)
            name, line = secrets.token_urlsafe(24), await self._begun()
            self._lines[name] = line
            answer = await _answer(http, line.asked(message, shared=False))
            answer.headers["mcp-session-id"] = name
            return answer
        if line is None:
            return Response(status_code=404 if http.headers.get("mcp-session-id") else 400)
        if isinstance(message, Request):
            return await _answer(http, line.asked(message, shared=False))
        await line.session.take(message)
        return Response(status_code=202)

    async def _shared(self) -> Line:
        async with self._turn:
            if self._all is None or self._all.session.server.gone.is_set():
                self._all = await self._begun()
            return self._all

    async def _begun(self) -> Line:
        line = Line(self._shelf, self._reach, self._log, self._name)
        await self._group.start(self._kept, line)
        return line

    async def _kept(self, line: Line, *, task_status: TaskStatus[None]) -> None:
        self._open.add(line)
        try:
            await line.keep(task_status=task_status)
        finally:
            self._open.discard(line)

    def _barred(self, http: Http) -> Response | None:
        """A page in a browser must not reach a gateway on this machine, by whatever name."""
        named = urlsplit(f"//{http.headers.get('host', '')}").hostname
        origin = http.headers.get("origin")
        if named not in self._hosts or (origin is not None and urlsplit(origin).hostname not in self._hosts):
            return Response(status_code=403)
        shown = http.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if self._token and not hmac.compare_digest(shown, self._token.encode()):
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        return None


async def serve(
    shelf: Shelf, reach: Reach, log: Callable[[str], None], *, name: str, at: tuple[str, int], token: str,
    ready: Callable[[str], None],
) -> None:  # fmt: skip
    """Until a signal comes. Raises BadInput for an address that others could reach without showing anything."""
    host, port = at
    if host not in LOOPBACK and not token:
        raise BadInput(f"`{host}` can be reached from elsewhere", hint="name a variable with a token by --bearer NAME")
    sock = bind(host, port)
    where = f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}/mcp"
    async with anyio.create_task_group() as group:
        listener = Listener(shelf, reach, log, group, name=name, host=host, token=token)
        server = Uvicorn(
            uvicorn.Config(
                listener.application(), lifespan="off", ws="none", http="h11", interface="asgi3", access_log=False,
                log_config=None, proxy_headers=False, server_header=False, timeout_graceful_shutdown=1, limit_concurrency=400,
            )
        )  # fmt: skip
        group.start_soon(_until_signalled, server)
        ready(where)
        await server.serve(sockets=[sock])
        listener.close()
        await anyio.lowlevel.checkpoint()
        await polled(lambda: listener.over)
        group.cancel_scope.cancel()


# ---------------------------------------------------------------------------------------------------------------------


async def _until_signalled(server: Uvicorn) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        async for _ in received:
            server.should_exit = True


async def _body(http: Http) -> bytes:
    """Raises Unreadable for one that is too long."""
    body = bytearray()
    async for chunk in http.stream():
        body += chunk
        if len(body) > MOST:
            raise Unreadable(INVALID, f"a message has at most {MOST} bytes")
    return bytes(body)


def _mismatch(head: Mapping[str, str], request: Request) -> str:
    """What is said beside the body must be what it says: whoever looks only at the one must not be led astray by the other."""
    if head.get("mcp-method", request.method) != request.method:
        return "the header Mcp-Method says something else than the body"
    name = request.params.get(NAMED.get(request.method, ""))
    said = head.get("mcp-name")
    if said is not None and (not isinstance(name, str) or said not in (name, headed(name))):
        return "the header Mcp-Name says something else than the body"
    return ""


async def _answer(http: Http, heard: AsyncIterator[bytes]) -> Response:
    if "text/event-stream" in http.headers.get("accept", ""):
        return _streamed(heard)
    last = b""
    async for message in heard:
        last = message
    return _json(last, 200)


def _streamed(heard: AsyncIterator[bytes]) -> Response:
    async def body() -> AsyncIterator[bytes]:
        async for message in heard:
            yield event(message)

    return StreamingResponse(body(), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _json(message: bytes, status: int) -> Response:
    return Response(message, status_code=status, media_type="application/json")
