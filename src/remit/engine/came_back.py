"""What a child of a chain came back with: its outcome, what it says it did, and what of that is really there."""

import hashlib

from msgspec.structs import replace

from remit.engine.hands import Hands
from remit.engine.judge import sealed_stage
from remit.errors import BadInput, RemitError
from remit.plan.reported import Report, Validation
from remit.plan.reporting import read_report
from remit.plan.step import CONVERSATION, VALIDATION
from remit.run.chained import Outcome, StepEnded, Validated
from remit.run.event import Event
from remit.run.state import Run
from remit.value import Value

MOST_CLAIMS = 500
OPINION = 4000


class Back(Value, frozen=True, kw_only=True):
    """Which step, for the how-manieth time; `refused` where it was never handed on."""

    step: str
    number: int
    refused: str = ""


async def ended(hands: Hands, run: Run, back: Back) -> list[Event]:
    """The facts of its end; none while the child still has to go on."""
    chain = run.chain
    if chain is None or run.started is None:
        return []
    stood = chain.steps[back.step]
    if back.refused and (stood.tries < back.number or not stood.children):
        return [
            StepEnded(run=run.id, step=back.step, number=back.number, child="", outcome="failed", why=back.refused[:1000])
        ]  # fmt: skip
    if not stood.children or stood.status != "in_progress":
        return []
    child = await hands.replay(stood.children[-1])
    outcome, why = _outcome(child, back.refused)
    if back.refused and child.published is not None:  # it had been merged into a stage that was lost, and does not fit any more
        outcome, why = "conflict", back.refused
    if outcome is None:
        return []
    step = next((each for each in chain.plan.steps if each.id == back.step), None)
    skill = step.skill.name if step is not None and step.skill is not None else back.step
    if outcome == "complete" and child.judged is not None and (lost := child.judged.dropped):
        said = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        why = "; ".join(part for part in (why, f"not taken, because no rule allows it: {said}") if part)
    report = read_report(child.words, skill=skill, project=run.started.workspace)
    if outcome == "failed" and report.needs_input:
        outcome, why = "needs input", report.needs_input
    digest = f"sha256:{hashlib.sha256(child.words.encode('utf-8', 'replace')).hexdigest()}" if child.words else ""
    files = tuple(child.published or ())
    flagged = await _flagged(hands, child, report, files)
    one = StepEnded(
        run=run.id, step=back.step, number=back.number, child=child.id, outcome=outcome, why=why[:1000],
        report=_sourced(report, back.step, digest), files=files, flagged=flagged, digest=digest, exceptions=child.exceptions,
        effects=_left(child),
    )  # fmt: skip
    return [*_each_skill(run, child), one] if back.step == CONVERSATION and outcome == "complete" else [one]


def _outcome(child: Run, refused: str) -> tuple[Outcome | None, str]:
    """How a child came back; None while it waits for somebody."""
    if child.verdict is None:
        return (None, "") if not refused else ("failed", refused)
    if child.verdict in {"success", "success_with_exceptions"} and child.acceptance != "declined":
        if child.publish_failed:
            return "conflict", child.publish_failed
        if child.published is None:
            return None, ""  # what it left out waits for its owner
        return "complete", f"without {', '.join(child.exceptions)}" if child.exceptions else ""
    why = child.why or child.verdict
    most = child.limits.time
    if "time reached" in child.warned or (most is not None and child.spend.time >= most):
        return "hung", f"it did not end in time ({most} s)"
    return "failed", why if child.verdict == "failed" or why == child.verdict else f"{child.verdict}: {why}"


def _left(child: Run) -> tuple[str, ...]:
    """What it did that no second try calls back, or of which nobody knows."""
    gone = {"published", "publishing", "unknown"}
    return tuple(draft.action.said()[:200] for draft in child.drafts.values() if draft.state in gone)


def _each_skill(run: Run, child: Run) -> list[Event]:
    """Standard mode: a skill of the plan was activated where its text was asked for, whatever the conversation says."""
    assert run.chain is not None
    found: list[Event] = []
    for step in run.chain.plan.steps:
        known = {step.skill.invocation, step.skill.name} if step.skill is not None else set()
        if known & set(child.invoked):
            found.append(StepEnded(run=run.id, step=step.id, number=1, child="", outcome="complete"))
        else:
            why = "SKIPPED - context rot: never invoked"
            found.append(StepEnded(run=run.id, step=step.id, number=1, child="", outcome="failed", why=why))
    return found


def _sourced(report: Report, step: str, digest: str) -> Report:
    """Outputs for later steps carry whose they are and which words they stood in."""
    outputs = tuple(replace(each, source=step, digest=digest) for each in report.outputs)
    return replace(report, outputs=outputs)


async def _flagged(hands: Hands, child: Run, report: Report, files: tuple[str, ...]) -> tuple[str, ...]:
    """Claims without a file (VAL-11): neither among what it changed nor in the tree it leaves."""
    claims = [claim for claim in report.files[:MOST_CLAIMS] if claim not in files]
    if not claims or child.judged is None:
        return tuple(claims)
    try:
        stage = await sealed_stage(hands, child)
        await stage.view(dropped=child.judged.dropped, refs=(), trusted=())
    except (RemitError, OSError):
        return tuple(claims)
    missing = []
    for claim in claims:
        below = claim.rstrip("/") + "/"
        if any(path.startswith(below) for path in files):
            continue
        try:
            there = await stage.read(claim, most=64 * 1024 * 1024) is not None
        except BadInput:
            there = True  # too large to be read is there
        except (RemitError, OSError, ValueError):
            there = False
        if not there:
            missing.append(claim)
    return tuple(missing)


async def validated(hands: Hands, run: Run, round_: int, refused: str) -> Validated | None:
    """What the validation agent found; where it could not even work, that is what it found. None while it waits."""
    child = await _last_validation(hands, run) if not refused else None
    seen = (each.found for each in child.checks.values() if each.found is not None) if child is not None else ()
    found = next(iter(seen), None)
    if found is None:
        if child is not None and child.verdict is None and not refused:
            return None
        why = refused or (child.why if child is not None else "") or "it left no judgement"
        warnings = (f"the validation agent did not do its work: {why}"[:500],)
        found = Validation(status="FAIL", completeness=0, verified=0, expected=0, warnings=warnings)
        if child is not None and child.verdict == "success":  # nothing was due, and it ended well
            warnings = ("nothing was due, so nothing was verified",)
            found = Validation(status="PASS", completeness=100, verified=0, expected=0, warnings=warnings)
    if child is not None and child.work is not None and child.work.status not in {0, None}:
        said = f"the agent asked for its opinion ended with status {child.work.status}"
        found = replace(found, warnings=(*found.warnings, said))
    return Validated(
        run=run.id, child=child.id if child is not None else "", round=round_, found=found,
        opinion=child.words[-OPINION:] if child is not None else "",
    )  # fmt: skip


async def _last_validation(hands: Hands, run: Run) -> Run | None:
    for child_id in reversed(tuple(run.keys.values())):
        child = await hands.replay(child_id)
        if child.started is not None and child.started.step == VALIDATION:
            return child
    return None
