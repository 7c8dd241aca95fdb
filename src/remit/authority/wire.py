"""Actions as JSON, read so that no two readers can differ: no double keys, no floats, no NaN, bounded depth."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from remit.authority.action import Action
from remit.contract.rule import VERBS
from remit.errors import BadInput

LONGEST = 4_000_000
DEPTH = 64
KEYS = {"verb", "object", "arguments", "result"}


def read_json(text: str) -> Any:
    """A JSON document whose numbers are `int` or `Decimal`, exactly as written. Raises BadInput."""
    if len(text) > LONGEST:
        raise BadInput(f"more than {LONGEST} characters")
    if _depth(text) > DEPTH:
        raise BadInput(f"nested deeper than {DEPTH}")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg.lower()} at column {error.colno}") from None
    except (InvalidOperation, ValueError) as error:
        said = str(error) if isinstance(error, BadInput) else "a number with too many digits"
        raise BadInput(said) from None


def read_action(text: str) -> tuple[Action, Any]:
    """`{"verb", "object", "arguments", "result"}` to an action and what it returned (None when it did not). Raises BadInput."""
    document = read_json(text)
    if not isinstance(document, dict):
        raise BadInput("an action is an object", hint='{"verb": "write", "object": "docs/a.md"}')
    strange = sorted(document.keys() - KEYS)
    if strange:
        raise BadInput(f"unknown key `{strange[0]}`", hint="an action has verb, object, arguments and result")
    verb, object_ = document.get("verb"), document.get("object")
    arguments = document.get("arguments", {})
    if not isinstance(verb, str) or verb not in VERBS:
        raise BadInput(f"`verb` must be one of {', '.join(VERBS)}")
    if isinstance(object_, list) and object_ and all(isinstance(word, str) for word in object_):
        object_ = tuple(object_)
    elif not isinstance(object_, str):
        raise BadInput("`object` must be a text, or a list of texts for a command")
    if not isinstance(arguments, dict):
        raise BadInput("`arguments` must be an object with names")
    return Action(verb=verb, object=object_, arguments=arguments), document.get("result")  # type: ignore[arg-type]


def returned(result: Any) -> Iterator[str]:
    """Every text and number in a result, however nested: what `{created: this run}` can refer to."""
    match result:
        case str():
            yield result
        case None | bool():
            return
        case int() | Decimal():
            yield str(result)
        case Mapping():
            for value in result.values():
                yield from returned(value)
        case list() | tuple():
            for value in result:
                yield from returned(value)


# ---------------------------------------------------------------------------------------------------------------------


def _depth(text: str) -> int:
    """The deepest nesting, found before the decoder recurses."""
    deepest = depth = 0
    quoted = escaped = False
    for mark in text:
        if quoted:
            quoted = escaped or mark != '"'
            escaped = mark == "\\" and not escaped
        elif mark == '"':
            quoted = True
        elif mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadInput(f"the key `{key[:80]}` stands twice")
        found[key] = value
    return found


def _constant(name: str) -> Any:
    raise BadInput(f"`{name}` is not a number")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=Decimal, parse_constant=_constant)
