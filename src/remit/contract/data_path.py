"""One value out of a JSON or YAML file that an agent may have written: bounded in size, depth and memory."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

DEPTH = 100
"""lists and tables inside one another"""
JSON_MARKS = 500_000
"""commas, colons and brackets of a JSON file: what bounds the memory its values take"""
YAML_VALUES = 50_000
"""values of a YAML file, each of which costs ten times one of JSON"""
NUMBER = 1000
"""characters of a plain YAML word: base-60 numbers take quadratic time"""


def value_at(form: Literal["json", "yaml"], data: bytes, path: str) -> Any:
    """The value of the file at `$.a.b[0]`. Raises ValueError for what cannot be read, LookupError when nothing is there."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    return at(_json(data) if form == "json" else _yaml(data), path)


def at(value: Any, path: str) -> Any:
    """The value at `$.a.b[0]`. Raises LookupError when nothing is there."""
    for part in path.removeprefix("$").replace("[", ".[").split("."):
        if not part:
            continue
        if part.startswith("["):
            place = int(part.strip("[]"))
            if not isinstance(value, list):
                raise LookupError(f"`{part}` is asked of something that is no list")
            if not 0 <= place < len(value):
                raise LookupError(f"there is no `{part}` in a list of {len(value)}")
            value = value[place]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            raise LookupError(f"there is no `{part}`")
    return value


def _json(data: bytes) -> Any:
    marks = sum(data.count(mark) for mark in (b",", b":", b"[", b"{"))
    if marks > JSON_MARKS:
        raise ValueError(f"it holds more than {JSON_MARKS} values")
    try:
        value = msgspec.json.decode(data)
    except RecursionError:
        raise ValueError(f"it is nested more than {DEPTH} deep") from None
    for depth, _ in _walked(value):
        if depth > DEPTH:
            raise ValueError(f"it is nested more than {DEPTH} deep")
    return value


def _walked(value: Any) -> Iterator[tuple[int, Any]]:
    """Every list and table with how deep it lies, without recursion."""
    pending = [(1, value)]
    while pending:
        depth, each = pending.pop()
        inside = each if isinstance(each, list) else each.values() if isinstance(each, dict) else None
        if inside is None:
            continue
        yield depth, each
        pending += [(depth + 1, below) for below in inside if isinstance(below, list | dict)]


def _yaml(data: bytes) -> Any:
    import yaml

    try:
        _bounded(yaml.parse(data, Loader=yaml.CSafeLoader))
        return yaml.load(data, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {str(error).splitlines()[0]}") from None


def _bounded(events: Iterator[Any]) -> None:
    """Looked at as a stream, so that what is refused was never held. Raises ValueError.

    An alias makes a kilobyte a terabyte; a tag asks for another reading than the plain one.
    """
    count = depth = 0
    for event in events:
        kind = type(event).__name__
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            raise ValueError("anchors and aliases are not read")
        if getattr(event, "tag", None):
            raise ValueError(f"the tag `{event.tag}` is not read")
        if kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent"):
            count += 1
        if kind == "ScalarEvent" and event.implicit[0] and len(event.value) > NUMBER and " " not in event.value:
            raise ValueError(f"a plain word of more than {NUMBER} characters")
        depth += kind in ("MappingStartEvent", "SequenceStartEvent")
        depth -= kind in ("MappingEndEvent", "SequenceEndEvent")
        if count > YAML_VALUES:
            raise ValueError(f"it holds more than {YAML_VALUES} values")
        if depth > DEPTH:
            raise ValueError(f"it is nested more than {DEPTH} deep")
