"""Doing what `remit.run.errand` says, whether the run works, waits or has ended."""

from datetime import datetime

from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.outbox import release, settle
from remit.engine.telling import send, told
from remit.run import errand as m
from remit.run.asking import deadline, of
from remit.run.event import Event, QuestionEscalated, QuestionExpired, QuestionReminded, Withdrawn
from remit.run.state import Run


async def run_errand(hands: Hands, gate: Gate, run: Run, move: m.Errand) -> None:
    """Do this one."""
    match move:
        case m.Send():
            await send(hands, run, move.page)
        case m.Expire():
            expired = QuestionExpired(run=run.id, question=move.question, otherwise=move.otherwise)
            await hands.record(expired, *told(run, run.owner, f"{move.question} ran out of time", question=move.question))
        case m.Escalate():
            await escalate(hands, run, move.question, move.to, "nobody answered in time")
        case m.Remind():
            await _remind(hands, run, move)
        case m.Withdraw():
            await hands.record(Withdrawn(run=run.id, key=move.draft, how=move.how, why=move.why))
        case m.Settle():
            await settle(hands, run, move.draft)
        case m.Effect():
            await release(hands, gate, run.id, move.draft)


async def escalate(hands: Hands, run: Run, question: str, to: str, why: str) -> None:
    """Ask the next person as well, with as much time as the first had."""
    await hands.record(*escalated(run, question, to, why, hands.clock.now()))


def escalated(run: Run, question: str, to: str, why: str, now: datetime) -> list[Event]:
    """The facts of an escalation."""
    asked = run.questions[question].question
    expires = deadline(of(run.contract, asked), now)
    text = f"{question}: {asked.text} (passed on: {why})"
    return [
        QuestionEscalated(run=run.id, question=question, to=to, why=why, expires=expires),
        *told(run, to, text, question=question),
    ]


async def _remind(hands: Hands, run: Run, move: m.Remind) -> None:
    asked = run.questions[move.question].question
    text = f"{move.question}: {asked.text} (reminder {move.count})"
    rows = [row for who in dict.fromkeys(asked.of) for row in told(run, who, text, question=move.question)]
    await hands.record(QuestionReminded(run=run.id, question=move.question, count=move.count), *rows)
