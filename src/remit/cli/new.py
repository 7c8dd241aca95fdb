"""`remit new`: the skeleton of a contract, with what somebody already wrote in prose."""

import os
from pathlib import Path

import click

from remit.cli.load import read_bytes
from remit.cli.place import local_identity
from remit.cli.say import talk
from remit.contract.draft import read_prose
from remit.contract.parse import parse
from remit.contract.skeleton import skeleton
from remit.contract.text import HIDDEN
from remit.errors import BadInput


@click.command("new", short_help="write the skeleton of a contract")
@click.argument("name", default="task")
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="prose to begin with: Goal, Constraints, Success, Recovery"
)
@click.option("--goal", default="", help="the outcome")
@click.option("--owner", default="", help="who answers for it; the local identity unless given")
def command(name: str, source: Path | None, goal: str, owner: str) -> None:
    """Write NAME.remit.yaml. Never overwrites."""
    path = Path(name if name.endswith(".remit.yaml") else f"{name}.remit.yaml")
    prose = read_prose(_prose(source)) if source else None
    text = skeleton(goal, owner or local_identity() or "", prose)
    write_new(path, text)
    lines = len(parse(text, file=str(path)).draft.unenforced)
    click.echo(str(path))
    talk(f"next: fill it in, then `remit check {path}`" + (f"; {lines} lines wait for a rule" if lines else ""))


def write_new(path: Path, text: str) -> None:
    """Creates the file; one that is there, or a link that leads anywhere, is never touched. Raises BadInput."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        raise BadInput(f"`{path}` is there already", hint="give another name, or move it away") from None
    except OSError as error:
        raise BadInput(f"`{path}` cannot be written: {(error.strerror or 'it failed').lower()}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _prose(source: Path) -> str:
    try:
        text = read_bytes(source).decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise BadInput(f"`{source}` is not UTF-8", hint="save it as UTF-8") from None
    if HIDDEN.search(text):
        raise BadInput(f"`{source}` has characters that cannot be seen", hint="take them out")
    return text
