"""An accepted socket, read and written without blocking; two tasks may do so at once, one each way."""

import socket

import anyio


class Gone(Exception):
    """The other side is no longer there, or says nothing any more."""


class Plug:
    """The socket of one connection, of any family."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection

    async def receive(self) -> bytes:
        """What came; empty when the other side says nothing more. Raises Gone."""
        while True:
            try:
                return self._socket.recv(2**16)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)
            except OSError:
                raise Gone from None

    async def send(self, data: bytes) -> None:
        """Send all of it, as fast as the other side takes it. Raises Gone."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except OSError:
                raise Gone from None

    def ended(self) -> None:
        """Say that nothing more comes. Raises Gone."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            raise Gone from None

    def close(self) -> None:
        """Close it; nobody may be waiting for it any more."""
        self._socket.close()
