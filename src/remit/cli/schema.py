"""`remit schema`: the contract file as JSON Schema."""

import json

import click

from remit.contract.schema import contract_schema


@click.command("schema", short_help="print the JSON Schema of the contract file")
@click.option("--json", "as_json", is_flag=True, help="the same: it is one JSON document anyway")
def command(as_json: bool) -> None:
    """Print the JSON Schema of the contract file.

    Save it beside your contracts and begin them with `# yaml-language-server: $schema=remit.schema.json`.
    """
    click.echo(json.dumps(contract_schema(), indent=None if as_json else 2, ensure_ascii=False))
