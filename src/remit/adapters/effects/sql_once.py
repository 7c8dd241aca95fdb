"""What a database has to do for an effect: one statement once, under a key that can be asked for."""

from collections.abc import Mapping
from typing import Any, Protocol

from remit.value import Value


class Once(Value, frozen=True, kw_only=True):
    """One statement to be done under one key; `same` is the digest of what it does, `None` values are NULL."""

    key: str
    same: str
    statement: str
    values: Mapping[str, Any]


class Kept(Value, frozen=True, kw_only=True):
    """What stands in the row of a key."""

    same: str
    receipt: str
    output: str


class Database(Protocol):
    """A database that can do one statement once. Texts of its errors may hold the login: the caller covers them."""

    def once(self, what: Once) -> Kept:
        """Row and statement, both or neither. Raises Refused when it is certain that neither, Broken when nobody knows."""
        ...

    def find(self, key: str) -> Kept | None:
        """The row of a key, after whatever still wrote it has ended. Raises Broken when that cannot be told."""
        ...

    def checked(self, values: Mapping[str, Any]) -> None:
        """Raises BadInput for a value it cannot hold exactly, Unavailable when its driver is missing."""
        ...
