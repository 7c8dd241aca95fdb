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
    """Do this one. What is only recorded is looked at again first: somebody may have answered, or released it, meanwhile."""
    match move:
        case m.Send():
            await send(hands, run, move.page)
        case m.Settle():
            await settle(hands, run, move.draft)
        case m.Effect():
            await release(hands, gate, run.id, move.draft)
        case _:
            async with gate.transaction() as transaction:
                fresh = gate.fold(transaction, run.id)
                for event in _facts(fresh, move, hands.clock.now()):
                    transaction.append(event)


def _facts(run: Run, move: m.Expire | m.Escalate | m.Remind | m.Withdraw, now: datetime) -> list[Event]:
    """What is recorded, where it is still due."""
    if isinstance(move, m.Withdraw):
        same = m.due(run, run.drafts[move.draft], now) == move
        return [Withdrawn(run=run.id, key=move.draft, how=move.how, why=move.why)] if same else []
    late = isinstance(move, m.Expire) and run.questions[move.question].said == "" and move.otherwise not in {"refuse", "stop"}
    if not late and m.question_due(run, now) != move:
        return []
    match move:
        case m.Expire():
            expired = QuestionExpired(run=run.id, question=move.question, otherwise=move.otherwise)
            return [expired, *told(run, run.owner, f"{move.question} ran out of time", question=move.question)]
        case m.Escalate():
            return escalated(run, move.question, move.to, "nobody answered in time", now)
        case m.Remind():
            return _reminded(run, move)


def escalated(run: Run, question: str, to: str, why: str, now: datetime) -> list[Event]:
    """The facts of an escalation."""
    asked = run.questions[question].question
    expires = deadline(of(run.contract, asked), now) if asked.about != "doubt" else None
    text = f"{question}: {asked.text} (passed on: {why})"
    return [
        QuestionEscalated(run=run.id, question=question, to=to, why=why, expires=expires),
        *told(run, to, text, question=question),
    ]


def _reminded(run: Run, move: m.Remind) -> list[Event]:
    asked = run.questions[move.question].question
    text = f"{move.question}: {asked.text} (reminder {move.count})"
    rows = [row for who in dict.fromkeys(asked.of) for row in told(run, who, text, question=move.question)]
    return [QuestionReminded(run=run.id, question=move.question, count=move.count), *rows]
