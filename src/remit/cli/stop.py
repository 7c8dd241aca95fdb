"""`remit stop`: end a run and everything in it, and say how it is known that nothing is left."""

import sys

import anyio
import click

from remit.app import engine
from remit.cli.driving import drive
from remit.cli.place import home
from remit.cli.say import talk
from remit.cli.which import resolve
from remit.engine.inbox import ask_stop
from remit.errors import Busy

PATIENCE = 10.0


@click.command("stop")
@click.argument("run", default="last")
@click.option("--why", default="asked to", help="for the record")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(run: str, why: str, as_json: bool) -> None:
    """Stop RUN and everything in it (default: the last one)."""
    sys.exit(anyio.run(_stop, run, why, as_json))


async def _stop(name: str, why: str, as_json: bool) -> int:
    here = home()
    async with engine(here) as supervisor:
        hands = supervisor.hands
        run_id = await resolve(hands.ledger, name)
        by = hands.signer.person if hands.signer else "somebody at this machine"
        await ask_stop(hands, run_id, by=by, why=why)
        with anyio.move_on_after(PATIENCE):
            while True:
                try:
                    with hands.leases.hold(run_id):
                        break
                except Busy:
                    await anyio.sleep(0.05)
        run = await hands.replay(run_id)
    if run.verdict is None:
        code = await drive(here, run_id, as_json=as_json)
        return 0 if code == 6 else code
    talk(f"{run.verdict}: {run.stopped}")
    return 0
