"""The doors to the outside world, in the words of the chapters. Adapters satisfy them; the engine uses nothing else."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from remit.contract.contract import Level
from remit.run.change import Change, ChangeSet
from remit.run.event import Event, Recorded
from remit.value import Value

# ---------------------------------------------------------------- time


class Clock(Protocol):
    """Where `now` comes from."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        ...


# ---------------------------------------------------------------- ledger and delivery


class Job(Value, frozen=True, kw_only=True):
    """One piece of delivery: drive this run. The id makes submitting twice harmless."""

    id: str
    run: str


class Transaction(Protocol):
    """One atomic write to the ledger: reads see everything before it, nothing interleaves."""

    def events(self, run: str, *, after: int = -1) -> list[Recorded]:
        """The run's events with a place above `after`, in order."""
        ...

    def append(self, event: Event) -> Recorded:
        """The event, with the place it will have once the transaction commits."""
        ...

    def used(self, *, since: datetime) -> list[Recorded]:
        """Every `intended` event of any run since that moment, for windows kept across runs."""
        ...

    def submit(self, job: Job) -> None:
        """Have the job delivered at least once after this transaction commits; a known id changes nothing."""
        ...

    def revoke(self, run: str) -> None:
        """Drop every job of this run that has not been finished."""
        ...


class Ledger(Protocol):
    """Append-only facts, hash-linked; the only store of truth."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commit on leaving, roll back on an exception. Raises Busy when the lock cannot be had, Broken on a full disk."""
        ...

    async def events(self, run: str, *, after: int = -1) -> list[Recorded]:
        """The run's events with a place above `after`, in order."""
        ...

    async def runs(self) -> list[Recorded]:
        """The `started` event of every run, oldest first."""
        ...

    async def jobs(self) -> list[Job]:
        """Jobs submitted and not finished."""
        ...

    async def finish(self, job: Job) -> None:
        """The job needs no further delivery."""
        ...

    async def version(self) -> int:
        """A number that changes whenever any process appended."""
        ...


class Leases(Protocol):
    """Who drives a run: one process at a time, let go by the operating system when that process dies."""

    def hold(self, name: str) -> AbstractContextManager[None]:
        """Hold the lease for the length of the context. Raises Busy when another process has it."""
        ...


# ---------------------------------------------------------------- workspace


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

    async def reopen(self, place: Path) -> Stage | None:
        """The sealed stage kept in `place`, None when it was never sealed."""
        ...

    async def live(self, place: Path) -> Stage | None:
        """The stage in `place` while it is being worked on, as a parent to fork; None when there is none."""
        ...


# ---------------------------------------------------------------- sandbox


class BoxLimits(Value, frozen=True, kw_only=True):
    """What the box may use: seconds, bytes, counts."""

    time: float | None = None
    memory: int | None = None
    processes: int | None = 512
    file: int | None = None
    disk: int | None = None
    output: int | None = 64 * 1024 * 1024


class BoxPlan(Value, frozen=True, kw_only=True):
    """Everything the box is made of. What is not named here is not there."""

    argv: tuple[str, ...]
    mount: Mount
    cwd: str
    environment: Mapping[str, str] = {}
    visible: tuple[str, ...] = ()
    """further host folders, read-only (interpreters)"""
    files: Mapping[str, str] = {}
    """small read-only files laid in: path in the box to text"""
    network: bool = False
    """True: an egress proxy listens inside; every connection is asked of the watcher. False: no route at all"""
    observe: bool = True
    door: bool = True
    limits: BoxLimits = BoxLimits()
    uid: int | None = None
    gid: int | None = None
    level: Level = "L3"


class Exec(Value, frozen=True, kw_only=True):
    """A program the box is about to start, as the observer read it."""

    pid: int
    path: str
    argv: tuple[str, ...]


class Exit(Value, frozen=True, kw_only=True):
    """How the box ended: exit status, or why it was ended; and the receipt that nothing is left."""

    status: int | None
    why: Literal["ended", "limit", "stopped"]
    limit: str = ""
    receipt: str = ""


class Watcher(Protocol):
    """Who the box asks and tells while it lives. Implemented by the engine: this is the only way in."""

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """One line from the door, answered by one line."""
        ...

    async def exec(self, program: Exec) -> bool:
        """May this program start? False makes it fail with EPERM."""
        ...

    async def connect(self, host: str, port: int) -> bool:
        """May the box reach this host and port?"""
        ...

    async def blocked(self, what: str, object_: str, by: str) -> None:
        """The box or the kernel stopped something."""
        ...

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """The program printed this."""
        ...


class Part(Value, frozen=True, kw_only=True):
    """One mechanism of containment as probed by doing it."""

    name: str
    ok: bool
    detail: str = ""
    cure: str = ""
    required: bool = True


class Containment(Value, frozen=True, kw_only=True):
    """What this machine can do: the level and every part of it."""

    level: Level
    parts: tuple[Part, ...]


class Box(Protocol):
    """A live box."""

    pid: int
    """the pid namespace's first process, as the host sees it"""

    async def wait(self) -> Exit:
        """Until nothing of it is left."""
        ...

    async def stop(self, why: Literal["limit", "stopped"], limit: str = "") -> None:
        """Kill everything inside at once; `wait` then returns."""
        ...

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a workspace file through the live mount, never following links. Raises Conflict when a link is in the way."""
        ...

    async def remove(self, path: str) -> None:
        """Delete a workspace file through the live mount, never following links."""
        ...


class Sandbox(Protocol):
    """Makes boxes."""

    async def probe(self, *, fresh: bool = False) -> Containment:
        """What this machine can do, found by doing it; cached per boot and binary."""
        ...

    def open(self, plan: BoxPlan, watcher: Watcher) -> AbstractAsyncContextManager[Box]:
        """A started box; leaving the context kills what is left. Raises Unavailable when it cannot be made."""
        ...


class Runtime(Protocol):
    """Who does the work."""

    name: str

    def argv(self, command: Sequence[str]) -> tuple[str, ...]:
        """The start argv of this runtime for what the contract or the command line says."""
        ...


# ---------------------------------------------------------------- people


class Signer(Protocol):
    """Signs in the name of the local identity."""

    person: str
    public: str

    async def sign(self, message: bytes, *, namespace: str) -> str:
        """A detached signature as text."""
        ...


class Notifier(Protocol):
    """Tells somebody something."""

    name: str

    async def tell(self, who: str, what: str) -> None:
        """Raises Broken when it could not be delivered."""
        ...


__all__ = [
    "Box", "BoxLimits", "BoxPlan", "Change", "ChangeSet", "Clock", "Containment", "Exec", "Exit", "Inspection", "Job",
    "Leases", "Ledger", "Mount", "Notifier", "Part", "Publication", "Runtime", "Sandbox", "Signer", "Stage", "Transaction",
    "Watcher", "Workspace",
]  # fmt: skip
