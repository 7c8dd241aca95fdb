"""Writing one file into a stage that nothing else is writing to, as the overlay itself would have done."""

import os
from contextlib import suppress

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.overlay import OPAQUE
from remit.adapters.workspaces.snapshot import GIT, Snapshot
from remit.adapters.workspaces.walk import Stat
from remit.errors import BadInput, Conflict

_HALF = ".remit-amend"


def amend(tree: int, path: str, data: bytes, *, base: Snapshot, owner: Stat, mode: int | None = None) -> None:
    """Put a file at `path` below the open folder of the stage's writes.

    Raises Conflict when a link, a file or a folder is in the way, BadInput when the path is not one of the workspace.
    """
    parts = path.split("/")
    if not path or GIT in parts or any(part in ("", ".", "..") for part in parts):
        raise BadInput(f"`{walk.shown(path)}` is not a path of the workspace that can be written")
    fd = os.dup(tree)
    try:
        for count, part in enumerate(parts[:-1], 1):
            below = _enter(fd, part, base.get("/".join(parts[:count])), owner)
            os.close(fd)
            fd = below
        _replace(fd, parts[-1], path, data, base.get(path), owner, mode)
        walk.sync_file(fd)
    finally:
        os.close(fd)


def _enter(fd: int, name: str, known: Stat | None, owner: Stat) -> int:
    now = walk.lstat(fd, name)
    gone = now is not None and now.whiteout
    if now is None and known is not None and known.kind != "directory":
        raise Conflict(f"`{walk.shown(name)}` is not a folder")
    if gone:
        os.unlink(name, dir_fd=fd)
    if now is None or gone:
        kept = known if known is not None and not gone else owner
        os.mkdir(name, 0o700, dir_fd=fd)
        with walk.folder(name, at=fd) as made:
            if os.geteuid() == 0:
                os.fchown(made, kept.uid, kept.gid)
            os.fchmod(made, known.bits if known is not None and not gone else 0o755)
            if gone:
                os.setxattr(made, OPAQUE, b"y")
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    except OSError as error:
        raise Conflict(f"`{walk.shown(name)}` is not a folder") from error


def _replace(fd: int, name: str, path: str, data: bytes, known: Stat | None, owner: Stat, mode: int | None) -> None:
    now = walk.lstat(fd, name)
    standing = now if now is not None else known
    if standing is not None and standing.kind in ("directory", "link"):
        raise Conflict(f"`{walk.shown(path)}` is a {standing.kind}")
    kept = standing if standing is not None and standing.kind == "file" else None
    bits = mode if mode is not None else kept.bits & 0o777 if kept else 0o644
    with suppress(FileNotFoundError):
        os.unlink(_HALF, dir_fd=fd)
    half = os.open(_HALF, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=fd)
    with os.fdopen(half, "wb") as out:
        out.write(data)
        out.flush()
        if os.geteuid() == 0:
            os.fchown(half, (kept or owner).uid, (kept or owner).gid)
        os.fchmod(half, bits)
        walk.sync_file(half)
    os.rename(_HALF, name, src_dir_fd=fd, dst_dir_fd=fd)
