"""Bring what a box wrote into memory down to disk, exactly: whiteouts, marks, links, holes, modes and times.

Nothing of the box lives any more when this runs, so names do not change underneath. The walk holds two folders open
however deep the tree is, and goes up by `..`.
"""

# ruff: noqa: PTH116, PTH208

import os
import stat
from collections.abc import Callable
from contextlib import suppress


def settle(upper: int, place: str) -> None:
    """Copy the folder `upper` into the folder at `place`, which is empty. Raises OSError with nothing hidden."""
    source = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=upper)
    target = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    Walk(source, target).run()


class Walk:
    """One copy, folder by folder; `source` and `target` are where it stands."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target
        self.top = os.dup(target)
        self.here: list[bytes] = []
        self.linked: dict[int, bytes] = {}
        self.kept: list[os.stat_result] = []

    def run(self) -> None:
        """Walk everything, then close."""
        pending = [self._names()]
        _marks(self.source, self.target)
        try:
            while pending:
                if pending[-1]:
                    name = pending[-1].pop()
                    if self._enter(name):
                        pending.append(self._names())
                else:
                    pending.pop()
                    self._leave(last=not pending)
        finally:
            for each in (self.source, self.target, self.top):
                os.close(each)

    def _names(self) -> list[bytes]:
        return sorted((os.fsencode(each) for each in os.listdir(self.source)), reverse=True)

    def _enter(self, name: bytes) -> bool:
        """Copy one entry; True when it is a folder and the walk now stands in it."""
        info = os.stat(name, dir_fd=self.source, follow_symlinks=False)
        if not stat.S_ISDIR(info.st_mode):
            self._copy(name, info)
            return False
        os.mkdir(name, 0o700, dir_fd=self.target)
        if stat.S_IMODE(info.st_mode) & 0o700 != 0o700:
            os.chmod(name, 0o700, dir_fd=self.source)  # its owner took the rights away; the walk needs them for a moment
        source = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.source)
        target = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.target)
        _marks(source, target)
        self._move(source, target)
        self.here.append(name)
        self.kept.append(info)
        return True

    def _leave(self, *, last: bool) -> None:
        """Give the folder its times and mode, now that nothing is written into it any more, and go up."""
        info = os.stat(self.source) if last else self.kept.pop()
        finished = os.dup(self.target)
        if not last:  # before the mode: a folder nobody may search is not left through `..`, by its owner neither
            self.here.pop()
            up = os.O_RDONLY | os.O_DIRECTORY
            self._move(os.open("..", up, dir_fd=self.source), os.open("..", up, dir_fd=self.target))
        _finish(finished, info)
        os.close(finished)

    def _move(self, source: int, target: int) -> None:
        os.close(self.source)
        os.close(self.target)
        self.source, self.target = source, target

    def _copy(self, name: bytes, info: os.stat_result) -> None:
        if info.st_nlink > 1 and info.st_ino in self.linked and self._link(name, self.linked[info.st_ino]):
            return
        if stat.S_ISLNK(info.st_mode):
            os.symlink(os.readlink(name, dir_fd=self.source), name, dir_fd=self.target)
        elif stat.S_ISREG(info.st_mode):
            _content(self.source, self.target, name, info)
        else:
            os.mknod(name, info.st_mode, info.st_rdev, dir_fd=self.target)
        _own(lambda uid, gid: os.chown(name, uid, gid, dir_fd=self.target, follow_symlinks=False), info)
        if not stat.S_ISLNK(info.st_mode):
            os.chmod(name, stat.S_IMODE(info.st_mode), dir_fd=self.target)
        os.utime(name, ns=(info.st_atime_ns, info.st_mtime_ns), dir_fd=self.target, follow_symlinks=False)
        if info.st_nlink > 1:
            self.linked[info.st_ino] = b"/".join([*self.here, name])

    def _link(self, name: bytes, first: bytes) -> bool:
        with suppress(OSError):  # a name longer than the kernel takes: the copy stands alone
            os.link(first, name, src_dir_fd=self.top, dst_dir_fd=self.target, follow_symlinks=False)
            return True
        return False


def _content(source: int, target: int, name: bytes, info: os.stat_result) -> None:
    """The bytes of a file; its holes stay holes, or a sparse file would fill the disk."""
    if stat.S_IMODE(info.st_mode) & 0o400 == 0:
        os.chmod(name, 0o600, dir_fd=source)
    reader = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=source)
    writer = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=target)
    try:
        os.ftruncate(writer, info.st_size)
        at = 0
        while at < info.st_size:
            try:
                at = os.lseek(reader, at, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(reader, at, os.SEEK_HOLE)
            while at < end:
                at += os.sendfile(writer, reader, at, min(end - at, 1 << 26)) if os.lseek(writer, at, os.SEEK_SET) == at else 0
        _marks(reader, writer)
    finally:
        os.close(reader)
        os.close(writer)


def _marks(source: int, target: int) -> None:
    """The overlay's own marks (opaque, metadata) are user attributes and mean as much as the content."""
    for name in os.listxattr(source):
        if name.startswith("user."):
            os.setxattr(target, name, os.getxattr(source, name))


def _finish(folder: int, info: os.stat_result) -> None:
    _own(lambda uid, gid: os.fchown(folder, uid, gid), info)
    os.fchmod(folder, stat.S_IMODE(info.st_mode))
    os.utime(folder, ns=(info.st_atime_ns, info.st_mtime_ns))


def _own(change: Callable[[int, int], None], info: os.stat_result) -> None:
    if os.geteuid() == 0:
        change(info.st_uid, info.st_gid)
