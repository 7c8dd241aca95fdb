"""The standard input of the command: a pipe whose other end the supervisor holds, written without ever waiting in the loop."""

import os
from contextlib import suppress

import anyio
import anyio.lowlevel

PIECE = 65536


class Speech:
    """Owns the writing end. The command alone holds the reading end, so that its closing it is heard here."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor
        self._turn = anyio.Lock()

    async def say(self, data: bytes) -> None:
        """All of it, one sayer after the other; what nobody will read any more is dropped."""
        async with self._turn:
            rest = memoryview(data)
            while rest and self._descriptor is not None:
                await anyio.lowlevel.checkpoint()
                rest = rest[await self._some(rest[:PIECE]) :]

    async def close(self) -> None:
        """End it, after what is being said."""
        async with self._turn:
            self.shut()

    def shut(self) -> None:
        """End it now, whoever is speaking."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            anyio.notify_closing(descriptor)
            os.close(descriptor)

    async def _some(self, data: memoryview) -> int:
        if self._descriptor is None:  # it was shut while this one waited for its turn
            return 0
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            with suppress(anyio.ClosedResourceError):
                await anyio.wait_writable(self._descriptor)
        except BrokenPipeError:
            self.shut()
        return 0
