"""The tree that is judged, and looking at it within bounds: an agent wrote what is in it."""

import unicodedata
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from remit.contract.glob import compile_glob, wild
from remit.value import Value

READ = 4 * 1024 * 1024
"""bytes of one file that are looked at"""
ALL = 512 * 1024 * 1024
"""bytes of all files together"""
KEPT = 32 * 1024 * 1024
"""bytes of files kept at hand, since several patterns look at the same ones"""
NOT_OURS = frozenset({".git", "node_modules", "__pycache__", ".venv"})
"""folders that are never entered from above: what is in them was fetched or made by a program. Naming one enters it"""


class Entry(Value, frozen=True, kw_only=True):
    """What stands at a path. Links are never followed; `other` is a device, a socket or a pipe, and is never opened."""

    type: Literal["file", "folder", "link", "other"]
    size: int = 0


class Tree(Protocol):
    """A tree that does not change while it is looked at."""

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Everything in it by path from its root, folders included."""
        ...

    def read(self, path: str, most: int) -> bytes | None:
        """The first `most` bytes of a regular file; None when it cannot be read."""
        ...


class Looking:
    """One look over one tree: what is at a place, and what is in a file. `warnings` says what was not looked at."""

    def __init__(self, tree: Tree) -> None:
        self.warnings: dict[str, None] = {}
        self._tree = tree
        self._paths: Sequence[str] = sorted(tree.entries)
        self._named = {_nfc(path): path for path in self._paths if not path.isascii()}
        self._left = ALL
        self._kept: dict[str, bytes] = {}
        self._held = 0

    def at(self, place: str) -> tuple[str, Entry | None]:
        """The path of a literal place as the tree has it, and what is there."""
        path = place.strip("/")
        path = path if path in self._tree.entries else self._named.get(_nfc(path), path)
        return path, self._tree.entries.get(path)

    def files(self, place: str) -> list[str]:
        """Regular files that a place means, in path order: the file itself, all below a folder, all that a glob matches."""
        if wild(place):
            pattern = place.strip("/") + ("/**" if place.endswith("/") else "")
            matches, start = compile_glob(pattern), _literal(pattern)
            return [path for path in self._below(start) if matches(_nfc(path)) and self._ours(path, start)]
        path, entry = self.at(place)
        if entry is None:
            return []
        if entry.type == "folder":
            return [each for each in self._below(path) if self._ours(each, path)]
        return [path] if entry.type == "file" and not place.endswith("/") else []

    def named(self, name: str) -> str:
        """Another file of that name somewhere in the tree, empty when there is none."""
        end = f"/{name}"
        return next((path for path in self._paths if path.endswith(end) and self._tree.entries[path].type == "file"), "")

    def data(self, path: str) -> bytes | None:
        """The beginning of a file, at most READ bytes; None when it cannot be read, or too much was read already."""
        if path in self._kept:
            return self._kept[path]
        if self._left <= 0:
            self.warnings[f"more than {ALL >> 20} MiB to look at: the rest was not looked at"] = None
            return None
        found = self._tree.read(path, READ)
        if found is None:
            return None
        self._left -= len(found)
        if self._tree.entries[path].size > READ:
            self.warnings[f"`{printable(path)}` is large: only its first {READ >> 20} MiB were looked at"] = None
        self._keep(path, found)
        return found

    def _keep(self, path: str, data: bytes) -> None:
        while self._kept and self._held + len(data) > KEPT:
            self._held -= len(self._kept.pop(next(iter(self._kept))))
        self._kept[path] = data
        self._held += len(data)

    def _below(self, folder: str) -> Sequence[str]:
        if not folder:
            return self._paths
        return self._paths[bisect_left(self._paths, f"{folder}/") : bisect_left(self._paths, f"{folder}0")]

    def _ours(self, path: str, start: str) -> bool:
        inside = path[len(start) :].split("/")[:-1]
        return self._tree.entries[path].type == "file" and not NOT_OURS.intersection(inside)


def printable(path: str) -> str:
    """A path as one line of text that can be stored: what is no text, or breaks a line, is escaped."""
    if path.isascii() and path.isprintable():
        return path[:500]
    text = path[:500].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def _literal(pattern: str) -> str:
    """The folders before the first wild part."""
    fixed: list[str] = []
    for part in pattern.split("/")[:-1]:
        if wild(part):
            break
        fixed.append(part)
    start = "/".join(fixed)
    return start if start.isascii() else ""


def _nfc(path: str) -> str:
    return path if path.isascii() else unicodedata.normalize("NFC", path)
