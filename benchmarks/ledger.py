"""What the record costs: an append beside a bare commit of the same bytes, a verification beside a bare hash of the same rows."""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import anyio

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.adapters.ledgers.stored import verify_stored
from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.evidence.codec import encode_event
from remit.evidence.verify import Verified
from remit.run.event import Decided

_REASON = Reason(code=Code.ALLOWED, rule="may-write-1", contract="sha256:" + "0" * 64, why="docs may be written")
_ACTION = Action(verb="write", object="docs/guide/index.md", arguments={})
DECISION = Decided(run="rbench", action=_ACTION, digest=_ACTION.digest(), decision="allow", reasons=(_REASON,), at_door="door")


def append(home: Path, *, rounds: int = 300) -> tuple[float, float]:
    """Median seconds of one recorded decision, and of one bare FULL commit of as many bytes; taken in turn."""
    ledger = open_ledger(home, clock=SystemClock())
    bare = sqlite3.connect(home / "bare.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, entry BLOB, salt BLOB, body BLOB)")
    row = (os.urandom(230), os.urandom(16), encode_event(DECISION))
    ours, rival = [], []

    async def main() -> None:
        for _ in range(rounds):
            begun = time.perf_counter()
            async with ledger.transaction() as transaction:
                transaction.append(DECISION)
            half = time.perf_counter()
            bare.execute("INSERT INTO t(entry, salt, body) VALUES(?, ?, ?)", row)
            ours.append(half - begun)
            rival.append(time.perf_counter() - half)

    anyio.run(main)
    ledger.close()
    bare.close()
    return statistics.median(ours), statistics.median(rival)


def verification(home: Path, *, entries: int = 100_000, rounds: int = 3) -> tuple[float, float]:
    """Median seconds to verify a ledger, and to read the same rows and hash them once each; taken in turn."""
    ledger = open_ledger(home, clock=SystemClock())

    async def fill() -> None:
        async with ledger.transaction() as transaction:
            for _ in range(entries):
                transaction.append(DECISION)

    anyio.run(fill)
    ledger.close()
    pairs = [(_timed(lambda: _verify(home, entries)), _timed(lambda: _bare(home))) for _ in range(rounds)]
    return statistics.median(ours for ours, _ in pairs), statistics.median(rival for _, rival in pairs)


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _verify(home: Path, entries: int) -> None:
    result = verify_stored(home)
    if not isinstance(result, Verified) or result.entries != entries:
        raise AssertionError(result)


def _bare(home: Path) -> None:
    db = sqlite3.connect(home / "ledger.db")
    for entry, salt, body in db.execute("SELECT entry, salt, body FROM entries ORDER BY seq"):
        sha256(entry.encode()).digest()
        sha256(salt + body).digest()
    db.close()


def rows() -> list[tuple[str, float, float, float]]:
    """Name, our seconds, the rival's seconds, and how many times the rival's we allow ourselves."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "append"), Path(folder, "verify")
        one.mkdir()
        appended, checked = append(one), verification(two)
    return [
        ("record one decision, durable and signed, against a bare FULL commit of the same bytes", *appended, 1.5),
        ("verify 100 000 entries, against reading and hashing the same rows", *checked, 4.0),
    ]


if __name__ == "__main__":
    for name, ours, rival, goal in rows():
        sys.stdout.write(f"{name}: {ours * 1e3:.3f} ms against {rival * 1e3:.3f} ms, {ours / rival:.2f}x (goal {goal}x)\n")
