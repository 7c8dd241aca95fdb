"""`remit doctor`: what this machine can contain, and how to get the rest."""

import sys

import anyio
import click

from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.cli.place import home
from remit.cli.say import document, talk
from remit.ports import Containment

MEANING = {
    "L3": "full: namespaces, seccomp and a staged workspace",
    "L2": "one of the parts of full containment is missing",
    "L1": "a staged copy and a sweep of processes only",
    "L0": "nothing: rules are advice here",
}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--fresh", is_flag=True, help="Probe again instead of using the result of this boot.")
def command(as_json: bool, fresh: bool) -> None:
    """Say what this machine can contain, by doing it. Exit 0 for full containment (L3), else 3."""
    found = anyio.run(_probe, fresh)
    if as_json:
        document(found)
    else:
        for line in screen(found):
            click.echo(line)
    if found.level != "L3":
        talk("contracts need L3 unless a person accepts less with --accept-containment")
        sys.exit(3)


def screen(found: Containment) -> list[str]:
    """The lines a person reads."""
    lines = [f"containment {found.level}  {MEANING[found.level]}"]
    for part in found.parts:
        mark = "ok  " if part.ok else "MISSING" if part.required else "soft"
        lines.append(f"  {mark:<8}{part.name:<15}{part.detail}".rstrip())
        if part.cure:
            lines.append(f"          {'cure' if part.required else 'better'}: {part.cure}")
    return lines


async def _probe(fresh: bool) -> Containment:
    return await Bubblewrap(home() / "cache").probe(fresh=fresh)
