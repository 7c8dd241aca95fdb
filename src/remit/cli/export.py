"""`remit export`: the records as a file that verifies by itself."""

from pathlib import Path

import anyio
import click

from remit.adapters.ledgers.stored import Stored, read_stored
from remit.app import records
from remit.cli.family import family
from remit.cli.place import home
from remit.cli.say import talk
from remit.cli.which import resolve
from remit.errors import BadInput, Broken
from remit.evidence.export import lines


@click.command("export")
@click.argument("run", required=False)
@click.option("--all", "everything", is_flag=True, help="with the bodies of every run")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="write there, instead of stdout")
def command(run: str | None, everything: bool, output: Path | None) -> None:
    """Write every entry and signed head, with the bodies of RUN and its children (or of --all), as JSON lines."""
    if bool(run) == everything:
        raise BadInput("say which: RUN, or --all", hint="`remit export last -o FILE`")
    runs: list[str] | None = None
    if run:
        runs = anyio.run(_family, run)
    stored = read_stored(home())
    data = b"".join(lines(stored.rows, stored.heads, stored.keys, runs))
    if output is None:
        click.echo(data, nl=False)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise Broken(f"`{output}` cannot be written: {error.strerror}") from error
    _talk(stored, output)


async def _family(text: str) -> list[str]:
    async with records(home()) as ledger:
        return await family(ledger, await resolve(ledger, text))


def _talk(stored: Stored, output: Path) -> None:
    talk(f"{len(stored.rows)} entries and {len(stored.heads)} signed heads in {output}; `remit verify {output}` checks them")
