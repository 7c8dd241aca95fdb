"""A bounded walk over a place: links are followed inside it, never out of it, and nothing is visited twice."""

import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from remit.plan.skill import Noted

MOST_ENTRIES = 50_000
MOST_DEPTH = 12
MOST_LISTED = 500
MOST_NOTED = 500
SKIPPED = {".git", "node_modules", "__pycache__", ".venv", "venv", ".hg", ".svn", "dist", "target", ".tox", ".mypy_cache"}


class Folder(NamedTuple):
    """One directory: its path as it was reached, and the names of its plain files."""

    path: Path
    files: tuple[str, ...]


class Walk:
    """One walk over one place. `noted` says what was not entered, and why."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.root = Path(os.path.realpath(place))
        self.left = MOST_ENTRIES
        self.noted: list[Noted] = []

    def folders(self) -> Iterator[Folder]:
        """Every directory below the place, in order of their names, what links lead to last, each once; a directory with a
        SKILL.md is not entered further.
        """
        waiting, links = [(self.place, 0)], deque[tuple[Path, int]]()
        seen: set[tuple[int, int]] = set()
        while waiting or links:
            path, depth = waiting.pop() if waiting else links.popleft()
            if path.is_symlink() and path != self.place and waiting:
                links.append((path, depth))
                continue
            folder, below = self._look(path, seen)
            if folder is None:
                continue
            yield folder
            if any(name.lower() == "skill.md" for name in folder.files):
                continue
            if below and depth >= MOST_DEPTH:
                self.note("TOO-DEEP", path, f"deeper than {MOST_DEPTH} directories, so it is not read")
                continue
            waiting += [(path / name, depth + 1) for name in sorted(below, reverse=True) if name not in SKIPPED]

    def listing(self, path: Path) -> tuple[str, ...]:
        """What lies in the directory of a skill, by relative paths; only names are looked at."""
        found: list[str] = []
        seen: set[tuple[int, int]] = set()
        waiting = [(path, "", 0)]
        while waiting and len(found) < MOST_LISTED:
            at, prefix, depth = waiting.pop()
            folder, below = self._look(at, seen)
            if folder is None:
                continue
            found += [prefix + name for name in folder.files]
            if depth < MOST_DEPTH:
                waiting += [
                    (at / name, f"{prefix}{name}/", depth + 1) for name in sorted(below, reverse=True) if name not in SKIPPED
                ]
        if len(found) >= MOST_LISTED:
            self.note("TOO-MANY", path, f"more than {MOST_LISTED} files; the others are not listed")
        return tuple(sorted(found)[:MOST_LISTED])

    def inside(self, path: Path) -> bool:
        """Whether what the path really is lies in this place."""
        real = Path(os.path.realpath(path))
        return real == self.root or self.root in real.parents

    def note(self, code: str, path: Path, message: str) -> None:
        """One finding about a path, once."""
        noted = Noted(code=code, severity="warning", file=printable(path), message=message)
        if noted not in self.noted and len(self.noted) < MOST_NOTED:
            self.noted.append(noted)

    def _look(self, path: Path, seen: set[tuple[int, int]]) -> tuple[Folder | None, list[str]]:
        """The plain files and the directories of one directory; None where it was seen before, or cannot be read."""
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                return None, []
            seen.add((status.st_dev, status.st_ino))
            names = sorted(os.listdir(path))  # noqa: PTH208
        except OSError as error:
            self.note("UNREADABLE", path, f"cannot be read: {(error.strerror or str(error)).lower()}")
            return None, []
        files, below = [], []
        for name in names:
            self.left -= 1
            if self.left < 0:
                if self.left == -1:
                    self.note("TOO-MANY", path, f"more than {MOST_ENTRIES} files in this place; the others are not read")
                break
            kind = self._kind(path / name)
            if kind == "file":
                files.append(name)
            elif kind == "folder":
                below.append(name)
        return Folder(path, tuple(files)), below

    def _kind(self, path: Path) -> str:
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                if not self.inside(path):
                    self.note("LINK-OUT", path, "a link that leads out of this place; it is not followed")
                    return ""
                mode = path.stat().st_mode
        except OSError:
            self.note("LINK-BROKEN", path, "a link that leads nowhere")
            return ""
        return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else ""


def printable(path: Path) -> str:
    """A path as a text that can be recorded; bytes that are no text become marks."""
    return os.fsencode(path).decode("utf-8", "replace")
