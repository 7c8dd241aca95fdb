"""Time, the ledger, delivery and who drives a run."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Protocol

from remit.run.event import Event, Recorded
from remit.value import Value


class Clock(Protocol):
    """Where `now` comes from."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        ...


class Job(Value, frozen=True, kw_only=True):
    """One piece of delivery: drive this run. The id makes submitting twice harmless."""

    id: str
    run: str


class Transaction(Protocol):
    """One atomic write to the ledger: reads see everything before it, nothing interleaves."""

    def events(self, run: str, *, after: int = -1) -> list[Recorded]:
        """The run's events with a place above `after`, in order."""
        ...

    @property
    def clean(self) -> bool:
        """Whether nothing was appended in it yet: then all that it reads is committed."""
        ...

    def append(self, event: Event) -> Recorded:
        """The event, with the place it will have once the transaction commits."""
        ...

    def used(self, *, since: datetime) -> list[Recorded]:
        """Every `intended` event of any run since that moment, for windows kept across runs."""
        ...

    def asked(self, tree: str) -> list[str]:
        """The runs of this tree, by the id of its root, in which a question was put."""
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

    async def kinds(self, *kinds: str) -> list[Recorded]:
        """Every event of these kinds of any run, in order: what the inbox and the tax are read from."""
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
