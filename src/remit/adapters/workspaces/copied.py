"""The lower rungs of the ladder: a private copy, by reflink where the file system shares blocks, else byte by byte."""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.delta import Delta
from remit.adapters.workspaces.snapshot import Snapshot
from remit.adapters.workspaces.walk import Stat
from remit.errors import Broken

_FICLONE = 0x40049409
_BLOCK = 1 << 20


def reflinks(root: int, place: Path) -> bool:
    """Whether a file of the workspace can be cloned into `place`: found by cloning one."""
    for path, state in walk.walk(root):
        if state.kind != "file" or not state.size:
            continue
        above, name = walk.split(path)
        probe = place / "probe-clone"
        try:
            with walk.beneath(root, above) as at, os.fdopen(walk.open_file(at, name), "rb") as old, probe.open("wb") as new:
                fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except PermissionError:
            continue
        except OSError:
            return False
        else:
            return True
        finally:
            probe.unlink(missing_ok=True)
    return False


def copy_bytes(source: int, target: int, *, clone: bool = True) -> None:
    """The content of one open file into another: cloned, else copied by the kernel, holes kept out of it."""
    if clone:
        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError:
            pass
        else:
            return
    try:
        while os.copy_file_range(source, target, _BLOCK * 64):
            pass
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        while block := os.read(source, _BLOCK):
            view = memoryview(block)
            while view:
                view = view[os.write(target, view) :]


def copy_tree(root: int, into: Path, *, kind: Literal["reflink", "copy"], leave_out: Callable[[str], bool]) -> list[str]:
    """A private copy of the tree with modes, times and owners; returns what could not be read and so is not there.

    Hard links become files of their own; sockets, fifos and devices are not copied.
    """
    missing: list[str] = []
    into.mkdir(parents=True, exist_ok=True)
    folders: list[tuple[str, Stat]] = []
    skipped: set[str] = set()
    with walk.folder(str(into)) as target:
        for path, state in walk.walk(root):
            above = walk.split(path)[0]
            if leave_out(path) or above in skipped:
                if state.kind == "directory":
                    skipped.add(path)
                continue
            if state.kind == "directory":
                folders.append((path, state))
            if not _copy_entry(root, target, path, state, clone=kind == "reflink"):
                missing.append(path)
        for path, state in reversed(folders):
            _settle(target, path, state)
        top = walk.facts(os.stat(root))
        dress(target, top)
    return missing


def _copy_entry(root: int, target: int, path: str, state: Stat, *, clone: bool) -> bool:
    above, name = walk.split(path)
    with walk.beneath(root, above) as old, walk.beneath(target, above) as new:
        return copy_entry_into(old, new, name, state, clone=clone)


def copy_entry_into(old: int, new: int, name: str, state: Stat, *, clone: bool = True) -> bool:
    """One entry from an open folder to another; False when it is of no kind that is copied, or cannot be read."""
    match state.kind:
        case "directory":
            os.mkdir(name, 0o700, dir_fd=new)
            return True
        case "link":
            os.symlink(walk.read_link(old, name), name, dir_fd=new)
            if os.geteuid() == 0:
                os.chown(name, state.uid, state.gid, dir_fd=new, follow_symlinks=False)
            return True
        case "file":
            return _copy_file(old, new, name, state, clone=clone)
        case _:
            return False


def _copy_file(old: int, new: int, name: str, state: Stat, *, clone: bool) -> bool:
    try:
        source = walk.open_file(old, name)
    except PermissionError:
        return False
    try:
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=new)
        try:
            copy_bytes(source, fd, clone=clone)
            dress(fd, state)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Broken("the disk is full: the workspace could not be copied") from error
        raise
    finally:
        os.close(source)
    return True


def _settle(target: int, path: str, state: Stat) -> None:
    with walk.beneath(target, path) as fd:
        dress(fd, state)


def dress(fd: int, state: Stat) -> None:
    """Give an open entry the owner, mode and times of another."""
    if os.geteuid() == 0:
        os.fchown(fd, state.uid, state.gid)
    os.fchmod(fd, state.bits)
    os.utime(fd, ns=(state.mtime, state.mtime))


def delta(copy: int, base: Snapshot, fresh: Snapshot, hidden: frozenset[str]) -> Delta:
    """What differs in a copy: entries whose state moved since it was made (`fresh`), and those that are gone."""
    found = Delta(base, hidden)
    present: set[str] = set()
    for path, state in walk.walk(copy, skip=frozenset({".git"})):
        present.add(path)
        known = fresh.get(path)
        if known is None or known[:6] != state[:6] or known.links != state.links:
            found.write(path, state, forged=forged(copy, path))
        if state.kind == "directory" and path.count("/") >= walk.DEPTH:
            found.too_deep.add(path)
    for path in fresh.states:
        if path not in present and base.get(path) is not None:
            found.remove(path)
    return found


def delta_below(copy: int, name: str, base: Snapshot, fresh: Snapshot, *, skip: frozenset[str]) -> Delta:
    """The same for one folder of the copy, all of whose new files count; `skip` folders are only looked into for new names."""
    found = Delta(base, frozenset())
    state = walk.lstat(copy, name)
    if state is None or state.kind != "directory":
        found.remove_all()
        return found
    present: set[str] = set()
    with walk.folder(name, at=copy) as fd:
        for path, here in walk.walk(fd, name):
            present.add(path)
            known = fresh.get(path)
            if known is None or known[:6] != here[:6]:
                found.write(path, here)
    found.removed |= {path for path in base.states if path not in present and not _within(path, skip)}
    return found


def _within(path: str, folders: frozenset[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def forged(tree: int, path: str) -> bool:
    """Whether an entry carries attributes that an overlay would obey."""
    above, name = walk.split(path)
    with walk.beneath(tree, above) as at:
        try:
            keys = os.listxattr(f"/proc/self/fd/{at}/{name}", follow_symlinks=False)
        except OSError:
            return False
    return any(key.startswith("user.overlay.") for key in keys)
