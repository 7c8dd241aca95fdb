"""The arguments of a call, before they reach another system: only what JSON can say exactly, and nothing left over."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from remit.errors import BadInput

_ENCODER = msgspec.json.Encoder(order="deterministic", decimal_format="number")
_DEPTH = 50


def json_text(value: Any) -> str:
    """JSON with every number digit for digit, keys sorted."""
    return _ENCODER.encode(value).decode()


def readable(text: str) -> str:
    """The text as a person reads it: what could hide or turn round a part of it is written out as its number."""
    return "".join(mark if mark.isprintable() or mark == "\n" else f"\\u{ord(mark):04x}" for mark in text)


def usable(arguments: Mapping[str, Any]) -> None:
    """Raises BadInput, naming the argument, for a value that JSON cannot say exactly."""
    for name, value in arguments.items():
        if why := _wrong(value, 0):
            raise BadInput(f"`{name}` cannot be used: {why}")


def only(arguments: Mapping[str, Any], known: Collection[str], *, why: str) -> None:
    """Raises BadInput for an argument that has no place in the effect: it would be dropped without a word."""
    extra = sorted(set(arguments) - set(known))
    if extra:
        raise BadInput(f"{', '.join(f'`{name}`' for name in extra)}: {why}")


def scalar(name: str, value: Any) -> str:
    """The text of a text, number or truth. Raises BadInput for anything else."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case Decimal():
            return json_text(value)
        case _:
            raise BadInput(f"`{name}` must be a single text or number here")


def _wrong(value: Any, depth: int) -> str:
    match value:
        case None | bool() | int():
            return ""
        case str():
            return "it holds half of a character" if any("\ud800" <= mark <= "\udfff" for mark in value) else ""
        case Decimal():
            return "" if value.is_finite() else "it is no number"
        case list() | tuple() if depth < _DEPTH:
            return next((why for item in value if (why := _wrong(item, depth + 1))), "")
        case Mapping() if depth < _DEPTH:
            whys = ("its names are not texts" if not isinstance(key, str) else _wrong(key, depth + 1) for key in value)
            inner = (_wrong(item, depth + 1) for item in value.values())
            return next((why for why in (*whys, *inner) if why), "")
        case list() | tuple() | Mapping():
            return "it is nested too deeply"
        case _:
            return f"{type(value).__name__} is neither text, whole number, exact decimal, truth, list nor table"
