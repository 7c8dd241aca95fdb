"""Success, recovery and escalation as a contract writes them."""

import re
from collections.abc import Callable
from typing import Literal, cast, get_args

from remit.contract.nodes import Leaf, Node, Sequence, Table
from remit.contract.outcome import Check, DataCheck, FileCheck, Recovery, Remedy, RunCheck, TreeCheck
from remit.contract.parse_condition import parse_regex
from remit.contract.parse_deliverables import OBSERVED, parse_deliverables_check, parse_observed_check
from remit.contract.parse_limits import parse_seconds
from remit.contract.parse_rule import parse_argv, parse_path, parse_rules
from remit.contract.reading import Reading, inside, said

CHECK_KINDS: dict[str, tuple[str, ...]] = {
    "run": ("trusted", "fails on", "time"),
    "file": ("exists", "matches", "unchanged"),
    "json": ("at", "equals", "matches"),
    "yaml": ("at", "equals", "matches"),
    "tree": ("outside",),
    "deliverables": ("at least", "quality", "empty"),
    **dict.fromkeys(OBSERVED, OBSERVED),
}
CONDITIONS = ("any check fails", "refused", "stuck", "limit reached", "crashed", "failed")
REMEDIES: tuple[str, ...] = get_args(Remedy)
_PATH_IN_DATA = re.compile(r"\$(?:\.[A-Za-z_][\w-]*|\[[0-9]{1,6}\]|\[\"[^\"\\]*\"\])*")
_RETRY = re.compile(r"retry(?: ([1-9][0-9]?))?")


def parse_success(reading: Reading, node: Node, where: str) -> tuple[Check, ...]:
    """The checks a machine can run."""
    if isinstance(node, Leaf):
        _prose(reading, node, where)
        return ()
    if isinstance(node, Table):
        hint = "begin each check with `- `"
        reading.wrong(node, where, "success is a list of checks", hint=hint)
        return ()
    checks = (_check(reading, item, path, number) for number, (item, path) in enumerate(reading.items(node, where), 1))
    kept = tuple(check for check in checks if check)
    seen: set[str] = set()
    for check in kept:
        if check.id in seen:
            reading.wrong(node, where, f"two checks are called `{check.id}`", code="DUPLICATE-ID", hint="give each its own id")
        seen.add(check.id)
    return kept


def _prose(reading: Reading, node: Leaf, where: str) -> None:
    hint = "a check is `run:` a program, `file:` with `matches:`, `json:` with `at:`, or `tree: unchanged`"
    reading.wrong(node, where, f"{said(node)} is prose, which no machine can check", code="NOT-TESTABLE", hint=hint)


def _check(reading: Reading, node: Node, where: str, number: int) -> Check | None:
    if isinstance(node, Leaf):
        _prose(reading, node, where)
        return None
    kinds = [key for key in CHECK_KINDS if isinstance(node, Table) and node.get(key) is not None]
    if set(kinds) <= set(OBSERVED):  # one check may ask for several
        kinds = kinds[:1]
    known = ("id", kinds[0], *CHECK_KINDS[kinds[0]]) if len(kinds) == 1 else ("id", *CHECK_KINDS, *sum(CHECK_KINDS.values(), ()))
    table = reading.table(node, where, known)
    if table is None:
        return None
    if len(kinds) != 1:
        what = "a check of two kinds at once" if kinds else "a check of no known kind"
        reading.wrong(node, where, what, code="NOT-TESTABLE", hint=f"exactly one of {', '.join(CHECK_KINDS)}")
        return None
    name = reading.text(table.get("id"), inside(where, "id")) or f"check-{number}"
    reading.marks[f"check {name}"] = node.mark
    return _KINDS[kinds[0]](reading, table, where, name)


def _run_check(reading: Reading, table: Table, where: str, name: str) -> Check | None:
    node, time = table.get("run"), table.get("time")
    assert node is not None
    argv = parse_argv(reading, node, inside(where, "run"))
    length = parse_seconds(reading, time, inside(where, "time")) if time is not None else None
    return (
        RunCheck(
            id=name,
            argv=argv,
            trusted=parse_paths(reading, table.get("trusted"), inside(where, "trusted")),
            fails_on=reading.optional(table.get("fails on"), inside(where, "fails on")),
            time=length or 300,
        )
        if argv
        else None
    )


def parse_paths(reading: Reading, node: Node | None, where: str) -> tuple[str, ...]:
    """One path pattern or several."""
    if node is None:
        return ()
    leaves = list(reading.items(node, where)) if isinstance(node, Sequence) else [(node, where)]
    found = ((leaf, path, reading.text(leaf, path)) for leaf, path in leaves)
    return tuple(normal for leaf, path, text in found if text and (normal := parse_path(reading, leaf, path, text)))


def _one_path(reading: Reading, node: Node | None, where: str) -> str:
    paths = parse_paths(reading, node, where)
    if len(paths) == 1 and "*" not in paths[0]:
        return paths[0]
    if paths and node is not None:
        reading.wrong(node, where, f"{said(node)} is not one file", code="PATH", hint="name one file")
    return ""


