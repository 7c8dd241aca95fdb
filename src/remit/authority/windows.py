"""Rolling sums and counts over granted actions, this one included, and the plain ceilings of a run."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from remit.authority.arguments import EXACT, composed, number
from remit.authority.conditions import decimal
from remit.authority.spent import Spent, Used, in_tree
from remit.authority.subject import Subject
from remit.contract.limits import MICRO, Count, Limits, Spend, Sum

Verdict = tuple[str, str]
"""`refuse` or `ask`, and why."""

METERED = frozenset({"call", "fetch", "publish", "delegate"})
"""Verbs that cost a turn or a call. Paths, refs and programs are judged after the work too, when its turns are used up."""


def exhausted(limits: Limits, spend: Spend, subject: Subject) -> str:
    """Which plain limit leaves no room for this action, empty when none does (requirement BUD-01, BUD-02)."""
    if subject.verb not in METERED:
        return ""
    rows: tuple[tuple[str, float, float | None, str], ...] = (
        ("turns", spend.turns, limits.turns, ""),
        ("calls", spend.calls, limits.calls, ""),
        ("tokens", spend.tokens, limits.tokens, ""),
        ("usd", spend.usd / MICRO, None if limits.usd is None else limits.usd / MICRO, " usd"),
        ("time", spend.time, limits.time, " s"),
    )
    for name, used, most, unit in rows:
        if most is not None and used >= most:
            return f"the limit `{name}` is used up: {used:g} of {most:g}{unit}"
    return ""


def over(limits: Limits, subject: Subject, spent: Spent, now: datetime) -> Iterator[Verdict]:
    """Every sum and count that this action would carry beyond its limit."""
    for window in _windows(limits):
        if not _applies(window, subject.verb, subject.name):
            continue
        same = _earlier(window, subject, spent, now)
        verdict = _sum(window, subject, same) if isinstance(window, Sum) else _count(window, same)
        if verdict:
            yield window.then if verdict[0] == "then" else verdict[0], verdict[1]


def counted(limits: Limits, subject: Subject) -> Iterator[tuple[str, str]]:
    """The arguments, as text, that these limits add up or group by."""
    for window in _windows(limits):
        if _applies(window, subject.verb, subject.name):
            names = [window.per] if window.per else []
            if isinstance(window, Sum):
                names.append(window.of.rpartition(".")[2])
            for name in names:
                if name in subject.arguments:
                    yield name, plain(subject.arguments[name])


def plain(value: Any) -> str:
    """An argument as the one text it is grouped by: `7`, `7.0` and `"7"` are the same customer."""
    amount = number(value)
    if amount is not None:
        return format(EXACT.normalize(amount), "f") if amount else "0"
    if isinstance(value, str):
        return composed(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(plain(member) for member in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {plain(value[key])}" for key in sorted(value)) + "}"
    return ""


# ---------------------------------------------------------------------------------------------------------------------


def _windows(limits: Limits) -> tuple[Sum | Count, ...]:
    return (*limits.sums, *limits.counts)


def _applies(window: Sum | Count, verb: str, name: str) -> bool:
    of = window.of.rpartition(".")[0] if isinstance(window, Sum) else window.of
    return of == verb or (verb == "call" and of == name)


def _earlier(window: Sum | Count, subject: Subject, spent: Spent, now: datetime) -> list[Used]:
    """Granted actions in this window and group. One whose group is not known counts in every group.

    `scope: run` takes in the whole tree of the run whose contract has the limit: handing work on makes no room.
    """
    since = None if window.within is None else now - timedelta(seconds=window.within)
    group = subject.arguments.get(window.per) if window.per else None
    key = None if group is None else plain(group)
    top = spent.trees.get(window, spent.run)
    return [
        used
        for used in spent.used
        if _applies(window, used.verb, used.object)
        and (since is None or used.at > since)
        and (window.scope == "organisation" or in_tree(used.run, top))
        and (key is None or window.per is None or used.arguments.get(window.per, key) == key)
    ]


def _sum(window: Sum, subject: Subject, earlier: list[Used]) -> Verdict | None:
    name = window.of.rpartition(".")[2]
    amount = number(subject.arguments.get(name))
    if amount is None or amount < 0:
        # A negative amount would make room for the next one, a missing one would not be counted at all.
        return "refuse", f"`{name}` must be an amount of zero or more, because a limit adds it up"
    total, most = amount, decimal(window.to)
    for used in earlier:
        total = EXACT.add(total, max(Decimal(0), decimal(used.arguments.get(name, "0"))))
    if total <= most:
        return None
    return "then", f"`{window.of}` would come to {total:f}{_span(window)}, and {most:f} is the limit"


def _count(window: Count, earlier: list[Used]) -> Verdict | None:
    total = len(earlier) + 1
    return (
        None
        if total <= window.to
        else ("then", f"`{window.of}` would happen {total} times{_span(window)}, and {window.to} is the limit")
    )


def _span(window: Sum | Count) -> str:
    group = f" for one `{window.per}`" if window.per else ""
    return group if window.within is None else f"{group} within {_duration(window.within)}"


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
