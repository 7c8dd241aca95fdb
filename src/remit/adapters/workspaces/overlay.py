"""The best rung of the ladder: a kernel overlay, whose upper folder holds only what the run wrote."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.delta import Delta, deep
from remit.adapters.workspaces.snapshot import GIT, Snapshot
from remit.adapters.workspaces.walk import Stat
from remit.errors import Broken

OPAQUE = "user.overlay.opaque"
WHITEOUT = "user.overlay.whiteout"
FORGED = "user.overlay.overlay."
"""Where the kernel puts a `user.overlay.*` attribute that was set from inside a mount."""

_PROBE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
lower, upper, work, at = sys.argv[1:]
uid, gid = os.getuid(), os.getgid()
if libc.unshare(0x10000000 | 0x00020000):
    sys.exit("unshare: " + os.strerror(ctypes.get_errno()))
for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
    with open("/proc/self/" + name, "w") as file:
        file.write(text)
def held(path):
    return f"/proc/self/fd/{os.open(path, os.O_RDONLY | os.O_DIRECTORY)}"
options = f"lowerdir={held(lower)},upperdir={held(upper)},workdir={held(work)},userxattr,index=off,metacopy=off"
if libc.mount(b"overlay", at.encode(), b"overlay", 0, options.encode()):
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
name = os.path.join(at, "probe")
open(name, "w").close()
os.rename(name, name + "d")
os.unlink(name + "d")
"""


def usable(root: Path, place: Path, *, uid: int | None = None, gid: int | None = None) -> str:
    """Why an overlay over `root` with its upper in `place` cannot be had, empty when it can: found by mounting one."""
    probe = place / "probe"
    parts = [probe / name for name in ("upper", "work", "at")]
    try:
        for part in parts:
            part.mkdir(parents=True)
            own(part, uid, gid)
        arguments = [sys.executable, "-IS", "-c", _PROBE, str(root), *map(str, parts)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=False, env={}, user=uid, group=gid)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    finally:
        walk.remove_tree(str(probe))
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["the overlay could not be mounted"])[-1]


def own(path: Path, uid: int | None, gid: int | None) -> None:
    """Give a folder of ours to the owner of the workspace, when remit is root and the owner is not."""
    if uid is not None and gid is not None and os.geteuid() == 0:
        os.chown(path, uid, gid, follow_symlinks=False)


def delta(upper: int, base: Snapshot, hidden: frozenset[str]) -> Delta:
    """What an upper folder says was written and removed."""
    found = Delta(base, hidden)
    _scan(upper, "", found, depth=0, opaque=False)
    return found


def scan_one(upper: int, name: str, found: Delta) -> None:
    """Look at one name of an upper folder, and all below it."""
    state = walk.lstat(upper, name)
    if state is None:
        return
    if state.whiteout:
        found.remove_all()
    elif state.kind == "directory":
        _enter(upper, name, name, found, 0, inherited=False)
    else:
        found.remove_all()
        found.write(name, state)


def _scan(at: int, above: str, found: Delta, *, depth: int, opaque: bool) -> None:
    inside: set[str] = set()
    for name, state in walk.entries(at):
        path = f"{above}/{name}" if above else name
        if path == GIT:
            continue
        inside.add(path)
        if state.whiteout or _attribute_whiteout(at, name, state):
            found.remove(path)
            continue
        found.write(path, state, forged=_forged(at, name))
        if state.kind != "directory":
            continue
        if depth >= walk.DEPTH:
            found.too_deep.add(path)
            continue
        _enter(at, name, path, found, depth, inherited=opaque)
    if opaque:
        for path in found.base.below(above):
            if deep(path) == deep(above) + 1 and path not in inside:
                found.remove(path)


def _enter(at: int, name: str, path: str, found: Delta, depth: int, *, inherited: bool) -> None:
    with suppress(PermissionError):
        if os.stat(name, dir_fd=at, follow_symlinks=False).st_mode & 0o500 != 0o500:
            os.chmod(name, 0o700, dir_fd=at)
    with walk.folder(name, at=at) as fd:
        # Only the topmost replaced folder is marked: what was made inside it inherits.
        opaque = inherited or is_opaque(fd)
        _scan(fd, path, found, depth=depth + 1, opaque=opaque)


def is_opaque(fd: int) -> bool:
    """Whether an open folder of an upper hides what is below it."""
    return _attribute(fd, OPAQUE) == b"y"


def _attribute(fd: int, name: str) -> bytes:
    try:
        return os.getxattr(fd, name)
    except OSError:
        return b""


def _attribute_whiteout(at: int, name: str, state: Stat) -> bool:
    if state.kind != "file" or state.size:
        return False
    try:
        return os.getxattr(f"/proc/self/fd/{at}/{name}", WHITEOUT, follow_symlinks=False) is not None
    except OSError:
        return False


def _forged(at: int, name: str) -> bool:
    try:
        return any(key.startswith(FORGED) for key in os.listxattr(f"/proc/self/fd/{at}/{name}", follow_symlinks=False))
    except OSError:
        return False


def mounts_inside(root: Path) -> bool:
    """Whether something is mounted below the workspace: the kernel refuses such a lower folder."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError as error:
        raise Broken(f"the mounts of this machine cannot be read: {error.strerror}") from error
    start = os.fsencode(str(root).rstrip("/") + "/").decode("latin-1")
    return any(_unescape(line.split(" ")[4]).startswith(start) for line in lines)


def _unescape(text: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text
