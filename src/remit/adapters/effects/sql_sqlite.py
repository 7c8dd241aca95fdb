"""A statement once on a SQLite file, which must be there already."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from remit.adapters.effects import sql_rows, sql_text
from remit.adapters.effects.secret import Secrets
from remit.adapters.effects.sql_once import Kept, Once
from remit.errors import BadInput, Broken, Refused

PATIENCE = 20.0
"""seconds that another writer may hold the file"""
_TABLE = """CREATE TABLE IF NOT EXISTS remit_effects (
    key TEXT PRIMARY KEY NOT NULL, same TEXT NOT NULL, at TEXT NOT NULL, receipt TEXT NOT NULL, output TEXT NOT NULL)"""
_ROW = "INSERT INTO remit_effects VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?, ?)"
_FIND = "SELECT same, receipt, output FROM remit_effects WHERE key = ?"


class Sqlite:
    """See `remit.adapters.effects.sql_once.Database`."""

    def __init__(self, path: str, secrets: Secrets) -> None:
        self._path, self._secrets = path, secrets

    def checked(self, values: Mapping[str, Any]) -> None:
        """Raises BadInput for a number that SQLite cannot hold exactly."""
        for name, value in values.items():
            _bound(name, value)

    def once(self, what: Once) -> Kept:
        """Row and statement in one transaction."""
        values = {name: _bound(name, value) for name, value in what.values.items()}
        with self._connection() as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_TABLE)
                if (row := connection.execute(_FIND, (what.key,)).fetchone()) is not None:
                    connection.execute("ROLLBACK")
                    return Kept(same=row[0], receipt=row[1], output=row[2])
                kept = _done(connection, what, values)
                connection.execute(_ROW, (what.key, kept.same, kept.receipt, kept.output))
            except (sqlite3.Error, sqlite3.Warning, UnicodeError) as error:
                _undone(connection)
                raise Refused(f"the database refused it, nothing was changed: {self._secrets.line(str(error))}") from error
            try:
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                refused = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CONSTRAINT
                _undone(connection)
                said = self._secrets.line(str(error))
                if refused:
                    raise Refused(f"the database refused it, nothing was changed: {said}") from error
                raise Broken(f"the database failed while it kept the change: {said}") from error
        return kept

    def find(self, key: str) -> Kept | None:
        """The row of a key; takes the write lock, so whoever was still writing has ended."""
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'remit_effects'")
                row = connection.execute(_FIND, (key,)).fetchone() if there.fetchone() else None
                connection.execute("ROLLBACK")
        except (sqlite3.Error, Refused) as error:
            raise Broken(f"the database cannot be asked: {self._secrets.line(str(error))}") from error
        return None if row is None else Kept(same=row[0], receipt=row[1], output=row[2])

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """An open file, never a new one. Raises Refused."""
        if not Path(self._path).is_file():
            raise Refused("there is no such database file", hint="remit writes to databases, it does not make them")
        try:
            address = f"file:{quote(self._path)}?mode=rw"
            connection = sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)
        except sqlite3.Error as error:
            raise Refused(f"the database cannot be opened: {self._secrets.line(str(error))}") from error
        try:
            yield connection
        finally:
            connection.close()


# ---------------------------------------------------------------------------------------------------------------------


def _done(connection: sqlite3.Connection, what: Once, values: Mapping[str, Any]) -> Kept:
    statement = sql_text.spelled(what.statement, lambda name: f":{name}", lambda text: text)
    cursor = connection.execute(statement, values)
    if cursor.description is None:
        return Kept(same=what.same, receipt=sql_rows.counted(max(cursor.rowcount, 0)), output="")
    rows = cursor.fetchall()
    names = [column[0] for column in cursor.description]
    return Kept(same=what.same, receipt=sql_rows.counted(len(rows)), output=sql_rows.output(names, rows))


def _undone(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _bound(name: str, value: Any) -> Any:
    """SQLite has no decimals: one that is whole, or that a double holds to the last digit, goes in as that number."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and abs(value) < 2**63:
            return int(value)
        double = float(value)
        if Decimal(repr(double)) != value:
            raise BadInput(f"`{name}` has more digits than SQLite keeps", hint="pass it as text, or in the smallest unit")
        return double
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise BadInput(f"`{name}` is larger than the whole numbers of SQLite")
    return value
