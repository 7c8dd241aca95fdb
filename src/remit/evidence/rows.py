"""Each kind of event as rows of the account: one table, so that no kind can be forgotten."""

from collections.abc import Iterator

from remit.authority.decision import Code
from remit.evidence.row import AGENT, REMIT, Question, Row, evidence, line, words
from remit.evidence.rows_chained import chained_rows
from remit.evidence.rows_effects import effect_rows
from remit.evidence.rows_metered import metered_rows
from remit.evidence.rows_people import people_rows, unanswered
from remit.run.chained import (
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
from remit.run.event import (
    Accepted,
    AnswerRejected,
    AttemptLost,
    AttemptStarted,
    Blocked,
    BodiesErased,
    BoundarySet,
    BoxStarted,
    ChangesJudged,
    Charged,
    CheckRan,
    ChecksFinished,
    ChildEnded,
    ChildStarted,
    Confirmed,
    ContextLoaded,
    Decided,
    Deescalated,
    Delivered,
    Drafted,
    Effected,
    Escalated,
    HandedOff,
    InDoubt,
    Intended,
    LimitReached,
    ModelRefused,
    ModelReserved,
    ModelSettled,
    Notified,
    Output,
    OwnershipAnswered,
    OwnershipOffered,
    PublishAsked,
    Published,
    PublishFailed,
    PublishIntended,
    QuestionAnswered,
    QuestionAsked,
    QuestionEscalated,
    QuestionExpired,
    QuestionReminded,
    Recorded,
    RecoveryEntered,
    Resolved,
    RuntimeChosen,
    Started,
    StopAsked,
    Stopped,
    Stuck,
    Told,
    ToolReturned,
    Unasked,
    UndoFailed,
    UndoIntended,
    Undone,
    VerdictReached,
    Warned,
    Withdrawn,
    WorkDone,
)  # fmt: skip

__all__ = ["Question", "Row", "evidence", "of", "unanswered"]


def of(record: Recorded) -> Iterator[tuple[Question, Row]]:
    """The rows of one event and the question each of them answers."""
    event = record.event
    match event:
        case None:
            yield "evidence", evidence(record, record.kind.replace("_", " "), reason="the body was erased; the entry stands")
        case Decided():
            yield from _decided(record, event)
        case Blocked():
            yield "refused", line(record, AGENT, event.what, event.object, reason=f"blocked by {event.by}")
        case Drafted() | HandedOff() | Withdrawn() | InDoubt() | Resolved() | Confirmed() | Told():
            yield from effect_rows(record, event)
        case (
            QuestionAsked() | QuestionAnswered() | AnswerRejected() | QuestionEscalated() | QuestionReminded() | QuestionExpired()
            | Accepted() | Notified() | Delivered() | OwnershipOffered() | OwnershipAnswered() | StopAsked()
        ):  # fmt: skip
            yield from people_rows(record, event)
        case (
            RuntimeChosen() | ModelReserved() | ModelSettled() | ModelRefused() | Unasked() | ToolReturned() | ContextLoaded()
            | Escalated() | Deescalated()
        ):  # fmt: skip
            yield from metered_rows(record, event)
        case (
            PlanPinned() | StepStarted() | StepEnded() | StepReopened() | StepSkipped() | SkillInvoked() | Reported()
            | Validated() | GapsAccepted() | PlanEnded()
        ):  # fmt: skip
            yield from chained_rows(record, event)
        case ChangesJudged():
            yield from _judged(record, event)
        case LimitReached():
            yield "refused", line(record, REMIT, "limit reached", event.limit, reason=f"{event.used} of {event.of} used")
        case RecoveryEntered():
            yield "considered", line(record, REMIT, "recover", event.do, rule=f"recovery[{event.entry}]", reason=event.why)
        case Stuck():
            yield "considered", line(record, REMIT, "notice that it is stuck", reason=event.why)
        case Started():
            yield from _started(record, event)
        case _:
            yield "evidence", _happened(record, event)


def _decided(record: Recorded, event: Decided) -> Iterator[tuple[Question, Row]]:
    object_ = event.action.object if isinstance(event.action.object, str) else " ".join(event.action.object)
    verb, who = event.action.verb, ", ".join(event.of)
    first = event.reasons[0] if event.reasons else None
    question: Question = {"allow": "allowed", "ask": "considered", "refuse": "refused"}[event.decision]  # type: ignore[assignment]
    asked = f"asked of {who}: " if event.decision == "ask" else ""
    yield question, line(
        record, AGENT, verb, object_, rule=(first.rule or "") if first else "", contract=first.contract if first else "",
        reason=asked + "; ".join(dict.fromkeys(words(reason) for reason in event.reasons)), who=who,
        receipt="" if event.decision == "allow" else event.digest,
    )  # fmt: skip
    for reason in (each for each in event.considered if each.code is not Code.NEUTRAL):
        why = f"considered: {words(reason)}"
        yield "considered", line(record, AGENT, verb, object_, rule=reason.rule or "", contract=reason.contract, reason=why)


def _judged(record: Recorded, event: ChangesJudged) -> Iterator[tuple[Question, Row]]:
    counts = f"{len(event.changes.changes)} paths and {len(event.changes.refs)} refs changed, {len(event.dropped)} dropped"
    yield "evidence", evidence(record, "judge changes", f"attempt {event.attempt}", reason=counts)
    for path in event.dropped:
        yield "refused", line(record, AGENT, "publish", path, reason="dropped from what is published")
    for commit in event.withheld:
        yield "refused", line(record, AGENT, "publish", f"commit {commit}", reason="withheld: it holds a refused path")
    for path, why in event.changes.ignored:
        yield "considered", line(record, REMIT, "leave out", path, reason=why)


def _started(record: Recorded, event: Started) -> Iterator[tuple[Question, Row]]:
    contract = event.contract.hash()
    yield "evidence", line(
        record, REMIT, "start", " ".join(event.command), contract=contract, reason=event.trigger, who=event.contract.owner,
        receipt=contract,
    )  # fmt: skip
    for name, digest in event.context:
        yield "evidence", evidence(record, "load context", name, receipt=digest)
    yield "evidence", evidence(record, "decide to delegate", reason=event.assessment)
    for item, held in event.checklist:
        yield "evidence", evidence(record, "check before the start", item, reason="yes" if held else "no")
    if event.accepted_level:
        who = event.accepted_by or ""
        yield "approved", line(record, who, "accept containment", event.accepted_level, contract=contract, who=who)


def _happened(record: Recorded, event: object) -> Row:
    """What remit saw or did, as one row of evidence."""
    match event:
        case BoundarySet():
            missing = f"missing: {', '.join(event.missing)}" if event.missing else "nothing missing"
            return evidence(record, "set the boundary", event.level, reason=missing)
        case AttemptStarted():
            return evidence(record, "start an attempt", f"attempt {event.attempt}", reason=event.because)
        case BoxStarted():
            return evidence(record, "open the box", f"attempt {event.attempt}", receipt=f"pid {event.pid}, born {event.born}")
        case Intended():
            return evidence(record, "intend", event.action.said(), receipt=event.key)
        case Effected():
            return evidence(record, "effect" if event.ok else "effect failed", event.key, receipt=event.receipt)
        case Charged():
            spend = event.spend
            used = (
                f"{spend.turns} turns, {spend.calls} calls, {spend.tokens} tokens, {spend.usd} millionths usd, {spend.time:g} s"
            )
            return evidence(record, "charge", event.what, reason=used)
        case Warned():
            return evidence(record, "warn", event.limit, reason=f"{event.used} of {event.of} used")
        case Output():
            cut = ", cut" if event.cut else ""
            return evidence(
                record, "output", f"attempt {event.attempt}", reason=f"{event.bytes} bytes{cut}", receipt=f"sha256:{event.sha256}"
            )
        case WorkDone():
            why = f"{event.why}, status {event.status}"
            return evidence(record, "work done", f"attempt {event.attempt}", reason=why, receipt=event.receipt or event.sealed)
        case AttemptLost():
            return evidence(record, "lose an attempt", f"attempt {event.attempt}", reason=event.why)
        case CheckRan():
            failing = f"; failing: {', '.join(event.failing)}" if event.failing else ""
            passed = "passed" if event.ok else "failed"
            return evidence(
                record, "check", event.check, reason=passed + failing + _control(event.control), receipt=event.evidence
            )
        case ChecksFinished():
            why = f"failed: {', '.join(event.failed) or 'none'}; excused: {', '.join(event.excused) or 'none'}"
            return evidence(record, "finish checks", f"round {event.round}", reason=why, receipt="; ".join(event.exceptions))
        case VerdictReached():
            return evidence(record, "verdict", event.verdict, reason=event.why, receipt="; ".join(event.exceptions))
        case _:
            return _released(record, event)


def _control(control: str) -> str:
    return f"; negative control: {control}" if control else ""


def _released(record: Recorded, event: object) -> Row:
    match event:
        case PublishIntended():
            return evidence(record, "intend to publish", f"attempt {event.attempt}", receipt=event.journal)
        case Published():
            return evidence(record, "publish", ", ".join((*event.paths, *event.refs)), receipt=event.receipt)
        case PublishFailed():
            return evidence(record, "fail to publish", ", ".join(event.conflicts), reason=event.why)
        case PublishAsked():
            return evidence(record, "ask to publish once more", who=event.by)
        case UndoIntended():
            return evidence(record, "intend to undo", who=event.by)
        case Undone():
            return evidence(record, "undo", ", ".join(event.paths), receipt=event.receipt)
        case UndoFailed():
            return evidence(record, "fail to undo", ", ".join(event.conflicts), reason=event.why)
        case Stopped():
            left = f"; cannot be called back: {', '.join(event.remains)}" if event.remains else ""
            return evidence(record, "stopped", ", ".join(event.ended), reason=left.removeprefix("; "), receipt=event.receipt)
        case ChildStarted():
            return evidence(record, "start a child", event.child, receipt=event.key)
        case ChildEnded():
            return evidence(record, "child ended", event.child, reason=event.verdict)
        case BodiesErased():
            return evidence(record, "erase bodies", reason=event.because, who=event.by)
        case _:
            return _leftover(event)


def _leftover(event: object) -> Row:
    raise NotImplementedError(f"no row for `{event!r}`")
