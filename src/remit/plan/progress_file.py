"""`.skillchain-progress.json` 1.0: how far a chain is, as other tools keep it. Read leniently, written exactly."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from remit.plan.blueprints.notes import Notes
from remit.plan.progress_fields import Fields
from remit.plan.skill import Noted
from remit.value import Value

NAME = ".skillchain-progress.json"
VERSION = "1.0"
CONTEXT_BYTES = 50 * 1024
"""what has been gathered stays below this, so that it can be handed on whole"""
GOAL = 500
"""characters of a goal at most"""
MOST_BYTES = 4 * 1024 * 1024
MOST_DEPTH = 60
MATURITIES = ("starter", "intermediate", "production")
"""as the file names them; what blueprints call `advanced` is `production` here"""

Stage = Literal["pending", "in_progress", "complete", "failed", "skipped"]
Arrived = Literal["verified", "missing", "partial", "skipped"]
Judged = Literal["PASS", "PARTIAL", "FAIL"]
ChainMode = Literal["delegated", "standard"]
SECTIONS = ("theme", "api", "database", "frontend", "ai", "infrastructure", "custom")


class SkillOutputs(Value, frozen=True, kw_only=True):
    """What a skill left: files, decisions by topic, values for the skills that come after. `more`: fields of later schemas."""

    files_created: tuple[str, ...] = ()
    decisions: Mapping[str, Any] = {}
    exports: Mapping[str, Any] = {}
    more: Mapping[str, Any] = {}


class SkillProgress(Value, frozen=True, kw_only=True):
    """One skill of the chain. Times are ISO 8601 as they stand in the file; what is `None` is not written."""

    name: str
    invocation: str = ""
    status: Stage = "pending"
    executor: str | None = None
    agent_id: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    error: str | None = None
    outputs: SkillOutputs | None = None
    more: Mapping[str, Any] = {}


class Gathered(Value, frozen=True, kw_only=True):
    """`accumulated_context`: what later skills need to know, by area. `areas` holds those of SECTIONS that are there."""

    project_path: str = ""
    areas: Mapping[str, Any] = {}
    more: Mapping[str, Any] = {}


class Delivered(Value, frozen=True, kw_only=True):
    """One deliverable as validation saw it; `details` is a string, or what a later schema has put there."""

    name: str
    status: Arrived = "missing"
    details: Any = None
    more: Mapping[str, Any] = {}


class ValidationProgress(Value, frozen=True, kw_only=True):
    """The last validation; `completeness` in per cent."""

    last_run: str | None = None
    completeness: int = 0
    status: Judged = "FAIL"
    deliverables: tuple[Delivered, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    more: Mapping[str, Any] = {}


class Execution(Value, frozen=True, kw_only=True):
    """How the chain was carried out, in counts; `activation_rate` in per cent, `parallel_batches` are names that ran together."""

    mode: ChainMode = "delegated"
    total_skills: int = 0
    completed_count: int = 0
    failed_count: int = 0
    skipped_count: int = 0
    current_index: int = 0
    activation_rate: float = 0.0
    parallel_batches: tuple[tuple[str, ...], ...] = ()
    more: Mapping[str, Any] = {}


class Progress(Value, frozen=True, kw_only=True):
    """The whole file. `maturity` is `starter`, `intermediate` or `production`; `blueprint` is None for a chain of one's own."""

    version: str = VERSION
    session_id: str = ""
    goal: str = ""
    blueprint: str | None = None
    maturity: str = ""
    started_at: str = ""
    updated_at: str = ""
    skills: tuple[SkillProgress, ...] = ()
    context: Gathered = Gathered()
    validation: ValidationProgress | None = None
    execution: Execution = Execution()
    more: Mapping[str, Any] = {}


def write_progress(progress: Progress) -> str:
    """The file: two blanks of indentation, keys in the order of the schema, later fields behind them, a line end last."""
    whole: dict[str, Any] = {
        "version": progress.version,
        "session_id": progress.session_id,
        "goal": progress.goal,
        "blueprint": progress.blueprint,
        "maturity": progress.maturity,
        "started_at": progress.started_at,
        "updated_at": progress.updated_at,
        "skills": [_skill(each) for each in progress.skills],
        "accumulated_context": gathered(progress.context),
        "validation": None if progress.validation is None else _validation(progress.validation),
        "execution": _plain(progress.execution),
        **progress.more,
    }
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    if not _writable(text):
        text = json.dumps(whole, indent=2, allow_nan=False)
    return f"{text}\n"


