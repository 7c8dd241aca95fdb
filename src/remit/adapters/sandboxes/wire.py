"""Plain sockets under anyio: accept, read, write, and lines with an end."""

import socket

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
