"""The tree that would be published, as a check sees it, read from the layers of its view: no box is needed to list or read it."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from remit.plan.validating.tree import Entry
from remit.ports import Mount

MOST = 300_000
"""entries that are listed"""
DEPTH = 200
"""folders within one another that are entered"""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_OPAQUE = "user.overlay.opaque"


class JudgedTree:
    """A view's tree: of every name the topmost layer counts, and a whiteout hides what is below. Links are never followed.

    `cut` says that there was more than is listed. `.git` is no part of it.
    """

    def __init__(self, mount: Mount) -> None:
        self._layers = tuple(Path(layer) for layer in mount.lower)
        self._from: dict[str, Path] = {}
        self._entries: dict[str, Entry] = {}
        self.cut = False
        self._list()

    @property
    def entries(self) -> Mapping[str, Entry]:
        """Everything in it by path from its root."""
        return self._entries

    def read(self, path: str, most: int) -> bytes | None:
        """The first `most` bytes of a regular file; None when it cannot be read."""
        layer = self._from.get(path)
        if layer is None:
            return None
        *folders, name = path.split("/")
        try:
            at = os.open(layer, _FOLDER)
        except OSError:
            return None
        try:
            for folder in folders:
                below = os.open(folder, _FOLDER, dir_fd=at)
                os.close(at)
                at = below
            with os.fdopen(os.open(name, _FILE, dir_fd=at), "rb") as file:
                return file.read(most) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
        except OSError:
            return None
        finally:
            os.close(at)

    def _list(self) -> None:
        """Folder by folder, without recursion: the layers in which a folder counts go along with it."""
        pending: list[tuple[str, tuple[Path, ...], int]] = [("", self._layers, 0)]
        while pending:
            above, layers, depth = pending.pop()
            for name, (entry, holding) in _merged(above, layers).items():
                path = f"{above}/{name}" if above else name
                if path == ".git" or path.startswith(".git/"):
                    continue
                if len(self._entries) == MOST:
                    self.cut = True
                    return
                self._entries[path] = entry
                if entry.type == "file":
                    self._from[path] = holding[0]
                elif entry.type == "folder" and depth < DEPTH:
                    pending.append((path, holding, depth + 1))
                elif entry.type == "folder":
                    self.cut = True


def _merged(above: str, layers: tuple[Path, ...]) -> dict[str, tuple[Entry, tuple[Path, ...]]]:
    """The names of one folder, each with what is there and the layers it comes from; of a folder all that add to it."""
    found: dict[str, tuple[Entry, tuple[Path, ...]]] = {}
    closed: set[str] = set()
    for layer in layers:
        try:
            names = sorted(os.scandir(layer / above), key=lambda each: each.name)
        except OSError:
            continue
        for each in names:
            if each.name in closed:
                continue
            try:
                seen = each.stat(follow_symlinks=False)
            except OSError:
                continue
            entry = _entry(seen)
            if stat.S_ISCHR(seen.st_mode) and seen.st_rdev == 0:  # a whiteout
                closed.add(each.name)
            elif each.name not in found:
                found[each.name] = entry, (layer,)
            elif entry.type == "folder":
                found[each.name] = found[each.name][0], (*found[each.name][1], layer)
            if entry.type != "folder" or (len(layers) > 1 and _opaque(each.path)):
                closed.add(each.name)
    return found


def _entry(seen: os.stat_result) -> Entry:
    if stat.S_ISREG(seen.st_mode):
        return Entry(type="file", size=seen.st_size)
    if stat.S_ISDIR(seen.st_mode):
        return Entry(type="folder")
    return Entry(type="link") if stat.S_ISLNK(seen.st_mode) else Entry(type="other")


def _opaque(path: str) -> bool:
    try:
        return os.getxattr(path, _OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False
