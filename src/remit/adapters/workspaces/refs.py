"""Refs of a repository read as text, strictly: never by asking git about a folder the agent could write to."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from remit.adapters.workspaces import copied, overlay, walk
from remit.adapters.workspaces.delta import Delta
from remit.adapters.workspaces.snapshot import GIT, Snapshot
from remit.errors import BadInput, Conflict
from remit.value import Value

_ID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SYMBOLIC = re.compile(rb"ref: (refs/heads/[^\x00-\x20\x7f~^:?*\[\\]+)\n?")
_NAME = re.compile(r"refs/(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]+(?<![./])")
_LARGEST = 16 * 1024 * 1024
_SKIP = frozenset({f"{GIT}/objects", f"{GIT}/logs", f"{GIT}/lfs"})


class Refs(Value, frozen=True, kw_only=True):
    """Ref files: loose and packed ids by full name, and what HEAD holds (a full ref name, or an id when detached)."""

    loose: Mapping[str, str] = {}
    packed: Mapping[str, str] = {}
    head: str = ""

    @property
    def all(self) -> dict[str, str]:
        """Every ref and its id; a loose one goes before a packed one."""
        return {**self.packed, **self.loose}


def snapshot(root: int) -> Snapshot:
    """The state of the repository's own files, without objects and logs."""
    with walk.beneath(root, GIT) as fd:
        return Snapshot(dict(walk.walk(fd, GIT, skip=_SKIP)))


def standing(root: int, files: Snapshot) -> Refs:
    """The refs of the base. Raises BadInput when its HEAD cannot be read."""
    loose = {}
    for path, state in files.states.items():
        name = path[len(GIT) + 1 :]
        if state.kind == "file" and name.startswith("refs/") and (known := _id(_read(root, path))):
            loose[name] = known
    head = _head(_read(root, f"{GIT}/HEAD"))
    if not head:
        raise BadInput("the repository's HEAD points to something that is neither a branch nor a commit")
    return Refs(loose=loose, packed=_packed(_read(root, f"{GIT}/packed-refs")), head=head)


def changed(tree: Path, kind: str, files: Snapshot, fresh: Snapshot) -> Delta:
    """What the run did to the repository's own files (objects included as new files)."""
    with walk.folder(str(tree)) as fd:
        if kind != "overlay":
            return copied.delta_below(fd, GIT, files, fresh, skip=_SKIP)
        found = Delta(files, frozenset())
        overlay.scan_one(fd, GIT, found)
        return found


def staged(tree: int, delta: Delta, start: Refs) -> tuple[Refs, list[tuple[str, str]]]:
    """The refs as the run left them, and what was not understood with the reason."""
    loose, packed, head = dict(start.loose), dict(start.packed), start.head
    strange: list[tuple[str, str]] = []
    for path in delta.removed - delta.present.keys():
        name = path[len(GIT) + 1 :]
        loose.pop(name, None)
        packed = {} if name == "packed-refs" else packed
        head = "" if name == "HEAD" else head
    for path, state in delta.present.items():
        name = path[len(GIT) + 1 :]
        if state.kind == "directory" or not (name in ("HEAD", "packed-refs") or name.startswith("refs/")):
            continue
        text = _read(tree, path) if state.kind == "file" else b""
        if name == "HEAD":
            head = _head(text)
        elif name == "packed-refs":
            packed = _packed(text)
        elif (known := _id(text)) and _NAME.fullmatch(name) and walk.shown(name) == name:
            loose[name] = known
        else:
            loose.pop(name, None)
            strange.append((walk.shown(path), "it is not a ref that can be read"))
    return Refs(loose=loose, packed=packed, head=head), strange


def _read(root: int, path: str) -> bytes:
    above, name = walk.split(path)
    try:
        with walk.beneath(root, above) as at, os.fdopen(walk.open_file(at, name), "rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, Conflict):
        return b""
    return data if len(data) <= _LARGEST else b""


def _id(text: bytes) -> str:
    text = text.rstrip(b"\n")
    return text.decode() if _ID.fullmatch(text) else ""


def _head(text: bytes) -> str:
    match = _SYMBOLIC.fullmatch(text)
    if match is None:
        return _id(text)
    name = match[1].decode("utf-8", "replace")
    return name if _NAME.fullmatch(name) else ""


def _packed(text: bytes) -> dict[str, str]:
    out = {}
    for line in text.splitlines():
        known, _, name = line.partition(b" ")
        spelled = name.decode("utf-8", "replace")
        if not line.startswith((b"#", b"^")) and _ID.fullmatch(known) and _NAME.fullmatch(spelled):
            out[spelled] = known.decode()
    return out
