"""`remit check`: review a contract before anything runs."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from remit.cli.load import finding_lines, load_organisation, read_bytes, read_contract
from remit.cli.place import local_identity
from remit.cli.say import clean, document
from remit.contract.contract import Contract, Finding
from remit.contract.draft import parse_prose
from remit.contract.parse import Parsed
from remit.contract.party import Organisation
from remit.contract.review import Review, review
from remit.errors import BadInput

ADDITIONS = ("OWNER-MISSING", "LIMIT-MISSING")


@click.command("check", short_help="review a contract before anything runs")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--text", help="check a sentence or the four-heading text instead of a file")
@click.option("--org", metavar="FILE", help="the organisation file")
@click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")
def command(file: Path | None, text: str | None, org: str | None, as_json: bool) -> None:
    """Say whether a contract is fit to be handed over, and everything that is missing or wrong. Exit 0 fit, 2 not."""
    parsed = _parsed(file, text)
    organisation = load_organisation(org)
    found = review(parsed, organisation=organisation, identity=local_identity(), examples=partial(_examples, organisation))
    if as_json:
        document(as_document(found))
    else:
        click.echo(screen(found))
    sys.exit(0 if found.ok else 2)


def _examples(organisation: Organisation | None, contract: Contract) -> tuple[Finding, ...]:
    """The rules' own examples; the evaluator is loaded only when a rule has any."""
    if not any(rule.match or rule.no_match for rule in contract.rules):
        return ()
    from remit.authority.examples import examples_failing

    return examples_failing(contract, organisation)


def _parsed(file: Path | None, text: str | None) -> Parsed:
    if (file is None) == (text is None):
        raise BadInput("give either a contract file or `--text`", hint="`remit check release.remit.yaml`")
    if text is not None:
        return parse_prose(text, file="--text")
    assert file is not None
    data = read_bytes(file)
    if file.suffix == ".txt" or (file.suffix == ".md" and not data.removeprefix(b"\xef\xbb\xbf").startswith(b"---")):
        return parse_prose(data.decode("utf-8", "replace"), file=str(file))
    return read_contract(file)


def as_document(found: Review) -> dict[str, Any]:
    """`remit.check/1`."""
    return {
        "schema": "remit.check/1",
        "ok": found.ok,
        "checklist": [{"item": item.item, "ok": item.ok} for item in found.checklist],
        "findings": [
            {"code": one.code, "severity": one.severity, "where": one.where, "message": one.message, "hint": one.hint}
            for one in found.findings
        ],
    }


def screen(found: Review) -> str:
    """The six lines, what is missing, what remit asks beyond them, and everything else with its place."""
    lines = [f"[{'x' if item.ok else ' '}] {item.item}" for item in found.checklist]
    missing = [one for one in found.findings if one.code.startswith("MISSING-")]
    additions = [one for one in found.findings if one.code in ADDITIONS]
    others = [one for one in found.findings if one not in missing and one not in additions]
    lines += _section("missing", [_plain(one) for one in missing])
    lines += _section("remit also asks for", [_plain(one) for one in additions])
    for severity, title in (("error", "wrong"), ("warning", "doubtful"), ("note", "worth knowing")):
        lines += _section(title, [line for one in others if one.severity == severity for line in finding_lines(one)])
    errors = sum(one.severity == "error" for one in found.findings)
    ending = (
        "fit to be handed over" if found.ok else f"not fit to be handed over: {errors} {'error' if errors == 1 else 'errors'}"
    )
    return "\n".join([*lines, "", ending])


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _plain(one: Finding) -> str:
    return clean(f"{one.message}; {one.hint}" if one.hint else one.message)
