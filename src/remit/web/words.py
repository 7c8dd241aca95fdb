"""How the pages say moments, durations, money, and text that somebody else wrote."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from remit.contract.limits import MICRO, Limits, Spend
from remit.evidence.account import moment
from remit.evidence.visible import visible as written_out

STEPS = ((60, "s", 1), (3600, "min", 60), (86400, "h", 3600), (86400 * 14, "d", 86400))


def visible(text: str) -> str:
    """Text with everything that could hide or turn round a part of it written out, so that nothing reads other than it is."""
    return written_out(text)


def finalized(value: Any) -> Any:
    """Everything a template prints passes here: plain texts are made visible, markup of our own is left alone."""
    if value is None:
        return ""
    return visible(value) if type(value) is str else value


def span(seconds: float) -> str:
    """A duration in its largest fitting unit: `42 s`, `7 min`, `1 h 40 min`, `5 d`."""
    if 3600 <= seconds < 36000 and seconds % 3600 >= 60:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
    for below, unit, size in STEPS:
        if seconds < below:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 604800)} weeks"


def relative(at: datetime, now: datetime) -> str:
    """`3 min ago`, `in 2 h`, `just now`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def absolute(at: datetime) -> str:
    """The moment to the second, UTC."""
    return moment(at)


def dollars(micro: int) -> str:
    """Millionths of a dollar as an amount; parts of a cent only where there are some."""
    amount = Decimal(micro) / MICRO
    return f"${amount:,.2f}" if micro % 10_000 == 0 else f"${amount:,.4f}"


def limits_of(limits: Limits, spend: Spend) -> list[tuple[str, float, float, str, str]]:
    """Every limit that is set: name, used, ceiling, and both as text."""
    rows: list[tuple[str, float, float, str, str]] = []
    for name, used, most in (
        ("turns", spend.turns, limits.turns),
        ("calls", spend.calls, limits.calls),
        ("tokens", spend.tokens, limits.tokens),
    ):
        if most is not None:
            rows.append((name, used, most, f"{used:,}", f"{most:,}"))
    if limits.usd is not None:
        rows.append(("money", spend.usd, limits.usd, dollars(spend.usd), dollars(limits.usd)))
    if limits.time is not None:
        rows.append(("time", spend.time, limits.time, span(spend.time), span(limits.time)))
    return rows


def json_text(value: Any) -> str:
    """An argument as JSON text, numbers digit for digit as they are recorded."""
    match value:
        case Decimal():
            return str(value)
        case Mapping():
            return "{" + ", ".join(f"{json.dumps(str(key))}: {json_text(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(json_text(item) for item in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def from_json(text: str) -> Any:
    """The value of JSON text: numbers are `int` or Decimal, a key stands once. Raises ValueError."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once)


def _no_number(text: str) -> Any:
    raise ValueError(f"`{text}` is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found
