"""What the record costs: a recorded decision beside a bare commit of the same bytes, a verification beside bare hashing."""

import sqlite3
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import anyio

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import SqliteLedger, open_ledger
from remit.adapters.ledgers.stored import verify_stored
from remit.authority.decide import decide
from remit.authority.decision import word
from remit.authority.spent import Spent
from remit.bench.decide import NOW, action, authorities
from remit.bench.row import Goal, Row
from remit.bench.turns import in_turn, medians, show
from remit.evidence.verify import Verified
from remit.run.event import Decided

RULES = 20
OURS_GROWN, BARE_GROWN = 500, 1100
"""commits after which the write-ahead logs, of a thousand pages each, are written over from their start"""

COMMIT = "one FULL commit of entry, salt, body and head into one table"
HASHING = "reading the same rows and hashing each once"


def rows(*, quick: bool = False) -> Iterator[Row]:
    """An append with its decision; a verification."""
    entries = 10_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        ours, rival = anyio.run(lambda: append(Path(folder, "append"), rounds=200 if quick else 600))
        yield Row(
            name="decide and record, durable and signed",
            against=COMMIT,
            goal=Goal(kind="times", bound=1.5),
            ours=ours,
            rival=rival,
        )
        ours, rival = verification(Path(folder, "verify"), entries=entries, rounds=3)
        name = f"verify {entries:,} entries"
        yield Row(name=name, against=HASHING, goal=Goal(kind="times", bound=4.0), ours=ours, rival=rival)


class Asked:
    """The same question again and again, decided anew each time."""

    def __init__(self) -> None:
        self._lineage, self._action, self._spent = authorities(RULES, 1), action(RULES), Spent()
        self._digest = self._action.digest()

    def decided(self) -> Decided:
        """Decide, and the fact that says so."""
        answer = decide(self._lineage, self._action, spent=self._spent, now=NOW)
        return Decided(
            run="rbench", action=self._action, digest=self._digest, decision=word(answer), reasons=answer.reasons, at_door="door"
        )


async def append(home: Path, *, rounds: int) -> tuple[float, float]:
    """Median seconds of one decision on the record, and of one bare FULL commit of the bytes that it stored; taken in turn."""
    ledger, asked = open_ledger(home, clock=SystemClock()), Asked()
    # Until a write-ahead log has been through once every commit makes the file longer, which is dearer than what follows.
    for _ in range(OURS_GROWN):
        await _recorded(ledger, asked)
    reader = sqlite3.connect(home / "ledger.db")
    row = reader.execute("SELECT entry, salt, body, note FROM entries ORDER BY seq DESC").fetchone()
    reader.close()
    bare = _bare(home / "bare.db", row)
    ours, rival = medians([(await _recorded(ledger, asked), _bare_commit(bare, row)) for _ in range(rounds)])
    ledger.close()
    bare.close()
    return ours, rival


def _bare(path: Path, row: tuple[object, ...]) -> sqlite3.Connection:
    bare = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute("CREATE TABLE entries(seq INTEGER PRIMARY KEY, entry TEXT, salt BLOB, body BLOB, note BLOB)")
    for _ in range(BARE_GROWN):
        _bare_commit(bare, row)
    bare.execute("PRAGMA synchronous=FULL")
    return bare


async def _recorded(ledger: SqliteLedger, asked: Asked) -> float:
    began = perf_counter()
    async with ledger.transaction() as transaction:
        transaction.append(asked.decided())
    return perf_counter() - began


def _bare_commit(bare: sqlite3.Connection, row: tuple[object, ...]) -> float:
    began = perf_counter()
    bare.execute("INSERT INTO entries(entry, salt, body, note) VALUES(?, ?, ?, ?)", row)
    return perf_counter() - began


def verification(home: Path, *, entries: int, rounds: int) -> tuple[float, float]:
    """Median seconds to verify a ledger, and to read the same rows and hash them once each; taken in turn."""
    ledger, event = open_ledger(home, clock=SystemClock()), Asked().decided()

    async def fill() -> None:
        async with ledger.transaction() as transaction:
            for _ in range(entries):
                transaction.append(event)

    anyio.run(fill)
    ledger.close()
    took = in_turn({"ours": lambda: _verify(home, entries), "bare": lambda: _hash(home)}, rounds=rounds)
    return took["ours"], took["bare"]


def _verify(home: Path, entries: int) -> None:
    result = verify_stored(home)
    if not isinstance(result, Verified) or result.entries != entries:
        raise AssertionError(f"it does not verify, so there is nothing to compare: {result}")


def _hash(home: Path) -> None:
    db = sqlite3.connect(home / "ledger.db")
    for entry, salt, body in db.execute("SELECT entry, salt, body FROM entries ORDER BY seq"):
        sha256(entry.encode()).digest()
        sha256(salt + body).digest()
    db.close()


if __name__ == "__main__":
    show(rows())
