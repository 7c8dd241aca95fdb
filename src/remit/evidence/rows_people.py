"""Rows about people: what they were asked and told, what they said, who owns the outcome."""

from collections.abc import Iterator

from remit.authority.action import Action
from remit.evidence.codec import encode_line
from remit.evidence.row import AGENT, REMIT, Question, Row, evidence, line, signed, stated, words
from remit.run.event import (
    Accepted,
    AnswerRejected,
    Delivered,
    Notified,
    OwnershipAnswered,
    OwnershipOffered,
    QuestionAnswered,
    QuestionAsked,
    QuestionEscalated,
    QuestionExpired,
    QuestionReminded,
    Recorded,
    StopAsked,
)  # fmt: skip

PeopleEvent = (
    QuestionAsked | QuestionAnswered | AnswerRejected | QuestionEscalated | QuestionReminded | QuestionExpired | Accepted
    | Notified | Delivered | OwnershipOffered | OwnershipAnswered | StopAsked
)  # fmt: skip

NOT_APPROVED = "no one approved; it did not go out"
_SAID: dict[str, tuple[Question, str]] = {
    "yes": ("approved", "approve"),
    "modify": ("approved", "approve with a change"),
    "no": ("refused", "refuse"),
    "happened": ("evidence", "say that it happened"),
    "redo": ("approved", "say that it did not happen and is to be done"),
    "abandon": ("refused", "give up"),
    "retry": ("approved", "have the step tried again"),
    "skip": ("approved", "consent to leave the step out"),
    "abort": ("refused", "give the chain up"),
    "generate": ("approved", "have what is missing generated"),
    "accept": ("approved", "take what there is"),
}


def people_rows(record: Recorded, event: PeopleEvent) -> Iterator[tuple[Question, Row]]:
    """Who was asked is considered, who was told is notified, a yes approves, a no and what does not count refuse."""
    match event:
        case QuestionAsked():
            why, of_ = "; ".join(words(reason) for reason in event.reasons), ", ".join(event.of)
            yield (
                "considered",
                line(record, REMIT, "ask", event.text, contract=event.contract, reason=why, who=of_, receipt=event.digest),
            )
        case QuestionAnswered():
            yield _said(record, event)
        case AnswerRejected():
            why = f"the answer `{event.answer}` does not count: {event.code.value}: {event.why}"
            yield "refused", line(
                record, event.person, "answer", event.question, contract=stated(event.statement, "contract"), reason=why,
                who=event.person, receipt=signed(event.signature),
            )  # fmt: skip
        case QuestionEscalated():
            yield "considered", line(record, REMIT, "escalate", f"{event.question} to {event.to}", reason=event.why, who=event.to)
        case QuestionReminded():
            yield "considered", line(record, REMIT, "remind", event.question, reason=f"for the {_ordinal(event.count)} time")
        case QuestionExpired():
            why = f"nobody answered in time: {event.otherwise}"
            yield "refused", line(record, REMIT, "let a question expire", event.question, reason=why)
        case Notified():
            yield "notified", line(record, REMIT, "tell", event.what, reason=f"by {event.how}", who=event.who)
        case Delivered():
            how = "delivered" if event.ok else "could not be delivered"
            yield "notified", line(
                record, REMIT, "deliver a page", f"entry {event.page}", reason=f"{how} by {event.how}", who=event.who,
                receipt=event.receipt,
            )  # fmt: skip
        case StopAsked():
            yield "refused", line(record, event.by, "stop", "the run", reason=event.why or "asked to stop", who=event.by)
        case Accepted() | OwnershipOffered() | OwnershipAnswered():
            yield from _owned(record, event)


def _said(record: Recorded, event: QuestionAnswered) -> tuple[Question, Row]:
    question, action = _SAID[event.answer]
    more: list[str] = [event.assurance]
    if event.rules:
        more.append(f"{len(event.rules)} more {'rule binds' if len(event.rules) == 1 else 'rules bind'} the rest of the run")
    why = "; ".join(more) + (f": {event.note}" if event.note else "")
    proof = "; ".join(text for text in (event.receipt, signed(event.signature)) if text)
    return question, line(
        record, event.person, action, event.question, contract=stated(event.statement, "contract"), reason=why, who=event.person,
        receipt=proof,
    )  # fmt: skip


def _owned(record: Recorded, event: Accepted | OwnershipOffered | OwnershipAnswered) -> Iterator[tuple[Question, Row]]:
    contract, proof = stated(event.statement, "contract"), signed(event.signature)
    match event:
        case Accepted():
            taken: Question = "approved" if event.acceptance == "accepted" else "refused"
            action = "accept" if event.acceptance == "accepted" else "decline"
            yield taken, line(
                record, event.person, action, "the outcome", contract=contract, reason=event.assurance, who=event.person,
                receipt=proof,
            )  # fmt: skip
        case OwnershipOffered():
            why = f"it stays with {event.by} until {event.to} accepts it" + (f": {event.note}" if event.note else "")
            yield (
                "considered",
                line(record, event.by, "offer the outcome", event.to, contract=contract, reason=why, who=event.to, receipt=proof),
            )
            yield "evidence", evidence(record, "record an offer of the outcome", event.to, who=event.by, receipt=proof)
        case OwnershipAnswered():
            how = "take the outcome over" if event.accepted else "decline the outcome"
            why = event.assurance + (f": {event.note}" if event.note else "")
            question: Question = "approved" if event.accepted else "refused"
            yield question, line(record, event.person, how, contract=contract, reason=why, who=event.person, receipt=proof)


def _ordinal(count: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(count, f"{count}th")


def unanswered(record: Recorded, event: QuestionAsked) -> Row:
    """A question nobody settled: it was not done, or nobody knows what became of it."""
    rule = event.reasons[0].rule or "" if event.reasons else ""
    why = {
        "doubt": "nobody said what became of it; whether it happened is unknown",
        "context": "nobody answered what the agent did not know",
    }.get(event.about, NOT_APPROVED)
    said = event.action.said() if event.action else event.text
    action, _, object_ = said.partition(" ") if event.action else (event.about, "", said)
    return line(record, AGENT, action, object_, rule=rule, contract=event.contract, reason=why, who=", ".join(event.of))


def changed(before: Action | None, after: Action | None) -> str:
    """What a change of an action changed, argument by argument; empty when it changed nothing."""
    if before is None or after is None:
        return ""
    parts = [f"{before.said()} became {after.said()}"] if before.said() != after.said() else []
    for name in dict.fromkeys((*before.arguments, *after.arguments)):
        old, new = (_text(action, name) for action in (before, after))
        if old != new:
            parts.append(f"{name}: {old} became {new}")
    return "; ".join(parts)


def _text(action: Action, name: str) -> str:
    return encode_line(action.arguments[name]).decode() if name in action.arguments else "nothing"
