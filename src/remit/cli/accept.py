"""`remit accept`: the owner takes the outcome; what was held is published. Declining drops or keeps it back."""

import sys

import anyio
import click

from remit.app import engine
from remit.cli.answer import carry_on, identified
from remit.cli.place import home
from remit.cli.say import talk
from remit.cli.which import resolve
from remit.engine.inbox import accept


@click.command("accept")
@click.argument("run", default="last")
@click.option("--decline", is_flag=True, help="do not take it; what is not published yet never will be")
@click.option("--note", default="", help="why")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(run: str, decline: bool, note: str, as_json: bool) -> None:
    """Take the outcome of RUN as its owner (default: the last one)."""
    sys.exit(anyio.run(_accept, run, decline, note, as_json))


async def _accept(name: str, decline: bool, note: str, as_json: bool) -> int:
    async with engine(home()) as supervisor:
        run_id = await resolve(supervisor.hands.ledger, name)
        signer = identified(supervisor.hands.signer)
        run = await accept(supervisor.hands, run_id, signer=signer, assurance="terminal", decline=decline, note=note)
    talk(f"{signer.person} has {'declined' if decline else 'taken'} the outcome of {run_id}, signed and recorded")
    code = await carry_on(run_id, as_json=as_json)
    if decline and not as_json and run.published is not None:
        talk(f"what was published stays until it is put back: remit undo {run_id}")
    return code
