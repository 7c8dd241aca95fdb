"""The few system calls Python does not offer, by ctypes; nothing here decides anything."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
LIBC.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)

NEWNS, NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_SLAVE = 2, 4, 4096, 16384, 1 << 19
SET_PDEATHSIG, SET_DUMPABLE = 1, 4
OPEN_TREE, MOVE_MOUNT, OPENAT2, LANDLOCK_CREATE, SECCOMP = 428, 429, 437, 444, {"x86_64": 317, "aarch64": 277}
RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT = 0x02, 0x04, 0x08, 0x10


def _must(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def unshare(flags: int) -> None:
    """Leave the shared namespaces named by `flags`."""
    _must(LIBC.unshare(flags), "unshare")


def prctl(option: int, value: int) -> None:
    """Set one attribute of this process."""
    _must(LIBC.prctl(option, value, 0, 0, 0), "prctl")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount, as mount(2) does."""
    _must(LIBC.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()), f"mount {kind or 'bind'}")


def copied_tree(path: str) -> int:
    """A copy of the mounts at `path`, attached nowhere yet (root only)."""
    flags = 1 | os.O_CLOEXEC | 0x8000  # clone, with everything mounted below
    return int(_must(LIBC.syscall(OPEN_TREE, -100, os.fsencode(path), flags), "open_tree"))


def attach(tree: int, target: str) -> None:
    """Attach a copied tree; descriptors opened through it now belong to this mount namespace."""
    _must(LIBC.syscall(MOVE_MOUNT, tree, b"", -100, os.fsencode(target), 4), "move_mount")


def open_beneath(folder: int, path: str, flags: int, mode: int = 0) -> int:
    """Open `path` below `folder`, following no link of any kind and leaving it never."""
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    return int(_must(LIBC.syscall(OPENAT2, folder, os.fsencode(path), how, len(how)), "openat2"))


def open_inside(root: int, path: str) -> int:
    """Look a path up as a process with that root would; a link at its end is found, not followed."""
    how = struct.pack("QQQ", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    return int(_must(LIBC.syscall(OPENAT2, root, os.fsencode(path), how, len(how)), "openat2"))


def landlock_abi() -> int:
    """The kernel's Landlock version, 0 when it has none."""
    return max(0, int(LIBC.syscall(LANDLOCK_CREATE, None, 0, 1)))


@contextmanager
def as_owner(uid: int | None, gid: int | None) -> Iterator[None]:
    """Touch files as this owner, for the calling thread only: the mount knows no other owner."""
    if uid is None or os.geteuid() != 0:
        yield
        return
    old_gid = LIBC.setfsgid(uid if gid is None else gid)
    old_uid = LIBC.setfsuid(uid)
    try:
        yield
    finally:
        LIBC.setfsuid(old_uid)
        LIBC.setfsgid(old_gid)


def machine() -> str:
    """The instruction set, as the seccomp tables name it."""
    name = os.uname().machine
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


LINUX = sys.platform == "linux"
