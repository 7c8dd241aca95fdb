"""Looking at trees safely: every step relative to an open folder, links never followed, depth bounded."""

import ctypes
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from remit.errors import Broken, Conflict
from remit.run.change import EntryType, Seen

DEPTH = 200
"""Folders below the root; deeper trees are refused (a 1200-level tree kills naive walkers)."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LINK_IN_THE_WAY = {errno.ELOOP, errno.ENOTDIR, errno.ENOENT}


class Stat(NamedTuple):
    """What tells one state of an entry from another; ctime catches a forged mtime."""

    mode: int
    size: int
    mtime: int
    ctime: int
    ino: int
    dev: int
    links: int
    uid: int
    gid: int
    rdev: int

    @property
    def kind(self) -> EntryType:
        """file, directory, link or other."""
        return _KINDS.get(stat.S_IFMT(self.mode), "other")

    @property
    def bits(self) -> int:
        """Permission bits with setuid, setgid and sticky."""
        return stat.S_IMODE(self.mode)

    @property
    def whiteout(self) -> bool:
        """The kernel's mark for a name that a layer removes."""
        return stat.S_ISCHR(self.mode) and self.rdev == 0

    def same_content(self, other: "Stat | None") -> bool:
        """The same inode in the same state, whatever happened to its link count (a pre-image link moves ctime)."""
        return other is not None and self[:3] + self[4:6] == other[:3] + other[4:6]

    def same(self, other: "Stat | None") -> bool:
        """The same entry, untouched: type, mode, size, mtime, ctime, inode, device; of a folder only type and mode."""
        if other is None or self.kind != other.kind:
            return False
        return self.mode == other.mode if self.kind == "directory" else self[:6] == other[:6]


_KINDS: dict[int, EntryType] = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


def facts(found: os.stat_result) -> Stat:
    """The fields of a stat that remit compares."""
    return Stat(
        found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev,
        found.st_nlink, found.st_uid, found.st_gid, found.st_rdev,
    )  # fmt: skip


def lstat(at: int, name: str) -> Stat | None:
    """The entry `name` in the open folder, None when absent."""
    try:
        return facts(os.stat(name, dir_fd=at, follow_symlinks=False))
    except FileNotFoundError:
        return None


@contextmanager
def folder(path: str, *, at: int | None = None) -> Iterator[int]:
    """An open folder, its last component never a link."""
    fd = os.open(path, _DIRECTORY, dir_fd=at)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def beneath(root: int, path: str) -> Iterator[int]:
    """The folder `path` below the open `root`, opened one component at a time so that no link is ever followed.

    Raises Conflict when a component is absent, a link or no folder.
    """
    parts = [part for part in path.split("/") if part]
    if ".." in parts or path.startswith("/"):
        raise Conflict(f"`{shown(path)}` leaves the workspace")
    fd = os.dup(root)
    try:
        for count, part in enumerate(parts):
            try:
                below = os.open(part, _DIRECTORY, dir_fd=fd)
            except OSError as error:
                if error.errno in _LINK_IN_THE_WAY:
                    raise Conflict(f"`{shown('/'.join(parts[: count + 1]))}` is not the folder it was") from error
                raise
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


def split(path: str) -> tuple[str, str]:
    """The folder part (empty at the top) and the name."""
    above, _, name = path.rpartition("/")
    return above, name


def look(root: int, path: str) -> Stat | None:
    """The entry at `path` below `root`; None when it, or a folder above it, is absent or not a folder."""
    above, name = split(path)
    try:
        with beneath(root, above) as at:
            return lstat(at, name)
    except Conflict:
        return None


def entries(at: int) -> list[tuple[str, Stat]]:
    """Names and states in an open folder, in name order."""
    with os.scandir(at) as found:
        return sorted((entry.name, facts(entry.stat(follow_symlinks=False))) for entry in found)


def walk(at: int, above: str = "", *, depth: int = 0, skip: frozenset[str] = frozenset()) -> Iterator[tuple[str, Stat]]:
    """Every entry below the open folder, parents first; folders deeper than DEPTH are named but not entered.

    An unreadable folder is named and not entered; paths in `skip` are left out with all below them.
    """
    for name, state in entries(at):
        path = f"{above}/{name}" if above else name
        if path in skip:
            continue
        yield path, state
        if state.kind == "directory" and depth < DEPTH:
            try:
                below = os.open(name, _DIRECTORY, dir_fd=at)
            except PermissionError:
                continue
            try:
                yield from walk(below, path, depth=depth + 1, skip=skip)
            finally:
                os.close(below)


