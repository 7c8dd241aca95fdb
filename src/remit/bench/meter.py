"""What the meter adds to a call of a model, against a proxy on loopback that only passes bytes on."""

import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from time import perf_counter
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.from_thread import start_blocking_portal

from remit.adapters.models.door import HttpModelDoor
from remit.adapters.models.providers import Providers
from remit.bench.row import Goal, Row
from remit.bench.turns import in_turn, medians
from remit.testing.accounts import MemoryAccount

BARE = "a proxy on loopback that passes bytes on and looks at none"
ADDED = Goal(kind="more", bound=3e-3)
LONG = Goal(kind="more", bound=15e-3)
STREAMS = 200
BURST = Goal(kind="times", bound=4)
TOGETHER = Goal(kind="times", bound=2)


def rows(*, quick: bool = False) -> Iterator[Row]:
    """One call whole, one as a stream, one with a long conversation, and two hundred streams at once."""
    rounds = 100 if quick else 500
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_servers()) as ports:
        for name, body, goal, slower in (
            ("one call", _asked("Hello"), ADDED, 1),
            ("one call, a stream, a word each 2 ms", _asked("Hello", "brisk"), ADDED, 5),
            ("one call, 50 events at a burst", _asked("Hello", "burst"), BURST, 1),
            ("one call, a conversation of 400 kB", _asked("Hello you, " * 36_000), LONG, 2),
        ):
            lines = {who: socket.create_connection(("127.0.0.1", port)) for who, port in ports.items()}
            took = in_turn({who: partial(_called, line, body) for who, line in lines.items()}, rounds=rounds // slower, warm=20)
            for line in lines.values():
                line.close()
            yield Row(name=f"meter, {name}", against=BARE, goal=goal, ours=took["meter"], rival=took["bare"])
        taken = [tuple(anyio.run(_together, ports[who]) for who in ("meter", "bare")) for _ in range(2 if quick else 5)]
        ours, rival = medians(taken)
        yield Row(name=f"meter, {STREAMS} paced streams at once", against=BARE, goal=TOGETHER, ours=ours, rival=rival)


def _asked(text: str, pace: str = "") -> bytes:
    """A request; with a pace it is for a stream, and the name of the model says which."""
    messages = [{"role": "user", "content": text}]
    body: dict[str, Any] = {"model": pace or "whole", "max_tokens": 100, "messages": messages, "stream": bool(pace)}
    data = json.dumps(body).encode()
    head = "POST /v1/messages HTTP/1.1\r\nHost: m\r\nx-api-key: run-token\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


def _called(line: socket.socket, body: bytes) -> bytes:
    """The answer to one call on a connection that stays."""
    line.sendall(body)
    got = b""
    while not _over(got):
        piece = line.recv(2**16)
        if not piece:
            raise AssertionError(f"it ended early: {got[:200]!r}")
        got += piece
    return got


def _over(got: bytes) -> bool:
    """Whether an answer is whole: by its length, or by the last piece."""
    head, found, body = got.partition(b"\r\n\r\n")
    if not found:
        return False
    if b" 200 " not in head:
        raise AssertionError(f"not an answer: {got[:300]!r}")
    _, length, rest = head.lower().partition(b"content-length: ")
    return len(body) >= int(rest.partition(b"\r\n")[0]) if length else body.endswith(b"0\r\n\r\n")


async def _together(port: int) -> float:
    """Seconds until two hundred streams, begun at once, are whole."""

    async def one() -> None:
        async with await anyio.connect_tcp("127.0.0.1", port) as line:
            await line.send(_asked("Hello", "paced"))
            got = b""
            while not _over(got):
                got += await line.receive()

    before = perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(STREAMS):
            group.start_soon(one)
    return perf_counter() - before


@asynccontextmanager
async def _servers() -> AsyncIterator[dict[str, int]]:
    """A provider, the meter before it, and the bare proxy before it; the ports of the two."""
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(_provider())
        base = f"http://127.0.0.1:{provider}"
        door = HttpModelDoor(Providers({"ANTHROPIC_BASE_URL": base, "ANTHROPIC_API_KEY": "key"}))
        account = MemoryAccount()
        meter = await stack.enter_async_context(_accepting(lambda line: door.serve(line, account)))
        bare = await stack.enter_async_context(_accepting(partial(_passed, provider)))
        yield {"meter": meter, "bare": bare}


@asynccontextmanager
async def _provider() -> AsyncIterator[int]:
    """In a process of its own, as in life: what the meter does takes no time from it."""
    async with await anyio.open_process([sys.executable, "-m", "remit.bench.provider"], stderr=None) as process:
        assert process.stdout is not None
        try:
            yield int(await process.stdout.receive())
        finally:
            process.kill()


@asynccontextmanager
async def _accepting(serve: Callable[[socket.socket], Coroutine[Any, Any, None]]) -> AsyncIterator[int]:
    """As the box does it: a listening socket, and each connection handed on as it is."""
    with socket.create_server(("127.0.0.1", 0), backlog=STREAMS) as listener:
        listener.setblocking(False)

        async def accept() -> None:
            while True:
                await anyio.wait_readable(listener)
                group.start_soon(serve, listener.accept()[0])

        async with anyio.create_task_group() as group:
            group.start_soon(accept)
            yield listener.getsockname()[1]
            group.cancel_scope.cancel()


async def _passed(port: int, accepted: socket.socket) -> None:
    """The rival: bytes there and back."""

    async def pump(source: SocketStream, sink: SocketStream) -> None:
        try:
            while True:
                await sink.send(await source.receive())
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            group.cancel_scope.cancel()

    accepted.setblocking(False)
    accepted.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )  # as the meter has it; without, it waits for the other side's ACKs
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(await SocketStream.from_socket(accepted))
        provider = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", port))
        group = await stack.enter_async_context(anyio.create_task_group())
        group.start_soon(pump, line, provider)
        group.start_soon(pump, provider, line)
