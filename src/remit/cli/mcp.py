"""`remit mcp`: the gate before MCP servers, and remit as one; each subcommand is imported only when it is used."""

import importlib

import click

SUBCOMMANDS: dict[str, str] = {
    "gateway": "stand before an MCP server: its calls are decided under a contract",
    "serve": "be an MCP server: delegate, check, follow and stop runs as tools",
}


class Subcommands(click.Group):
    """A group that imports `remit.cli.mcp_NAME` when, and only when, the subcommand is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        command: click.Command = importlib.import_module(f"remit.cli.mcp_{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Subcommands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.command("mcp", cls=Subcommands)
def command() -> None:
    """Put a contract between MCP hosts and MCP servers."""
