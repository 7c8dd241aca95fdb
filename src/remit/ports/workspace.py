"""The workspace: a stage to work on, and its release."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from remit.run.change import ChangeSet
from remit.value import Value


class Mount(Value, frozen=True, kw_only=True):
    """How the box shows the workspace at its own path.

    `overlay`: `lower` folders, topmost first, and `upper`/`work` where writes go (None: read-only).
    `bind`: the single folder in `lower`. `quota` is bytes the upper may hold.
    """

    at: str
    kind: Literal["overlay", "bind"]
    lower: tuple[str, ...]
    upper: str | None = None
    work: str | None = None
    quota: int | None = None

    @property
    def writable(self) -> bool:
        """Whether the box may write below `at`."""
        return self.upper is not None


class Inspection(Value, frozen=True, kw_only=True):
    """A workspace before a run: is it git, which branch and commit, which writable paths are dirty."""

    git: bool
    branch: str | None = None
    head: str | None = None
    dirty: tuple[str, ...] = ()
    uid: int = 0
    gid: int = 0


class Publication(Value, frozen=True, kw_only=True):
    """What was released or put back, and a receipt that names the journal."""

    paths: tuple[str, ...]
    refs: tuple[str, ...]
    receipt: str


class Stage(Protocol):
    """One attempt's copy-on-write view of a workspace, kept under the run's own folder."""

    mount: Mount
    kind: str
    """overlay, reflink or copy"""
    hidden: tuple[str, ...]
    """paths that do not exist inside"""
    warnings: tuple[str, ...]
    """what a person should know about this stage, such as a hidden path that is still in the history"""

    async def seal(self) -> str:
        """Make the stage durable and unchangeable; returns its digest. Call only when nothing in the box lives."""
        ...

    async def changes(self) -> ChangeSet:
        """Everything that differs from the base, in path order, links never followed."""
        ...

    async def view(self, *, dropped: Sequence[str], refs: Sequence[str], trusted: Sequence[str]) -> Mount:
        """Exactly the tree that would be published, read-only; `trusted` globs come from the base."""
        ...

    async def base(self) -> Mount:
        """The tree before the run, read-only, for negative controls."""
        ...

    async def read(self, path: str, *, most: int | None = None) -> bytes | None:
        """A file of the view last made, None when absent; never follows links. For file and data checks.

        Raises BadInput, with its size and nothing of it in memory, when it has more than `most` bytes.
        """
        ...

    async def publish(self, *, dropped: Sequence[str], withheld: Sequence[str], refs: Sequence[str]) -> Publication:
        """Release all or nothing, by a journal. Calling again after a crash finishes or repeats harmlessly.

        Raises Conflict with nothing written when a touched path or ref moved since the stage was opened.
        """
        ...

    async def undo(self) -> Publication:
        """Put back exactly what publish changed. Raises Conflict when later work builds on it."""
        ...

    async def amend(self, path: str, data: bytes) -> str:
        """Write one file into the sealed stage, as a person allowed after the work ended; returns the new digest."""
        ...

    async def moved(self) -> tuple[str, ...]:
        """Base paths that changed since the stage was opened."""
        ...

    async def discard(self) -> None:
        """Drop the stage and everything it holds on disk."""
        ...

    async def diff(self, *, dropped: Sequence[str] = ()) -> str:
        """The change set as a unified diff for a person; binary files and control characters named, not shown."""
        ...


class Workspace(Protocol):
    """Opens stages over a folder."""

    async def inspect(self, root: Path, *, writable: Callable[[str], bool]) -> Inspection:
        """What stands there now. Raises BadInput when it is no folder or cannot be read."""
        ...

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
        ...

    async def carry(self, sealed: Path, place: Path) -> Stage:
        """A stage in `place` that begins where the sealed one ended; that one stays as it is. Raises Broken when it is gone."""
        ...

    async def reopen(self, place: Path) -> Stage | None:
        """The sealed stage kept in `place`, None when it was never sealed."""
        ...

    async def live(self, place: Path) -> Stage | None:
        """The stage in `place` while it is being worked on, as a parent to fork; None when there is none."""
        ...
