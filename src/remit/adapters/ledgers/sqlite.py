"""The ledger in one SQLite file: one writer at a time, durable before it returns, every commit under a signed head."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import anyio

from remit.adapters.ledgers.frontier import frontier
from remit.adapters.ledgers.heads import HeadFile
from remit.adapters.ledgers.schema import INDEXED, SAID, SCHEMA, VERSION, WHERE_PEOPLE
from remit.adapters.signers.ledger_key import LedgerKey, ledger_key
from remit.errors import BadInput, Broken, Busy, Tampered
from remit.evidence.codec import decode_event, encode_event
from remit.evidence.entry import SALT, body_hash, read, stamp, write
from remit.evidence.merkle import Frontier, leaf_hash
from remit.ports import Clock, Job
from remit.run.event import BodiesErased, Event, Recorded

PATIENCE = 10.0
"""Seconds a writer waits for another before it says Busy."""

_SELECT = "SELECT seq, entry, salt, body FROM entries "
_INSERT = "INSERT INTO entries(seq, entry, salt, body, node, note) VALUES(?, ?, ?, ?, ?, ?)"

Hook = Callable[[str, str], None]


class SqliteTransaction:
    """One atomic write; see `remit.ports.Transaction`."""

    def __init__(self, db: sqlite3.Connection, tree: Frontier, clock: Clock, key: LedgerKey) -> None:
        self._db, self._tree, self._clock, self._key = db, tree, clock, key
        self._last: tuple[int, str, bytes, bytes, bytes] | None = None
        self.kinds: list[str] = []

    def events(self, run: str, *, after: int = -1) -> list[Recorded]:
        """The run's events with a place above `after`, in order."""
        self._store()
        return _events(self._db, run, after)

    @property
    def clean(self) -> bool:
        """Whether nothing was appended in it yet."""
        return not self.kinds

    def append(self, event: Event) -> Recorded:
        """The event, with the place it will have. Raises BadInput for what cannot be stored."""
        seq, at, kind = self._tree.size, self._clock.now(), type(event).__struct_config__.tag
        body, salt = encode_event(event), os.urandom(SALT)
        entry = write(seq=seq, at=at, run=event.run, kind=str(kind), body=body_hash(salt, body))
        self._store()
        node = self._tree.append(leaf_hash(entry))
        # The last entry waits for the head of the commit, to be stored together with it.
        self._last = seq, entry.decode(), salt, body, node
        self.kinds.append(str(kind))
        return Recorded(seq=seq, at=at, run=event.run, kind=str(kind), event=event)

    def used(self, *, since: datetime) -> list[Recorded]:
        """Every `intended` event of any run since that moment."""
        self._store()
        return _recorded(self._db, _SELECT + "WHERE kind = 'intended' AND at >= ? ORDER BY seq", stamp(since))

    def asked(self, tree: str) -> list[str]:
        """The runs of this tree in which a question was put."""
        self._store()
        where = f"WHERE {WHERE_PEOPLE} AND kind = 'question_asked' AND (run = ? OR substr(run, 1, ?) = ?)"
        with SAID:
            found = self._db.execute(f"SELECT DISTINCT run FROM entries {where}", (tree, len(tree) + 1, f"{tree}."))  # noqa: S608
            return [row[0] for row in found]

    def submit(self, job: Job) -> None:
        """Have the job delivered after the commit; a known id changes nothing."""
        with SAID:
            self._db.execute("INSERT OR IGNORE INTO jobs(id, run) VALUES(?, ?)", (job.id, job.run))

    def revoke(self, run: str) -> None:
        """Drop every job of this run that has not been finished."""
        with SAID:
            self._db.execute("DELETE FROM jobs WHERE run = ? AND NOT finished", (run,))

    def forget(self, run: str) -> None:
        """Delete the bodies of this run up to here; the entries stand."""
        self._store()
        with SAID:
            self._db.execute("UPDATE entries SET salt = NULL, body = NULL WHERE run = ?", (run,))

    def seal(self) -> tuple[int, bytes] | None:
        """Write the signed head of what was appended; None when nothing was."""
        if not self.kinds:
            return None
        size = self._tree.size
        note = self._key.head(size, self._tree.root())
        if not self._store(note):
            with SAID:
                self._db.execute("UPDATE entries SET note = ? WHERE seq = ?", (note, size - 1))
        return size, note

    def _store(self, note: bytes | None = None) -> bool:
        if self._last is None:
            return False
        with SAID:
            self._db.execute(_INSERT, (*self._last, note))
        self._last = None
        return True


class _Turn:
    """The bracket around one transaction. A class, for the same reason as `Said`."""

    __slots__ = ("_ledger", "_transaction")

    def __init__(self, ledger: "SqliteLedger") -> None:
        self._ledger = ledger

    async def __aenter__(self) -> SqliteTransaction:
        self._transaction = await self._ledger.enter()
        return self._transaction

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._ledger.leave(self._transaction, commit=error is None)


