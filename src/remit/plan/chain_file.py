"""`NAME.chain.yaml`: a chain as its owner writes it, read strictly; every mistake is said at once, with its place.

A fixed prompt chain is the same file, each of whose steps is bounded (`remit.plan.fits`).
"""

from typing import Any, cast

from msgspec.structs import replace

from remit.contract.contract import Finding
from remit.contract.deliverable import PASS
from remit.contract.nodes import Leaf, Node, Table
from remit.contract.parse_deliverables import parse_deliverables
from remit.contract.parse_limits import parse_limits, parse_seconds
from remit.contract.parse_rule import parse_argv
from remit.contract.reading import Reading, in_order, inside
from remit.contract.text import Source, compose
from remit.plan.blueprint import LEVELS
from remit.plan.chain_printing import print_chain
from remit.plan.chain_steps import read_steps
from remit.plan.graph import wrong
from remit.plan.library import Library
from remit.plan.mode import mixed, one_mode
from remit.plan.skill import Noted
from remit.plan.step import Left, Mode, Plan, Step

__all__ = ["SUFFIX", "check_chain", "print_chain", "read_chain"]

SUFFIX = ".chain.yaml"
MOST_PARALLEL, MOST_RETRIES, DEEPEST = 256, 20, 5
KEYS = (
    "name", "title", "goal", "mode", "runtime", "command", "model", "limits", "time", "retries", "parallel", "maturity",
    "answers", "steps", "deliverables", "left", "empty", "at least", "quality", "validate by", "validate command",
)  # fmt: skip
_MODES = {"mixed", "hybrid", "both"}


def read_chain(text: str, *, file: str, library: Library, goal: str = "") -> tuple[Plan | None, tuple[Noted, ...]]:
    """The plan, or None with every mistake. `goal` stands for the one the file may leave out, and beats it."""
    plan, findings = check_chain(text, file=file, library=library, goal=goal)
    return plan, tuple(_noted(each, file) for each in findings)


def check_chain(text: str, *, file: str, library: Library, goal: str = "") -> tuple[Plan | None, tuple[Finding, ...]]:
    """The same, with findings as `remit check` shows them: `FILE:LINE:COLUMN`, the line itself, and a caret below the place."""
    source = Source(text.removeprefix("\ufeff"), file)
    root, trouble = compose(source)
    reading = Reading(source)
    reading.findings.extend(trouble)
    plan = None
    if root is None:
        if not trouble:
            empty = Leaf(mark=source.mark(0, 0), text="", plain=True)
            reading.wrong(empty, "", "there is nothing in it", code="EMPTY", hint="a chain has a `goal:` and `steps:`")
    else:
        usual = file.rsplit("/", 1)[-1].removesuffix(SUFFIX)
        plan = _plan(reading, root, "", library, goal=goal, usual=usual, depth=0)
        if plan is not None and not _errors(reading):
            _whole(reading, root, plan)
    findings = in_order(reading.findings)
    return (None if plan is None or _errors(reading) else replace(plan, source=file)), findings


def _errors(reading: Reading) -> bool:
    return any(each.severity == "error" for each in reading.findings)


def _whole(reading: Reading, root: Node, plan: Plan) -> None:
    """What can only be seen of the whole: circles, names that are not there, chains inside that want another mode."""
    for each in (*wrong(plan), *mixed(plan)):
        named = [step.id for step in plan.steps if f" {step.id}" in f" {each.message}"]
        at = next((reading.marks[f"step {name}"] for name in named if f"step {name}" in reading.marks), root.mark)
        reading.wrong(Leaf(mark=at, text="", plain=True), "steps", each.message, code=each.code, hint=each.hint)


def _plan(reading: Reading, node: Node, where: str, library: Library, *, goal: str, usual: str, depth: int) -> Plan | None:
    table = reading.table(node, where, KEYS)
    if table is None:
        return None
    given = goal if goal and depth == 0 else reading.text(table.get("goal"), inside(where, "goal"), default=goal).strip()
    if not given:
        reading.wrong(table, where, "there is no goal", code="NO-GOAL", hint="write `goal:`, or give one when you run it")
    plan = Plan(
        name=reading.text(table.get("name"), inside(where, "name"), default=usual) or usual,
        title=reading.text(table.get("title"), inside(where, "title")),
        goal=given,
        mode=_mode(reading, table.get("mode"), inside(where, "mode")),
        steps=_steps(reading, table, where, library, goal=given, depth=depth),
    )
    return replace(plan, **_owed(reading, table, where), **_running(reading, table, where))


