"""Whether arguments are such as a tool of an MCP server takes, as far as its schema says it plainly.

What does not fit would only come back as an error, and an error leaves a doubt; seen here, it is refused before it is sent.
Only names, plain types and enumerations are looked at: a schema comes from the server, and a pattern in it could run for ever.
"""

from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int, float), "number": (int, float), "boolean": (bool,), "array": (list, tuple),
    "object": (Mapping,), "null": (type(None),),
}  # fmt: skip


def misfit(schema: Any, given: Mapping[str, Any]) -> str:
    """Why the server will not take these arguments; empty when nothing plain is against it."""
    if not isinstance(schema, Mapping):
        return ""
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name not in given:
            return f"`{name[:80]}` is missing"
    if schema.get("additionalProperties") is False and (extra := sorted(set(given) - set(known))):
        return f"it takes no `{extra[0]}`"
    for name, value in given.items():
        if why := _wrong(known.get(name), value):
            return f"`{name}` {why}"
    return ""


def _wrong(schema: Any, value: Any) -> str:
    if not isinstance(schema, Mapping):
        return ""
    said = schema.get("type")
    kinds = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    if kinds and all(isinstance(kind, str) and kind in _TYPES for kind in kinds) and not any(_is(kind, value) for kind in kinds):
        return f"must be {' or '.join(kinds)}"
    allowed = schema.get("enum")
    if isinstance(allowed, list) and isinstance(value, str) and value not in allowed:
        return "is none of what it may be"
    return ""


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, float) and not value.is_integer())
