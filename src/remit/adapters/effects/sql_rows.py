"""What a statement gave back, as JSON text of bounded size."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from remit.adapters.effects.answers import LARGEST
from remit.adapters.effects.arguments import json_text

MOST = 1000
"""rows that are kept"""


def output(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The rows as a JSON list of tables; as many as fit."""
    kept: list[str] = []
    size = 2
    for row in rows[:MOST]:
        text = json_text({name: _value(value) for name, value in zip(names, row, strict=True)})
        size += len(text.encode()) + 1
        if size > LARGEST:
            break
        kept.append(text)
    return "[" + ",".join(kept) + "]"


def counted(rows: int) -> str:
    """`1 row`, `3 rows`."""
    return f"{rows} row" if rows == 1 else f"{rows} rows"


def _value(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return value.encode("utf-8", "replace").decode()
        case float():
            return Decimal(repr(value)) if value - value == 0 else str(value)
        case Decimal():
            return value if value.is_finite() else str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
        case list() | tuple():
            return [_value(item) for item in value]
        case Mapping():
            return {str(key): _value(item) for key, item in value.items()}
        case _:
            return str(value)