def _steps(reading: Reading, table: Table, where: str, library: Library, *, goal: str, depth: int) -> tuple[Step, ...]:
    def inner(below: Node, place: str, usual: str) -> Plan | None:
        if depth + 1 >= DEEPEST:
            reading.wrong(below, place, f"more than {DEEPEST} chains inside one another", code="TOO-DEEP")
            return None
        return _plan(reading, below, place, library, goal=goal, usual=usual, depth=depth + 1)

    steps = table.get("steps")
    if steps is None:
        reading.wrong(table, where, "there are no steps", code="NO-STEPS", hint="write `steps:` with one `- ` for each")
        return ()
    return read_steps(reading, steps, inside(where, "steps"), library, inner)


def _owed(reading: Reading, table: Table, where: str) -> dict[str, Any]:
    """What all steps together must leave behind, and how it is judged."""

    def at(key: str) -> tuple[Node | None, str]:
        return table.get(key), inside(where, key)

    owed = table.get("deliverables")
    judge = table.get("validate command")
    quality = reading.truth(*at("quality"))
    return {
        "deliverables": parse_deliverables(reading, owed, inside(where, "deliverables")) if owed is not None else (),
        "left": _left(reading, *at("left")),
        "empty": reading.texts(*at("empty")),
        "maturity": reading.choice(*at("maturity"), LEVELS, default=""),
        "answers": _answers(reading, *at("answers")),
        "at_least": _most(reading, *at("at least"), least=1, most=100, usual=PASS),
        "quality": True if quality is None else quality,
        "validate_by": reading.text(*at("validate by")),
        "validate_command": parse_argv(reading, judge, inside(where, "validate command")) if judge is not None else (),
    }


def _running(reading: Reading, table: Table, where: str) -> dict[str, Any]:
    """How steps run that do not say it themselves."""

    def at(key: str) -> tuple[Node | None, str]:
        return table.get(key), inside(where, key)

    time, command = table.get("time"), table.get("command")
    return {
        "runtime": reading.text(*at("runtime"), default="command") or "command",
        "command": parse_argv(reading, command, inside(where, "command")) if command is not None else (),
        "model": reading.text(*at("model")),
        "limits": parse_limits(reading, *at("limits")),
        "time": (parse_seconds(reading, time, inside(where, "time")) if time is not None else None) or 1800,
        "retries": _most(reading, *at("retries"), least=0, most=MOST_RETRIES, usual=0),
        "parallel": _most(reading, *at("parallel"), least=1, most=MOST_PARALLEL, usual=4),
    }


def _mode(reading: Reading, node: Node | None, where: str) -> Mode:
    if node is None:
        return "delegated"
    texts = reading.texts(node, where)
    if texts and (len(texts) > 1 or texts[0].casefold() in _MODES):
        refused = one_mode(*texts)
        if isinstance(refused, Noted):
            reading.wrong(node, where, refused.message, code=refused.code, hint=refused.hint)
        return "delegated"
    return cast(Mode, reading.choice(node, where, ("delegated", "standard"), default="delegated"))


def _most(reading: Reading, node: Node | None, where: str, *, least: int, most: int, usual: int) -> int:
    found = reading.count(node, where, least=least)
    if found is not None and found > most and node is not None:
        reading.wrong(node, where, f"`{found}` is too large", hint=f"write at most {most}")
        return usual
    return usual if found is None else found


def _left(reading: Reading, node: Node | None, where: str) -> tuple[Left, ...]:
    found: list[Left] = []
    for item, path in reading.items(node, where) if node is not None else ():
        table = reading.table(item, path, ("name", "why"))
        if table is not None:
            name = reading.text(table.get("name"), inside(path, "name"))
            found.append(Left(name=name, why=reading.text(table.get("why"), inside(path, "why"))))
    return tuple(found)


def _answers(reading: Reading, node: Node | None, where: str) -> tuple[tuple[str, str], ...]:
    table = reading.table(node, where) if node is not None else None
    if not isinstance(table, Table):
        return ()
    return tuple((key.text, reading.text(value, inside(where, key.text))) for key, value in table.pairs)


def _noted(finding: Finding, file: str) -> Noted:
    column = f" (column {finding.mark.column})" if finding.mark else ""
    place = f"{finding.where}: " if finding.where else ""
    return Noted(
        code=finding.code,
        severity=finding.severity,
        file=finding.mark.file if finding.mark else file,
        line=finding.mark.line if finding.mark else 0,
        message=f"{place}{finding.message}{column}",
        hint=finding.hint,
    )
