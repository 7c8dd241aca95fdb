"""Waiting for a person without keeping anything only in memory: the question is a row, the answer is a row."""

import anyio

from remit.engine.hands import Hands

POLL = 0.1
RELEASED = 120.0


async def until_answered(hands: Hands, run: str, question: str, wait: float) -> bool:
    """Whether an answer arrived: asked at the terminal when somebody sits there, else awaited for `wait` seconds."""
    state = await hands.replay(run)
    asked = state.questions[question].question
    if hands.asker is not None:
        return await hands.asker(asked) is not None
    with anyio.move_on_after(wait):
        seen = -1
        while True:
            version = await hands.ledger.version()
            if version != seen:
                seen, state = version, await hands.replay(run, state)
                if state.questions[question].said:
                    return True
            await anyio.sleep(POLL)
    return False


async def until_released(hands: Hands, run: str, draft: str) -> None:
    """Until nobody is at this draft any more; whoever is at it may be another task of this process."""
    with anyio.move_on_after(RELEASED):
        while True:
            if (await hands.replay(run)).drafts[draft].state != "publishing":
                return
            await anyio.sleep(POLL)
