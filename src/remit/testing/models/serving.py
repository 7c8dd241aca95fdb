"""Running a scripted model server: beside async code, in a thread, or by itself."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
from anyio.abc import SocketAttribute
from anyio.from_thread import start_blocking_portal

from remit.testing.models.script import Script, Usage
from remit.testing.models.server import ModelServer
from remit.testing.models.shipped import SHIPPED


@asynccontextmanager
async def serving(
    scripts: Iterable[Script] = (),
    *,
    fallback: str = "hello",
    usage: Usage | None = None,
    port: int = 0,
    unix: Path | None = None,
) -> AsyncIterator[ModelServer]:
    """A server on loopback or a unix socket that knows the shipped scripts and these; `fallback` answers unmarked prompts."""
    known = SHIPPED | {script.name: script for script in scripts}
    server = ModelServer(known, fallback, usage)
    if unix is None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
        server.url = f"http://127.0.0.1:{listener.extra_attributes[SocketAttribute.local_port]()}"
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, server.serve)
            yield server
            group.cancel_scope.cancel()
    else:
        socket = await anyio.create_unix_listener(unix)
        server.url = f"unix:{unix}"
        async with socket, anyio.create_task_group() as group:
            group.start_soon(socket.serve, server.serve)
            yield server
            group.cancel_scope.cancel()


@contextmanager
def served(
    scripts: Iterable[Script] = (),
    *,
    fallback: str = "hello",
    usage: Usage | None = None,
    port: int = 0,
    unix: Path | None = None,
) -> Iterator[ModelServer]:
    """The same from a thread of its own, for code that is not async."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(scripts, fallback=fallback, usage=usage, port=port, unix=unix)) as server,
    ):
        yield server
