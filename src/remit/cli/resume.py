"""`remit resume`: carry on every run that was interrupted."""

import sys

import anyio
import click

from remit.app import engine
from remit.cli.driving import drive
from remit.cli.place import home
from remit.cli.say import talk
from remit.cli.which import resolve
from remit.errors import Busy


@click.command("resume")
@click.argument("run", default="")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(run: str, as_json: bool) -> None:
    """Carry on RUN, or every run that was interrupted."""
    sys.exit(anyio.run(_resume, run, as_json))


async def _resume(name: str, as_json: bool) -> int:
    here = home()
    async with engine(here) as supervisor:
        ledger = supervisor.hands.ledger
        if name:
            runs = [await resolve(ledger, name)]
        else:
            runs = list(dict.fromkeys(job.run for job in await ledger.jobs() if "." not in job.run))
    if not runs:
        talk("nothing was interrupted")
        return 0
    code = 0
    for run in runs:
        talk(f"resuming {run}")
        try:
            code = await drive(here, run, as_json=as_json)
        except Busy as error:
            talk(str(error))
    return code