def gathered(context: Gathered) -> dict[str, Any]:
    """What has been gathered as the file holds it."""
    first = {"project_path": context.project_path} if context.project_path else {}
    return {**first, **{area: context.areas[area] for area in SECTIONS if area in context.areas}, **context.more}


def _skill(skill: SkillProgress) -> dict[str, Any]:
    found = {key: value for key, value in _plain(skill).items() if value is not None or key in skill.more}
    if skill.outputs is not None:
        found["outputs"] = _plain(skill.outputs)
    return found


def _validation(validation: ValidationProgress) -> dict[str, Any]:
    found = _plain(validation)
    found["deliverables"] = [
        {key: value for key, value in _plain(each).items() if key != "details" or value is not None}
        for each in validation.deliverables
    ]
    return found


def _plain(value: Value) -> dict[str, Any]:
    """The fields in order, those of later schemas last."""
    fields = {name: getattr(value, name) for name in value.__struct_fields__ if name != "more"}
    return {**fields, **getattr(value, "more", {})}


def _writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_UUID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_progress(text: str, *, file: str) -> tuple[Progress | None, tuple[Noted, ...]]:
    """The progress a file tells, None where it is no JSON object at all. Never raises; fields of later schemas are kept.

    What has the wrong shape counts as not there and is noted. Numbers that the file gives are checked against its own skills.
    """
    notes = Notes(file)
    if len(text) > MOST_BYTES:
        notes.add("TOO-LARGE", "error", "larger than 4 MiB, so it is not read")
        return None, notes.found
    try:
        found = _seen(json.loads(text.removeprefix("\ufeff"), parse_float=_decimal, parse_constant=str))
    except (ValueError, RecursionError) as error:
        notes.add("JSON", "error", f"not JSON: {str(error)[:120]}", line=getattr(error, "lineno", 0))
        return None, notes.found
    if not isinstance(found, dict):
        notes.add("JSON", "error", "not a JSON object")
        return None, notes.found
    fields = Fields(found, "", notes)
    progress = Progress(
        version=fields.text("version", VERSION),
        session_id=fields.text("session_id"),
        goal=fields.text("goal"),
        blueprint=fields.text("blueprint") or None,
        maturity=fields.text("maturity"),
        started_at=fields.text("started_at"),
        updated_at=fields.text("updated_at"),
        skills=tuple(each for at, entry in enumerate(fields.list("skills")) if (each := _read_skill(entry, at, notes))),
        context=_read_context(fields.table("accumulated_context"), notes),
        validation=_read_validation(fields.table("validation"), notes),
        execution=_read_execution(fields.table("execution"), notes),
        more=fields.rest(),
    )
    _check(progress, notes)
    return progress, notes.found


def _read_skill(entry: Any, at: int, notes: Notes) -> SkillProgress | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        notes.add("SKILL", "error", f"skills[{at}] has no name; it is left out")
        return None
    fields = Fields(entry, f"skills[{at}].", notes)
    outputs = fields.table("outputs")
    return SkillProgress(
        name=fields.text("name"),
        invocation=fields.text("invocation"),
        status=fields.one_of("status", Stage, "pending"),
        executor=fields.maybe("executor"),
        agent_id=fields.maybe("agent_id"),
        started_at=fields.maybe("started_at"),
        completed_at=fields.maybe("completed_at"),
        error=fields.maybe("error"),
        outputs=None if outputs is None else _read_outputs(outputs, at, notes),
        more=fields.rest(),
    )


def _read_outputs(found: dict[str, Any], at: int, notes: Notes) -> SkillOutputs:
    fields = Fields(found, f"skills[{at}].outputs.", notes)
    return SkillOutputs(
        files_created=fields.texts("files_created"),
        decisions=fields.table("decisions") or {},
        exports=fields.table("exports") or {},
        more=fields.rest(),
    )


def _read_context(found: dict[str, Any] | None, notes: Notes) -> Gathered:
    if found is None:
        return Gathered()
    fields = Fields(found, "accumulated_context.", notes)
    path = fields.text("project_path")
    areas = {name: fields.found.pop(name) for name in SECTIONS if name in fields.found}
    return Gathered(project_path=path, areas=areas, more=fields.rest())


