"""A ledger in memory that keeps the same promises as the durable one, except durability."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import anyio

from remit.errors import BadInput
from remit.evidence.codec import decode_event, encode_event
from remit.evidence.entry import SALT, Row, body_hash, read, write
from remit.ports import Clock, Job
from remit.run.event import BodiesErased, Event, Recorded


class MemoryTransaction:
    """One atomic write on copies; see `remit.ports.Transaction`."""

    def __init__(self, rows: list[Row], jobs: dict[str, tuple[Job, bool]], clock: Clock) -> None:
        self.rows, self.job_states, self._clock = rows, jobs, clock
        self._before = len(rows)

    def events(self, run: str, *, after: int = -1) -> list[Recorded]:
        """The run's events with a place above `after`, in order."""
        return [record for record in map(recorded, self.rows[max(after + 1, 0) :]) if record.run == run]

    @property
    def clean(self) -> bool:
        """Whether nothing was appended in it yet."""
        return len(self.rows) == self._before

    def append(self, event: Event) -> Recorded:
        """The event, with the place it will have."""
        body, salt, kind = encode_event(event), os.urandom(SALT), str(type(event).__struct_config__.tag)
        at, seq = self._clock.now(), len(self.rows)
        entry = write(seq=seq, at=at, run=event.run, kind=kind, body=body_hash(salt, body))
        self.rows.append(Row(entry=entry, salt=salt, body=body))
        return Recorded(seq=seq, at=at, run=event.run, kind=kind, event=event)

    def used(self, *, since: datetime) -> list[Recorded]:
        """Every `intended` event of any run since that moment."""
        return [record for record in map(recorded, self.rows) if record.kind == "intended" and record.at >= since]

    def asked(self, tree: str) -> list[str]:
        """The runs of this tree in which a question was put."""
        asked = (record for record in map(recorded, self.rows) if record.kind == "question_asked")
        return list(dict.fromkeys(each.run for each in asked if each.run == tree or each.run.startswith(f"{tree}.")))

    def submit(self, job: Job) -> None:
        """Have the job delivered; a known id changes nothing."""
        self.job_states.setdefault(job.id, (job, False))

    def revoke(self, run: str) -> None:
        """Drop every job of this run that has not been finished."""
        for id_ in [id_ for id_, (job, finished) in self.job_states.items() if job.run == run and not finished]:
            del self.job_states[id_]


class MemoryLedger:
    """See `remit.ports.Ledger`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turn = anyio.Lock()
        self._rows: list[Row] = []
        self._jobs: dict[str, tuple[Job, bool]] = {}
        self._version = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryTransaction]:
        """Commit on leaving, roll back on an exception."""
        async with self._turn:
            transaction = MemoryTransaction(list(self._rows), dict(self._jobs), self._clock)
            yield transaction
            self._rows, self._jobs = transaction.rows, transaction.job_states
            self._version += 1

    async def events(self, run: str, *, after: int = -1) -> list[Recorded]:
        """The run's events with a place above `after`, in order."""
        return MemoryTransaction(self._rows, self._jobs, self._clock).events(run, after=after)

    async def runs(self) -> list[Recorded]:
        """The `started` event of every run, oldest first."""
        return [record for record in map(recorded, self._rows) if record.kind == "started"]

    async def kinds(self, *kinds: str) -> list[Recorded]:
        """Every event of these kinds of any run, in order."""
        return [record for record in map(recorded, self._rows) if record.kind in kinds]

    async def jobs(self) -> list[Job]:
        """Jobs submitted and not finished."""
        return [job for job, finished in self._jobs.values() if not finished]

    async def finish(self, job: Job) -> None:
        """The job needs no further delivery; its id stays known."""
        async with self.transaction() as transaction:
            if job.id in transaction.job_states:
                transaction.job_states[job.id] = (job, True)

    async def version(self) -> int:
        """A number that changes with every commit."""
        return self._version

    async def erase(self, run: str, by: str, because: str) -> Recorded:
        """Drop the bodies of an ended run. Raises BadInput while it is not ended."""
        async with self.transaction() as transaction:
            kinds = {record.kind for record in transaction.events(run)}
            if not kinds & {"verdict_reached", "stopped"}:
                raise BadInput(f"run `{run}` has not ended", hint="only the bodies of an ended run can be erased")
            for at, row in enumerate(transaction.rows):
                if read(row.entry).run == run:
                    transaction.rows[at] = Row(entry=row.entry)
            return transaction.append(BodiesErased(run=run, by=by, because=because))


def recorded(row: Row) -> Recorded:
    """A stored row as the engine reads it."""
    entry = read(row.entry)
    event = None if row.body is None else decode_event(row.body, seq=entry.seq)
    return Recorded(seq=entry.seq, at=entry.at, run=entry.run, kind=entry.kind, event=event)
