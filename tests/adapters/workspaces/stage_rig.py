"""A tiny mounter: runs a shell script or Python in a real mount of a stage, in namespaces of its own, as the box would."""

import os
import stat
import subprocess
from pathlib import Path

import anyio

from remit.adapters.workspaces.stage import KeptStage
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.ports import Mount
from remit.run.change import ChangeSet

SECRETS = (".env*", "*.pem")

_MOUNT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
kind, at, lower, upper, work, *argv = sys.argv[1:]
uid, gid = os.getuid(), os.getgid()
libc.unshare(0x10000000 | 0x00020000) and sys.exit("unshare")
for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
    open("/proc/self/" + name, "w").write(text)
held = lambda path: f"/proc/self/fd/{os.open(path, os.O_RDONLY | os.O_DIRECTORY)}"
if kind == "overlay":
    options = "lowerdir=" + ":".join(held(path) for path in lower.split("\\n")) + ",userxattr,index=off,metacopy=off"
    if upper:
        options += f",upperdir={held(upper)},workdir={held(work)}"
    done = libc.mount(b"overlay", at.encode(), b"overlay", 0 if upper else 1, options.encode())
else:
    done = libc.mount(os.fsencode(lower), at.encode(), None, 0x1000, None)
if done:
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
os.chdir(at)
os.execvp(argv[0], argv)
"""


def inside(mount: Mount, script: str, *, check: bool = True) -> str:
    """Run a shell script at the mounted workspace."""
    return run(mount, ["bash", "-euc", script], check=check)


def run(mount: Mount, argv: list[str], *, check: bool = True) -> str:
    """Run a program at the mounted workspace and return what it printed."""
    how = [mount.kind, mount.at, "\n".join(mount.lower), mount.upper or "", mount.work or ""]
    argv = ["/usr/bin/python3", "-IS", "-c", _MOUNT, *how, *argv]
    done = subprocess.run(argv, capture_output=True, check=False)
    if check and done.returncode:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="surrogateescape")


def tree(root: Path, *, times: bool = True, skip: str = ".git") -> dict[str, tuple[object, ...]]:
    """Everything about a tree that a person could notice."""
    out: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root, followlinks=False):
        if skip in folders:
            folders.remove(skip)
        for name in folders + files:
            path = os.path.join(folder, name)
            state = os.lstat(path)
            body: object = ""
            if stat.S_ISLNK(state.st_mode):
                body = os.readlink(path)
            elif stat.S_ISREG(state.st_mode):
                body = Path(path).read_bytes()
            moment = state.st_mtime_ns if times else 0
            out[os.path.relpath(path, root)] = (state.st_mode, state.st_uid, state.st_gid, body, moment)
    return out


def opened(root: Path, place: Path, kind: str = "overlay", **more: object) -> KeptStage:
    """A stage over `root`, on that rung and no other."""

    async def main() -> KeptStage:
        arguments: dict[str, object] = {"secrets": SECRETS, "named": lambda path: False, "quota": None, **more}
        stage = await StagedWorkspace(ladder=(kind,)).open(root, place, **arguments)  # type: ignore[arg-type]
        assert isinstance(stage, KeptStage)
        assert stage.kind == kind
        return stage

    return anyio.run(main)


def sealed(stage: KeptStage) -> ChangeSet:
    async def main() -> ChangeSet:
        digest = await stage.seal()
        assert digest.startswith("sha256:")
        return await stage.changes()

    return anyio.run(main)


def publish(stage: KeptStage, *dropped: str) -> tuple[str, ...]:
    async def main() -> tuple[str, ...]:
        return (await stage.publish(dropped=dropped, withheld=(), refs=())).paths

    return anyio.run(main)
