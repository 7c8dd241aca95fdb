"""`remit verify`: prove, without any service, that the records are what was recorded."""

from pathlib import Path

import click

from remit.adapters.ledgers.stored import verify_stored
from remit.cli import place
from remit.cli.say import clean, document, talk
from remit.errors import BadInput, Tampered
from remit.evidence import export
from remit.evidence.tree_head import parse_key
from remit.evidence.verify import Fault, Verified, as_json, said, verify


@click.command("verify")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--home", type=click.Path(path_type=Path), help="the state folder whose ledger is verified, instead of $REMIT_HOME")
@click.option("--key", help="the ledger key you trust (NAME+ID+BASE64); without it, FILE's own keys are believed")
@click.option("--json", "as_document", is_flag=True, help="one document")
def command(file: Path | None, home: Path | None, key: str | None, as_document: bool) -> None:
    """Verify the ledger, or an exported FILE; names the first fault and exits 1."""
    try:
        result = _file(file, key) if file else verify_stored(home or place.home())
    except Tampered as error:
        result = Fault(seq=0, until=0, what=str(error))
    if as_document:
        document(as_json(result))
    else:
        _say(result, trusted=key is not None or file is None)
    if isinstance(result, Fault):
        raise SystemExit(1)


def _file(file: Path, key: str | None) -> Verified | Fault:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"`{file}` cannot be read: {error.strerror}", hint="`remit export -o FILE` writes one") from error
    found = export.parse(data.splitlines(keepends=True))
    keys = (parse_key(key),) if key else found.keys
    return verify(found.rows, found.heads, keys, bodies_of=None if found.runs is None else frozenset(found.runs))


def _say(result: Verified | Fault, *, trusted: bool) -> None:
    if isinstance(result, Fault):
        click.echo(f"not what was recorded: {clean(said(result))}")
        return
    click.echo(f"verified: {said(result)}")
    click.echo(f"  root  {result.root}")
    click.echo(f"  key   {result.key}")
    if result.signatures or result.unsigned:
        nobody = f", and {result.unsigned} that nobody signed, where nobody had to" if result.unsigned else ""
        click.echo(f"  signed answers, acceptances and transfers: {result.signatures}{nobody}")
    if result.erased or result.left_out:
        click.echo(f"  {result.erased} bodies erased on record, {result.left_out} left out of this file")
    if not trusted:
        talk("the key comes from the file itself: compare it with one you have from elsewhere, or give that with --key")
