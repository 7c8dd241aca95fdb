"""Folders that lie over the base in a view: what a publish would do, as files, links, folders and whiteouts."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.copied import copy_bytes
from remit.adapters.workspaces.journal import Step
from remit.adapters.workspaces.overlay import own
from remit.adapters.workspaces.snapshot import Snapshot
from remit.adapters.workspaces.walk import Stat


class Layer:
    """One layer folder being built. `like` lends folders on the way their mode and owner, since the topmost layer's count."""

    def __init__(self, at: Path, like: Snapshot, top: Stat) -> None:
        self.at = at
        self.like = like
        self.top = top
        at.mkdir(parents=True, exist_ok=True)
        self._closed: dict[Path, int] = {}
        self._mode(at, top.bits)
        own(at, top.uid, top.gid)

    def settle(self) -> None:
        """Everything is laid in: folders that their owner may not write get their modes, deepest first."""
        for folder in sorted(self._closed, key=lambda path: -len(path.parts)):
            folder.chmod(self._closed[folder])
        self._closed.clear()

    def _mode(self, folder: Path, bits: int) -> None:
        # Only root could still put anything into a folder of mode 555.
        folder.chmod(bits | 0o700)
        if bits | 0o700 != bits:
            self._closed[folder] = bits

    def remove(self, path: str) -> None:
        """Make a name of the layers below vanish."""
        self._parents(path)
        os.mknod(self.at / path, stat.S_IFCHR | 0o600, os.makedev(0, 0))

    def put(self, tree: int, step: Step) -> None:
        """A file or link as it would be published."""
        self._parents(step.name)
        target = self.at / step.name
        if step.do == "link":
            target.symlink_to(os.fsdecode(step.target))
        else:
            self._file(tree, step, target)
        own(target, step.uid, step.gid)

    def folder(self, path: str, mode: int, uid: int, gid: int) -> None:
        """A folder as it would be published."""
        self._parents(path)
        (self.at / path).mkdir(exist_ok=True)
        self._mode(self.at / path, mode)
        own(self.at / path, uid, gid)

    def _file(self, tree: int, step: Step, target: Path) -> None:
        above, name = walk.split(step.name)
        with walk.beneath(tree, above) as at:
            state = walk.lstat(at, name)
            if (
                state is not None
                and state.kind == "file"
                and (state.bits, state.uid, state.gid) == (step.mode, step.uid, step.gid)
            ):
                os.link(name, target, src_dir_fd=at, follow_symlinks=False)
                return
            source = walk.open_file(at, name, unlock=True)
        try:
            with target.open("xb") as out:
                copy_bytes(source, out.fileno())
                os.fchmod(out.fileno(), step.mode)
        finally:
            os.close(source)

    def _parents(self, path: str) -> None:
        parts = path.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            above = "/".join(parts[:count])
            if not (self.at / above).is_dir():
                known = self.like.get(above)
                kept = known if known is not None and known.kind == "directory" else None
                (self.at / above).mkdir()
                self._mode(self.at / above, kept.bits if kept else 0o755)
                own(self.at / above, (kept or self.top).uid, (kept or self.top).gid)


def fill(layer: Layer, tree: int, steps: Iterable[Step], *, whiteouts: bool) -> None:
    """Lay what the steps of a publish leave into a layer."""
    steps = tuple(steps)
    made = {step.name for step in steps if step.do in ("mkdir", "write", "link")}
    gone = {step.name for step in steps if step.do == "rmdir"}
    for step in steps:
        path = step.name
        match step.do:
            case "unlink" | "rmdir":
                if whiteouts and path not in made and not _under(path, gone):
                    layer.remove(path)
            case "mkdir" | "mode":
                layer.folder(path, step.mode, step.uid, step.gid)
            case _:
                layer.put(tree, step)
    layer.settle()


def _under(path: str, folders: set[str]) -> bool:
    while path := path.rpartition("/")[0]:
        if path in folders:
            return True
    return False


def hide(layer: Layer, secrets: Iterable[str]) -> None:
    """Make the topmost of the secret names vanish."""
    names = set(secrets)
    for path in sorted(names):
        if not _under(path, names):
            layer.remove(path)
    layer.settle()
