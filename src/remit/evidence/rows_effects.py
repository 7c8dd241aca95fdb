"""Rows about effects that leave the workspace: each step of a draft, from the outbox to its end."""

from collections.abc import Iterator

from remit.evidence.row import AGENT, REMIT, Question, Row, evidence, line
from remit.run.effect import Confirmed, Drafted, HandedOff, InDoubt, Resolved, Told, Withdrawn
from remit.run.event import Recorded

EffectEvent = Drafted | HandedOff | Withdrawn | InDoubt | Resolved | Confirmed | Told


def effect_rows(record: Recorded, event: EffectEvent) -> Iterator[tuple[Question, Row]]:
    """A draft is considered, a hand-off is a person answering for it, a withdrawal is a refusal, a doubt is evidence."""
    match event:
        case Drafted():
            waits = "; it waits for the published workspace" if event.waits else ""
            why = f"it leaves the workspace ({event.effect or event.action.verb}), so it stands as a draft{waits}"
            yield "considered", line(record, AGENT, "draft", event.action.said(), reason=why, receipt=event.digest)
            kept = event.preview.splitlines()[0][:200] if event.preview else ""
            yield "evidence", evidence(record, "keep a draft", event.action.said(), reason=kept, receipt=event.key)
        case HandedOff():
            who = ", ".join(event.responsible)
            why = f"{who or 'nobody'} answers from here: {event.by}"
            yield "approved", line(record, REMIT, "hand off", event.transition, reason=why, who=who, receipt=event.key)
        case Withdrawn():
            why = f"{event.how}: {event.why}; it did not go out"
            yield "refused", line(record, REMIT, "withdraw a draft", event.key, reason=why)
        case InDoubt():
            yield "evidence", evidence(record, "doubt", event.key, reason=f"{event.why}; whether it happened is unknown")
        case Resolved():
            actor = event.person or REMIT
            why = f"by {event.by}: {event.said}"
            yield (
                "evidence",
                line(record, actor, "resolve a doubt", event.key, reason=why, who=event.person, receipt=event.receipt),
            )
        case Told():
            yield "evidence", evidence(record, "hear that the caller was told", event.key)
        case Confirmed():
            yield "evidence", evidence(record, "hear that it happened", event.key, reason=f"by {event.by}", receipt=event.receipt)
