"""What a person wishes of a chain, as options that `plan` and `run` share."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from remit.contract.models import RUNTIMES
from remit.errors import BadInput
from remit.plan import planning
from remit.plan.blueprint import LEVELS

F = TypeVar("F", bound=Callable[..., Any])

library_option = click.option(
    "--library", multiple=True, type=click.Path(path_type=Path), help="a folder with skills and blueprints (default: the usual)"
)
workspace_option = click.option(
    "--workspace", type=click.Path(path_type=Path), default=Path(), help="the folder to work on (default: here)"
)
OPTIONS = (
    click.argument("name", required=False, metavar="NAME|FILE"),
    click.argument("argv", nargs=-1, type=click.UNPROCESSED),
    click.option("--goal", default="", help="the outcome in a sentence; where no NAME is given, it finds the blueprint"),
    click.option("--skill", "skills", multiple=True, metavar="NAME", help="a skill of a chain of your own, or beside NAME's"),
    click.option("--pattern", default="", help="which chain of the blueprint, where it has several"),
    click.option("--maturity", default="", metavar="|".join(LEVELS), help="how complete the result must be"),
    click.option("--answer", "answers", multiple=True, metavar="Q3=A", help="an answer to a question of the blueprint"),
    click.option("--set", "flags", multiple=True, metavar="FLAG=true", help="a condition of the blueprint"),
    click.option("--take", multiple=True, metavar="STEP", help="take this optional step"),
    click.option("--leave", multiple=True, metavar="STEP", help="leave this step out"),
    click.option("--instead", multiple=True, metavar="NAME=OTHER", help="another skill for a name"),
    click.option("--runtime", default="command", type=click.Choice(RUNTIMES), help="who does each step (default: the command)"),
    click.option("--model", default="", help="the model to use, as the runtime names it"),
    click.option("--command", "command_", default="", metavar="'CMD …'", help="the command of each step, also after `--`"),
    library_option,
    workspace_option,
)


def wishes(function: F) -> F:
    """The arguments and options by which a plan is wished for."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


class Wish(planning.Wish, frozen=True, kw_only=True):
    """What was asked for, from which library (none: the usual places), for which folder."""

    library: tuple[Path, ...] = ()
    workspace: Path = Path()


def wish(given: Mapping[str, Any]) -> Wish:
    """The options as one value. Raises BadInput for a word that is no `NAME=VALUE`, and for two commands."""
    import shlex

    known = Wish.__struct_fields__
    try:
        command = tuple(shlex.split(given["command_"]))
    except ValueError as error:
        raise BadInput(
            f"the command cannot be read: {str(error).lower()}", hint="quote it for a shell, or give it after `--`"
        ) from None
    if command and given["argv"]:
        raise BadInput("a command after `--` and one with --command", hint="give one of them")
    return Wish(
        **{name: value for name, value in given.items() if name in known and name not in SPECIAL},
        name=given["name"] or "",
        answers=pairs("--answer", given["answers"]),
        flags={key: truth("--set", key, value) for key, value in pairs("--set", given["flags"]).items()},
        instead=pairs("--instead", given["instead"]),
        take=tuple(given["take"]) or None,
        leave=tuple(given["leave"]),
        runtime="" if given["runtime"] == "command" else given["runtime"],
        command=command or tuple(given["argv"]),
    )


SPECIAL = ("name", "answers", "flags", "instead", "take", "leave", "runtime", "command")


def pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` words, each name once. Raises BadInput."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip() or not value.strip() or name.strip() in found:
            raise BadInput(f"`{option} {each}` cannot be used", hint=f"write each name once, as {option} NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def truth(option: str, name: str, value: str) -> bool:
    """`true` or `false`. Raises BadInput."""
    if value.lower() not in ("true", "false", "yes", "no"):
        raise BadInput(f"`{option} {name}={value}` cannot be used", hint=f"write {option} {name}=true or {option} {name}=false")
    return value.lower() in ("true", "yes")
