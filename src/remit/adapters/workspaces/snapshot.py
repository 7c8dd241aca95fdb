"""The base as it stood when a stage was opened: what a later conflict is measured against."""

from bisect import bisect_left
from functools import cached_property
from pathlib import Path
from unicodedata import normalize

import msgspec

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.walk import Stat
from remit.errors import BadInput

GIT = ".git"


class Snapshot:
    """Paths and states of a tree, without its top-level `.git`."""

    def __init__(self, states: dict[str, Stat]) -> None:
        self.states = states

    def get(self, path: str) -> Stat | None:
        """The state at that path, None when absent."""
        return self.states.get(path)

    def below(self, path: str) -> list[str]:
        """Every path below a folder, in order."""
        paths, start = self._ordered, f"{path}/"
        return paths[bisect_left(paths, start) : bisect_left(paths, f"{path}0")]

    @cached_property
    def _ordered(self) -> list[str]:
        return sorted(self.states)

    @cached_property
    def folded(self) -> dict[str, str]:
        """Paths by their caseless, composed spelling, for finding twins."""
        return {fold(path): path for path in self.states}

    def save(self, file: Path) -> None:
        """Write it down; names are kept as bytes."""
        rows = [(path.encode("utf-8", "surrogateescape"), state) for path, state in self.states.items()]
        file.write_bytes(msgspec.msgpack.encode(rows))


def take(root: int) -> Snapshot:
    """The tree below the open folder as it stands. Raises BadInput when it is deeper than can be walked."""
    states = dict(walk.walk(root, skip=frozenset({GIT})))
    for path, state in states.items():
        if path.count("/") >= walk.DEPTH and state.kind == "directory":
            raise BadInput(
                f"`{walk.shown(path)[:80]}…` is more than {walk.DEPTH} folders deep; remit does not work on such trees"
            )
    return Snapshot(states)


def load(file: Path) -> Snapshot:
    """What `save` wrote."""
    rows = msgspec.msgpack.decode(file.read_bytes(), type=list[tuple[bytes, Stat]])
    return Snapshot({path.decode("utf-8", "surrogateescape"): state for path, state in rows})


def fold(path: str) -> str:
    """The spelling under which a case-insensitive or normalising file system would find the path."""
    if path.isascii():
        return path.lower()
    return normalize("NFC", normalize("NFC", path).casefold())
