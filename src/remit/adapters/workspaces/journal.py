"""What a publish is about to do, written down and durable before it does anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.walk import Stat
from remit.value import Value

Phase = Literal["none", "forward", "back", "done", "undoing", "undone"]
"""Nothing decided; finish it; take it back; finished; being undone; put back."""

Hook = Callable[[str], None]
"""Called before every step with its name: where tests kill the publisher."""


class Step(Value, frozen=True, kw_only=True):
    """One effect on one path. `pre` is the number of the pre-image, -1 without one; `after` what will stand there."""

    do: Literal["unlink", "rmdir", "mkdir", "write", "link", "mode"]
    path: bytes
    before: Stat | None = None
    pre: int = -1
    mode: int = 0
    uid: int = 0
    gid: int = 0
    sha256: str = ""
    target: bytes = b""

    @property
    def name(self) -> str:
        """The path as the operating system takes it."""
        return self.path.decode("utf-8", "surrogateescape")


class RefStep(Value, frozen=True, kw_only=True):
    """One ref moved by compare-and-swap: full name, ids before and after (empty: absent)."""

    ref: str
    before: str
    after: str


class IndexStep(Value, frozen=True, kw_only=True):
    """One index entry, `mode id` before and after (empty: none)."""

    path: bytes
    before: str
    after: str

    @property
    def name(self) -> str:
        """The path as text."""
        return self.path.decode("utf-8", "backslashreplace")


class Plan(Value, frozen=True, kw_only=True):
    """A whole publish: the workspace, where new content comes from, every step in order, every ref."""

    token: str
    root: str
    tree: str
    paths: tuple[str, ...]
    steps: tuple[Step, ...]
    folders: tuple[tuple[bytes, int], ...] = ()
    """parents and their mtimes before"""
    refs: tuple[RefStep, ...] = ()
    index: tuple[IndexStep, ...] = ()
    head: str = ""
    """what HEAD names at the start, empty when detached"""
    pack: str = ""
    """the file that holds the new objects"""


class Outcome(Value, frozen=True, kw_only=True):
    """What stood at each touched path when the publish was finished."""

    after: tuple[tuple[bytes, Stat | None], ...]


T = TypeVar("T")


class Journal:
    """One folder: `plan`, pre-images under `pre/`, and one empty file per phase reached."""

    def __init__(self, at: Path) -> None:
        self.at = at

    @property
    def phase(self) -> Phase:
        """How far it got."""
        for mark in ("undone", "undoing", "done", "back"):
            if (self.at / mark).exists():
                return mark
        return "forward" if (self.at / "plan").exists() else "none"

    @property
    def pre(self) -> Path:
        """Where the pre-images are."""
        return self.at / "pre"

    def begin(self) -> None:
        """An empty journal; what an interrupted preparation left is dropped."""
        walk.remove_tree(str(self.at))
        self.pre.mkdir(parents=True)

    def write(self, name: str, value: object = None) -> None:
        """Put a file into the journal so that it is there whole and durable, or not at all."""
        keep(self.at / name, msgspec.msgpack.encode(value) if value is not None else b"")

    def read(self, name: str, kind: type[T]) -> T:
        """What `write` wrote."""
        return msgspec.msgpack.decode((self.at / name).read_bytes(), type=kind)

    def plan(self) -> Plan:
        """The plan."""
        return self.read("plan", Plan)

    def drop(self) -> None:
        """Forget it all: nothing was published."""
        walk.remove_tree(str(self.at))


def keep(file: Path, data: bytes) -> None:
    """Write a file durably: whole or not at all, and still there after a power cut."""
    half = file.with_name(f"{file.name}.half")
    with half.open("wb") as out:
        out.write(data)
        out.flush()
        walk.sync_file(out.fileno())
    half.replace(file)
    sync_folder(file.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    with walk.folder(str(path)) as fd:
        walk.sync_file(fd)


def nothing(_step: str) -> None:
    """The hook of a publish that nobody watches."""