class SqliteLedger:
    """Append-only facts in `ledger.db`; see `remit.ports.Ledger`. Made by `open_ledger`; use it from one thread."""

    def __init__(
        self, home: Path, *, clock: Clock, key: Callable[[], LedgerKey], witnesses: tuple[Path, ...], on_append: Hook | None
    ) -> None:
        # Whoever only reads signs nothing and waits for nobody: the key and the turn are there from the first write.
        self.home, self._clock, self._key, self._on_append = home, clock, cache(key), on_append
        self._heads = [HeadFile(folder) for folder in (home / "heads", *witnesses)]
        self._end: tuple[int, Frontier] | None = None
        self._lock = os.open(home / "ledger.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            self._writer = _connect(home / "ledger.db")
            try:
                self._reader = _connect(home / "ledger.db")
            except BaseException:
                self._writer.close()
                raise
        except BaseException:
            os.close(self._lock)
            raise

    @cached_property
    def _turn(self) -> "anyio.Lock":
        # Without fast_acquire every commit waits for one turn of the event loop, which is longer than all of its statements.
        return anyio.Lock(fast_acquire=True)

    @property
    def trouble(self) -> str:
        """Why a copy of the last head could not be written, empty when all is well."""
        return "; ".join(file.trouble for file in self._heads if file.trouble)

    def transaction(self) -> "_Turn":
        """Commit on leaving, roll back on an exception. Raises Busy after ten seconds, Broken when the disk fails."""
        return _Turn(self)

    async def events(self, run: str, *, after: int = -1) -> list[Recorded]:
        """The run's committed events with a place above `after`, in order."""
        return _events(self._reader, run, after)

    async def runs(self) -> list[Recorded]:
        """The `started` event of every run, oldest first."""
        return _recorded(self._reader, _SELECT + "WHERE kind = 'started' ORDER BY seq")

    async def kinds(self, *kinds: str) -> list[Recorded]:
        """Every event of these kinds of any run, in order."""
        marks = ", ".join("?" * len(kinds))
        indexed = next((f"{where} AND " for known, where in INDEXED if set(kinds) <= set(known)), "")
        return _recorded(self._reader, f"{_SELECT}WHERE {indexed}kind IN ({marks}) ORDER BY seq", *kinds)

    async def jobs(self) -> list[Job]:
        """Jobs submitted and not finished, in the order they were submitted."""
        with SAID:
            rows = self._reader.execute("SELECT id, run FROM jobs WHERE NOT finished ORDER BY place").fetchall()
        return [Job(id=id_, run=run) for id_, run in rows]

    async def finish(self, job: Job) -> None:
        """The job needs no further delivery; its id stays known."""
        async with self.transaction():
            with SAID:
                self._writer.execute("UPDATE jobs SET finished = 1 WHERE id = ?", (job.id,))

    async def version(self) -> int:
        """A number that changes whenever any process committed; cheap enough to ask ten times a second."""
        with SAID:
            return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    async def erase(self, run: str, by: str, because: str) -> Recorded:
        """Delete the bodies of an ended run and record who did, and why. Raises BadInput while it is not ended."""
        async with self.transaction() as transaction:
            kinds = {record.kind for record in transaction.events(run)}
            if not kinds:
                raise BadInput(f"no run `{run}`", hint="`remit runs` lists them")
            if not kinds & {"verdict_reached", "stopped"}:
                raise BadInput(f"run `{run}` has not ended", hint="only the bodies of an ended run can be erased")
            transaction.forget(run)
            record = transaction.append(BodiesErased(run=run, by=by, because=because))
        with SAID:
            # secure_delete zeroes the pages; the write-ahead log still holds them until it is folded in.
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return record

    def close(self) -> None:
        """Let go of the files."""
        self._reader.close()
        self._writer.close()
        for file in self._heads:
            file.close()
        os.close(self._lock)

    async def enter(self) -> SqliteTransaction:
        """Wait for the turn of this process, then for that of this task, and begin; `leave` must follow."""
        await self._turn.acquire()
        try:
            await self._take_lock()
            try:
                return self._begin()
            except BaseException:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
                raise
        except BaseException:
            self._turn.release()
            raise

    def leave(self, transaction: SqliteTransaction, *, commit: bool) -> None:
        """Commit, or roll back, and let the next one in. Never waits, so that it cannot be cancelled half way."""
        end, self._end = self._end, None
        try:
            if not commit:
                self._roll_back()
                return
            head = self._commit(transaction)
            self._end = end
            if head is not None:
                for file in self._heads:
                    file.add(*head, self._notes_above)
            self._hook("after", transaction.kinds)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._turn.release()

    async def _take_lock(self) -> None:
        pause, deadline = 0.0005, 0.0
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                now = anyio.current_time()
                deadline = deadline or now + PATIENCE
                if now > deadline:
                    raise Busy("another process is writing to the ledger", hint="try again in a moment") from None
            await anyio.sleep(pause)
            pause = min(pause * 2, 0.05)

    def _begin(self) -> SqliteTransaction:
        db = self._writer
        with SAID:
            db.execute("BEGIN IMMEDIATE")
        try:
            with SAID:
                version = int(db.execute("PRAGMA data_version").fetchone()[0])
            # The number stands still as long as nobody but this connection commits: then its own end is still the end.
            if self._end is None or self._end[0] != version:
                self._end = version, self._end_of(db)
            return SqliteTransaction(db, self._end[1], self._clock, self._key())
        except BaseException:
            self._roll_back()
            raise

    def _commit(self, transaction: SqliteTransaction) -> tuple[int, bytes] | None:
        try:
            head = transaction.seal()
            self._hook("before", transaction.kinds)
            with SAID:
                self._writer.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return head

    def _roll_back(self) -> None:
        # A full disk makes SQLite roll back by itself.
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    def _end_of(self, db: sqlite3.Connection) -> Frontier:
        """The frontier, checked against the last head here and in `heads/`: a damaged one must never be signed."""
        with SAID:
            tree = frontier(db)
        if self._heads[0].size(self._key().public.name) > tree.size:
            raise Tampered("the ledger does not end where its last head says", hint="`remit verify` names the first fault")
        return tree

    def _notes_above(self, size: int) -> Iterator[bytes]:
        query = "SELECT note FROM entries WHERE seq >= ? AND note IS NOT NULL ORDER BY seq"
        return (note for (note,) in self._writer.execute(query, (size,)))

    def _hook(self, moment: str, kinds: list[str]) -> None:
        if self._on_append is not None:
            for kind in kinds:
                self._on_append(moment, kind)


def open_ledger(
    home: Path, *, clock: Clock, sign: LedgerKey | None = None, on_append: Hook | None = None, witness: Path | None = None
) -> SqliteLedger:
    """The ledger below `home`, made on first use; not async. `sign` defaults to the ledger's own key in `keys/ledger`.

    `on_append` is called with ("before" | "after", kind) around each commit; every head is also written to
    `heads/` and to `witness` (default `$REMIT_WITNESS`). Raises Broken when the disk or the file does not work.
    """
    named = os.environ.get("REMIT_WITNESS")
    folder = witness or (Path(named).expanduser() if named else None)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = (lambda: sign) if sign else (lambda: _key_of(home))
        return SqliteLedger(home, clock=clock, key=key, witnesses=(folder,) if folder else (), on_append=on_append)
    except OSError as error:
        raise _unusable(home, error) from error


def _key_of(home: Path) -> LedgerKey:
    try:
        return ledger_key(home)
    except OSError as error:
        raise _unusable(home, error) from error


def _unusable(home: Path, error: OSError) -> Broken:
    return Broken(f"the ledger at `{home}` cannot be opened: {error.strerror}", hint="see that it can be written")


def _connect(path: Path) -> sqlite3.Connection:
    # Opened and closed only while no connection of this process has it: closing any descriptor of a file drops every POSIX lock
    # that the process holds on it, and another process would then take itself for the last one and delete the live log.
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    with SAID:
        db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF", "secure_delete=ON"):
                db.execute(f"PRAGMA {pragma}").fetchall()
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise BadInput(f"the ledger at `{path}` was written by a newer remit", hint="use that version")
            if version == 0:
                db.executescript(SCHEMA)
        except BaseException:
            db.close()
            raise
    return db


def _events(db: sqlite3.Connection, run: str, after: int) -> list[Recorded]:
    return _recorded(db, _SELECT + "WHERE run = ? AND seq > ? ORDER BY seq", run, after)


def _recorded(db: sqlite3.Connection, query: str, *values: Any) -> list[Recorded]:
    with SAID:
        rows = db.execute(query, values).fetchall()
    found = []
    for seq, text, salt, body in rows:
        entry = read(text.encode())
        if entry.seq != seq:
            raise Tampered(f"entry {seq} says it is entry {entry.seq}", hint="`remit verify` names the first fault")
        if body is not None and body_hash(salt or b"", body) != entry.body:  # what was changed on the disk is never acted on
            raise Tampered(f"entry {seq} is not what was recorded", hint="`remit verify` names the first fault")
        event = None if body is None else decode_event(body, seq=seq)
        found.append(Recorded(seq=seq, at=entry.at, run=entry.run, kind=entry.kind, event=event))
    return found
