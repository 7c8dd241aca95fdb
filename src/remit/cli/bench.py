"""`remit bench`: measure remit against the plainest alternative, on this machine, now."""

import os
from collections.abc import Iterator
from importlib import import_module

import click

from remit.bench import BENCHES
from remit.bench.row import HEADING, Row, document, line
from remit.cli import say
from remit.errors import RemitError


@click.command("bench", epilog="\b\n" + "\n".join(f"{name:<8} {what}" for name, what in BENCHES.items()))
@click.argument("names", nargs=-1, metavar="[NAME]…", type=click.Choice(list(BENCHES)))
@click.option("--quick", is_flag=True, help="fewer rounds, in half a minute")
@click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")
def command(names: tuple[str, ...], quick: bool, as_json: bool) -> None:
    """Measure remit and a rival in turn, and say which goals are met here. A missed goal is no failure: the exit code is 0.

    Times depend on the machine and on what else it does; compare the ratios. $TMPDIR names the disk.
    """
    before = os.getloadavg()[0]
    if not as_json:
        click.echo(HEADING)
    found = []
    for name in names or BENCHES:
        for row in measured(name, quick=quick):
            found.append(row)
            if not as_json:
                click.echo(line(row))
    load = [round(before, 2), round(os.getloadavg()[0], 2)]
    if as_json:
        machine = {"cpus": os.cpu_count(), "load": load}
        say.document({"schema": "remit.bench/1", "quick": quick, "machine": machine, "rows": [document(row) for row in found]})
        return
    missed, silent = sum(row.met is False for row in found), sum(row.met is None for row in found)
    click.echo(f"\nof {len(found)}: {missed} missed, {silent} not judged; {os.cpu_count()} CPUs, load {load[0]} to {load[1]}")


def measured(name: str, *, quick: bool) -> Iterator[Row]:
    """The rows of one bench; one that cannot go on says why in a last row."""
    bench = import_module(f"remit.bench.{name}")
    try:
        yield from bench.rows(quick=quick)
    except (RemitError, OSError) as error:
        yield Row(name=name, against=BENCHES[name], why=f"could not be measured: {say.clean(str(error))}")
