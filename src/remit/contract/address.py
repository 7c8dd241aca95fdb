"""The address of a contract or organisation: equal values have equal addresses, however they came about.

The encoder leaves out a default only where it is the very same object, so that a value that was read from a file and one that was
built from defaults could differ in their bytes; here what equals its default is left out.
"""

from functools import cache
from typing import Any

import msgspec

from remit.value import digest


def address(value: msgspec.Struct) -> str:
    """`sha256:` over the value without what equals its defaults; a later optional key leaves older addresses as they were."""
    return digest(_essence(value))


# ---------------------------------------------------------------------------------------------------------------------


def _essence(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_essence(member) for member in value]
    if not isinstance(value, msgspec.Struct):
        return value
    tag_field, tag, fields = _shape(type(value))
    found = {tag_field: tag} if tag_field else {}
    for name, default in fields:
        part = getattr(value, name)
        if part != default:
            found[name] = _essence(part)
    return found


@cache
def _shape(kind: type[msgspec.Struct]) -> tuple[str | None, Any, tuple[tuple[str, Any], ...]]:
    config = kind.__struct_config__
    fields = tuple((each.encode_name, each.default) for each in msgspec.structs.fields(kind))
    return config.tag_field, config.tag, fields
