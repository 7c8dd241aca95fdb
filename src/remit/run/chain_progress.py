"""The progress file of a chain, made from what was recorded: nothing in it is claimed, the same run gives the same file."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from remit.plan.progress_file import (
    CONTEXT_BYTES,
    GOAL,
    Arrived,
    Delivered,
    Execution,
    Gathered,
    Progress,
    SkillOutputs,
    SkillProgress,
    ValidationProgress,
    context_bytes,
)
from remit.plan.reported import Validation
from remit.plan.step import Plan, Step
from remit.run.chain import Chain, Stood
from remit.run.state import Run

_SESSIONS = "remit:chain:"
_ARRIVED: dict[str, Arrived] = {"complete": "verified", "partial": "partial", "missing": "missing", "skipped": "skipped"}
_BATCHED = 2
"""skills that run together from this number on are a batch"""


def progress(
    run: Run, *, project: str = "", invoked: Collection[str] = (), validated_at: datetime | None = None
) -> Progress | None:
    """The progress of a chain; None for a run that is none.

    `project` is the absolute path of the project: created files are below it. `invoked` are the skills whose text was asked
    for and given in the runs of its steps (`SkillInvoked`), by name or invocation; those of this run itself are counted too.
    """
    chain = run.chain
    if chain is None:
        return None
    plan = chain.plan
    steps = [step for step in plan.steps if step.kind == "skill"]
    seen = {*run.invoked, *invoked}
    return Progress(
        session_id=session_of(run.id),
        goal=plan.goal[:GOAL],
        blueprint=plan.name if plan.source and not plan.source.endswith((".yaml", ".yml")) else None,
        maturity=_maturity(plan),
        started_at=_time(run.started_at) or "",
        updated_at=_time(run.at) or "",
        skills=tuple(_skill(step, chain.steps.get(step.id, Stood()), plan, project) for step in steps),
        context=_context(chain, steps, project),
        validation=None if chain.validation is None else _validation(chain.validation, validated_at),
        execution=_execution(chain, steps, seen),
    )


def session_of(run: str) -> str:
    """The session of a run: a UUID of version 5 made from its id, so that the same run always has the same one."""
    made = bytearray(hashlib.sha1(f"{_SESSIONS}{run}".encode(), usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    text = made.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _skill(step: Step, stood: Stood, plan: Plan, project: str) -> SkillProgress:
    over = stood.status in ("complete", "failed", "skipped")
    return SkillProgress(
        name=_name(step),
        invocation=step.skill.invocation if step.skill else step.id,
        status=stood.status,
        executor=step.runtime or plan.runtime,
        agent_id=stood.children[-1] if stood.children else None,
        started_at=_time(stood.began),
        completed_at=_time(stood.ended) if over else None,
        error=(stood.why or stood.outcome or "failed") if stood.status == "failed" else None,
        outputs=_outputs(stood, project) if stood.status == "complete" else None,
    )


def _outputs(stood: Stood, project: str) -> SkillOutputs:
    at = f"{project.rstrip('/')}/" if project else ""
    return SkillOutputs(
        files_created=tuple(f"{at}{path}" for path in stood.files),
        decisions=_decisions(stood.report.decisions),
        exports={each.key: each.value for each in stood.report.outputs},
    )


def _decisions(said: Sequence[str]) -> dict[str, str]:
    """`database: Qdrant` by its topic; one without a topic, or with one that is taken, is numbered."""
    found: dict[str, str] = {}
    for number, each in enumerate(said, 1):
        topic, colon, choice = (part.strip() for part in each.partition(":"))
        if not colon or not choice or topic in found:
            topic, choice = f"decision_{number}", each.strip()
        found[topic] = choice
    return found


def _context(chain: Chain, steps: Sequence[Step], project: str) -> Gathered:
    """What the complete steps decided and exported, by step, in the order in which they came back; kept below the size allowed.

    What does not fit is named, and stands whole under the outputs of its skill.
    """
    back = [(stood.ended, at) for at, step in enumerate(steps) if (stood := chain.steps.get(step.id)) and stood.ended]
    areas: dict[str, Any] = {}
    left: list[str] = []
    for step in (steps[at] for _, at in sorted(back)):
        name, stood = _name(step), chain.steps[step.id]
        if stood.status != "complete":
            continue
        report = stood.report
        told = {**_decisions(report.decisions), **{each.key: each.value for each in report.outputs}}
        if not told:
            continue
        more = {**areas, name: told}
        if _fits(more, left, project):
            areas = more
        elif _fits(areas, [*left, name], project):
            left.append(name)
    return _gathered(areas, left, project)


def _gathered(areas: dict[str, Any], left: list[str], project: str) -> Gathered:
    custom = {**areas, "left_out": left} if left else areas
    return Gathered(project_path=project, areas={"custom": custom} if custom else {})


def _fits(areas: dict[str, Any], left: list[str], project: str) -> bool:
    return context_bytes(_gathered(areas, left, project)) < CONTEXT_BYTES


def _validation(found: Validation, at: datetime | None) -> ValidationProgress:
    issues = [f"{each.path}{f':{each.line}' if each.line else ''}: {each.what}" for each in found.issues]
    return ValidationProgress(
        last_run=_time(at),
        completeness=found.completeness,
        status=found.status,
        deliverables=tuple(
            Delivered(name=each.name, status=_ARRIVED[each.status], details="; ".join(each.details) or None)
            for each in found.deliverables
        ),
        missing=found.missing,
        warnings=(*issues, *found.warnings),
    )


def _execution(chain: Chain, steps: Sequence[Step], seen: set[str]) -> Execution:
    stood = [chain.steps.get(step.id, Stood()) for step in steps]
    statuses = [each.status for each in stood]
    due = [
        step
        for step, each in zip(steps, stood, strict=True)
        if each.status != "skipped" and (chain.over or each.tries or each.status != "pending")
    ]
    heard = seen | {each.rpartition(":")[2] for each in seen}
    active = sum(bool(_words(step) & heard) for step in due)
    return Execution(
        mode=chain.plan.mode,
        total_skills=len(steps),
        completed_count=statuses.count("complete"),
        failed_count=statuses.count("failed"),
        skipped_count=statuses.count("skipped"),
        current_index=next((at for at, each in enumerate(statuses) if each not in ("complete", "skipped")), len(steps)),
        activation_rate=round(100 * active / len(due), 1) if due else 0.0,
        parallel_batches=_batches(chain, steps),
    )


def _name(step: Step) -> str:
    return step.skill.name if step.skill else step.id


def _words(step: Step) -> set[str]:
    """By what an invocation of its skill may be recorded."""
    return {step.skill.name, step.skill.invocation} - {""} if step.skill else {step.id}


def _batches(chain: Chain, steps: Sequence[Step]) -> tuple[tuple[str, ...], ...]:
    """Which skills were seen at work at the same time: each begun before any of the batch had ended."""
    began = sorted(
        ((at, place) for place, step in enumerate(steps) if (at := chain.steps.get(step.id, Stood()).began)),
        key=lambda each: each,
    )
    batches: list[list[Step]] = []
    until: datetime | None = None
    for at, place in began:
        step = steps[place]
        ended = chain.steps[step.id].ended
        if batches and (until is None or at < until):
            batches[-1].append(step)
            until = min((each for each in (until, ended) if each), default=None)
        else:
            batches.append([step])
            until = ended
    return tuple(tuple(_name(step) for step in each) for each in batches if len(each) >= _BATCHED)


def _maturity(plan: Plan) -> str:
    """As the file names it. Where none was chosen, every level is asked for, which is its highest."""
    return plan.maturity if plan.maturity in ("starter", "intermediate") else "production"


def _time(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
