"""What sits in a box during a test: it speaks HTTP to the door on sockets of its own."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import h11
from anyio.from_thread import start_blocking_portal
from model_vendor import Vendor

from remit.adapters.models.door import HttpModelDoor
from remit.adapters.models.providers import Providers
from remit.testing.accounts import MemoryAccount

MODEL = "model-1"
_TEXT: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
_PARTS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": ("/v1/messages", _TEXT | {"max_tokens": 300}),
    "anthropic-stream": ("/v1/messages", _TEXT | {"max_tokens": 300, "stream": True}),
    "responses": ("/v1/responses", {"model": MODEL, "input": "Hello"}),
    "responses-stream": ("/v1/responses", {"model": MODEL, "input": "Hello", "stream": True}),
    "chat": ("/v1/chat/completions", _TEXT),
    "chat-stream": ("/v1/chat/completions", _TEXT | {"stream": True}),
    "gemini": (f"/v1beta/models/{MODEL}:generateContent", _PARTS),
    "gemini-stream": (f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse", _PARTS),
}


@dataclass
class Answer:
    """What came back; status 0 where it broke off before it was whole."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """The message of an error, whichever format it is in."""
        return str(self.json["error"]["message"])


class Wire:
    """One connection of the box. `send` and `hear` are apart, so that a test may do odd things between them."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._rest = b""

    async def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[self.sock.send(data) :]
            except BlockingIOError:
                await anyio.wait_writable(self.sock)

    async def piece(self) -> bytes:
        """The next bytes; empty at the end."""
        while True:
            try:
                return self.sock.recv(65536)
            except BlockingIOError:
                with anyio.fail_after(20):
                    await anyio.wait_readable(self.sock)
            except ConnectionResetError:
                return b""

    async def so_far(self) -> bytes:
        """What has come until now."""
        got = b""
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
            try:
                got += self.sock.recv(65536)
            except BlockingIOError:
                continue
        return got

    async def hear(self, before: bytes = b"") -> Answer:
        client, answer = h11.Connection(h11.CLIENT), Answer()
        client.send(h11.Request(method="POST", target="/", headers=[("host", "meter")]))
        client.send(h11.EndOfMessage())
        if self._rest or before:
            client.receive_data(self._rest + before)
        while True:
            try:
                event = client.next_event()
            except h11.RemoteProtocolError:
                return answer
            match event:
                case h11.InformationalResponse():
                    pass
                case h11.Response():
                    answer.status = event.status_code
                    answer.headers = {name.decode(): value.decode() for name, value in event.headers}
                case h11.Data():
                    answer.body += bytes(event.data)
                case h11.EndOfMessage():
                    answer.whole = True
                    self._rest = client.trailing_data[0]
                    return answer
                case h11.NEED_DATA:
                    client.receive_data(await self.piece())
                case _:
                    return answer

    async def ask(self, path: str, body: Any = None, **more: Any) -> Answer:
        await self.send(request(path, body, **more))
        return await self.hear()


def request(path: str, body: Any = None, *, method: str = "POST", token: str = "run-token", raw: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:  # fmt: skip
    """The bytes of a request; `headers` come last, and may say again what is said already."""
    data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    given = {
        "Host": "meter",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
        "Content-Length": str(len(data)),
    }
    given |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data


@dataclass
class Box:
    """A door, an account, and as many connections as a test wants."""

    door: HttpModelDoor
    account: MemoryAccount
    group: anyio.abc.TaskGroup

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        ours, theirs = socket.socketpair()
        self.group.start_soon(self.door.serve, theirs, self.account)
        with ours:
            yield Wire(ours)

    async def ask(self, path: str, body: Any = None, **more: Any) -> Answer:
        """One request on a connection of its own."""
        async with self.wire() as wire:
            return await wire.ask(path, body, **more)


@asynccontextmanager
async def boxed(vendor: Vendor, account: MemoryAccount, **environment: str) -> AsyncIterator[Box]:
    """A box; at the end everything that it began is over, or the test fails."""
    door = HttpModelDoor(Providers(vendor.environment | environment))
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            yield Box(door, account, group)


async def until(true: Any) -> None:
    """Wait for something that happens in another task or thread."""
    with anyio.fail_after(10):
        while not true():
            await anyio.sleep(0.005)


@contextmanager
def listening(vendor: Vendor, account: MemoryAccount) -> Iterator[str]:
    """The door on a port, from a thread of its own, for clients that know only addresses."""

    @asynccontextmanager
    async def open_door() -> AsyncIterator[str]:
        door = HttpModelDoor(Providers(vendor.environment))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)

            async def accept() -> None:
                while True:
                    await anyio.wait_readable(listener)
                    group.start_soon(door.serve, listener.accept()[0], account)

            async with anyio.create_task_group() as group:
                group.start_soon(accept)
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
                group.cancel_scope.cancel()

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(open_door()) as base:
        yield base
