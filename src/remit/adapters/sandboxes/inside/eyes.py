"""How `hands` looks at the workspace: reads, lists, searches and describes, in bounds. Standard library only.

A path is of the workspace, or of a folder shown beside it, and must not leave it, also by way of a link: the box is the boundary,
this is the honest answer.
"""

# ruff: noqa: PTH115, PTH116, PTH118

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import os
import re
import select
import signal
import stat
import time
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LARGE = 64 << 20
"""bytes of a file that is still read line by line"""
RAW = 4 << 20
SEARCHED = 8 << 20
SHOWN = 400
"""characters of a matching line"""
LOOKED = 10.0
"""seconds a list may take"""


class Refused(Exception):
    """What cannot be done: one word, and why."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error = error


class Eyes:
    """One workspace. `own` are descriptors that no process made from here may keep, `beside` folders that are shown with it."""

    def __init__(self, root: str, own: tuple[int, ...] = (), beside: tuple[str, ...] = ()) -> None:
        self.root = os.path.realpath(root)
        self.roots = (self.root, *map(os.path.realpath, beside))
        self.own = own
        self.searching: set[int] = set()

    def place(self, path: object, *, link: bool = False) -> str:
        """Where a path of the workspace really is; with `link`, the name itself although it may be a link."""
        if not isinstance(path, str) or not path or "\0" in path:
            raise Refused("input", "a path is a text that is not empty and holds no zero byte")
        full = os.path.join(self.root, path)
        folder, name = os.path.split(full)
        real = os.path.join(os.path.realpath(folder), name) if link and name not in ("", ".", "..") else os.path.realpath(full)
        if not any(real == root or real.startswith(root + "/") for root in self.roots):
            raise Refused("outside", f"`{shown(path)}` is not in the workspace")
        return real

    def read(self, given: dict[str, Any]) -> dict[str, Any]:
        """A file, or some lines of it."""
        place = self.place(given.get("path"))
        raw = given.get("raw") is True
        data = content(place, RAW if raw else LARGE)
        if raw:
            return {"content": base64.b64encode(data).decode(), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if b"\0" in data[:8192]:
            raise Refused("unfit", f"`{shown(str(given['path']))}` is binary")
        first = int(among(given, "from", 1, 1, LARGE))
        lines = data.splitlines(keepends=True)
        part: list[bytes] = []
        room = int(among(given, "most", 100_000, 1, 1 << 20))
        for each in lines[first - 1 : first - 1 + int(among(given, "lines", 2000, 1, LARGE))]:
            if room <= 0:
                break
            part.append(each[:room])
            room -= len(each)
        told = {"from": first, "lines": len(part), "total": len(lines), "bytes": len(data), "cut": room < 0}
        return {"text": text(b"".join(part)), **told, "lossy": text(data).encode() != data}

    def listed(self, given: dict[str, Any]) -> dict[str, Any]:
        """What a folder holds, or everything below it that the glob means."""
        place, most = self.place(given.get("path", ".")), int(among(given, "most", 1000, 1, 20_000))
        if not stat.S_ISDIR(os.stat(place).st_mode):
            raise Refused("unfit", f"`{shown(str(given.get('path')))}` is no folder")
        glob = pattern_of(given)
        until = time.monotonic() + LOOKED
        entries: list[dict[str, Any]] = []
        for entry in walk(place, deep=glob is not None):
            if time.monotonic() > until:
                return {"entries": entries, "more": True}
            if glob is None or matches(entry.path[len(place) + 1 :], glob):
                if len(entries) == most:
                    return {"entries": entries, "more": True}
                try:
                    described = kind(entry.stat(follow_symlinks=False), entry.path)
                except OSError:  # it went away meanwhile
                    continue
                entries.append({"path": shown(named(self.root, entry.path)), **described})
        return {"entries": entries, "more": False}

    def stat(self, given: dict[str, Any]) -> dict[str, Any]:
        """What stands at a path; links are not followed."""
        place = self.place(given.get("path"), link=True)
        try:
            info = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return {"type": "absent"}
        return {**kind(info, place), "bytes": info.st_size, "mode": f"{stat.S_IMODE(info.st_mode):o}", "modified": info.st_mtime}

    def search(self, given: dict[str, Any]) -> dict[str, Any]:
        """Lines of text files that a regular expression finds, in a process that can be killed: some expressions never end."""
        pattern, place = given.get("pattern"), self.place(given.get("path", "."))
        if not isinstance(pattern, str):
            raise Refused("input", "`pattern` is a regular expression")
        os.lstat(place)
        glob, flags = pattern_of(given), re.IGNORECASE if given.get("ignore_case") is True else 0
        most, patience = int(among(given, "most", 200, 1, 5000)), among(given, "seconds", 10.0, 0.1, 60.0)
        ours, theirs = os.pipe()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # the child takes no lock that another thread may hold
                child = os.fork()
            if child == 0:
                code = 1
                try:
                    for each in (ours, *self.own):
                        os.close(each)
                    code = look(theirs, self.root, place, pattern, flags, glob)
                finally:
                    os._exit(code)
        finally:
            os.close(theirs)
        rows, late = self.heard(child, ours, most, time.monotonic() + patience)
        if rows and "why" in rows[0]:
            raise Refused("input", rows[0]["why"])
        return {"matches": rows[:most], "more": late or len(rows) > most, "late": late}

    def heard(self, child: int, line: int, most: int, until: float) -> tuple[list[dict[str, Any]], bool]:
        """What a searching process found, one row more than is wanted; True when it did not come to its end."""
        self.searching.add(child)
        try:
            rows, late = gathered(line, most + 1, until)
        finally:
            self.searching.discard(child)
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            os.close(line)
        return rows, late or (len(rows) <= most and status != 0)


def named(root: str, path: str) -> str:
    """A path as it is told: from the workspace on, or whole where it lies beside it."""
    return path[len(root) + 1 :] if path.startswith(root + "/") else path


def content(place: str, most: int) -> bytes:
    """A regular file, whole; a pipe with nobody at its other end must not hold anybody up."""
    held = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        info = os.fstat(held)
        if not stat.S_ISREG(info.st_mode):
            raise Refused("unfit", "it is no file")
        if info.st_size > most:
            raise Refused("unfit", f"it has {info.st_size} bytes, and at most {most} are read")
        with os.fdopen(held, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(held)


def walk(place: str, *, deep: bool) -> Iterator[os.DirEntry[str]]:
    """Entries below a folder, by name; links are not followed, and what is in `.git` is left alone."""
    pending = [place]
    while pending:
        try:
            with os.scandir(pending.pop()) as found:
                entries = sorted(found, key=lambda each: each.name)
        except OSError:  # what may not be read, or went away meanwhile
            continue
        yield from entries
        if deep:
            pending += [each.path for each in reversed(entries) if each.name != ".git" and each.is_dir(follow_symlinks=False)]


def pattern_of(given: dict[str, Any]) -> list[str] | None:
    """The parts of the glob."""
    glob = given.get("glob")
    if glob is None or glob == "":
        return None
    if not isinstance(glob, str) or len(glob) > 1000:
        raise Refused("input", "`glob` is a text of at most 1000 characters")
    parts = [each for each in glob.split("/") if each not in ("", ".")]
    return ["**", *parts] if len(parts) == 1 else parts


def matches(path: str, glob: list[str]) -> bool:
    """Whether a path is meant: `*` stays in one part, `**` is any number of them."""
    reached = onward({0}, glob)
    for part in path.split("/"):
        stays = {at for at in reached if at < len(glob) and glob[at] == "**"}
        moves = {at + 1 for at in reached - stays if at < len(glob) and fnmatch.fnmatchcase(part, glob[at])}
        reached = onward(stays | moves, glob)
    return len(glob) in reached


def onward(reached: set[int], glob: list[str]) -> set[int]:
    """The same places of the pattern, and those behind each `**`, which may stand for nothing."""
    found = set(reached)
    for at, part in enumerate(glob):
        if at in found and part == "**":
            found.add(at + 1)
    return found


def kind(info: os.stat_result, place: str) -> dict[str, Any]:
    """What it is, and for a link where it leads."""
    if stat.S_ISLNK(info.st_mode):
        return {"type": "link", "to": shown(os.readlink(place))}
    if stat.S_ISREG(info.st_mode):
        return {"type": "file", "bytes": info.st_size}
    return {"type": "folder" if stat.S_ISDIR(info.st_mode) else "other"}


def look(line: int, root: str, place: str, pattern: str, flags: int, glob: list[str] | None) -> int:
    """In a process of its own: write each match as it is found; 0 when everything was looked at."""
    try:
        expression = re.compile(pattern, flags)
    except (re.error, OverflowError, RecursionError) as error:
        os.write(line, json.dumps({"why": f"`pattern` is no regular expression: {error}"}).encode() + b"\n")
        return 0
    for full in meant(place, glob):
        try:
            data = content(full, SEARCHED)
        except (OSError, Refused):
            continue
        if b"\0" in data[:8192]:
            continue
        for number, each in enumerate(data.splitlines(), 1):
            words = text(each)
            if expression.search(words):
                row = {"path": shown(named(root, full)), "line": number, "text": words[:SHOWN]}
                os.write(line, json.dumps(row).encode() + b"\n")
    return 0


def meant(place: str, glob: list[str] | None) -> Iterator[str]:
    """The files to look at: the one that was named, or those below the folder."""
    if not stat.S_ISDIR(os.stat(place).st_mode):
        yield place
        return
    for entry in walk(place, deep=True):
        if entry.is_file(follow_symlinks=False) and (glob is None or matches(entry.path[len(place) + 1 :], glob)):
            yield entry.path


def gathered(line: int, most: int, until: float) -> tuple[list[dict[str, Any]], bool]:
    """What a searching process writes, up to so many rows; True when its time was up first."""
    held, late = b"", False
    poll = select.poll()
    poll.register(line, select.POLLIN)
    while held.count(b"\n") < most:
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            late = True
            break
        data = os.read(line, 65536)
        if not data:
            break
        held += data
    return [json.loads(each) for each in held.split(b"\n")[:-1]][:most], late


def among(given: dict[str, Any], name: str, usual: float, least: float, most: float) -> float:
    """A number of the request within its bounds."""
    value = given.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Refused("input", f"`{name}` is a number")
    return min(max(value, least), most)


def text(data: bytes) -> str:
    """Bytes for reading."""
    return data.decode(errors="replace")


def shown(path: str) -> str:
    """A path that can be written down: bytes that are not UTF-8 become `\\xNN`."""
    try:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return ascii(path)[1:-1]
