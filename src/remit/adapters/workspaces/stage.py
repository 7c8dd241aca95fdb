"""One attempt's view of a workspace: sealed, read as changes, shown as it would be published, published, undone."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from remit.adapters.workspaces import copied, diffing, overlay, publish, settings, snapshot, undo, walk
from remit.adapters.workspaces.amending import amend
from remit.adapters.workspaces.changes import Comparison, Found, chosen
from remit.adapters.workspaces.delta import Delta
from remit.adapters.workspaces.git import Git
from remit.adapters.workspaces.history import History, plain_repository
from remit.adapters.workspaces.journal import Hook, Journal, Plan, Step, nothing
from remit.adapters.workspaces.kept import Meta, Sealed, read_sealed, seal
from remit.adapters.workspaces.layers import Layer, fill
from remit.adapters.workspaces.planning import Planner, keep_images
from remit.adapters.workspaces.release import Release
from remit.adapters.workspaces.scratch import PACK
from remit.adapters.workspaces.secrets import matcher
from remit.adapters.workspaces.snapshot import Snapshot
from remit.adapters.workspaces.trouble import standing, worked
from remit.errors import BadInput, Broken, Conflict
from remit.ports import Mount, Publication
from remit.run.change import ChangeSet, RefMove


class KeptStage:
    """A stage in its place. Everything the run wrote is below `tree`; nothing here ever follows a link."""

    def __init__(self, place: Path, meta: Meta, *, hook: Hook = nothing, base: Snapshot | None = None) -> None:
        self.place = place
        self.meta = meta
        self.root = Path(meta.root)
        self.at = meta.at or meta.root
        self.kind: str = meta.kind
        self.hook = hook
        self.hidden = tuple(walk.shown(os.fsdecode(path)) for path in meta.hidden)
        self.warnings = meta.warnings
        self.mount = self._mount()
        git = Git(self.root / ".git", work=self.root, uid=meta.uid, gid=meta.gid)
        self.history = History(place, git, meta.git) if meta.git is not None else None
        self._secret = frozenset(os.fsdecode(path) for path in meta.hidden)
        self._base = base
        self._view: tuple[Step, ...] | None = None

    @property
    def tree(self) -> Path:
        """Where the run's writes are on disk."""
        return self.place / ("upper" if self.kind == "overlay" else "copy")

    def _mount(self) -> Mount:
        if self.kind != "overlay":
            copy = str(self.place / "copy")
            return Mount(at=self.at, kind="bind", lower=(copy,), upper=copy, quota=self.meta.quota)
        return Mount(
            at=self.at, kind="overlay", lower=self._lower(), upper=str(self.place / "upper"),
            work=str(self.place / "work"), quota=self.meta.quota,
        )  # fmt: skip

    def _lower(self, *layers: Path) -> tuple[str, ...]:
        hide = (str(self.place / "hide"),)
        return (*hide, *map(str, layers), self.meta.root)

    @property
    def start(self) -> Snapshot:
        """The base as it stood when the stage was opened."""
        if self._base is None:
            self._base = snapshot.load(self.place / "base")
        return self._base

    # ------------------------------------------------------------ what happened

    async def seal(self) -> str:
        """Make the stage durable and unchangeable; returns its digest. Call only when nothing in the box lives."""
        return (await worked(self._seal)).digest

    def _seal(self) -> Sealed:
        sealed = read_sealed(self.place)
        return sealed if sealed is not None else self._mark()

    def _mark(self) -> Sealed:
        delta, found, changes = self._compare()
        with walk.folder(str(self.tree)) as tree:
            for row in found:
                _sync(tree, row)
        return seal(self.place, found, delta.gone_folders(), changes)

    async def changes(self) -> ChangeSet:
        """Everything that differs from the base, in path order, links never followed."""
        return await worked(self._changes)

    def _changes(self) -> ChangeSet:
        sealed = read_sealed(self.place)
        return sealed.changes if sealed is not None else self._compare()[2]

    def _compare(self) -> tuple[Delta, list[Found], ChangeSet]:
        with standing(self.meta.root) as base, walk.folder(str(self.tree)) as tree:
            if self.kind == "overlay":
                delta = overlay.delta(tree, self.start, self._secret)
            else:
                delta = copied.delta(tree, self.start, snapshot.load(self.place / "fresh"), self._secret)
            found = Comparison(delta, base=base, tree=tree, quota=self.meta.quota).found()
            moved, ignored = ([], plain_repository(tree, fork=bool(self.meta.at))) if self.history is None else self._effects()
        changes = ChangeSet(changes=tuple(row.change for row in found), refs=tuple(moved), ignored=tuple(ignored))
        return delta, found, changes

    def _effects(self) -> tuple[list[RefMove], list[tuple[str, str]]]:
        assert self.history is not None
        return self.history.effects(self.tree, self.kind, self.meta.quota)

    def _sealed(self) -> Sealed:
        sealed = read_sealed(self.place)
        if sealed is None:
            raise Broken("the stage was not sealed, so nothing of it may be judged or published")
        return sealed

    def _planned(self, root: int, tree: int, dropped: Sequence[str], trusted: Sequence[str] = ()) -> Planner:
        sealed = self._sealed()
        out = set(dropped)
        is_trusted = matcher(trusted)
        out |= {row.change.path for row in sealed.found if is_trusted(row.change.path)}
        rows = chosen(list(sealed.found), out, self.start)
        return Planner(root, tree, self.start, rows, {os.fsdecode(path) for path in sealed.gone})

    # ------------------------------------------------------------ what would be published

    async def view(self, *, dropped: Sequence[str], refs: Sequence[str], trusted: Sequence[str]) -> Mount:
        """Exactly the tree that would be published, read-only; `trusted` globs come from the base."""
        return await worked(self._make_view, dropped, trusted)

    def _make_view(self, dropped: Sequence[str], trusted: Sequence[str]) -> Mount:
        at = self._fresh_folder("view")
        with standing(self.meta.root) as root, walk.folder(str(self.tree)) as tree:
            planner = self._planned(root, tree, dropped, trusted)
            steps = planner.steps()
            if self.kind == "overlay":
                fill(Layer(at, self.start, planner.owner), tree, steps, whiteouts=True)
                mount = Mount(at=self.at, kind="overlay", lower=self._lower(at))
            else:
                mount = self._copied_view(at, root, tree, steps, planner)
        self._view = steps
        return mount

    def _copied_view(self, at: Path, root: int, tree: int, steps: tuple[Step, ...], planner: Planner) -> Mount:
        touched = {step.name for step in steps if step.do in ("unlink", "rmdir", "write", "link")} | self._secret
        copied.copy_tree(root, at, kind=self.kind, leave_out=touched.__contains__)  # type: ignore[arg-type]
        fill(Layer(at, self.start, planner.owner), tree, steps, whiteouts=False)
        settings.wash(at)
        return Mount(at=self.at, kind="bind", lower=(str(at),))

    async def base(self) -> Mount:
        """The tree before the run, read-only, for negative controls."""
        return await worked(self._make_base)

    def _make_base(self) -> Mount:
        if self.kind == "overlay":
            return Mount(at=self.at, kind="overlay", lower=self._lower())
        at = self._fresh_folder("base-view")
        with standing(self.meta.root) as root:
            copied.copy_tree(root, at, kind=self.kind, leave_out=self._secret.__contains__)  # type: ignore[arg-type]
        settings.wash(at)
        return Mount(at=self.at, kind="bind", lower=(str(at),))

    def _fresh_folder(self, name: str) -> Path:
        number = 0
        while (at := self.place / f"{name}-{number}").exists():
            number += 1
        at.mkdir()
        return at

    async def read(self, path: str, *, most: int | None = None) -> bytes | None:
        """A file of the view last made, None when absent; never follows links. Raises BadInput above `most` bytes."""
        return await worked(self._read, path, most)

    def _read(self, path: str, most: int | None) -> bytes | None:
        with standing(self.meta.root) as root, walk.folder(str(self.tree)) as tree:
            steps = self._view if self._view is not None else self._planned(root, tree, ()).steps()
            done = {step.name: step.do for step in steps if step.do != "mode"}
            here = path
            while here:
                if (
                    here in self._secret
                    or done.get(here) in ("unlink", "rmdir", "link")
                    or (here == path and done.get(here) == "mkdir")
                ):
                    return None
                here = here.rpartition("/")[0]
            source = tree if done.get(path) == "write" else root
            above, name = walk.split(path)
            try:
                with walk.beneath(source, above) as at, os.fdopen(walk.open_file(at, name, unlock=source == tree), "rb") as file:
                    return _whole(file, path, most)
            except (OSError, Conflict):
                return None

    async def diff(self, *, dropped: Sequence[str] = ()) -> str:
        """The change set as a unified diff for a person; binary files and control characters named, not shown."""
        return await worked(self._diff, dropped)

    def _diff(self, dropped: Sequence[str]) -> str:
        sealed = read_sealed(self.place)
        found = list(sealed.found) if sealed is not None else self._compare()[1]
        rows = [row for row in found if row.change.path not in set(dropped)]
        journal = Journal(self.place / "journal")
        with ExitStack() as stack:
            base = stack.enter_context(standing(self.meta.root))
            tree = stack.enter_context(walk.folder(str(self.tree)))
            return diffing.unified(rows, base=base, tree=tree, journal=journal if journal.phase == "done" else None)

    # ------------------------------------------------------------ release and return

    async def publish(self, *, dropped: Sequence[str], withheld: Sequence[str], refs: Sequence[str]) -> Publication:
        """Release all or nothing, by a journal. Calling again after a crash finishes or repeats harmlessly.

        Raises Conflict with nothing written when a touched path or ref moved since the stage was opened.
        """
        return await worked(self._publish, dropped, withheld, refs)

    def _publish(self, dropped: Sequence[str], withheld: Sequence[str], refs: Sequence[str]) -> Publication:
        journal = Journal(self.place / "journal")
        with publish.alone(self.meta.root) as root:
            phase = journal.phase
            if phase == "back":
                plan = journal.plan()
                publish.back(root, journal, plan, self.hook, release=self._release(plan))
                journal.drop()
                raise Conflict("an earlier publish had failed and was taken back; nothing was published")
            if phase in ("undoing", "undone"):
                raise Conflict("this stage was published and undone; it cannot be published again")
            if phase == "none":
                self._prepare(root, journal, dropped, withheld, refs)
            plan = journal.plan()
            if phase != "done":
                publish.forward(root, journal, plan, self.hook, release=self._release(plan))
        return Publication(paths=plan.paths, refs=tuple(step.ref for step in plan.refs), receipt=f"journal {plan.token}")

    def _release(self, plan: Plan) -> Release | None:
        return Release(self.history.git, plan) if self.history is not None else None

    def _prepare(self, root: int, journal: Journal, dropped: Sequence[str], withheld: Sequence[str], refs: Sequence[str]) -> None:
        with walk.folder(str(self.tree)) as tree:
            planner = self._planned(root, tree, dropped)
            planner.check()
            plan = self._git_plan(withheld, refs)
            if (release := self._release(plan)) is not None:
                release.check()
            journal.begin()
            try:
                self.hook("images")
                steps = keep_images(root, planner.steps(), journal)
            except OSError as error:
                journal.drop()
                raise Broken(f"publishing could not be prepared: {error.strerror}; nothing was published") from error
            paths = tuple(row.change.path for row in planner.rows.values())
            plan = msgspec.structs.replace(plan, steps=steps, paths=paths, folders=planner.folders(steps))
        self.hook("plan")
        journal.write("plan", plan)

    def _git_plan(self, withheld: Sequence[str], allowed: Sequence[str]) -> Plan:
        plan = Plan(token=token(self.place), root=self.meta.root, tree=str(self.tree), paths=(), steps=())
        if self.history is None:
            return plan
        steps, index = self.history.steps(self._sealed().changes.refs, withheld=withheld, allowed=allowed)
        head = self.history.start.head
        return msgspec.structs.replace(
            plan, refs=steps, index=index, head=head if head.startswith("refs/") else "", pack=str(self.place / PACK)
        )

    async def undo(self) -> Publication:
        """Put back exactly what publish changed. Raises Conflict when later work builds on it."""
        return await worked(self._undo)

    def _undo(self) -> Publication:
        journal = Journal(self.place / "journal")
        if journal.phase == "none":
            raise BadInput("nothing of this run was published, so there is nothing to undo")
        with publish.alone(self.meta.root) as root:
            plan = undo.undo(root, journal, self.hook, release=self._release(journal.plan()))
        refs = tuple(step.ref for step in plan.refs)
        return Publication(paths=plan.paths, refs=refs, receipt=f"journal {plan.token}, undone")

    async def amend(self, path: str, data: bytes) -> str:
        """Write one file into the sealed stage, as a person allowed after the work ended; returns the new digest."""
        return (await worked(self._amend, path, data)).digest

    def _amend(self, path: str, data: bytes) -> Sealed:
        self._sealed()
        if Journal(self.place / "journal").phase != "none":
            raise Conflict("this stage is already being published; it can no longer be amended")
        if path in self._secret:
            raise BadInput(f"`{path}` is a secret that the contract does not name")
        with walk.folder(str(self.tree)) as tree:
            amend(tree, path, data, base=self.start, owner=walk.facts(os.fstat(tree)))
        return self._mark()

    async def moved(self) -> tuple[str, ...]:
        """Base paths that changed since the stage was opened."""
        return await worked(self._moved)

    def _moved(self) -> tuple[str, ...]:
        with standing(self.meta.root) as root:
            now = snapshot.take(root)
        names = self.start.states.keys() | now.states.keys()
        moved = [path for path in names if (known := self.start.get(path)) is None or not known.same(now.get(path))]
        return tuple(sorted(map(walk.shown, moved)))

    async def discard(self) -> None:
        """Drop the stage and everything it holds on disk."""
        await worked(walk.remove_tree, str(self.place))


def token(place: Path) -> str:
    """A name for the journal: the run and its attempt, from where the stage is kept."""
    run = place.parent.parent.name if place.parent.name == "attempts" else place.parent.name
    return f"{run}-{place.name}"


def _whole(file: BinaryIO, path: str, most: int | None) -> bytes:
    size = os.fstat(file.fileno()).st_size
    data = b"" if most is not None and size > most else file.read() if most is None else file.read(most + 1)
    if most is not None and max(size, len(data)) > most:  # a file of the base may grow while it is read
        raise BadInput(f"`{walk.shown(path)}` has {size} bytes, and a check reads at most {most}")
    return data


def _sync(tree: int, row: Found) -> None:
    above, name = walk.split(row.path)
    if row.change.after.type in ("absent", "other") or row.never:
        return
    with walk.beneath(tree, above) as at:
        walk.sync_file(at)
        if row.change.after.type == "file":
            fd = walk.open_file(at, name, unlock=True)
            try:
                walk.sync_file(fd)
            finally:
                os.close(fd)
