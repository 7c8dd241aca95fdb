"""Everything a ledger holds, read for verification and export without taking part in it."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from remit.adapters.ledgers.frontier import frontier
from remit.adapters.ledgers.heads import read_heads
from remit.errors import BadInput, Tampered
from remit.evidence.entry import Row
from remit.evidence.tree_head import VerifierKey, parse_head, parse_key
from remit.evidence.verify import Fault, Verified, verify
from remit.value import Value


class Stored(Value, frozen=True, kw_only=True):
    """Rows as they stand, the heads of every copy, and the keys they should be signed with."""

    rows: tuple[Row, ...]
    heads: tuple[bytes, ...]
    keys: tuple[VerifierKey, ...]


def read_stored(home: Path) -> Stored:
    """One consistent reading of the ledger below `home`. Raises BadInput when there is none, Tampered when unreadable."""
    with _reading(home) as db:
        rows, own = tuple(_rows(db)), _notes(db)
    return Stored(rows=rows, heads=_merged(own, _copies(home)), keys=_keys(home))


def verify_stored(home: Path) -> Verified | Fault:
    """Verify the ledger below `home`, row by row without holding it in memory; the order of its rows' places included."""
    with _reading(home) as db:
        heads = _merged(_notes(db), _copies(home))
        misplaced = db.execute(
            "SELECT min(seq) FROM (SELECT seq, row_number() OVER (ORDER BY seq) - 1 AS place FROM entries) WHERE seq <> place"
        ).fetchone()[0]
        result = verify(_rows(db), heads, _keys(home))
        if isinstance(result, Fault):
            return result
        if misplaced is not None:
            return Fault(seq=misplaced, until=misplaced, what="the entry stands in another place than it says")
        return _derived(db, result)


def _derived(db: sqlite3.Connection, result: Verified) -> Verified | Fault:
    """What the database keeps beside the record must agree with it: the nodes for appending, the places of the heads."""
    end = max(result.entries - 1, 0)
    query = "SELECT seq, CAST(note AS BLOB) FROM entries WHERE note IS NOT NULL ORDER BY seq"
    for seq, note in db.execute(query):
        if note.split(b"\n", 2)[1:2] != [b"%d" % (seq + 1)]:
            return Fault(seq=seq, until=seq, what="the head kept with the entry is not that of the commit it ends")
    try:
        sound = frontier(db).root().hex() == result.root
    except Tampered:
        sound = False
    return result if sound else Fault(seq=end, until=end, what="the tree kept for appending is not that of the entries")


@contextmanager
def _reading(home: Path) -> Iterator[sqlite3.Connection]:
    path = home / "ledger.db"
    if not path.is_file():
        raise BadInput(f"no ledger at `{home}`", hint="`remit run` makes one; --home or $REMIT_HOME names another place")
    # A closed ledger on a read-only disk cannot even make its index of the log: with no log there is nothing to index.
    still = "" if os.access(home, os.W_OK) or path.with_name("ledger.db-wal").exists() else "&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{still}", uri=True, isolation_level=None)) as db:
            db.text_factory = bytes
            db.execute("PRAGMA trusted_schema = OFF")
            db.execute("BEGIN")
            yield db
    except sqlite3.Error as error:
        if "no such table" in str(error) and not _copies(home):  # made on a full disk: not one head was ever signed
            raise BadInput(f"nothing is recorded yet at `{home}`", hint="`remit run` makes the first record") from error
        raise Tampered(f"the ledger file is damaged: {error}", hint="keep it, and compare with an export or a witness") from error


def _rows(db: sqlite3.Connection) -> Iterator[Row]:
    query = "SELECT CAST(entry AS BLOB), CAST(salt AS BLOB), CAST(body AS BLOB) FROM entries ORDER BY seq"
    for entry, salt, body in db.execute(query):
        yield Row(entry=entry, salt=salt, body=body)


def _notes(db: sqlite3.Connection) -> list[bytes]:
    return [note for (note,) in db.execute("SELECT CAST(note AS BLOB) FROM entries WHERE note IS NOT NULL ORDER BY seq")]


def _copies(home: Path) -> list[bytes]:
    witness = os.environ.get("REMIT_WITNESS")
    return [*read_heads(home / "heads"), *(read_heads(Path(witness).expanduser()) if witness else [])]


def _merged(own: Iterable[bytes], copies: Iterable[bytes]) -> tuple[bytes, ...]:
    """Each note once, by size; one that cannot be read keeps its place after the note before it."""
    known, last = {}, 0
    for note in (*own, *copies):
        if note not in known:
            with suppress(Tampered):
                last = parse_head(note)[0].size
            known[note] = last
    return tuple(sorted(known, key=known.__getitem__))


def _keys(home: Path) -> tuple[VerifierKey, ...]:
    path = home / "keys" / "ledger.pub"
    if not path.is_file():
        raise Tampered(f"the ledger's public key at `{path}` is gone", hint="put it back from an export or a backup")
    return (parse_key(path.read_text(errors="replace")),)
