"""Limits: how far a run may go, in the units people write."""

from collections.abc import Callable
from typing import Literal, TypedDict, TypeVar, cast

from remit.contract.amounts import decimal, micro, seconds, size, thousands
from remit.contract.limits import Count, Limits, Pace, Sum
from remit.contract.nodes import Leaf, Node, Table
from remit.contract.reading import Reading, inside, said

WHOLE = ("turns", "calls", "processes")
KEYS = ("turns", "calls", "tokens", "time", "usd", "memory", "disk", "file", "processes", "output", "sums", "counts", "pace")
MOST_SECONDS = 366 * 86400
_T = TypeVar("_T")


def parse_limits(reading: Reading, node: Node | None, where: str) -> Limits:
    """The limits that are written and understood."""
    table = reading.table(node, where, KEYS) if node is not None else None
    if table is None:
        return Limits()

    def at(key: str, read: Callable[[Reading, Node, str], _T]) -> _T | None:
        value = table.get(key)
        return None if value is None else read(reading, value, inside(where, key))

    whole = {key: reading.count(table.get(key), inside(where, key)) for key in WHOLE}
    sizes = {key: at(key, _size) for key in ("memory", "disk", "file", "output")}
    return Limits(
        **whole,
        **sizes,
        time=at("time", parse_seconds),
        tokens=at("tokens", parse_tokens),
        usd=at("usd", _usd),
        sums=_sums(reading, table.get("sums"), inside(where, "sums")),
        counts=_counts(reading, table.get("counts"), inside(where, "counts")),
        pace=at("pace", _pace),
    )


def parse_seconds(reading: Reading, node: Node, where: str) -> int | None:
    """A length of time such as `30m`."""
    if isinstance(node, Leaf) and node.plain and node.kind == "clock":
        reading.clock(node, where)
        return None
    value = seconds(node.text) if isinstance(node, Leaf) else None
    if value is None or not 0 < value <= MOST_SECONDS:
        unit = isinstance(node, Leaf) and node.text.isdigit()
        hint = (
            f"write `{node.text}s` or `{node.text}m`"
            if unit and isinstance(node, Leaf)
            else "write `90s`, `30m`, `1h30m` or `2d`"
        )
        reading.wrong(node, where, f"{said(node)} is not a length of time", code="TIME", hint=hint)
        return None
    return value


def _size(reading: Reading, node: Node, where: str) -> int | None:
    value = size(node.text) if isinstance(node, Leaf) else None
    if not value:
        reading.wrong(node, where, f"{said(node)} is not a size", code="SIZE", hint="write bytes, or `512M`, `2G`")
    return value or None


def parse_tokens(reading: Reading, node: Node, where: str) -> int | None:
    """A number of tokens such as `400k`."""
    value = thousands(node.text) if isinstance(node, Leaf) else None
    if not value:
        reading.wrong(node, where, f"{said(node)} is not a number of tokens", code="TOKENS", hint="write `400k` or `400000`")
    return value or None


def _usd(reading: Reading, node: Node, where: str) -> int | None:
    value = micro(node.text) if isinstance(node, Leaf) else None
    if value is None:
        reading.wrong(
            node, where, f"{said(node)} is not an amount of dollars", code="MONEY", hint="write `2.00`; up to six places, no sign"
        )
    return value


def _pace(reading: Reading, node: Node, where: str) -> Pace | None:
    table = reading.table(node, where, ("usd", "tokens", "within"))
    if table is None:
        return None
    money, number, time = table.get("usd"), table.get("tokens"), table.get("within")
    usd = _usd(reading, money, inside(where, "usd")) if money is not None else None
    tokens = parse_tokens(reading, number, inside(where, "tokens")) if number is not None else None
    within = parse_seconds(reading, time, inside(where, "within")) if time is not None else None
    mistyped = isinstance(node, Table) and len(table.pairs) < len(node.pairs)
    if not mistyped and (time is None or (money is None and number is None)):
        what = "a pace is dollars or tokens, within a length of time"
        reading.wrong(table, where, what, hint="write `pace: {usd: 0.50, within: 1m}`")
    return Pace(usd=usd, tokens=tokens, within=within) if within and (usd is not None or tokens is not None) else None


def _sums(reading: Reading, node: Node | None, where: str) -> tuple[Sum, ...]:
    found = []
    for item, path in reading.items(node, where) if node is not None else ():
        table = reading.table(item, path, ("sum", "per", "within", "to", "then", "scope"))
        if table is None:
            continue
        of = reading.text(table.get("sum"), inside(path, "sum"))
        tool, _, argument = of.rpartition(".")
        if not tool or not argument:
            reading.wrong(
                table.get("sum") or item,
                inside(path, "sum"),
                "a sum names a tool and its argument",
                hint="write `sum: refund.amount`",
            )
        to = _ceiling(reading, table, path)
        if tool and argument and to is not None:
            found.append(Sum(of=of, to=to, **_window(reading, table, path)))
    return tuple(found)


def _ceiling(reading: Reading, table: Table, where: str) -> str | None:
    node = table.get("to")
    value = decimal(node.text) if isinstance(node, Leaf) else None
    if not isinstance(node, Leaf) or value is None or value < 0:
        reading.wrong(
            node or table,
            inside(where, "to"),
            "a sum needs its ceiling as a plain decimal",
            code="NUMBER",
            hint="write `to: 200`",
        )
        return None
    return node.text


def _counts(reading: Reading, node: Node | None, where: str) -> tuple[Count, ...]:
    found = []
    for item, path in reading.items(node, where) if node is not None else ():
        table = reading.table(item, path, ("count", "per", "within", "to", "then", "scope"))
        if table is None:
            continue
        of = reading.text(table.get("count"), inside(path, "count"))
        to = reading.count(table.get("to"), inside(path, "to"), least=0)
        if not of or table.get("to") is None:
            reading.wrong(
                item, path, "a count names a tool or verb, and its ceiling", hint="write `{count: refund, within: 1h, to: 5}`"
            )
        elif to is not None:
            found.append(Count(of=of, to=to, **_window(reading, table, path)))
    return tuple(found)


class _Window(TypedDict):
    """What sums and counts share."""

    per: str | None
    within: int | None
    then: Literal["refuse", "ask"]
    scope: Literal["organisation", "run"]


def _window(reading: Reading, table: Table, where: str) -> _Window:
    within = table.get("within")
    then = reading.choice(table.get("then"), inside(where, "then"), ("refuse", "ask"), default="refuse")
    scope = reading.choice(table.get("scope"), inside(where, "scope"), ("organisation", "run"), default="organisation")
    return {
        "per": reading.optional(table.get("per"), inside(where, "per")),
        "within": parse_seconds(reading, within, inside(where, "within")) if within is not None else None,
        "then": cast(Literal["refuse", "ask"], then),
        "scope": cast(Literal["organisation", "run"], scope),
    }