def seen(state: Stat | None, *, sha256: str = "", target: str = "") -> Seen:
    """The state as one side of a change."""
    if state is None:
        return Seen(type="absent")
    size = 0 if state.kind == "directory" else state.size
    return Seen(type=state.kind, mode=state.bits, size=size, sha256=sha256, target=shown(target), links=_links(state))


def _links(state: Stat) -> int:
    return state.links if state.kind == "file" else 1


def shown(path: str) -> str:
    """The path as text that can be stored: bytes that are not UTF-8 are written `\\xNN`."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def open_file(at: int, name: str, *, unlock: bool = False) -> int:
    """A readable descriptor of a regular file, never a link. `unlock` lets the owner read a file of mode 000."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        fd = os.open(name, flags, dir_fd=at)
    except PermissionError:
        if not unlock:
            raise
        state = os.stat(name, dir_fd=at, follow_symlinks=False)
        if not stat.S_ISREG(state.st_mode):
            raise
        os.chmod(name, stat.S_IMODE(state.st_mode) | 0o400, dir_fd=at)
        fd = os.open(name, flags, dir_fd=at)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Conflict(f"`{shown(name)}` is not a regular file")
    return fd


def hash_file(at: int, name: str, *, unlock: bool = False) -> str:
    """The sha256 of a regular file as hex."""
    with os.fdopen(open_file(at, name, unlock=unlock), "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_link(at: int, name: str) -> str:
    """Where a link points, as it is written."""
    return os.readlink(name, dir_fd=at)


_libc = ctypes.CDLL(None, use_errno=True)
_NOREPLACE = 1


def rename_new(at: int, old: str, new: str) -> None:
    """Rename within one folder, failing with FileExistsError when `new` is taken: nothing is ever clobbered by a race."""
    renameat2 = getattr(_libc, "renameat2", None)
    if renameat2 is not None:
        if renameat2(at, os.fsencode(old), at, os.fsencode(new), _NOREPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.EINVAL, errno.ENOSYS):
            raise OSError(code, os.strerror(code), new)
    if lstat(at, new) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
    os.rename(old, new, src_dir_fd=at, dst_dir_fd=at)


def remove_tree(path: str) -> None:
    """Remove a folder and all below it, however deep, whatever its modes, never through a link.

    Sub-folders are first moved up beside it, so depth costs neither stack nor path length.
    """
    above, name = os.path.split(path)
    with suppress(FileNotFoundError), folder(above or ".") as at:
        _flatten(at, name)


def _flatten(at: int, name: str) -> None:
    _unlock(at, name)
    with folder(name, at=at) as top:
        count = 0
        pending = [entry for entry in _names(top) if not _drop(top, entry)]
        while pending:
            victim = pending.pop()
            _unlock(top, victim)
            with folder(victim, at=top) as inner:
                for entry in _names(inner):
                    if not _drop(inner, entry):
                        _unlock(inner, entry)
                        count += 1
                        moved = f".remit-gone-{count}"
                        os.rename(entry, moved, src_dir_fd=inner, dst_dir_fd=top)
                        pending.append(moved)
            os.rmdir(victim, dir_fd=top)
    os.rmdir(name, dir_fd=at)


def _names(at: int) -> list[str]:
    with os.scandir(at) as found:
        return [entry.name for entry in found]


def _drop(at: int, name: str) -> bool:
    try:
        os.unlink(name, dir_fd=at)
    except IsADirectoryError:
        return False
    except PermissionError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
            raise
        return False
    return True


def _unlock(at: int, name: str) -> None:
    # Overlay leaves work/work with mode 000, and an agent may do the same to anything it made.
    state = os.stat(name, dir_fd=at, follow_symlinks=False)
    if stat.S_ISDIR(state.st_mode) and state.st_mode & 0o700 != 0o700:
        os.chmod(name, 0o700, dir_fd=at)


def sync_file(fd: int) -> None:
    """Make a file or folder durable. Raises Broken when the disk says no."""
    try:
        os.fsync(fd)
    except OSError as error:
        raise Broken(f"the disk refused to keep what was written: {error.strerror}") from error
