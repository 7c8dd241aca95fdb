"""What another system answered, as a receipt holds it: JSON text, and the single values later calls may rely on."""

import json
from typing import Any

from remit.adapters.effects.arguments import json_text
from remit.adapters.effects.secret import Secrets

LARGEST = 64 * 1024
"""bytes of an answer that are kept"""
_VALUES, _LENGTH = 50, 200


def kept(data: bytes, secrets: Secrets) -> tuple[str, Any]:
    """The answer as JSON text, and as a value whose numbers are texts, digit for digit; None where it was no JSON."""
    text = secrets.covered(data[:LARGEST].decode("utf-8", "replace"))
    if not text.strip():
        return "", None
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return json_text(text), None
    return text, value


def single(value: Any) -> tuple[str, ...]:
    """The texts and numbers at the top level of the answer, such as an id that was given out."""
    items = list(value.values()) if isinstance(value, dict) else [value]
    found = [item for item in items if isinstance(item, str) and item.isprintable() and 0 < len(item) <= _LENGTH]
    return tuple(dict.fromkeys(found))[:_VALUES]


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
