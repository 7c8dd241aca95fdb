"""`remit bench`: measure remit against the plainest alternative, on this machine, now."""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from remit.bench import BENCHES, MODELLED, SCORED
from remit.bench.row import HEADING, Row, document, line
from remit.cli import say
from remit.errors import BadInput, RemitError

_LISTED = "\b\n" + "\n".join(f"{name:<10} {what}" for name, what in (BENCHES | SCORED | MODELLED).items())


@click.command("bench", epilog=_LISTED)
@click.argument("names", nargs=-1, metavar="[NAME]…", type=click.Choice([*BENCHES, *SCORED, *MODELLED]))
@click.option("--quick", is_flag=True, help="fewer rounds, in half a minute")
@click.option("--library", "libraries", multiple=True, type=click.Path(path_type=Path), help="routing: where skills lie")
@click.option("--scenarios", type=click.Path(path_type=Path), help="routing: a file of goals and what they should find")
@click.option("--seed", type=int, help="activation: what every draw hangs on; 1")
@click.option("--n", "times", type=click.IntRange(1, 10_000), help="activation: chains of each size and mode; 10")
@click.option("--sizes", help="activation: how many skills, `2,3,4,6,8,16,32,64`")
@click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")
def command(
    names: tuple[str, ...], quick: bool, libraries: tuple[Path, ...], scenarios: Path | None, seed: int | None, times: int | None,
    sizes: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure remit and a rival in turn, and say which goals are met here. A missed goal is no failure: the exit code is 0.

    Times depend on the machine and on what else it does; compare the ratios. $TMPDIR names the disk. `routing` measures no time
    and stands alone: it scores how goals find their blueprint and skills in a library. So does `activation`: it runs chains by a
    published model of an agent whose attention rots, through the real engine, and measures no language model.
    """
    if "activation" in names:
        if {*names} != {"activation"} or libraries or scenarios:
            raise BadInput("activation stands alone", hint="remit bench activation [--seed N] [--n N] [--sizes 2,6,64]")
        _activation(seed, times or (2 if quick else None), sizes, as_json)
        return
    if seed is not None or times or sizes:
        raise BadInput("--seed, --n and --sizes are for `activation` alone", hint="remit bench activation")
    if "routing" in names:
        if {*names} != {"routing"}:
            raise BadInput("routing is scored, not timed: it stands alone", hint="remit bench routing --library DIR")
        _routing(libraries, scenarios, as_json)
        return
    if libraries or scenarios:
        raise BadInput("--library and --scenarios are for `routing` alone", hint="remit bench routing --library DIR")
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


def _routing(libraries: tuple[Path, ...], scenarios: Path | None, as_json: bool) -> None:
    """Score the goals of a file, or our own twelve. Raises BadInput without a library that holds a skill."""
    from remit.adapters.library import read_library
    from remit.bench import routing

    if not libraries:
        raise BadInput("routing needs a library", hint="--library DIR, a folder with skills and blueprints")
    goals = routing.load(scenarios) if scenarios else routing.own()
    library = read_library(list(libraries))
    if not library.skills:
        raise BadInput(f"no skill was found in {', '.join(map(str, libraries))}", hint="name a folder with `skills/*/SKILL.md`")
    scored = [routing.score(each, library) for each in goals]
    if as_json:
        say.document(
            {"schema": routing.SCHEMA, "criterion": routing.CRITERION, "goals": [routing.document(each) for each in scored]}
        )
        return
    for shown in routing.table(scored):
        click.echo(say.clean(shown))


def _activation(seed: int | None, times: int | None, sizes: str | None, as_json: bool) -> None:
    """Run the model and show what became of it. Raises BadInput for sizes that are none."""
    from remit.bench import activation, activation_shown

    wanted = activation.sizes(sizes) if sizes else activation.SIZES
    count = (times or activation.TIMES) * len(wanted) * len(activation.MODES)
    done = 0

    def told(_: activation.Chained) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            click.echo(f"\r{done} of {count} chains", err=True, nl=done == count)

    found = activation.measure(
        seed=activation.SEED if seed is None else seed, times=times or activation.TIMES, sizes=wanted, told=told
    )
    if as_json:
        say.document(activation_shown.document(found))
        return
    for shown in activation_shown.table(found):
        click.echo(shown)
