"""What a loop hands to the guard, made into an action: plain copies of its values, or why it is none."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from remit.authority.action import Action
from remit.authority.arguments import unusable

LONGEST = 200
"""characters of the name of a tool, and of an act"""
INEXACT = "a float is not exact: give a Decimal or an int"


def wanted(name: Any, arguments: Any, named: Mapping[str, Any], key: Any) -> Action | str:
    """The action, or the words for why this cannot be one."""
    if not isinstance(name, str) or not _plain(name):
        return "the name of a tool is a short text on one line"
    if not isinstance(key, str) or (key and not _plain(key)):
        return "the name of an act is a short text on one line"
    if arguments is not None and not isinstance(arguments, Mapping):
        return "the arguments are not an object with names"
    if twice := sorted(set(arguments or {}) & set(named), key=str):
        return f"`{twice[0]}` is given twice"
    given = {**(arguments or {}), **named}
    if fault := unusable(given):
        return INEXACT_AT.format(fault.partition(":")[0]) if _floats(given) else fault
    return Action(verb="call", object=name, arguments=_copied(given))


INEXACT_AT = "{}: " + INEXACT


def _plain(text: str) -> bool:
    return 0 < len(text) <= LONGEST and text.isprintable() and text == text.strip()


def _floats(value: Any, depth: int = 0) -> bool:
    if isinstance(value, float) or depth > 16:
        return isinstance(value, float)
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(_floats(each, depth + 1) for each in members)


def _copied(value: Any) -> Any:
    """The value in plain types: whoever handed it over may change it, or have given a type that only looks like one of these."""
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case Decimal():
            return Decimal(value)
        case Mapping():
            return {str.__str__(key): _copied(each) for key, each in value.items()}
        case _:
            return [_copied(each) for each in value]
