"""`remit`: every verb is a file of its own, imported only when it is used."""

import gc
import importlib
import sys

import click

from remit.errors import RemitError

VERBS: dict[str, str] = {
    "init": "make the local identity and an organisation file",
    "new": "write the skeleton of a contract",
    "check": "review a contract before anything runs",
    "decide": "say what a contract would answer to actions",
    "schema": "print the JSON Schema of the contract file",
    "run": "hand over: run a command under a contract",
    "chain": "carry out a chain of skills, each in a fresh context, and validate it",
    "runs": "list runs",
    "show": "show where one run stands",
    "inbox": "list what people are asked",
    "answer": "answer a question of a run",
    "outbox": "list effects that leave the workspace, and what became of them",
    "accept": "take the outcome of a run, or decline it",
    "diff": "show what a run changed",
    "publish": "release what a run changed",
    "undo": "put back what a run published",
    "stop": "stop a run and everything in it",
    "resume": "carry on runs that were interrupted",
    "worker": "act on answers and deadlines as they come",
    "serve": "show the inbox in a browser",
    "skills": "list skills and blueprints, and say whether skills are valid",
    "agent": "say what the light agent would be under a contract",
    "mcp": "put a contract between MCP hosts and MCP servers",
    "account": "answer the five questions about a run",
    "ownership": "say where a person becomes responsible, and hand an outcome over",
    "tax": "count what people were interrupted for",
    "rituals": "turn habits of supervision into rules",
    "verify": "prove that the records are what was recorded",
    "export": "write the records to a file that verifies by itself",
    "doctor": "say what this machine can contain, and how to get the rest",
    "bench": "measure remit against the plainest alternative",
}


class Verbs(click.Group):
    """A group that imports `remit.cli.VERB` when, and only when, the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        # What is imported stays: looking through it for garbage, now and at the end, costs a tenth of the time to start.
        gc.disable()
        try:
            command: click.Command = importlib.import_module(f"remit.cli.{cmd_name}").command
        finally:
            gc.freeze()
            gc.enable()
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else "; `remit --help` lists the verbs"
            raise click.UsageError(f"no such verb `{args[0]}`{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="remit", prog_name="remit")
def group() -> None:
    """Hand an AI agent an outcome, with an owner, a boundary and a way back."""


def main() -> None:
    """Run one verb; a RemitError becomes one clear line and its exit code."""
    try:
        try:
            code = group.main(prog_name="remit", standalone_mode=False)
        except BaseExceptionGroup as several:
            raise first(several) from several
        sys.exit(code if isinstance(code, int) else 0)  # outside standalone mode click returns the code
    except click.Abort:
        click.echo("interrupted; what was begun is not lost: `remit resume` carries on, `remit stop` ends it", err=True)
        sys.exit(6)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except RemitError as error:
        click.echo(f"remit: {error}", err=True)
        if error.hint:
            click.echo(f"  {error.hint}", err=True)
        sys.exit(error.exit_code)
    except UnicodeError:
        click.echo("remit: a name or a text that was given is not UTF-8, so it cannot be recorded", err=True)
        sys.exit(2)
    except OSError as error:
        where = f": `{error.filename!s}`" if error.filename else ""
        click.echo(f"remit: the machine failed: {(error.strerror or str(error)).lower()}{where}", err=True)
        click.echo("  nothing recorded is lost: mend that, then `remit resume` carries on what was begun", err=True)
        sys.exit(1)


def first(several: BaseException) -> BaseException:
    """What a group of concurrent failures comes down to: remit's own word where there is one."""
    while isinstance(several, BaseExceptionGroup):
        own = several.subgroup(RemitError)
        several = (own or several).exceptions[0]
    return several


if __name__ == "__main__":
    main()
