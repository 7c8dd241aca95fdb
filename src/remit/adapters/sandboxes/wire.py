"""Plain sockets under anyio: accept, read, write, and lines with an end."""

import socket
from collections.abc import Awaitable, Callable

import anyio


async def accept(listener: socket.socket) -> socket.socket:
    """The next connection, non-blocking."""
    listener.setblocking(False)
    while True:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            await anyio.wait_readable(listener)
            continue
        connection.setblocking(False)
        return connection


async def attend(listener: socket.socket, visit: Callable[[socket.socket], Awaitable[None]], most: int) -> None:
    """Until cancelled: every connection gets a visit of its own, `most` at once; what comes beyond them is closed."""
    taken = 0

    async def one(connection: socket.socket) -> None:
        nonlocal taken
        try:
            await visit(connection)
        finally:
            taken -= 1

    async with anyio.create_task_group() as visitors:
        while True:
            connection = await accept(listener)
            if taken >= most:
                connection.close()
                continue
            taken += 1
            visitors.start_soon(one, connection)


async def receive(connection: socket.socket, size: int = 65536) -> bytes:
    """Some bytes, none at the end."""
    while True:
        try:
            return connection.recv(size)
        except BlockingIOError:
            await anyio.wait_readable(connection)
        except ConnectionError:
            return b""


async def send(connection: socket.socket, data: bytes) -> None:
    """All of it. Raises ConnectionError when the other side is gone."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[connection.send(rest) :]
        except BlockingIOError:
            await anyio.wait_writable(connection)
