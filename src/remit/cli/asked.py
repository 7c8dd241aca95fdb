"""Asking the person at the terminal, and signing what they say as the local identity."""

from collections.abc import Awaitable, Callable

import anyio.to_thread
import click

from remit.cli.say import clean, talk
from remit.engine.hands import Asker, Hands
from remit.engine.inbox import answer
from remit.run.event import QuestionAsked

ON_NO = {
    "action": "on no it is refused",
    "change": "on no it is left out",
    "recovery": "on no the next rung of the recovery is taken",
    "publish": "on no nothing is published, and the work is dropped",
    "context": "the words are the agent's own, and yes grants nothing",
}


def card(question: QuestionAsked) -> list[str]:
    """A question as a person sees it: what, why, who is asked, what happens on no."""
    lines = ["", f"  {question.question}  {clean(question.text)}"]
    if question.action is not None:
        lines += [f"      {name}: {clean(str(value))}" for name, value in question.action.arguments.items()]
    lines += [f"      because {clean(reason.why)}" for reason in question.reasons]
    lines.append(f"      asked of {', '.join(question.of)}; {ON_NO[question.about]}")
    return lines


def at_terminal(hands: Hands, first: Callable[[], Awaitable[None]]) -> Asker:
    """An asker that prompts, signs and records; one that cannot sign asks nobody. `first` prints what led to the question."""
    lock = anyio.Lock()

    async def ask(question: QuestionAsked) -> str | None:
        if hands.signer is None or hands.signer.person not in question.of:
            return None
        async with lock:
            await first()
            for line in card(question):
                talk(line)
            said = await anyio.to_thread.run_sync(prompt, abandon_on_cancel=True)
        if said is None:
            return None
        await answer(hands, question.run, question.question, said, signer=hands.signer, assurance="terminal")
        return said

    return ask


def prompt() -> str | None:
    """yes, no, or None for later."""
    while True:
        said = click.prompt("      yes, no or later", err=True, default="later", show_default=False).strip().lower()
        if said in {"yes", "y", "no", "n", "later", "l"}:
            return {"y": "yes", "n": "no", "l": None, "later": None}.get(said, said)