def _read_validation(found: dict[str, Any] | None, notes: Notes) -> ValidationProgress | None:
    if found is None:
        return None
    fields = Fields(found, "validation.", notes)
    return ValidationProgress(
        last_run=fields.maybe("last_run"),
        completeness=fields.number("completeness"),
        status=fields.one_of("status", Judged, "FAIL"),
        deliverables=tuple(
            each for at, entry in enumerate(fields.list("deliverables")) if (each := _read_delivered(entry, at, notes))
        ),
        missing=fields.texts("missing"),
        warnings=fields.texts("warnings"),
        more=fields.rest(),
    )


def _read_delivered(entry: Any, at: int, notes: Notes) -> Delivered | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        notes.add("DELIVERABLE", "error", f"validation.deliverables[{at}] has no name; it is left out")
        return None
    fields = Fields(entry, f"validation.deliverables[{at}].", notes)
    details = fields.found.pop("details", None)
    status = fields.one_of("status", Arrived, "missing")
    return Delivered(name=fields.text("name"), status=status, details=details, more=fields.rest())


def _read_execution(found: dict[str, Any] | None, notes: Notes) -> Execution:
    if found is None:
        return Execution()
    fields = Fields(found, "execution.", notes)
    batches = fields.list("parallel_batches")
    if any(not isinstance(batch, list) or any(not isinstance(each, str) for each in batch) for batch in batches):
        notes.add("SHAPE", "warning", "execution.parallel_batches is not a list of lists of names; it is left out")
        batches = []
    return Execution(
        mode=fields.one_of("mode", ChainMode, "delegated"),
        total_skills=fields.number("total_skills"),
        completed_count=fields.number("completed_count"),
        failed_count=fields.number("failed_count"),
        skipped_count=fields.number("skipped_count"),
        current_index=fields.number("current_index"),
        activation_rate=fields.rate("activation_rate"),
        parallel_batches=tuple(tuple(batch) for batch in batches),
        more=fields.rest(),
    )


def _check(progress: Progress, notes: Notes) -> None:
    """Notes what contradicts the schema or the file itself."""
    if progress.version != VERSION:
        notes.add("VERSION", "warning", f"version {progress.version[:20]}, not {VERSION}: what is not known is kept as it is")
    if not _UUID.match(progress.session_id):
        notes.add("SESSION", "note", "session_id is not a UUID")
    if progress.maturity not in MATURITIES:
        hint = "`advanced` is called `production` here" if progress.maturity == "advanced" else ""
        notes.add("MATURITY", "note", f"maturity {progress.maturity[:40]!r} is none of {', '.join(MATURITIES)}", hint=hint)
    if len(progress.goal) > GOAL:
        notes.add("GOAL", "note", f"the goal is longer than {GOAL} characters")
    if context_bytes(progress.context) >= CONTEXT_BYTES:
        notes.add("CONTEXT-SIZE", "warning", "accumulated_context is 50 KB or more; it should be summarised")
    names = Counter(each.name for each in progress.skills)
    for name in sorted(name for name, times in names.items() if times > 1):
        notes.add("SKILL-TWICE", "warning", f"{name} is in the chain more than once")
    counted = [each.status for each in progress.skills]
    said = progress.execution
    for label, number, true in (
        ("total_skills", said.total_skills, len(counted)),
        ("completed_count", said.completed_count, counted.count("complete")),
        ("failed_count", said.failed_count, counted.count("failed")),
        ("skipped_count", said.skipped_count, counted.count("skipped")),
    ):
        if number != true:
            notes.add("COUNT", "warning", f"execution.{label} is {number}, yet its skills make {true}")


def context_bytes(context: Gathered) -> int:
    """How many bytes of UTF-8 the gathered context has, written without spaces."""
    return len(json.dumps(gathered(context), ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def _decimal(said: str) -> float | str:
    """A decimal; one too large for the machine stays the text it is."""
    found = float(said)
    return found if math.isfinite(found) else said


def _seen(found: Any, depth: int = 0) -> Any:
    """The same with half characters replaced, so that it can be written again. Raises ValueError where it is too deep."""
    if depth > MOST_DEPTH:
        raise ValueError(f"more than {MOST_DEPTH} levels inside one another")
    if isinstance(found, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", found)
    if isinstance(found, dict):
        return {_seen(key): _seen(value, depth + 1) for key, value in found.items()}
    return [_seen(each, depth + 1) for each in found] if isinstance(found, list) else found
