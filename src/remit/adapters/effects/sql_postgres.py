"""A statement once on PostgreSQL, through psycopg 3."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from remit.adapters.effects import sql_rows, sql_text
from remit.adapters.effects.secret import Secrets
from remit.adapters.effects.sql_once import Kept, Once
from remit.errors import BadInput, Broken, Refused, Unavailable

if TYPE_CHECKING:
    import psycopg

CONNECTING = 10
"""seconds until a connection stands"""
PATIENCE = 60
"""seconds that the statement may take, locks included"""
_TABLE = """CREATE TABLE IF NOT EXISTS remit_effects (
    key text PRIMARY KEY, same text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    receipt text NOT NULL, output text NOT NULL)"""
_CLAIM = "INSERT INTO remit_effects (key, same, receipt, output) VALUES (%s, %s, '', '') ON CONFLICT (key) DO NOTHING"
_FIND = "SELECT same, receipt, output FROM remit_effects WHERE key = %s"
_TOLD = "UPDATE remit_effects SET receipt = %s, output = %s WHERE key = %s"


class Postgres:
    """See `remit.adapters.effects.sql_once.Database`."""

    def __init__(self, address: str, secrets: Secrets) -> None:
        self._address, self._secrets = address, secrets

    def checked(self, values: Mapping[str, Any]) -> None:
        """Raises Unavailable when psycopg is missing, BadInput for a text that PostgreSQL cannot hold."""
        _driver()
        for name, value in values.items():
            if isinstance(value, str) and "\0" in value:
                raise BadInput(f"`{name}` holds a character that PostgreSQL cannot keep")

    def once(self, what: Once) -> Kept:
        """Row and statement in one transaction; a second one with the same key waits for the first and finds its row."""
        psycopg = _driver()
        with self._connection() as connection:
            try:
                _stand(connection)
                _patient(connection)
                if not self._claimed(connection, what.key, what.same):
                    row = connection.execute(_FIND, (what.key,)).fetchone()
                    connection.rollback()
                    if row is None:
                        raise Refused("another attempt with this key was given up at this moment; nothing was done")
                    return Kept(same=row[0], receipt=row[1], output=row[2])
                kept = _done(connection, what)
                connection.execute(_TOLD, (kept.receipt, kept.output, what.key))
            except psycopg.Error as error:
                # Nothing was committed, and what is not committed the server takes back, connection or not.
                raise Refused(f"the database refused it, nothing was changed: {self._said(error)}") from error
            try:
                connection.commit()
            except psycopg.Error as error:
                if not connection.broken and error.sqlstate:
                    raise Refused(f"the database refused it, nothing was changed: {self._said(error)}") from error
                raise Broken(f"the database was lost while it kept the change: {self._said(error)}") from error
        return kept

    def find(self, key: str) -> Kept | None:
        """The row of a key; tries to take the key, so whoever was still writing it has ended, and gives it back."""
        psycopg = _driver()
        try:
            with self._connection() as connection:
                if connection.execute("SELECT to_regclass('remit_effects')").fetchone() in (None, (None,)):
                    return None
                _patient(connection)
                self._claimed(connection, key, "")
                row = connection.execute(_FIND, (key,)).fetchone()
                connection.rollback()
        except (psycopg.Error, Refused) as error:
            raise Broken(f"the database cannot be asked: {self._said(error)}") from error
        return None if row is None or not row[0] else Kept(same=row[0], receipt=row[1], output=row[2])

    def _claimed(self, connection: "psycopg.Connection[Any]", key: str, same: str) -> bool:
        """Whether the key was free. Raises Broken when another transaction holds it and does not end."""
        psycopg = _driver()
        try:
            return bool(connection.execute(_CLAIM, (key, same)).rowcount)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled) as error:
            raise Broken("another attempt with this key is still under way in the database") from error

    @contextmanager
    def _connection(self) -> "Iterator[psycopg.Connection[Any]]":
        """A connection that gives up by itself. Raises Refused."""
        psycopg = _driver()
        try:
            connection = psycopg.connect(
                self._address, connect_timeout=CONNECTING, application_name="remit",
                keepalives=1, keepalives_idle=10, keepalives_interval=5, keepalives_count=4, tcp_user_timeout=PATIENCE * 1000,
            )  # fmt: skip
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        except psycopg.Error as error:
            raise Refused(f"the database cannot be reached, nothing was sent: {self._said(error)}") from error
        try:
            yield connection
        finally:
            with suppress(psycopg.Error):
                connection.close()

    def _said(self, error: BaseException) -> str:
        return self._secrets.line(str(error))


# ---------------------------------------------------------------------------------------------------------------------


def _driver() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise Unavailable("PostgreSQL needs its driver", hint="pip install remit[sql]") from error
    return psycopg


def _patient(connection: "psycopg.Connection[Any]") -> None:
    """Bounds for this transaction. Not at connection time: poolers in between refuse settings there."""
    bounds = (f"{PATIENCE}s", f"{PATIENCE}s")
    connection.execute("SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)", bounds)


def _stand(connection: "psycopg.Connection[Any]") -> None:
    """Make the table where it is not there; asked first, because making it needs a right that using it does not."""
    if connection.execute("SELECT to_regclass('remit_effects')").fetchone() in (None, (None,)):
        # IF NOT EXISTS alone is no protection: of two at once, one fails over the name it finds taken.
        _patient(connection)
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('remit_effects'))")
        connection.execute(_TABLE)
    connection.commit()


def _done(connection: "psycopg.Connection[Any]", what: Once) -> Kept:
    statement = sql_text.spelled(what.statement, lambda name: f"%({name})s", lambda text: text.replace("%", "%%"))
    cursor = connection.execute(statement.encode(), dict(what.values))
    if cursor.description is None:
        return Kept(same=what.same, receipt=sql_rows.counted(max(cursor.rowcount, 0)), output="")
    rows = cursor.fetchmany(sql_rows.MOST)
    names = [column.name for column in cursor.description]
    return Kept(same=what.same, receipt=sql_rows.counted(cursor.rowcount), output=sql_rows.output(names, rows))
