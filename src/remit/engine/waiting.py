"""Waiting for a person without keeping anything only in memory: the question is a row, the answer is a row."""

import anyio

from remit.engine.hands import Hands

POLL = 0.1
RELEASED = 120.0


async def until_answered(hands: Hands, run: str, question: str, wait: float) -> bool:
    """Whether an answer arrived: from whoever sits at the terminal, or from elsewhere meanwhile; else within `wait` seconds."""
    state = await hands.replay(run)
    asked = state.questions[question].question
    if hands.asker is None:
        with anyio.move_on_after(wait):
            await _answered(hands, run, question)
        return bool((await hands.replay(run)).questions[question].said)
    heard: list[bool] = []
    failed: list[BaseException] = []
    async with anyio.create_task_group() as group:

        async def elsewhere() -> None:
            await _answered(hands, run, question)
            heard.append(True)
            group.cancel_scope.cancel()

        group.start_soon(elsewhere)
        try:
            heard.append(await hands.asker(asked) is not None)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - raised again below, not wrapped into a group
            failed.append(error)
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]
    return bool(heard) and heard[0]


async def _answered(hands: Hands, run: str, question: str) -> None:
    """Until it is settled; whoever answers may be another process."""
    seen = -1
    while True:
        version = await hands.ledger.version()
        if version != seen:
            seen = version
            if (await hands.replay(run)).questions[question].said:
                return
        await anyio.sleep(POLL)


async def until_released(hands: Hands, run: str, draft: str) -> None:
    """Until nobody is at this draft any more; whoever is at it may be another task of this process."""
    with anyio.move_on_after(RELEASED):
        while True:
            if (await hands.replay(run)).drafts[draft].state != "publishing":
                return
            await anyio.sleep(POLL)
