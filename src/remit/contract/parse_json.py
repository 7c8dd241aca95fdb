"""Arguments of an example as JSON text, numbers kept as they were written."""

import re

from remit.contract.nodes import Leaf, Node, Sequence, Table
from remit.contract.parse_condition import parse_scalar
from remit.contract.reading import Reading, inside
from remit.value import encode

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)


def json_text(reading: Reading, node: Node, where: str) -> str:
    """Canonical JSON: keys sorted, no blanks; empty when something in it is wrong."""
    match node:
        case Leaf():
            return _scalar(reading, node, where)
        case Sequence():
            parts = [json_text(reading, item, path) for item, path in reading.items(node, where)]
            return "[" + ",".join(parts) + "]" if all(parts) else ""
        case Table():
            named = {key.text: json_text(reading, value, inside(where, key.text)) for key, value in node.pairs}
            pairs = [f"{encode(key).decode()}:{named[key]}" for key in sorted(named)]
            return "{" + ",".join(pairs) + "}" if all(named.values()) else ""


def _scalar(reading: Reading, leaf: Leaf, where: str) -> str:
    value = parse_scalar(reading, leaf, where)
    if value is None:
        return ""
    if value.type == "text":
        return encode(value.text).decode()
    if value.type == "number" and not _JSON_NUMBER.fullmatch(value.text):
        reading.wrong(leaf, where, f"`{value.text}` is not a number of JSON", code="NUMBER", hint="write it as `0.5` or `12`")
        return ""
    return value.text
