"""Messages on pipes: one a line, of bounded length, without holding up anybody."""

import os
from collections.abc import AsyncIterator

import anyio

CHUNK = 65536
PIECE = 4096
"""bytes that a pipe which says it has room takes without blocking"""


async def lines(descriptor: int, most: int) -> AsyncIterator[bytes | None]:
    """Each line without its end; None for one that is longer than `most` bytes, which is left out. Ends with the pipe."""
    held, over = bytearray(), False
    while chunk := await _read(descriptor):
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            held += piece
            line, was_over = bytes(held), over or len(held) > most
            held, over = bytearray(), False
            if was_over:
                yield None
            elif line.strip():
                yield line
        held += rest
        if len(held) > most:
            held, over = bytearray(), True
    if held.strip() and not over:
        yield bytes(held)


class Pen:
    """Writes messages to a pipe, one whole line after another."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._turn = anyio.Lock()

    async def write(self, message: bytes) -> None:
        """Raises OSError when nobody reads any more."""
        async with self._turn:
            left = memoryview(message + b"\n")
            while left:
                await _until_writable(self._descriptor)
                left = left[os.write(self._descriptor, left[:PIECE]) :]


# ---------------------------------------------------------------------------------------------------------------------


async def _read(descriptor: int) -> bytes:
    try:
        await anyio.wait_readable(descriptor)
    except PermissionError:  # a plain file, which is always ready
        await anyio.lowlevel.checkpoint()
    try:
        return os.read(descriptor, CHUNK)
    except ConnectionError:
        return b""


async def _until_writable(descriptor: int) -> None:
    try:
        await anyio.wait_writable(descriptor)
    except PermissionError:
        await anyio.lowlevel.checkpoint()
