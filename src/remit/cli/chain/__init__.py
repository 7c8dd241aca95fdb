"""`remit chain`: skills in an order, each done by a sub-agent of its own; each subcommand is imported only when it is used."""

import importlib

import click

SUBCOMMANDS: dict[str, str] = {
    "list": "list blueprints and chain files, and what is the matter with them",
    "show": "show the steps, questions and deliverables of one",
    "plan": "show the plan that would be carried out, and under which contract; nothing is started",
    "run": "confirm a plan, and carry it out",
    "status": "show where a chain stands",
    "resume": "carry on a chain that was interrupted",
    "validate": "judge what is there against what a chain must leave behind; nothing is changed",
}


class Subcommands(click.Group):
    """A group that imports `remit.cli.chain.NAME` when, and only when, the subcommand is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        command: click.Command = importlib.import_module(f"remit.cli.chain.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in SUBCOMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], SUBCOMMANDS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else "; `remit chain --help` lists them"
            raise click.UsageError(f"no such subcommand `{args[0]}`{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Subcommands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.command("chain", cls=Subcommands)
def command() -> None:
    """Carry out a chain of skills, each in a fresh context of its own, and validate what it leaves behind."""
