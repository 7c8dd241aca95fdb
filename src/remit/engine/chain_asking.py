"""What a coordinator puts before the owner: a step in trouble, a step of their own, gaps that validation found."""

from msgspec.structs import replace

from remit.engine.hands import Hands
from remit.engine.telling import told
from remit.engine.waiting import until_answered
from remit.plan.screens import gaps, trouble
from remit.run.asking import deadline, escalation
from remit.run.chain_move import TROUBLE, AskGaps, AskPerson, AskStep, chain_moves
from remit.run.event import QuestionAsked
from remit.run.state import Run

Asking = AskStep | AskPerson | AskGaps


async def ask(hands: Hands, run_id: str, move: Asking) -> None:
    """Put it as a row, tell whom it asks, and let somebody at the terminal answer at once."""
    async with hands.ledger.transaction() as transaction:
        run = hands.folds.within(transaction, run_id)
        if move not in chain_moves(run):  # somebody was faster, or it was stopped meanwhile
            return
        asked = _question(hands, run, move, f"Q{len(run.questions) + 1}")
        transaction.append(asked)
        for row in told(run, asked.of[0], f"{asked.question}: {asked.text.splitlines()[0]}", question=asked.question):
            transaction.append(row)
    await until_answered(hands, run_id, asked.question, 0.0)


def _question(hands: Hands, run: Run, move: Asking, name: str) -> QuestionAsked:
    chain = run.chain
    assert chain is not None
    rung = escalation(run.contract, "gaps" if isinstance(move, AskGaps) else "step")
    asked = QuestionAsked(
        run=run.id, question=name, about="step", text="", of=(run.owner,), contract=run.contract.hash(),
        otherwise=rung.otherwise if rung else "", expires=deadline(rung, hands.clock.now()),
    )  # fmt: skip
    match move:
        case AskGaps():
            return replace(asked, about="gaps", text=gaps(move.missing), options=move.options, step=str(chain.round))
        case AskStep():
            stood = chain.steps[move.step]
            gone = (
                f"\nit has already done: {', '.join(stood.effects)}; a fresh sub-agent may do that once more"
                if stood.effects
                else ""
            )
            preview = f"{stood.outcome}: {stood.why}{gone}"
            return replace(asked, text=trouble(move.step), options=TROUBLE, step=move.step, preview=preview)
        case AskPerson():
            step = chain.plan.step(move.step)
            text = f"{step.title or step.id}: {step.prompt}".rstrip(": ") + "\nIs it done?"
            return replace(asked, text=text, of=tuple(dict.fromkeys((step.person or run.owner, run.owner))), step=move.step)
