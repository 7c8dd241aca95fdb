"""`remit chain resume`: carry on a chain that was interrupted, or waits; what is complete is not done again."""

import sys
from pathlib import Path

import anyio
import click

from remit.app import records
from remit.cli import scripted
from remit.cli.chain.status import standing
from remit.cli.chain.which import chain_run
from remit.cli.driving import drive
from remit.cli.place import home
from remit.cli.say import clean, talk
from remit.errors import BadInput
from remit.plan import screens
from remit.run.state import Run


@click.command("resume")
@click.argument("run", default="last")
@click.option("--answers", type=click.Path(path_type=Path), help="answers given beforehand, for tests: they count as `scripted`")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
@click.option("--plain", is_flag=True, help="lines instead of a tree, on a terminal too")
def command(run: str, answers: Path | None, as_json: bool, plain: bool) -> None:
    """Carry on the chain RUN (default: the last one)."""
    script = scripted.read(answers) if answers is not None else None
    found = anyio.run(_read, run)
    assert found.chain is not None
    if found.verdict is not None:
        raise BadInput(f"chain `{found.id}` has ended: {found.verdict}", hint=f"`remit chain status {found.id}` says how")
    if not as_json:
        talk(f"resuming {found.id}")
        for line in screens.status(found.chain.plan, standing(found.chain)).splitlines():
            talk(clean(line))
    sys.exit(anyio.run(_drive, found.id.split(".")[0], as_json, script, plain))


async def _read(name: str) -> Run:
    async with records(home()) as ledger:
        run, _ = await chain_run(ledger, name)
        return run


async def _drive(run: str, as_json: bool, script: list[scripted.Line] | None, plain: bool) -> int:
    return await drive(home(), run, as_json=as_json, script=script, plain_view=plain)
