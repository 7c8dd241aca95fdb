"""`remit rituals`: the sentences people type to stay safe, as rules that are enforced."""

import sys
from pathlib import Path

import click
import msgspec

from remit.cli.load import load_organisation, read_bytes
from remit.cli.say import clean, document, talk
from remit.contract.rituals import Meaning, as_yaml, meaning
from remit.contract.text import MOST_BYTES
from remit.errors import BadInput

BULLETS = "-*•> \t"


@click.command("rituals")
@click.argument("file", default="-")
@click.option("--org", metavar="FILE", help="the organisation file: its tools are named one by one")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(file: str, org: str | None, as_json: bool) -> None:
    """Read sentences from FILE, one a line (default: stdin), and write each as the rule it means.

    Ends with 1 when there are lines that no rule can be made of: those stay unenforced.
    """
    lines = _lines(file)
    organisation = load_organisation(org)
    tools = organisation.tools if organisation else ()
    found = [(line, meaning(line, tools)) for line in lines]
    meant = [each for _, each in found if each is not None]
    unenforced = [line for line, each in found if each is None]
    if as_json:
        document(_document(meant, unenforced))
    else:
        _print(found, meant)
        for line in unenforced:
            talk(clean(f"unenforced: {line}"))
    sys.exit(1 if unenforced else 0)


def _lines(file: str) -> list[str]:
    data = sys.stdin.buffer.read(MOST_BYTES + 1) if file == "-" else read_bytes(Path(file))
    if len(data) > MOST_BYTES:
        raise BadInput("this is larger than 256 KiB", hint="give the sentences alone, one a line")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput("this is not UTF-8 text") from None
    lines = [line for each in text.splitlines() if (line := each.strip().lstrip(BULLETS).strip().strip("\"“”'").strip())]
    if not lines:
        raise BadInput("there are no sentences", hint="one a line: `Ask me before you send.`")
    return lines


def _document(meant: list[Meaning], unenforced: list[str]) -> dict[str, object]:
    lines = [
        {
            "line": each.said, "means": each.words, "yaml": as_yaml([each]), "rules": msgspec.to_builtins(each.rules),
            "recovery": msgspec.to_builtins(each.recovery), "publish": each.publish,
        }
        for each in meant
    ]  # fmt: skip
    together = as_yaml(meant) if meant else ""
    return {"schema": "remit.rituals/1", "lines": lines, "unenforced": unenforced, "yaml": together}


def _print(found: list[tuple[str, Meaning | None]], meant: list[Meaning]) -> None:
    for line, each in found:
        if each is not None:
            click.echo(f"# {clean(line)}\n{as_yaml([each])}")
    if len(meant) > 1:
        click.echo(f"# all of it together\n{as_yaml(meant)}", nl=False)
