"""Each kind of event as rows of the account: one table, so that no kind can be forgotten."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Literal

from remit.authority.decision import Code, Reason
from remit.run.event import (
    Accepted,
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
    Decided,
    Effected,
    Intended,
    LimitReached,
    Notified,
    Output,
    PublishAsked,
    Published,
    PublishFailed,
    PublishIntended,
    QuestionAnswered,
    QuestionAsked,
    QuestionExpired,
    Recorded,
    RecoveryEntered,
    Started,
    StopAsked,
    Stopped,
    Stuck,
    UndoFailed,
    UndoIntended,
    Undone,
    VerdictReached,
    Warned,
    WorkDone,
)  # fmt: skip
from remit.value import Value

Question = Literal["allowed", "considered", "refused", "notified", "approved", "evidence"]
AGENT, REMIT = "agent", "remit"


class Row(Value, frozen=True, kw_only=True):
    """One line of an account. `who` are people; `receipt` is what proves it; `contract` a hash."""

    seq: int
    at: datetime
    actor: str
    action: str
    object: str = ""
    rule: str = ""
    contract: str = ""
    reason: str = ""
    who: str = ""
    receipt: str = ""


def of(record: Recorded) -> Iterator[tuple[Question, Row]]:
    """The rows of one event and the question each of them answers."""
    event = record.event
    match event:
        case None:
            yield "evidence", evidence(record, record.kind.replace("_", " "), reason="the body was erased; the entry stands")
        case Decided():
            yield from _decided(record, event)
        case Blocked():
            yield "refused", _row(record, AGENT, event.what, event.object, reason=f"blocked by {event.by}")
        case QuestionAsked() | QuestionAnswered() | Accepted() | Notified() | StopAsked():
            yield from _people(record, event)
        case ChangesJudged():
            yield from _judged(record, event)
        case LimitReached():
            yield "refused", _row(record, REMIT, "limit reached", event.limit, reason=f"{event.used} of {event.of} used")
        case RecoveryEntered():
            yield "considered", _row(record, REMIT, "recover", event.do, rule=f"recovery[{event.entry}]", reason=event.why)
        case QuestionExpired():
            why = f"nobody answered in time: {event.otherwise}"
            yield "refused", _row(record, REMIT, "let a question expire", event.question, reason=why)
        case Stuck():
            yield "considered", _row(record, REMIT, "notice that it is stuck", reason=event.why)
        case Started():
            yield from _started(record, event)
        case _:
            yield "evidence", _happened(record, event)


def evidence(record: Recorded, action: str, object_: str = "", *, reason: str = "", receipt: str = "", who: str = "") -> Row:
    """A row about what remit itself saw or did."""
    return _row(record, REMIT, action, object_, reason=reason, receipt=receipt, who=who)


def unanswered(record: Recorded, event: QuestionAsked) -> Row:
    """A question nobody answered: it was not done."""
    rule = event.reasons[0].rule or "" if event.reasons else ""
    why, said = "no one approved; it did not go out", event.action.said() if event.action else event.text
    action, _, object_ = said.partition(" ") if event.action else (event.about, "", said)
    return _row(record, AGENT, action, object_, rule=rule, contract=event.contract, reason=why, who=", ".join(event.of))


def _row(
    record: Recorded, actor: str, action: str, object_: str = "", *, rule: str = "", contract: str = "", reason: str = "",
    who: str = "", receipt: str = "",
) -> Row:  # fmt: skip
    return Row(
        seq=record.seq, at=record.at, actor=actor, action=action, object=object_, rule=rule, contract=contract, reason=reason,
        who=who, receipt=receipt,
    )  # fmt: skip


def _decided(record: Recorded, event: Decided) -> Iterator[tuple[Question, Row]]:
    object_ = event.action.object if isinstance(event.action.object, str) else " ".join(event.action.object)
    verb, who = event.action.verb, ", ".join(event.of)
    first = event.reasons[0] if event.reasons else None
    question: Question = {"allow": "allowed", "ask": "considered", "refuse": "refused"}[event.decision]  # type: ignore[assignment]
    asked = f"asked of {who}: " if event.decision == "ask" else ""
    yield question, _row(
        record, AGENT, verb, object_, rule=(first.rule or "") if first else "", contract=first.contract if first else "",
        reason=asked + "; ".join(_words(reason) for reason in event.reasons), who=who,
        receipt="" if event.decision == "allow" else event.digest,
    )  # fmt: skip
    for reason in (each for each in event.considered if each.code is not Code.NEUTRAL):
        why = f"considered: {_words(reason)}"
        yield "considered", _row(record, AGENT, verb, object_, rule=reason.rule or "", contract=reason.contract, reason=why)


def _words(reason: Reason) -> str:
    instead = f"; instead: {reason.instead}" if reason.instead else ""
    return f"{reason.code.value}: {reason.why}{instead}"


def _people(
    record: Recorded, event: QuestionAsked | QuestionAnswered | Accepted | Notified | StopAsked
) -> Iterator[tuple[Question, Row]]:
    match event:
        case QuestionAsked():
            why, of_ = "; ".join(_words(reason) for reason in event.reasons), ", ".join(event.of)
            yield (
                "considered",
                _row(record, REMIT, "ask", event.text, contract=event.contract, reason=why, who=of_, receipt=event.digest),
            )
        case QuestionAnswered():
            question: Question = "approved" if event.answer == "yes" else "refused"
            action = "approve" if event.answer == "yes" else "refuse"
            why = f"{event.assurance}" + (f": {event.note}" if event.note else "")
            yield question, _row(
                record, event.person, action, event.question, contract=stated(event.statement, "contract"),
                reason=why, who=event.person, receipt=_signed(event.signature),
            )  # fmt: skip
        case Accepted():
            taken: Question = "approved" if event.acceptance == "accepted" else "refused"
            action = "accept" if event.acceptance == "accepted" else "decline"
            yield taken, _row(
                record, event.person, action, "the outcome", contract=stated(event.statement, "contract"),
                reason=event.assurance, who=event.person, receipt=_signed(event.signature),
            )  # fmt: skip
        case Notified():
            yield "notified", _row(record, REMIT, "tell", event.what, reason=f"by {event.how}", who=event.who)
        case StopAsked():
            yield "refused", _row(record, event.by, "stop", "the run", reason=event.why or "asked to stop", who=event.by)


def stated(statement: str, field: str) -> str:
    """A field of a signed statement, empty when it does not say."""
    return next((line.partition(": ")[2] for line in statement.splitlines() if line.startswith(f"{field}: ")), "")


def _signed(signature: str) -> str:
    return f"signature sha256:{sha256(signature.encode()).hexdigest()}" if signature else "unsigned"


def _judged(record: Recorded, event: ChangesJudged) -> Iterator[tuple[Question, Row]]:
    counts = f"{len(event.changes.changes)} paths and {len(event.changes.refs)} refs changed, {len(event.dropped)} dropped"
    yield "evidence", evidence(record, "judge changes", f"attempt {event.attempt}", reason=counts)
    for path in event.dropped:
        yield "refused", _row(record, AGENT, "publish", path, reason="dropped from what is published")
    for commit in event.withheld:
        yield "refused", _row(record, AGENT, "publish", f"commit {commit}", reason="withheld: it holds a refused path")
    for path, why in event.changes.ignored:
        yield "considered", _row(record, REMIT, "leave out", path, reason=why)


def _started(record: Recorded, event: Started) -> Iterator[tuple[Question, Row]]:
    contract = event.contract.hash()
    yield "evidence", _row(
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
        yield "approved", _row(record, who, "accept containment", event.accepted_level, contract=contract, who=who)


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
            return evidence(record, "stopped", receipt=event.receipt)
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
