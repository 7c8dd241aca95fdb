"""A stage by plain copies: the run's tree, the base it began from, and images of what publishing replaced."""

import difflib
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from remit.contract.glob import compile_glob
from remit.errors import BadInput, Broken, Conflict
from remit.ports import Mount, Publication
from remit.run.change import Change, ChangeSet
from remit.testing.trees import ABSENT, copy, danger, differences, lay, look, prune, reach, seen
from remit.value import digest


class Kept(msgspec.Struct, kw_only=True):
    """What a stage remembers on disk. `phase`: open, sealed, publishing, published, undoing, undone."""

    root: str
    at: str
    hidden: tuple[str, ...] = ()
    phase: str = "open"
    changes: tuple[Change, ...] = ()
    released: tuple[Change, ...] = ()


class PlainStage:
    """See `remit.ports.Stage`. It knows nothing of git: `.git` is not in it, and there are never refs."""

    kind = "copy"
    warnings: tuple[str, ...] = ()

    def __init__(self, place: Path, kept: Kept) -> None:
        self.place = place
        self.kept = kept
        self.root = Path(kept.root)
        self.hidden = kept.hidden
        self.mount = self._shown(self.tree, writable=True)
        self._view: Path | None = None

    @property
    def tree(self) -> Path:
        """Where the run writes."""
        return self.place / "tree"

    async def seal(self) -> str:
        """What is written later is no part of it; returns its digest."""
        if self.kept.phase == "open":
            copy(self.tree, self.place / "sealed")
            self._remember(phase="sealed", changes=self._compare(self.place / "sealed"))
        return digest(self.kept.changes)

    async def changes(self) -> ChangeSet:
        """Everything that differs from the base, in path order."""
        return ChangeSet(changes=self.kept.changes if self.kept.phase != "open" else self._compare(self.tree))

    async def view(self, *, dropped: Sequence[str], refs: Sequence[str], trusted: Sequence[str]) -> Mount:
        """Exactly the tree that would be published, read-only; `trusted` globs come from the base."""
        tests = [compile_glob(pattern) for pattern in trusted]
        out = {*dropped, *(change.path for change in self._sealed() if any(test(change.path) for test in tests))}
        self._view = self._fresh("view")
        copy(self.root, self._view, leave_out=set(self.hidden).__contains__)
        self._lay(self._chosen(out), self._view)
        return self._shown(self._view, writable=False)

    async def base(self) -> Mount:
        """The tree before the run, read-only."""
        return self._shown(self.place / "base", writable=False)

    async def read(self, path: str, *, most: int | None = None) -> bytes | None:
        """A file of the view last made, None when absent; never follows links. Raises BadInput above `most` bytes."""
        if self._view is None:
            await self.view(dropped=(), refs=(), trusted=())
        assert self._view is not None
        try:
            at = reach(self._view, path)
        except Conflict:
            return None
        if at.is_symlink() or not at.is_file():
            return None
        size = at.stat().st_size
        if most is not None and size > most:
            raise BadInput(f"`{path}` has {size} bytes, and a check reads at most {most}")
        return at.read_bytes()

    async def publish(self, *, dropped: Sequence[str], withheld: Sequence[str], refs: Sequence[str]) -> Publication:
        """Release all or nothing; again: finish, or repeat harmlessly. Raises Conflict with nothing written."""
        self._sealed()
        if self.kept.phase in ("undoing", "undone"):
            raise Conflict("this stage was published and undone; it cannot be published again")
        if self.kept.phase == "sealed":
            chosen = self._chosen(set(dropped))
            self._unmoved(chosen, "before")
            self._keep_images(chosen)
            self._remember(phase="publishing", released=chosen)
        if self.kept.phase == "publishing":
            self._lay(self.kept.released, self.root)
            self._remember(phase="published")
        return self._publication("")

    async def undo(self) -> Publication:
        """Put back exactly what publish changed. Raises Conflict when later work builds on it."""
        if self.kept.phase not in ("published", "undoing", "undone"):
            raise BadInput("nothing of this run was published, so there is nothing to undo")
        if self.kept.phase == "published":
            self._unmoved(self.kept.released, "after")
            self._remember(phase="undoing")
        if self.kept.phase == "undoing":
            back = [
                Change(path=each.path, verb="delete" if each.before == ABSENT else "write", before=each.after, after=each.before)
                for each in self.kept.released
            ]
            for change in back:
                lay(self.place / "images", change, self.root)
            for change in back:
                if change.after == ABSENT:
                    prune(self.root, change.path, keep=lambda path: (self.place / "images" / path).is_dir())
            self._remember(phase="undone")
        return self._publication(", undone")

    async def amend(self, path: str, data: bytes) -> str:
        """Write one file into the sealed stage; returns the new digest."""
        self._sealed()
        if self.kept.phase != "sealed":
            raise Conflict("this stage is already being published; it can no longer be amended")
        at = reach(self.place / "sealed", path)
        if path in self.hidden:
            raise BadInput(f"`{path}` is a secret that the contract does not name")
        if at.is_symlink() or at.is_dir():
            raise Conflict(f"`{path}` is no file")
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(data)
        self._remember(changes=self._compare(self.place / "sealed"))
        return digest(self.kept.changes)

    async def moved(self) -> tuple[str, ...]:
        """Base paths that changed since the stage was opened."""
        known = look(self.place / "base")
        now = {path: what for path, what in look(self.root).items() if not self._is_hidden(path)}
        return tuple(path for path in sorted(known.keys() | now.keys()) if known.get(path) != now.get(path))

    async def discard(self) -> None:
        """Drop the stage and everything it holds on disk."""
        shutil.rmtree(self.place, ignore_errors=True)

    async def diff(self, *, dropped: Sequence[str] = ()) -> str:
        """The change set as a unified diff for a person; what is no text is named."""
        after = self.tree if self.kept.phase == "open" else self.place / "sealed"
        lines: list[str] = []
        for change in (await self.changes()).changes:
            if change.path not in dropped:
                lines += _difference(change, self.place / "base", after)
        return "".join(lines)

    # ------------------------------------------------------------

    def _shown(self, folder: Path, *, writable: bool) -> Mount:
        return Mount(at=self.kept.at, kind="bind", lower=(str(folder),), upper=str(folder) if writable else None)

    def _sealed(self) -> tuple[Change, ...]:
        if self.kept.phase == "open":
            raise Broken("the stage was not sealed, so nothing of it may be judged or published")
        return self.kept.changes

    def _is_hidden(self, path: str) -> bool:
        return any(path == secret or path.startswith(f"{secret}/") for secret in self.hidden)

    def _compare(self, tree: Path) -> tuple[Change, ...]:
        rows = differences(look(self.place / "base"), look(tree))
        return tuple(
            msgspec.structs.replace(row, plant="a secret that was not shown to the run stands here")
            if self._is_hidden(row.path) else msgspec.structs.replace(row, plant=row.plant or danger(row.path, row.after))
            if row.verb == "write" else row
            for row in rows
        )  # fmt: skip

    def _chosen(self, dropped: set[str]) -> tuple[Change, ...]:
        """Never a special file, and never over a secret."""
        return tuple(
            change for change in self._sealed()
            if change.path not in dropped and change.after.type != "other" and not self._is_hidden(change.path)
        )  # fmt: skip

    def _lay(self, changes: Sequence[Change], onto: Path) -> None:
        for change in sorted(changes, key=lambda each: each.verb == "write"):
            lay(self.place / "sealed", change, onto)
        after = look(self.place / "sealed")
        for change in changes:
            if change.verb == "delete":
                prune(onto, change.path, keep=after.__contains__)

    def _unmoved(self, changes: Sequence[Change], side: str) -> None:
        for change in changes:
            if seen(reach(self.root, change.path)) != getattr(change, side):
                raise Conflict(f"`{change.path}` changed in the workspace meanwhile; nothing was written", hint=change.path)

    def _keep_images(self, changes: Sequence[Change]) -> None:
        images = self.place / "images"
        shutil.rmtree(images, ignore_errors=True)
        images.mkdir()
        for path, what in look(self.root).items():
            if what.type == "directory" and any(change.path.startswith(f"{path}/") for change in changes):
                (images / path).mkdir(parents=True, exist_ok=True)
        for change in changes:
            if change.before.type not in ("absent", "directory"):
                shutil.copy2(self.root / change.path, images / change.path, follow_symlinks=False)

    def _publication(self, more: str) -> Publication:
        return Publication(paths=tuple(each.path for each in self.kept.released), refs=(), receipt=f"plain copy{more}")

    def _fresh(self, name: str) -> Path:
        return self.place / f"{name}-{sum(1 for _ in self.place.glob(f'{name}-*'))}"

    def _remember(self, **changes: object) -> None:
        self.kept = msgspec.structs.replace(self.kept, **changes)
        write_kept(self.place, self.kept)


def write_kept(place: Path, kept: Kept) -> None:
    """Put it on disk in one step."""
    fresh = place / "kept.new"
    fresh.write_bytes(msgspec.json.encode(kept))
    fresh.replace(place / "kept")


def read_kept(place: Path) -> Kept | None:
    """What is on disk, None when no stage was opened there."""
    at = place / "kept"
    return msgspec.json.decode(at.read_bytes(), type=Kept) if at.exists() else None


def _difference(change: Change, base: Path, tree: Path) -> list[str]:
    try:
        old, new = [
            (root / change.path).read_text().splitlines(keepends=True) if what.type == "file" else []
            for root, what in ((base, change.before), (tree, change.after))
        ]
    except UnicodeDecodeError:
        return [f"{change.path} is not text\n"]
    shown = list(difflib.unified_diff(old, new, f"a/{change.path}", f"b/{change.path}"))
    return shown or [f"{change.path}: {change.before.type} to {change.after.type}\n"]
