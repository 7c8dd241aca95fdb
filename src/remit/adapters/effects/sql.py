"""One SQL statement as an effect, in one transaction with a row that names its key: at most once, and it can be asked.

The row in `remit_effects` makes every later attempt with this key find the first one's receipt instead of doing anything.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread

from remit.adapters.effects import sql_text
from remit.adapters.effects.answers import single
from remit.adapters.effects.arguments import json_text, only, readable, usable
from remit.adapters.effects.doubt import asking, before_anything
from remit.adapters.effects.secret import Secrets, without_user
from remit.adapters.effects.sql_once import Database, Kept, Once
from remit.authority.action import typed
from remit.contract.binding import SqlStatement
from remit.errors import BadInput, Refused
from remit.ports.effects import Receipt
from remit.value import digest

WINDOW = 3650 * 24 * 3600
"""seconds for which a key is known: as long as its row stands, which nothing here ever takes away"""


class SqlEffect:
    """See `remit.ports.Performer`."""

    window: int | None = WINDOW
    probes = True
    settles = 0

    def __init__(self, binding: SqlStatement, environment: Mapping[str, str]) -> None:
        self._binding, self._environment = binding, environment
        self._names = sql_text.arguments(binding.statement)

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """The statement, its values, and where."""
        self._checked(arguments)
        where = without_user(self._binding.database).partition("?")[0]
        lines = [f"in one transaction on {where}:", self._binding.statement.strip()]
        lines += ["with", *(f"  {name} = {json_text(arguments[name])}" for name in self._names)] if self._names else []
        return readable("\n".join(lines))

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Do it, or give the receipt of when it was done. Raises Refused or BadInput when nothing was changed, else Broken."""
        secrets = Secrets(self._environment)
        with before_anything():
            self._checked(arguments)
            database = opened(secrets.read(self._binding.database), secrets)
            values = {name: _plain(arguments[name]) for name in self._names}
            what = Once(key=key, same=self._same(arguments), statement=self._binding.statement, values=values)
        return _receipt(await to_thread.run_sync(database.once, what), self._same(arguments))

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """The receipt that stands in the key's row, None when there is no row."""
        secrets = Secrets(self._environment)
        with asking():
            database = opened(secrets.read(self._binding.database), secrets)
            found = await to_thread.run_sync(database.find, key)
            return None if found is None else _receipt(found, self._same(arguments))

    def _checked(self, arguments: Mapping[str, Any]) -> None:
        usable(arguments)
        only(arguments, self._names, why="the statement does not use it")
        if missing := [name for name in self._names if name not in arguments]:
            raise BadInput(f"{', '.join(f'`{name}`' for name in missing)}: the statement needs it")
        secrets = Secrets(self._environment)
        database = opened(secrets.read(self._binding.database), secrets)
        database.checked({name: _plain(value) for name, value in arguments.items()})

    def _same(self, arguments: Mapping[str, Any]) -> str:
        return digest([self._binding.statement, typed(arguments)])


# ---------------------------------------------------------------------------------------------------------------------


def opened(text: str, secrets: Secrets) -> Database:
    """The database at `sqlite:////PATH`, a path, or `postgresql://…`. Raises BadInput for any other text."""
    from remit.adapters.effects.sql_postgres import Postgres
    from remit.adapters.effects.sql_sqlite import Sqlite

    if text.startswith(("postgresql://", "postgres://")):
        return Postgres(text, secrets)
    path = text.removeprefix("sqlite:///")
    if not path.startswith("/") or urlsplit(text).scheme not in ("", "sqlite"):
        raise BadInput("the database must be `sqlite:////WHOLE/PATH`, the whole path of a SQLite file, or `postgresql://…`")
    return Sqlite(path, secrets)


def _plain(value: Any) -> Any:
    """Lists and tables go to a database as their JSON text."""
    return json_text(value) if isinstance(value, list | tuple | Mapping) else value


def _receipt(found: Kept, same: str) -> Receipt:
    if found.same != same:
        raise Refused("this key was used for something else, so nothing was done under it now")
    rows = json.loads(found.output, parse_float=str, parse_int=str) if found.output else []
    return Receipt(receipt=found.receipt, returned=single(rows[0]) if len(rows) == 1 else (), output=found.output)
