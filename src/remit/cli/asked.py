"""Asking the person at the terminal, and signing what they say as the local identity."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import anyio.to_thread
import click

from remit.cli.card import screen
from remit.cli.menu import LATER, REPORT, has_menu, offered, picked
from remit.cli.say import talk
from remit.engine.hands import Asker, Hands
from remit.engine.inbox import answer
from remit.errors import BadInput, Refused
from remit.run.card import card
from remit.run.event import QuestionAsked
from remit.run.state import Run


def at_terminal(hands: Hands, quiet: Callable[[], AbstractAsyncContextManager[None]]) -> Asker:
    """An asker that prompts, signs and records; one that cannot sign asks nobody. Within `quiet` what led to the question has
    been printed, and nothing else is.
    """
    lock = anyio.Lock()

    async def ask(question: QuestionAsked) -> str | None:
        if hands.signer is None or hands.signer.person not in question.of:
            return None
        async with lock, quiet():
            run = await hands.replay(question.run)
            if has_menu(question):
                said = await anyio.to_thread.run_sync(choice, question, run, abandon_on_cancel=True)
            else:
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


def choice(question: QuestionAsked, run: Run) -> str | None:
    """One of the words of a menu, or None for later. The report is shown as often as it is wanted."""
    from remit.cli.chained import menu, report

    words = offered(question)
    while True:
        for line in menu(question):
            talk(line)
        while not (said := picked(words, click.prompt("Your choice", err=True, default="", show_default=False))):
            talk(f"one of {', '.join(f'{number} {word}' for number, word in enumerate(words, 1))}, or {LATER}")
        if said != REPORT:
            return None if said == LATER else said
        for line in report(run):
            talk(line)


def prompt() -> str | None:
    """yes, no, or None for later."""
    while True:
        said = click.prompt("      yes, no or later", err=True, default="later", show_default=False).strip().lower()
        if said in {"yes", "y", "no", "n", "later", "l"}:
            return {"y": "yes", "n": "no", "l": None, "later": None}.get(said, said)
