"""Arguments of an action: which values are read at all, and what a declared tool demands."""

import unicodedata
from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal
from typing import Any

from remit.contract.party import Tool

DEPTH = 16
ITEMS = 10_000
CHARACTERS = 1_000_000
SHORT = 100
"""characters of a text that is looked at no further when it is ASCII"""
DIGITS = 34
"""significant digits and decimal exponent beyond which a number is no amount"""

_WHOLE = Context(prec=DIGITS, traps=[Inexact, Overflow, Subnormal, InvalidOperation])

EXACT = Context(prec=200, traps=[Inexact])
"""adds and compares numbers of `DIGITS` without ever rounding"""


def unusable(arguments: Any) -> str:
    """Why these arguments cannot be judged, empty when they can: JSON values with `int` or `Decimal` numbers, within the caps."""
    if not isinstance(arguments, Mapping):
        return "the arguments are not an object with names"
    if len(arguments) > ITEMS // 2:
        return f"more than {ITEMS // 2} arguments"
    room = [ITEMS, CHARACTERS]
    for name, value in arguments.items():
        if type(name) is str and name.isascii() and len(name) < SHORT and _plain(value):
            continue
        fault = _fault(name, 1, room) if isinstance(name, str) else "an argument has no name"
        fault = fault or _fault(value, 1, room)
        if fault:
            return f"argument `{str(name)[:80]}`: {fault}"
    return ""


def number(value: Any) -> Decimal | None:
    """The number as a decimal; None for everything else, `true` included."""
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def composed(text: str) -> str:
    """The text in NFC, so that two spellings of one letter are one letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def missing(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """What a declared tool lacks: required arguments that are not there, declared ones of another kind. Empty when fine."""
    absent = [wanted.name for wanted in tool.arguments if wanted.required and arguments.get(wanted.name) is None]
    if absent:
        return f"`{tool.name}` needs " + ", ".join(f"`{name}`" for name in absent)
    for declared in tool.arguments:
        value = arguments.get(declared.name)
        if value is not None and not _is(declared.type, value):
            return f"`{declared.name}` of `{tool.name}` must be a {_KINDS[declared.type]}"
    return ""


def unknown(tool: Tool, arguments: Mapping[str, Any]) -> list[str]:
    """Arguments that an outgoing tool does not declare, sorted; a tool that declares none is not held to it."""
    if not tool.arguments or tool.effect in ("read", "suggest", "draft"):
        return []
    return sorted(arguments.keys() - {declared.name for declared in tool.arguments})


# ---------------------------------------------------------------------------------------------------------------------

_KINDS = {"text": "text", "number": "number", "truth": "truth value", "list": "list", "any": "value"}


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "number":
            return number(value) is not None
        case "truth":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list | tuple)
        case _:
            return True


def _plain(value: Any) -> bool:
    """The usual values, seen at a glance; everything else takes the long way."""
    kind = type(value)
    if kind is str:
        return bool(len(value) < SHORT and value.isascii())
    if kind is int:
        return bool(-1_000_000_000_000 < value < 1_000_000_000_000)
    return not _decimal_fault(value) if kind is Decimal else value is None or kind is bool


def _fault(value: Any, depth: int, room: list[int]) -> str:
    """`room` counts down the items and characters still allowed over all arguments together."""
    room[0] -= 1
    if room[0] < 0:
        return f"more than {ITEMS} values"
    match value:
        case str():
            return _text_fault(value, room)
        case None | bool():
            return ""
        case int():
            return "" if value.bit_length() <= 112 else f"a number of more than {DIGITS} digits"
        case Decimal():
            return _decimal_fault(value)
        case list() | tuple() | Mapping():
            return _nested_fault(value, depth, room)
        case _:
            return "not a text, a whole or decimal number, true, false, null, a list or an object"


def _text_fault(text: str, room: list[int]) -> str:
    room[1] -= len(text)
    if room[1] < 0:
        return f"more than {CHARACTERS} characters"
    if not text.isascii() and any("\ud800" <= mark <= "\udfff" for mark in text):
        return "half a character (a lone surrogate)"
    return ""


def _decimal_fault(value: Decimal) -> str:
    if not value.is_finite():
        return "not a finite number"
    try:
        fits = -DIGITS <= _WHOLE.plus(value).adjusted() <= DIGITS
    except ArithmeticError:
        fits = False
    return "" if fits else f"a number of more than {DIGITS} digits"


def _nested_fault(value: Any, depth: int, room: list[int]) -> str:
    if depth >= DEPTH:
        return f"nested deeper than {DEPTH}"
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            return "an object whose names are not texts"
        members = [*value.keys(), *value.values()]
    else:
        members = list(value)
    return next((fault for member in members if (fault := _fault(member, depth + 1, room))), "")
