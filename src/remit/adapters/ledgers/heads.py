"""Signed heads outside the database: a second copy that a cut-off database cannot agree with."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from remit.errors import Tampered
from remit.evidence.tree_head import TreeHead, parse_head

NAME = "ledger.heads"
_GAP = b"\n"
"""Ends every note in the file; a tail without it was torn by a crash."""


class HeadFile:
    """One append-only file of notes. Not synced: a head that a power cut loses is written again from the database."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._name = str(self._path)
        self._reached: int | None = None
        self._file: tuple[int, int] | None = None
        self.trouble = ""
        """why the last head could not be written, empty when all is well"""

    def add(self, size: int, note: bytes, missing: Callable[[int], Iterable[bytes]]) -> None:
        """Append a head; first, or after a failure, also every head above the last one there (`missing`)."""
        try:
            handle = self._opened()
            notes = [note] if self._reached is not None else list(missing(self._repair()))
            data = b"".join(each + _GAP for each in notes)
            if os.write(handle, data) != len(data):
                raise OSError(28, "only part of a head could be written")
            self._reached, self.trouble = size, ""
        except OSError as error:
            # The event itself is committed; raising here would say it was not.
            self.close()
            self.trouble = f"`{self._path}`: {error.strerror}"

    def close(self) -> None:
        """Let go of the file; the next head opens it again, and mends it."""
        self._reached = None
        if self._file is not None:
            os.close(self._file[0])
            self._file = None

    def _opened(self) -> int:
        """The file, kept open between heads; one that was moved or deleted meanwhile is begun again."""
        if self._file is not None:
            try:
                if os.stat(self._name).st_ino == self._file[1]:  # noqa: PTH116
                    return self._file[0]
            except FileNotFoundError:
                pass
            self.close()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._file = handle, os.fstat(handle).st_ino
        return handle

    def size(self, origin: str) -> int:
        """The size of the last whole head of this ledger there, 0 when there is none to be read."""
        try:
            head = _last(_tail(self._path))[1]
        except OSError:
            return 0
        return head.size if head is not None and head.origin == origin else 0

    def _repair(self) -> int:
        """Cut off a torn tail; returns the size of the last whole head, 0 when there is none."""
        data = _tail(self._path)
        end, head = _last(data)
        if end < len(data):
            os.truncate(self._path, self._path.stat().st_size - len(data) + end)
        return head.size if head is not None else 0


def _last(data: bytes) -> tuple[int, TreeHead | None]:
    """Where the last whole note ends, its gap included, and the head it is, None when it cannot be read."""
    end = _end(data, len(data))
    try:
        return end, parse_head(data[_end(data, end - len(_GAP)) : end][: -len(_GAP)])[0]
    except Tampered:
        return end, None


def _tail(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 65536, 0))
        return file.read()


def _end(data: bytes, before: int) -> int:
    """Where the last whole note that ends at or before `before` ends, its gap included; 0 when there is none."""
    while (at := data.rfind(b"\n\n", 0, max(before, 0))) >= 0:
        if data[data.rfind(b"\n", 0, at) + 1 : at].startswith("— ".encode()):
            return at + 2
        before = at + 1
    return 0


def split(data: bytes) -> list[bytes]:
    """The notes of a heads file, as they stand; a damaged one is returned too, for verification to find."""
    blocks = data.split(b"\n\n")
    pairs = [blocks[at : at + 2] for at in range(0, len(blocks) - 1, 2)]
    notes = [b"\n\n".join(pair) + b"\n" for pair in pairs]
    rest = data[sum(len(note) + 1 for note in notes) :]
    return [*notes, rest] if rest.strip() else notes


def read_heads(folder: Path) -> list[bytes]:
    """Every note kept in a folder of heads, none when there is no such file."""
    path = folder / NAME
    return split(path.read_bytes()) if path.exists() else []
