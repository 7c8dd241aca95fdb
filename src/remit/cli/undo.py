"""`remit undo`: put back what a run published, or drop what it did not."""

import sys

import anyio
import click

from remit.app import engine
from remit.cli.answer import carry_on, identified
from remit.cli.place import home
from remit.cli.which import resolve
from remit.engine.release import ask_undo


@click.command("undo")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(run: str, as_json: bool) -> None:
    """Put back what RUN published (default: the last one)."""
    sys.exit(anyio.run(_undo, run, as_json))


async def _undo(name: str, as_json: bool) -> int:
    async with engine(home()) as supervisor:
        run_id = await resolve(supervisor.hands.ledger, name)
        signer = identified(supervisor.hands.signer)
        await ask_undo(supervisor.hands, run_id, by=signer.person)
    await carry_on(run_id, as_json=as_json)
    async with engine(home()) as supervisor:
        return 0 if (await supervisor.hands.replay(run_id)).undone else 1
