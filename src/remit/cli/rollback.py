"""After an abort: the way back is offered, and what stays without it is said (ERR-09)."""

from pathlib import Path

import anyio.to_thread
import click

from remit.app import engine
from remit.cli.say import talk
from remit.engine.delivery import deliver
from remit.engine.release import ask_undo
from remit.run.state import Run


def rollback(run: Run) -> str:
    """What an undo of this run would do."""
    if run.published is not None:
        return "puts back what was published"
    return "drops what the complete steps made; nothing of it was published"


def offers(run: Run) -> bool:
    """Whether there is something to go back from."""
    return run.chain is not None and run.chain.over == "aborted" and not run.undone


async def offered(here: Path, run: Run) -> None:
    """Ask whoever sits at the terminal, and go back if they say so; kept otherwise, and `remit undo` can do it later."""
    said = await anyio.to_thread.run_sync(_prompt, rollback(run), abandon_on_cancel=True)
    if not said:
        talk(f"  kept as it is; `remit undo {run.id}` goes back later")
        return
    async with engine(here) as supervisor:
        signer = supervisor.hands.signer
        await ask_undo(supervisor.hands, run.id, by=signer.person if signer is not None else run.owner)
        undone = (await deliver(supervisor, run.id)).undone
    talk("  rolled back" if undone else f"  not rolled back: `remit show {run.id}` says why")


def _prompt(what: str) -> bool:
    talk()
    return bool(click.confirm(f"Roll back? It {what}.", default=False, err=True))
