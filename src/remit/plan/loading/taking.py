"""Values out of somebody else's file: what is not of the form that is wanted counts as not said."""

import math
from typing import Any

MOST_TEXT = 8192
MOST_ITEMS = 2000


def text(value: Any) -> str:
    """A text, or a number as it is written; lists, mappings and nothing are empty."""
    if isinstance(value, str):
        return value.strip()[:MOST_TEXT]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; one text alone is a list of one. Empty ones are left out, none is there twice."""
    items = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(found for each in items[:MOST_ITEMS] if (found := text(each))))


def table(value: Any) -> dict[str, Any]:
    """A mapping; a list of names, or of mappings with a `name`, as a mapping by those."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        named = [each for each in value[:MOST_ITEMS] if isinstance(each, dict) and text(each.get("name"))]
        return {
            **{each: {} for each in value[:MOST_ITEMS] if isinstance(each, str)},
            **{text(each["name"]): each for each in named},
        }
    return {}


def whole(value: Any, otherwise: int) -> int:
    """A whole number, also one in quotes."""
    if isinstance(value, bool):
        return otherwise
    if isinstance(value, int):
        return value
    said = text(value)
    return int(said) if len(said) < 10 and said.isascii() and said.removeprefix("-").isdigit() else otherwise


def share(value: Any, otherwise: float) -> float:
    """A share between 0 and 1: `0.7`, `70`, `70%`."""
    said = text(value)
    try:
        number = float(said.removesuffix("%"))
    except ValueError:
        return otherwise
    if said.endswith("%") or number > 1:
        number /= 100
    return number if math.isfinite(number) and 0 <= number <= 1 else otherwise


def truth(value: Any) -> bool:
    """`true`, `yes`, `on`; everything else is not said."""
    return value is True or text(value).lower() in ("true", "yes", "on")
