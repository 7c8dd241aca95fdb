"""Asking the person at the terminal, and signing what they say as the local identity."""

from collections.abc import Awaitable, Callable

import anyio.to_thread
import click

from remit.cli.card import screen
from remit.cli.say import talk
from remit.engine.hands import Asker, Hands
from remit.engine.inbox import answer
from remit.errors import BadInput, Refused
from remit.run.card import card
from remit.run.event import QuestionAsked


def at_terminal(hands: Hands, first: Callable[[], Awaitable[None]]) -> Asker:
    """An asker that prompts, signs and records; one that cannot sign asks nobody. `first` prints what led to the question."""
    lock = anyio.Lock()

    async def ask(question: QuestionAsked) -> str | None:
        if hands.signer is None or hands.signer.person not in question.of:
            return None
        async with lock:
            await first()
            run = await hands.replay(question.run)
            talk()
            for line in screen(card(run, question.question), hands.clock.now()):
                talk(line)
            said = await anyio.to_thread.run_sync(prompt, abandon_on_cancel=True)
        if said is None:
            return None
        try:
            await answer(hands, question.run, question.question, said, signer=hands.signer, assurance="terminal")
        except (BadInput, Refused) as error:
            talk(f"      {error}")
            return None
        return said

    return ask


def prompt() -> str | None:
    """yes, no, or None for later."""
    while True:
        said = click.prompt("      yes, no or later", err=True, default="later", show_default=False).strip().lower()
        if said in {"yes", "y", "no", "n", "later", "l"}:
            return {"y": "yes", "n": "no", "l": None, "later": None}.get(said, said)
