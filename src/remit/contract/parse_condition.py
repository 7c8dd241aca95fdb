"""Conditions of a `where`: every form the contract language knows, each with its own complaint."""

import unicodedata
from collections.abc import Callable

from remit.contract.amounts import decimal
from remit.contract.condition import (
    Anything,
    Condition,
    Contains,
    Created,
    Empty,
    Equals,
    Glob,
    Host,
    Known,
    Length,
    Not,
    OneOf,
    Prefix,
    Range,
    Regex,
    Scalar,
    SubsetOf,
    Url,
)
from remit.contract.nodes import Leaf, Node, Sequence, Table
from remit.contract.reading import Reading, inside, said

LONGEST_REGEX = 1000
FORMS = (
    "from",
    "over",
    "to",
    "subset of",
    "contains",
    "prefix",
    "glob",
    "regex",
    "host",
    "url",
    "length",
    "not",
    "known",
    "created",
)


def parse_condition(reading: Reading, node: Node, where: str) -> Condition | None:
    """One condition, or None with what is wrong noted."""
    reading.marks.setdefault(where, node.mark)
    match node:
        case Leaf():
            if node.plain and node.text == "any":
                return Anything()
            if node.plain and node.text == "empty":
                return Empty()
            value = parse_scalar(reading, node, where)
            return Equals(value=value) if value else None
        case Sequence():
            values = _scalars(reading, node, where)
            return OneOf(values=values) if values else None
        case Table():
            return _form(reading, node, where)


def parse_scalar(reading: Reading, node: Node, where: str) -> Scalar | None:
    """One value to compare with."""
    if not isinstance(node, Leaf):
        reading.wrong(node, where, f"{said(node)} stands where one value belongs")
        return None
    if node.plain and node.text == "":
        reading.wrong(node, where, "nothing is written here", hint="write a value, or `any` where the argument is free")
        return None
    digits = node.text.lstrip("+-")
    if node.kind == "number" and len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        reading.wrong(
            node,
            where,
            f"`{node.text}` would be a number without its leading zeros",
            code="NUMBER",
            hint="quote it where a text is meant",
        )
        return None
    if node.kind == "number" and (len(node.text) > 60 or "e" in node.text.lower()):
        reading.wrong(node, where, f"{said(node)} is not a plain decimal", code="NUMBER", hint="write it out, such as `1000`")
        return None
    if node.kind == "clock":
        reading.clock(node, where)
        return None
    scalar = node.scalar()
    if scalar is None:
        reading.wrong(
            node,
            where,
            f"`{node.text}` is not a plain decimal",
            code="NUMBER",
            hint="write a decimal, or quote it where a text is meant",
        )
    return scalar


def regex_problem(pattern: str) -> str | None:
    """What keeps a pattern from running in linear time; None when nothing does."""
    if len(pattern) > LONGEST_REGEX:
        return f"it is longer than {LONGEST_REGEX} characters"
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be compiled"
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return None


def parse_regex(reading: Reading, node: Node, where: str) -> str | None:
    """A pattern that compiles under the linear-time engine."""
    pattern = reading.optional(node, where)
    problem = regex_problem(pattern) if pattern else None
    if problem:
        hint = "only what matches in linear time: no look-around, no back-references"
        reading.wrong(node, where, f"the pattern cannot be used: {problem}", code="REGEX", hint=hint)
        return None
    return pattern


def _form(reading: Reading, node: Table, where: str) -> Condition | None:
    table = reading.table(node, where, FORMS)
    if table is None or len(table.pairs) != len(node.pairs):
        return None
    names = {key.text for key, _ in table.pairs}
    if names & {"from", "over", "to"}:
        return _range(reading, table, where, names)
    if len(names) != 1:
        reading.wrong(node, where, "a condition has exactly one form", hint=f"one of {', '.join(FORMS)}")
        return None
    key, value = table.pairs[0]
    return _SINGLE[key.text](reading, value, inside(where, key.text))


def _range(reading: Reading, table: Table, where: str, names: set[str]) -> Condition | None:
    if names not in ({"from", "to"}, {"over", "to"}):
        extra = sorted(names - {"from", "over", "to"})
        if extra:
            reading.wrong(table, where, f"`{extra[0]}` does not belong to a range")
        else:
            what = "a range needs both bounds, else anything on the open side passes, negatives included"
            reading.wrong(table, where, what, code="ONE-BOUND", hint="write `{from: 0.01, to: 50}` or `{over: 50, to: 500}`")
        return None
    lower = "over" if "over" in names else "from"
    low, high = (_bound(reading, table.get(name), inside(where, name)) for name in (lower, "to"))
    if low is None or high is None:
        return None
    least, most = decimal(low), decimal(high)
    assert least is not None
    assert most is not None
    if least > most or (lower == "over" and least == most):
        reading.wrong(
            table, where, f"no amount lies between `{low}` and `{high}`", code="EMPTY-RANGE", hint="put the smaller one first"
        )
        return None
    return Range(low=low, high=high, over=lower == "over")


