"""What a stage keeps in its place, so that it can be found again after a crash."""

from pathlib import Path
from typing import Literal

import msgspec

from remit.adapters.workspaces.changes import Found
from remit.adapters.workspaces.journal import keep
from remit.adapters.workspaces.refs import Refs
from remit.run.change import ChangeSet
from remit.value import Value, digest

Kind = Literal["overlay", "reflink", "copy"]


class Meta(Value, frozen=True, kw_only=True):
    """How a stage was opened. Names of hidden paths are bytes."""

    root: str
    kind: Kind
    quota: int | None
    hidden: tuple[bytes, ...]
    warnings: tuple[str, ...] = ()
    uid: int
    gid: int
    git: Refs | None = None
    """the refs at the start, None for a plain folder"""
    at: str = ""
    """where a fork is shown: the workspace of its parent; empty: at its own root"""


class Sealed(Value, frozen=True, kw_only=True):
    """The change list as it was judged, the base folders that are gone, and the digest over the list."""

    found: tuple[Found, ...]
    gone: tuple[bytes, ...]
    changes: ChangeSet
    digest: str


def seal(place: Path, found: list[Found], gone: set[str], changes: ChangeSet) -> Sealed:
    """Write the marker that makes a stage reopenable; durable when this returns."""
    value = Sealed(
        found=tuple(found),
        gone=tuple(sorted(path.encode("utf-8", "surrogateescape") for path in gone)),
        changes=changes,
        digest=digest(changes),
    )
    keep(place / "sealed", msgspec.msgpack.encode(value))
    return value


def read_sealed(place: Path) -> Sealed | None:
    """What `seal` wrote, None when the stage was never sealed."""
    try:
        return msgspec.msgpack.decode((place / "sealed").read_bytes(), type=Sealed)
    except FileNotFoundError:
        return None


def write_meta(place: Path, meta: Meta) -> None:
    """Keep how the stage was opened."""
    keep(place / "meta", msgspec.msgpack.encode(meta))


def read_meta(place: Path) -> Meta:
    """What `write_meta` wrote."""
    return msgspec.msgpack.decode((place / "meta").read_bytes(), type=Meta)
