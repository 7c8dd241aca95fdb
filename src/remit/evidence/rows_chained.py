"""The rows of a chain: the plan, the steps and who took them, what they reported, what validation found, who gave up what."""

from collections.abc import Iterator

from remit.evidence.row import AGENT, REMIT, Question, Row, evidence, line
from remit.run.chained import (
    Chained,
    GapsAccepted,
    PlanEnded,
    PlanPinned,
    Reported,
    SkillInvoked,
    StepEnded,
    StepReopened,
    StepSkipped,
    StepStarted,
    Validated,
)
from remit.run.event import Recorded


def chained_rows(record: Recorded, event: Chained) -> Iterator[tuple[Question, Row]]:
    """The rows of one such event and the question each of them answers."""
    match event:
        case PlanPinned():
            steps = ", ".join(step.id for step in event.plan.steps)
            why = f"{event.plan.mode}; {steps}" + (f"; advised {event.advised}" if event.advised else "")
            yield "evidence", evidence(record, "pin the plan", event.plan.name, reason=why)
            if event.confirmed:
                yield "approved", line(record, event.confirmed, "agree to the plan", event.plan.name, who=event.confirmed)
        case StepStarted():
            again = f"try {event.number}" + (f": {event.because}" if event.because else "")
            yield "evidence", evidence(record, "begin step", event.step, reason=again, receipt=event.child)
        case StepEnded():
            flagged = f"; claimed and not there: {', '.join(event.flagged)}" if event.flagged else ""
            why = f"{event.outcome}; {len(event.files)} files" + (f"; {event.why}" if event.why else "") + flagged
            yield "evidence", evidence(record, "end step", event.step, reason=why, receipt=event.child)
        case StepReopened():
            question: Question = "approved" if event.question else "considered"
            yield question, line(record, REMIT, "take step again", event.step, reason=event.why, receipt=event.question)
        case StepSkipped():
            by: Question = "approved" if event.question else "considered"  # the contract's own word is nobody's yes
            actor = event.person or REMIT
            yield by, line(record, actor, "skip step", event.step, reason=event.why, receipt=event.question)
        case SkillInvoked():
            changed = "; its text is another than was planned with" if event.changed else ""
            why = f"{event.bytes} bytes{changed}"
            yield "evidence", line(record, AGENT, "invoke skill", event.skill, reason=why, receipt=event.digest)
        case Reported():
            what = f"attempt {event.attempt}"
            yield "evidence", line(record, AGENT, "report", what, reason=f"{len(event.text)} characters", receipt=event.digest)
        case Validated():
            yield "evidence", _validated(record, event)
        case GapsAccepted():
            missing = ", ".join(event.missing)
            yield "approved", line(record, event.person, "accept without", missing, receipt=event.question)
        case PlanEnded():
            yield "evidence", line(record, REMIT, "end the plan", event.how, reason=event.why)


def _validated(record: Recorded, event: Validated) -> Row:
    found = event.found
    missing = f"; missing: {', '.join(found.missing)}" if found.missing else ""
    why = f"{found.status}: {found.verified}/{found.expected} files, {found.completeness}%{missing}"
    return evidence(record, "validate", f"round {event.round}", reason=why, receipt=event.child)
