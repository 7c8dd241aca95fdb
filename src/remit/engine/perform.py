"""Doing, on the sealed stage, what a person allowed after the work had ended."""

from remit.authority.decision import Allow
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.judge import sealed_stage
from remit.errors import BadInput, Conflict
from remit.run.event import Effected
from remit.run.state import Run


async def perform(hands: Hands, gate: Gate, run: Run, question: str) -> None:
    """Write what was asked for under this question; the gate decides once more, now with the person's yes."""
    action = run.questions[question].question.action
    assert action is not None
    if question not in run.intents:  # else it was granted before a crash: writing the same bytes again is harmless
        answer = await gate.decide(run.id, action, at="engine", effect=True, key=question)
        if not isinstance(answer.decision, Allow):
            await hands.record(Effected(run=run.id, key=question, ok=False, receipt=answer.decision.reasons[0].why))
            return
    stage = await sealed_stage(hands, run)
    content = hands.contents(run.id) / str(action.arguments.get("sha256"))
    try:
        receipt = await stage.amend(str(action.object), content.read_bytes())
    except (Conflict, BadInput, OSError) as error:
        await hands.record(Effected(run=run.id, key=question, ok=False, receipt=str(error)))
        return
    await hands.record(Effected(run=run.id, key=question, ok=True, receipt=receipt))
