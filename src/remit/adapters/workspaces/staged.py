"""The workspace: opens stages on the best rung of the ladder that this machine and folder allow."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from remit.adapters.workspaces import copied, overlay, refs, settings, snapshot, walk
from remit.adapters.workspaces.carrying import carried
from remit.adapters.workspaces.fork import fork
from remit.adapters.workspaces.git import Git, dirty, repository
from remit.adapters.workspaces.journal import sync_folder
from remit.adapters.workspaces.kept import Kind, Meta, read_meta, read_sealed, write_meta
from remit.adapters.workspaces.layers import Layer, hide
from remit.adapters.workspaces.moves import HEADS
from remit.adapters.workspaces.secrets import secret_paths
from remit.adapters.workspaces.stage import KeptStage
from remit.adapters.workspaces.trouble import worked
from remit.adapters.workspaces.walk import Stat
from remit.errors import BadInput, Broken
from remit.ports import Inspection, Stage


class StagedWorkspace:
    """Stages over a folder. `ladder` is what may be used, best first; each rung is probed by doing it, once per pair of disks."""

    def __init__(self, ladder: Sequence[Kind] = ("overlay", "reflink", "copy")) -> None:
        self.ladder = tuple(ladder)
        self.reasons: dict[str, str] = {}
        """why a rung was not taken"""
        self._probed: dict[tuple[int, int, int | None], str] = {}

    async def inspect(self, root: Path, *, writable: Callable[[str], bool]) -> Inspection:
        """What stands there now. Raises BadInput when it is no folder or cannot be read."""
        return await worked(self._inspect, root, writable)

    def _inspect(self, root: Path, writable: Callable[[str], bool]) -> Inspection:
        state = _standing(root)
        root = root.resolve()
        git = repository(root, state.uid, state.gid)
        if git is None:
            return Inspection(git=False, uid=state.uid, gid=state.gid)
        with walk.folder(str(root)) as fd:
            start = refs.standing(fd, refs.snapshot(fd))
        attached = start.head.startswith(HEADS)
        head = start.all.get(start.head) if attached else start.head
        branch = start.head[len(HEADS) :] if attached else None
        found = dirty(git, writable)
        return Inspection(git=True, branch=branch, head=head, dirty=found, uid=state.uid, gid=state.gid)

    async def open(
        self,
        root: Path,
        place: Path,
        *,
        secrets: Sequence[str],
        named: Callable[[str], bool],
        quota: int | None,
        under: Stage | None = None,
        identity: tuple[str, str] = ("remit", "remit@localhost"),
    ) -> Stage:
        """A fresh stage kept in `place`; `under` forks another stage. `named` tells which secret paths the contract names."""
        return await worked(self._open, root, place, secrets, named, quota, under)

    def _open(
        self,
        root: Path,
        place: Path,
        secrets: Sequence[str],
        named: Callable[[str], bool],
        quota: int | None,
        under: Stage | None = None,
    ) -> KeptStage:
        state = _standing(root)
        root, place = root.resolve(), Path.cwd() / place
        _apart(root, place)
        walk.remove_tree(str(place))
        place.mkdir(parents=True)
        below = root if under is None else _fork(under, place / "fork")
        # A fork's `.git` was writable by the parent's agent: the host never runs git on it.
        git = repository(root, state.uid, state.gid) if under is None else None
        with walk.folder(str(below)) as fd:
            base = snapshot.take(fd)
            secret = secret_paths(base, secrets, named)
            start = self._history(place, fd) if git is not None else None
            kind = self._rung(below, place, fd, state)
            if kind == "overlay":
                layer = self._lay(place, base, secret, state)
                cleaned = settings.lay(fd, layer)
            else:
                missing, cleaned = self._copy(place, fd, secret, kind)
                secret |= missing
        base.save(place / "base")
        hidden = tuple(os.fsencode(path) for path in sorted(secret))
        meta = Meta(
            root=str(below), at=str(root) if under is not None else "", kind=kind, quota=quota, hidden=hidden,
            uid=state.uid, gid=state.gid, git=start,
            warnings=(*(_tracked(git, secret) if git is not None else ()), *settings.warning(cleaned)),
        )  # fmt: skip
        write_meta(place, meta)
        sync_folder(place.parent)
        return KeptStage(place, meta, base=base)

    def _rung(self, root: Path, place: Path, fd: int, state: Stat) -> Kind:
        for kind in self.ladder:
            match kind:
                case "overlay":
                    why = self._overlay_trouble(root, place, state)
                case "reflink":
                    why = "" if copied.reflinks(fd, place) else "the disk cannot share blocks between files"
                case _:
                    why = ""
            if not why:
                return kind
            self.reasons[kind] = why
        return "copy"

    def _overlay_trouble(self, root: Path, place: Path, state: Stat) -> str:
        if overlay.mounts_inside(root):
            return "something is mounted inside the workspace"
        drop = state.uid if os.geteuid() == 0 and state.uid != 0 else None
        key = (root.stat().st_dev, place.stat().st_dev, drop)
        if key not in self._probed:
            self._probed[key] = overlay.usable(root, place, uid=drop, gid=None if drop is None else state.gid)
        return self._probed[key]

    def _lay(self, place: Path, base: snapshot.Snapshot, secret: frozenset[str], state: Stat) -> Layer:
        layer = Layer(place / "hide", base, state)
        hide(layer, secret)
        for name in ("upper", "work"):
            (place / name).mkdir()
            overlay.own(place / name, state.uid, state.gid)
        (place / "upper").chmod(state.bits)
        return layer

    def _history(self, place: Path, fd: int) -> refs.Refs:
        files = refs.snapshot(fd)
        files.save(place / "git-files")
        return refs.standing(fd, files)

    def _copy(
        self, place: Path, fd: int, secret: frozenset[str], kind: Literal["reflink", "copy"]
    ) -> tuple[frozenset[str], tuple[str, ...]]:
        missing = copied.copy_tree(fd, place / "copy", kind=kind, leave_out=secret.__contains__)
        cleaned = settings.wash(place / "copy")
        with walk.folder(str(place / "copy")) as copy:
            snapshot.take(copy).save(place / "fresh")
            if walk.lstat(copy, snapshot.GIT) is not None:
                refs.snapshot(copy).save(place / "git-fresh")
        return frozenset(missing), cleaned

    async def carry(self, sealed: Path, place: Path) -> Stage:
        """A stage in `place` that begins where the sealed one ended; that one stays as it is. Raises Broken when it is gone."""
        return await worked(carried, sealed, Path.cwd() / place)

    async def reopen(self, place: Path) -> Stage | None:
        """The sealed stage kept in `place`, None when it was never sealed."""
        return await worked(self._reopen, place)

    def _reopen(self, place: Path) -> KeptStage | None:
        return KeptStage(place, read_meta(place)) if read_sealed(place) is not None else None

    async def live(self, place: Path) -> Stage | None:
        """The stage in `place` while it is being worked on, as a parent to fork; None when there is none."""
        return await worked(self._live, place)

    def _live(self, place: Path) -> KeptStage | None:
        return KeptStage(place, read_meta(place)) if (place / "meta").exists() and read_sealed(place) is None else None


def _standing(root: Path) -> Stat:
    try:
        with walk.folder(str(root.resolve(strict=True))) as fd:
            walk.entries(fd)
            return walk.facts(os.fstat(fd))
    except FileNotFoundError as error:
        raise BadInput(f"the workspace `{root}` does not exist") from error
    except NotADirectoryError as error:
        raise BadInput(f"the workspace `{root}` is not a folder") from error
    except OSError as error:
        raise BadInput(f"the workspace `{root}` cannot be read: {error.strerror}") from error


def _fork(under: Stage, into: Path) -> Path:
    if not isinstance(under, KeptStage):
        raise Broken("only a stage of this workspace can be forked")
    secret = frozenset(under.hidden)
    base = under.root if under.kind == "overlay" else under.tree
    fork(base, under.tree, into, leave_out=lambda path: walk.shown(path) in secret)
    return into


def _tracked(git: Git, secret: frozenset[str]) -> tuple[str, ...]:
    if not secret:
        return ()
    tracked = {os.fsdecode(path) for path in git.run("ls-files", "-z").split(b"\0")}
    return tuple(
        f"`{walk.shown(path)}` is a tracked secret: it is hidden, but still readable from the repository's history"
        for path in sorted(secret & tracked)
    )


def _apart(root: Path, place: Path) -> None:
    real = place.parent.resolve() / place.name
    if real.is_relative_to(root):
        raise BadInput(
            f"remit keeps its own files in `{real}`, inside the workspace `{root}`, where a run could reach them",
            hint="set REMIT_HOME to a folder outside the workspace",
        )
    for above in real.parents:
        if root.is_relative_to(above) and (above / "runs").is_dir() and real.is_relative_to(above / "runs"):
            raise BadInput(
                f"the workspace `{root}` is inside remit's own folder `{above}`", hint="work somewhere outside REMIT_HOME"
            )
