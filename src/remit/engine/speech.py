"""What the program of a box says, on its way to whoever drives it; a program that is not listened to has to wait."""

from collections import deque

import anyio

ROOM = 64
"""pieces that may wait before the program has to"""


class Speech:
    """A bounded line with one reader. Closed by the reader, what is said is dropped; closed by the writer, it ends."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._changed = anyio.Event()
        self._ended = False
        self._deaf = False

    async def put(self, piece: bytes) -> None:
        """Say something; waits while too much is unheard."""
        while len(self._pieces) >= ROOM and not self._deaf and not self._ended:
            await self._changed.wait()
        if not self._deaf and not self._ended:
            self._pieces.append(piece)
            self._turn()

    async def get(self) -> bytes | None:
        """What was said next; None when nothing more will be."""
        while not self._pieces and not self._ended and not self._deaf:
            await self._changed.wait()
        if not self._pieces:
            return None
        piece = self._pieces.popleft()
        self._turn()
        return piece

    def end(self) -> None:
        """Nothing more will be said."""
        self._ended = True
        self._turn()

    def deafen(self) -> None:
        """Nobody listens any more."""
        self._deaf = True
        self._pieces.clear()
        self._turn()

    def _turn(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
