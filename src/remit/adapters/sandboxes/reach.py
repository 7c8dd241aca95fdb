"""Changing a workspace through the mount of a live box, whatever links the agent puts in the way meanwhile."""

import os
import secrets
from contextlib import suppress

from remit.adapters.sandboxes import kernel
from remit.errors import Conflict


class Reach:
    """The merged folder of a box, and the owner its files have."""

    def __init__(self, merged: int, uid: int | None, gid: int | None) -> None:
        self._merged, self._uid, self._gid = merged, uid, gid

    def write(self, path: str, data: bytes, mode: int) -> None:
        """Put a file there, making the folders above it. Raises Conflict when a link or a folder is in the way."""
        try:
            with kernel.as_owner(self._uid, self._gid):
                parent = _folders(self._merged, path.split("/")[:-1])
                try:
                    _replace(parent, _name(path), data, mode)
                finally:
                    os.close(parent)
        except OSError as error:
            raise _conflict(path, "written", error) from error

    def remove(self, path: str) -> None:
        """Delete a file or a link itself, never what it points to. Raises Conflict for a folder, or a link on the way."""
        try:
            with kernel.as_owner(self._uid, self._gid), suppress(FileNotFoundError):
                above = "/".join(path.split("/")[:-1]) or "."
                parent = kernel.open_beneath(self._merged, above, os.O_PATH | os.O_DIRECTORY)
                try:
                    os.unlink(_name(path), dir_fd=parent)
                finally:
                    os.close(parent)
        except OSError as error:
            raise _conflict(path, "removed", error) from error


def _folders(folder: int, names: list[str]) -> int:
    """The folder that is to hold the file, made where missing, no link followed on the way."""
    here = kernel.open_beneath(folder, ".", os.O_PATH | os.O_DIRECTORY)
    for name in names:
        try:
            with suppress(FileExistsError):
                os.mkdir(_plain(name), dir_fd=here)
            deeper = kernel.open_beneath(here, name, os.O_PATH | os.O_DIRECTORY)
        finally:
            os.close(here)
        here = deeper
    return here


def _replace(parent: int, name: str, data: bytes, mode: int) -> None:
    """Write beside, then rename; an existing link or folder of that name is refused, not replaced."""
    with suppress(FileNotFoundError):
        os.close(kernel.open_beneath(parent, name, os.O_WRONLY | os.O_NONBLOCK))
    temporary = f".remit-{secrets.token_hex(8)}"
    descriptor = kernel.open_beneath(parent, temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(data)
            target.flush()
            os.fchmod(descriptor, mode & 0o777)
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError:
        os.unlink(temporary, dir_fd=parent)
        raise


def _name(path: str) -> str:
    return _plain(path.split("/")[-1])


def _plain(name: str) -> str:
    if name in ("", ".", ".."):
        raise OSError(22, "not a plain path")
    return name


def _conflict(path: str, what: str, error: OSError) -> Conflict:
    return Conflict(f"`{path}` cannot be {what}: {error.strerror}", hint="a link or a folder is in the way")
