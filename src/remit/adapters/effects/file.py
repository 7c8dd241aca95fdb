"""Putting one file of the published workspace into a folder, whole or not at all, never through a link."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from anyio import to_thread

from remit.adapters.effects.arguments import only, readable, usable
from remit.adapters.effects.doubt import asking, before_anything
from remit.adapters.effects.secret import Secrets
from remit.adapters.workspaces import walk
from remit.contract.binding import PublishFile
from remit.contract.glob import normal_path
from remit.errors import BadInput, Refused
from remit.ports.effects import Receipt

_CHUNK = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FileEffect:
    """See `remit.ports.Performer`. It can be asked by content: the folder holds these very bytes, or it does not."""

    window: int | None = None
    probes = True
    settles = 0

    def __init__(self, binding: PublishFile, environment: Mapping[str, str]) -> None:
        self._binding, self._environment = binding, environment

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """Which file goes where, and what stands there now."""
        path, name = _named(arguments)
        line = f"put `{path}` of the published workspace into {self._binding.folder} as `{name}`"
        with suppress(OSError, BadInput):
            there = (Path(Secrets(self._environment).read(self._binding.folder)) / name).lstat()
            line += f"\nit takes the place of what is there now ({there.st_size} bytes)"
        return readable(line)

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Put it there. Raises Refused or BadInput when the folder is as it was, Broken when nobody knows."""
        return await to_thread.run_sync(self._put, key, arguments, workspace)

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """Whether the folder holds the bytes of the workspace's file. Raises Broken when either cannot be read."""
        return await to_thread.run_sync(self._look, arguments, workspace)

    def _put(self, key: str, arguments: Mapping[str, Any], workspace: Path) -> Receipt:
        path, name = _named(arguments)
        above, last = walk.split(name)
        part = f".remit-{hashlib.sha256(key.encode()).hexdigest()[:24]}.part"
        with before_anything(), _source(workspace, path) as source, self._folder(above) as at:
            if (there := walk.lstat(at, last)) is not None and there.kind not in ("file", "link"):
                raise Refused(f"`{name}` is there, and is no file")
            # What a crash left under this key is of no use to anybody.
            with suppress(FileNotFoundError):
                os.unlink(part, dir_fd=at)
            kept = os.dup(at)
            try:
                size, digest = _copied(source, at, part)
                os.rename(part, last, src_dir_fd=at, dst_dir_fd=at)
            except BaseException:
                os.close(kept)
                with suppress(OSError):
                    os.unlink(part, dir_fd=at)
                raise
        try:
            walk.sync_file(kept)
        finally:
            os.close(kept)
        return self._receipt(name, digest, size)

    def _look(self, arguments: Mapping[str, Any], workspace: Path) -> Receipt | None:
        with asking():
            path, name = _named(arguments)
            above, last = walk.split(name)
            with _source(workspace, path) as source:
                size, digest = os.fstat(source).st_size, _hashed(source)
            with self._folder(above) as at:
                there = walk.lstat(at, last)
                if there is None or there.kind != "file" or walk.hash_file(at, last) != digest:
                    return None
            return self._receipt(name, digest, size)

    @contextmanager
    def _folder(self, above: str) -> Iterator[int]:
        """The open folder; its own path is the organisation's, what is below it comes from a call and follows no link."""
        folder = Secrets(self._environment).read(self._binding.folder)
        if not folder.startswith("/"):
            raise BadInput("the folder of this tool must be a whole path")
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with walk.beneath(root, above) as at:
                yield at
        finally:
            os.close(root)

    def _receipt(self, name: str, digest: str, size: int) -> Receipt:
        return Receipt(receipt=f"sha256:{digest}, {size} bytes, {self._binding.folder}/{name}", returned=(f"sha256:{digest}",))


# ---------------------------------------------------------------------------------------------------------------------


def _named(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """The path in the workspace and the name in the folder. Raises BadInput."""
    usable(arguments)
    only(arguments, ("path", "as"), why="a file is put by `path` and `as`, nothing else")
    path, name = arguments.get("path"), arguments.get("as")
    plain = normal_path(path) if isinstance(path, str) else None
    if plain is None or ".git" in plain.casefold().split("/"):
        raise BadInput("`path` must be the path of a file in the workspace, without `..` and outside `.git`")
    target = plain.rpartition("/")[2] if name is None else normal_path(name) if isinstance(name, str) else None
    if target is None or any(step.startswith(".remit-") for step in target.split("/")):
        raise BadInput("`as` must be a plain name in the folder, without `..`")
    return plain, target


@contextmanager
def _source(workspace: Path, path: str) -> Iterator[int]:
    above, name = walk.split(path)
    with walk.folder(str(workspace)) as root, walk.beneath(root, above) as at:
        fd = walk.open_file(at, name)
        try:
            yield fd
        finally:
            os.close(fd)


def _copied(source: int, at: int, part: str) -> tuple[int, str]:
    """A durable copy beside its place, readable as files are; executable only where the file is. Size and sha256."""
    state = os.fstat(source)
    target = os.open(part, _NEW, 0o600, dir_fd=at)
    try:
        seen, size = hashlib.sha256(), 0
        while chunk := os.read(source, _CHUNK):
            seen.update(chunk)
            size += len(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
        os.fchmod(target, 0o755 if state.st_mode & stat.S_IXUSR else 0o644)
        walk.sync_file(target)
    finally:
        os.close(target)
    return size, seen.hexdigest()


def _hashed(source: int) -> str:
    with os.fdopen(os.dup(source), "rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