def _bound(reading: Reading, node: Node | None, where: str) -> str | None:
    if not isinstance(node, Leaf) or decimal(node.text) is None:
        if node is not None:
            reading.wrong(
                node, where, f"{said(node)} is not a plain decimal", code="NUMBER", hint="write it out, such as `0.01` or `500`"
            )
        return None
    return node.text


def _scalars(reading: Reading, node: Node, where: str) -> tuple[Scalar, ...] | None:
    if isinstance(node, Sequence) and not node.items:
        reading.wrong(node, where, "the list is empty, so nothing can match it")
        return None
    values = [parse_scalar(reading, item, path) for item, path in reading.items(node, where)]
    kept = tuple(value for value in values if value is not None)
    return kept if kept and len(kept) == len(values) else None


def _length(reading: Reading, node: Node, where: str) -> Condition | None:
    table = reading.table(node, where, ("from", "to"))
    if table is None:
        return None
    low = reading.count(table.get("from"), inside(where, "from"), least=0)
    high = reading.count(table.get("to"), inside(where, "to"), least=0)
    if low is None or high is None:
        if len(table.pairs) < 2:
            reading.wrong(node, where, "a length needs both bounds", code="ONE-BOUND", hint="write `{length: {from: 1, to: 80}}`")
        return None
    if low > high:
        reading.wrong(
            node, where, f"no length lies between {low} and {high}", code="EMPTY-RANGE", hint="put the smaller one first"
        )
        return None
    return Length(low=low, high=high)


def _subset(reading: Reading, node: Node, where: str) -> Condition | None:
    values = _scalars(reading, node, where)
    return SubsetOf(values=values) if values else None


def _contains(reading: Reading, node: Node, where: str) -> Condition | None:
    text = reading.optional(node, where)
    return Contains(text=text) if text else None


def _prefix(reading: Reading, node: Node, where: str) -> Condition | None:
    text = reading.optional(node, where)
    return Prefix(text=text) if text else None


def _glob(reading: Reading, node: Node, where: str) -> Condition | None:
    text = reading.optional(node, where)
    return Glob(pattern=unicodedata.normalize("NFC", text)) if text else None


def _regex(reading: Reading, node: Node, where: str) -> Condition | None:
    pattern = parse_regex(reading, node, where)
    return Regex(pattern=pattern) if pattern else None


def _host(reading: Reading, node: Node, where: str) -> Condition | None:
    text = reading.optional(node, where)
    if text and not plain_host(text):
        reading.wrong(
            node, where, f"`{text}` is not a host", code="HOST", hint="write `api.example.com`, `*.example.com` or with a port"
        )
        return None
    return Host(pattern=text) if text else None


def _url(reading: Reading, node: Node, where: str) -> Condition | None:
    text = reading.optional(node, where)
    if text and not plain_url(text):
        reading.wrong(
            node,
            where,
            f"`{text}` is not a plain URL",
            code="URL",
            hint="write scheme, host and path: `https://api.example.com/v1`",
        )
        return None
    return Url(prefix=text) if text else None


def plain_host(text: str) -> bool:
    """ASCII labels, at most a leading `*.`, an optional port; nothing that two programs read differently."""
    host, colon, port = text.partition(":")
    labels = host.removeprefix("*.").split(".")
    fine = all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels)
    return text.isascii() and fine and (not colon or port == "*" or (port.isdigit() and 0 < int(port[:6]) < 65536))


def plain_url(text: str) -> bool:
    """Scheme, plain host, optional port and path, without user, blanks or backslash."""
    scheme, mark, rest = text.partition("://")
    host = rest.split("/")[0].split("?")[0].split("#")[0]
    clean = text.isascii() and text.isprintable() and not any(letter in text for letter in " \\@")
    return clean and bool(mark) and scheme in ("http", "https") and plain_host(host)


def _known(reading: Reading, node: Node, where: str) -> Condition | None:
    text = reading.optional(node, where)
    return Known(register=text) if text else None


def _created(reading: Reading, node: Node, where: str) -> Condition | None:
    if reading.text(node, where) == "this run":
        return Created()
    reading.wrong(node, where, f"{said(node)} is not `this run`", hint="write `{created: this run}`")
    return None


def _not(reading: Reading, node: Node, where: str) -> Condition | None:
    inner = parse_condition(reading, node, where)
    return Not(condition=inner) if inner else None


_SINGLE: dict[str, Callable[[Reading, Node, str], Condition | None]] = {
    "subset of": _subset,
    "contains": _contains,
    "prefix": _prefix,
    "glob": _glob,
    "regex": _regex,
    "host": _host,
    "url": _url,
    "length": _length,
    "not": _not,
    "known": _known,
    "created": _created,
}