def _file_check(reading: Reading, table: Table, where: str, name: str) -> Check | None:
    file = _one_path(reading, table.get("file"), inside(where, "file"))
    exists = reading.truth(table.get("exists"), inside(where, "exists"))
    matches, unchanged = table.get("matches"), reading.truth(table.get("unchanged"), inside(where, "unchanged"))
    pattern = parse_regex(reading, matches, inside(where, "matches")) if matches is not None else None
    if not any(table.get(key) is not None for key in ("exists", "matches", "unchanged")):
        hint = "add `exists: true`, `matches: PATTERN` or `unchanged: true`"
        reading.wrong(table, where, "the check says nothing about the file", code="NOT-TESTABLE", hint=hint)
        return None
    return FileCheck(id=name, file=file, exists=exists, matches=pattern, unchanged=bool(unchanged)) if file else None


def _data_check(reading: Reading, table: Table, where: str, name: str) -> Check | None:
    form: Literal["json", "yaml"] = "json" if table.get("json") is not None else "yaml"
    file = _one_path(reading, table.get(form), inside(where, form))
    at = reading.text(table.get("at"), inside(where, "at"))
    if not _PATH_IN_DATA.fullmatch(at):
        reading.wrong(
            table.get("at") or table, inside(where, "at"), "`at` says which value", hint="write `$.version` or `$.items[0].name`"
        )
        return None
    equals, matches = table.get("equals"), table.get("matches")
    if equals is not None and matches is not None:
        reading.wrong(table, where, "`equals` and `matches` in one check", hint="make it two checks")
    pattern = parse_regex(reading, matches, inside(where, "matches")) if matches is not None else None
    scalar = equals.scalar() if isinstance(equals, Leaf) else None
    if equals is not None and scalar is None:
        reading.wrong(equals, inside(where, "equals"), f"{said(equals)} is not one plain value")
    return (
        DataCheck(id=name, format=form, file=file, at=at, equals=scalar.text if scalar else None, matches=pattern)
        if file
        else None
    )


def _tree_check(reading: Reading, table: Table, where: str, name: str) -> Check | None:
    if reading.choice(table.get("tree"), inside(where, "tree"), ("unchanged",), default="") != "unchanged":
        return None
    return TreeCheck(id=name, outside=parse_paths(reading, table.get("outside"), inside(where, "outside")))


_KINDS: dict[str, Callable[[Reading, Table, str, str], Check | None]] = {
    "run": _run_check,
    "file": _file_check,
    "json": _data_check,
    "yaml": _data_check,
    "tree": _tree_check,
    "deliverables": parse_deliverables_check,
    **dict.fromkeys(OBSERVED, parse_observed_check),
}


def parse_recovery(reading: Reading, node: Node, where: str) -> tuple[Recovery, ...]:
    """The ladder, rung by rung."""
    if isinstance(node, Leaf):
        hint = "write rungs: `- when: stuck` with `do: ask owner`, and at the end `- when: failed` with `do: undo`"
        reading.wrong(node, where, f"{said(node)} is prose, which nothing can follow", code="NOT-A-RUNG", hint=hint)
        return ()
    rungs = (_rung(reading, item, path, number) for number, (item, path) in enumerate(reading.items(node, where), 1))
    return tuple(rung for rung in rungs if rung)


def _rung(reading: Reading, node: Node, where: str, number: int) -> Recovery | None:
    table = reading.table(node, where, ("when", "may", "do", "listed in", "to"))
    if table is None:
        return None
    when = reading.text(table.get("when"), inside(where, "when"))
    if not when:
        reading.wrong(
            node, inside(where, "when"), "the rung says not when it holds", hint=f"`CHECK fails`, {', '.join(CONDITIONS)}"
        )
    elif when not in CONDITIONS and not when.endswith(" fails"):
        reading.unknown(table.get("when") or node, inside(where, "when"), "condition", when, ("CHECK fails", *CONDITIONS))
        when = ""
    do, times = _remedy(reading, table, where)
    may, listed = table.get("may"), table.get("listed in")
    rules = parse_rules(reading, may, inside(where, "may"), "may", prefix=f"recovery-{number}") if may is not None else ()
    if not when or not do:
        return None
    return Recovery(
        when=when,
        do=cast(Remedy, do),
        may=rules,
        times=times,
        to=reading.optional(table.get("to"), inside(where, "to")),
        listed_in=_one_path(reading, listed, inside(where, "listed in")) or None,
    )


def _remedy(reading: Reading, table: Table, where: str) -> tuple[str, int]:
    node, path = table.get("do"), inside(where, "do")
    said_ = reading.text(node, path)
    retry = _RETRY.fullmatch(said_)
    if retry:
        return "retry", int(retry[1] or 1)
    if said_ in REMEDIES:
        return said_, 1
    if node is None:
        reading.wrong(table, path, "the rung does nothing", hint=f"add `do:` one of {', '.join(REMEDIES)}")
    elif said_:
        reading.unknown(node, path, "remedy", said_, ("retry 2", *REMEDIES[1:]))
    return "", 1
