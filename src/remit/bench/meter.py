"""What the meter adds to a call of a model, against a proxy on loopback that only passes bytes on."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from time import perf_counter
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream
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
PACED = 10
"""pieces of each of many streams, a twentieth of a second apart"""
TOGETHER = Goal(kind="times", bound=2)

_USED = {"input_tokens": 100, "output_tokens": 10}
_MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
_WHOLE = json.dumps(_MESSAGE | {"content": [{"type": "text", "text": "word " * 200}], "usage": _USED}).encode()


def rows(*, quick: bool = False) -> Iterator[Row]:
    """One call whole, one as a stream, one with a long conversation, and two hundred streams at once."""
    rounds = 100 if quick else 500
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_servers()) as ports:
        for name, body, goal in (
            ("one call", _asked("Hello", stream=False), ADDED),
            ("one call, a stream of 50 events", _asked("Hello", stream=True), ADDED),
            ("one call, a conversation of 400 kB", _asked("Hello you, " * 36_000, stream=False), LONG),
        ):
            lines = {who: socket.create_connection(("127.0.0.1", port)) for who, port in ports.items()}
            took = in_turn({who: partial(_called, line, body) for who, line in lines.items()}, rounds=rounds, warm=20)
            for line in lines.values():
                line.close()
            yield Row(name=f"meter, {name}", against=BARE, goal=goal, ours=took["meter"], rival=took["bare"])
        taken = [tuple(anyio.run(_together, ports[who]) for who in ("meter", "bare")) for _ in range(2 if quick else 5)]
        ours, rival = medians(taken)
        yield Row(name=f"meter, {STREAMS} paced streams at once", against=BARE, goal=TOGETHER, ours=ours, rival=rival)


def _asked(text: str, *, stream: bool, paced: bool = False) -> bytes:
    messages = [{"role": "user", "content": text}]
    body: dict[str, Any] = {"model": "paced" if paced else "plain", "max_tokens": 100, "messages": messages, "stream": stream}
    data = json.dumps(body).encode()
    head = "POST /v1/messages HTTP/1.1\r\nHost: m\r\nx-api-key: run-token\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


def _called(line: socket.socket, body: bytes) -> None:
    """One call on a connection that stays."""
    line.sendall(body)
    got = b""
    while not _over(got):
        piece = line.recv(2**16)
        if not piece:
            raise AssertionError(f"it ended early: {got[:200]!r}")
        got += piece


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
            await line.send(_asked("Hello", stream=True, paced=True))
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
        provider = await stack.enter_async_context(_listening(_provided))
        base = f"http://127.0.0.1:{provider}"
        door = HttpModelDoor(Providers({"ANTHROPIC_BASE_URL": base, "ANTHROPIC_API_KEY": "key"}))
        account = MemoryAccount()
        meter = await stack.enter_async_context(_accepting(lambda line: door.serve(line, account)))
        bare = await stack.enter_async_context(_listening(partial(_passed, provider)))
        yield {"meter": meter, "bare": bare}


@asynccontextmanager
async def _listening(serve: Callable[[SocketStream], Awaitable[None]]) -> AsyncIterator[int]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", backlog=STREAMS)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield listener.extra_attributes[SocketAttribute.local_port]()
        group.cancel_scope.cancel()


@asynccontextmanager
async def _accepting(serve: Callable[[socket.socket], Awaitable[None]]) -> AsyncIterator[int]:
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


async def _passed(port: int, line: SocketStream) -> None:
    """The rival: bytes there and back."""

    async def pump(source: SocketStream, sink: SocketStream) -> None:
        try:
            while True:
                await sink.send(await source.receive())
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            group.cancel_scope.cancel()

    async with line, await anyio.connect_tcp("127.0.0.1", port) as provider, anyio.create_task_group() as group:
        group.start_soon(pump, line, provider)
        group.start_soon(pump, provider, line)


async def _provided(line: SocketStream) -> None:
    """The provider: it looks for the length of a request, and answers as the body asks."""
    async with line:
        got = b""
        try:
            while True:
                while not _whole(got):
                    got += await line.receive()
                await _given(line, got)
                got = b""
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


def _whole(got: bytes) -> bool:
    head, found, body = got.partition(b"\r\n\r\n")
    return bool(found) and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def _given(line: SocketStream, got: bytes) -> None:
    if b'"stream":true' not in got and b'"stream": true' not in got:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(_WHOLE)}\r\n\r\n"
        await line.send(head.encode() + _WHOLE)
        return
    paced = b'"paced"' in got
    await line.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for event in _events(PACED if paced else 46):
        if paced:
            await anyio.sleep(0.05)
        data = b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())
        await line.send(b"%x\r\n%s\r\n" % (len(data), data))
    await line.send(b"0\r\n\r\n")


def _events(deltas: int) -> list[dict[str, Any]]:
    word = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}
    return [
        {"type": "message_start", "message": _MESSAGE | {"content": [], "usage": _USED}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[word] * deltas,
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 10}},
        {"type": "message_stop"},
    ]
