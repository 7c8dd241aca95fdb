"""`remit doctor`: what this machine can contain, which runtimes are here, and how to get the rest."""

import sys
import tempfile
from pathlib import Path

import anyio
import click
import msgspec

from remit.adapters.runtimes import PLACES, KnownRuntimes
from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.cli.place import home
from remit.cli.say import document, talk
from remit.errors import RemitError
from remit.ports import Containment, Task
from remit.value import Value

MEANING = {
    "L3": "full: namespaces, seccomp and a staged workspace",
    "L2": "one of the parts of full containment is missing",
    "L1": "a staged copy and a sweep of processes only",
    "L0": "nothing: rules are advice here",
}


class Here(Value, frozen=True, kw_only=True):
    """A runtime: its version when it is here, else how to get it."""

    runtime: str
    version: str = ""
    missing: str = ""
    cure: str = ""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--fresh", is_flag=True, help="Probe again instead of using the result of this boot.")
def command(as_json: bool, fresh: bool) -> None:
    """Say what this machine can contain, by doing it, and who can work here. Exit 0 for full containment (L3), else 3."""
    found, here = anyio.run(_probe, fresh)
    if as_json:
        document({**msgspec.to_builtins(found), "runtimes": [msgspec.to_builtins(each) for each in here]})
    else:
        for line in [*screen(found), *runtimes(here)]:
            click.echo(line)
    if found.level != "L3":
        talk("contracts need L3 unless a person accepts less with --accept-containment")
        sys.exit(3)


def screen(found: Containment) -> list[str]:
    """The lines a person reads about containment."""
    lines = [f"containment {found.level}  {MEANING[found.level]}"]
    for part in found.parts:
        mark = "ok  " if part.ok else "MISSING" if part.required else "soft"
        lines.append(f"  {mark:<8}{part.name:<15}{part.detail}".rstrip())
        if part.cure:
            lines.append(f"          {'cure' if part.required else 'better'}: {part.cure}")
    return lines


def runtimes(here: list[Here]) -> list[str]:
    """The lines a person reads about who can work."""
    lines = ["runtimes, beside any command"]
    for each in here:
        lines.append(f"  {'ok' if each.version else '-':<8}{each.runtime:<15}{each.version or each.missing}".rstrip())
        if each.cure:
            lines.append(f"          get it: {each.cure}")
    return lines


async def _probe(fresh: bool) -> tuple[Containment, list[Here]]:
    found = await Bubblewrap(home() / "cache").probe(fresh=fresh)
    with tempfile.TemporaryDirectory() as place:
        return found, [await _looked(name, Path(place)) for name in PLACES]


async def _looked(name: str, place: Path) -> Here:
    if name == "acp":
        return Here(runtime=name, version="any agent that speaks it: `--runtime acp -- COMMAND`")
    task = Task(run="doctor", attempt=1, text="", model="gpt-5.1", cwd=str(place), state=place, token="")
    try:
        fit = await KnownRuntimes().find(name).outfit(task)
    except RemitError as error:
        return Here(runtime=name, missing=str(error), cure=error.hint.removeprefix("install it: ").strip("`"))
    return Here(runtime=name, version=fit.version)
