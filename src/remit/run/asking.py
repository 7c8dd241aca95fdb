"""How long a question waits, whom it goes to next, and when those who were asked are reminded."""

from datetime import datetime, timedelta

from remit.contract.contract import Contract
from remit.contract.outcome import Escalation
from remit.run.people import QuestionAsked
from remit.run.state import Asked


def escalation(contract: Contract, *about: str) -> Escalation | None:
    """The first escalation of the contract for any of these: a tool or object, a verb, or `any`."""
    return next((each for each in contract.escalation if each.about in {*about, "any"}), None)


def of(contract: Contract, question: QuestionAsked) -> Escalation | None:
    """The escalation that this question stands under."""
    if question.action is not None and question.about != "doubt":
        return escalation(contract, str(question.action.object), question.action.verb)
    return escalation(contract, question.about)


def deadline(rung: Escalation | None, now: datetime) -> datetime | None:
    """Until when it may be answered from now on; None where the contract sets no time."""
    return now + timedelta(seconds=rung.within) if rung is not None and rung.within is not None else None


def next_person(contract: Contract, asked: Asked) -> str:
    """Whom the question goes to next; empty when the ladder is at its end."""
    rung = of(contract, asked.question)
    return rung.then[asked.rung] if rung is not None and asked.rung < len(rung.then) else ""


def reminders_due(contract: Contract, asked: Asked, now: datetime) -> int:
    """How many reminders should have gone out by now; 0 where the contract wants none."""
    rung = of(contract, asked.question)
    if rung is None or not rung.remind:
        return 0
    return int((now - (asked.since or asked.at)).total_seconds() // rung.remind)
