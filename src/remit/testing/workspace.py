"""Stages by plain copies and comparison: no kernel feature, no git, the same promises."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from remit.contract.glob import compile_glob
from remit.contract.secret import blank
from remit.errors import BadInput, Broken
from remit.ports import Inspection, Stage
from remit.testing.stage import Kept, PlainStage, read_kept, write_kept
from remit.testing.trees import copy, look

LEFT = ("sealed", "view")
"""what belongs to the attempt that is over"""


class PlainWorkspace:
    """See `remit.ports.Workspace`. Quotas are not held, and a repository is taken for a plain folder."""

    async def inspect(self, root: Path, *, writable: Callable[[str], bool]) -> Inspection:
        """What stands there now. Raises BadInput when it is no folder."""
        if not root.is_dir():
            raise BadInput(f"the workspace `{root}` is not a folder")
        state = root.stat()
        return Inspection(git=False, uid=state.st_uid, gid=state.st_gid)

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
        """A fresh stage kept in `place`; `under` forks another plain stage."""
        await self.inspect(root, writable=named)
        if place.resolve().is_relative_to(root.resolve()):
            raise BadInput(f"`{place}` is inside the workspace `{root}`, where a run could reach it")
        if under is not None and not isinstance(under, PlainStage):
            raise Broken("only a stage of this workspace can be forked")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        below = root
        if under is not None:
            below = place / "fork"
            copy(under.tree, below)
        hidden = tuple(path for path in sorted(look(below)) if _secret(path, secrets) and not named(path))
        for name in ("base", "tree"):
            copy(below, place / name, leave_out=set(hidden).__contains__)
        kept = Kept(root=str(below), at=str(root), hidden=hidden)
        write_kept(place, kept)
        return PlainStage(place, kept)

    async def carry(self, sealed: Path, place: Path) -> Stage:
        """A stage in `place` that begins where the sealed one ended. Raises Broken when that one is gone."""
        kept = read_kept(sealed)
        if kept is None:
            raise Broken(f"the stage in `{sealed.name}` is gone", hint="start the run again")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(sealed, place, symlinks=True, ignore=lambda at, _: LEFT if Path(at) == sealed else ())
        again = replace(kept, phase="open")
        write_kept(place, again)
        return PlainStage(place, again)

    async def reopen(self, place: Path) -> Stage | None:
        """The sealed stage kept in `place`, None when it was never sealed."""
        kept = read_kept(place)
        return None if kept is None or kept.phase == "open" else PlainStage(place, kept)

    async def live(self, place: Path) -> Stage | None:
        """The stage in `place` while it is being worked on; None when there is none."""
        kept = read_kept(place)
        return PlainStage(place, kept) if kept is not None and kept.phase == "open" else None


def _secret(path: str, secrets: Sequence[str]) -> bool:
    """A glob without a slash holds at any depth."""
    name = path.rpartition("/")[2]
    return not blank(path) and any(compile_glob(pattern)(path if "/" in pattern else name) for pattern in secrets)
