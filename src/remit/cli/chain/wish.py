"""What a person wishes of a chain, as options that `plan` and `run` share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from remit.contract.models import RUNTIMES
from remit.errors import BadInput
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


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was asked for. `take` None: the optional steps that owe something that is wanted."""

    name: str = ""
    goal: str = ""
    skills: tuple[str, ...] = ()
    pattern: str = ""
    maturity: str = ""
    answers: Mapping[str, str]
    flags: Mapping[str, bool]
    take: tuple[str, ...] | None = None
    leave: tuple[str, ...] = ()
    instead: Mapping[str, str]
    runtime: str = "command"
    model: str = ""
    command: tuple[str, ...] = ()
    library: tuple[Path, ...] = ()
    workspace: Path = Path()


def wish(given: Mapping[str, Any]) -> Wish:
    """The options as one value. Raises BadInput for a word that is no `NAME=VALUE`, and for two commands."""
    import shlex

    known = {field.name for field in fields(Wish)}
    try:
        command = tuple(shlex.split(given["command_"]))
    except ValueError as error:
        raise BadInput(
            f"the command cannot be read: {str(error).lower()}", hint="quote it for a shell, or give it after `--`"
        ) from None
    if command and given["argv"]:
        raise BadInput("a command after `--` and one with --command", hint="give one of them")
    runtime = given["runtime"]
    return Wish(
        **{name: value for name, value in given.items() if name in known and name not in SPECIAL},
        name=given["name"] or "",
        answers={key.upper(): value for key, value in pairs("--answer", given["answers"]).items()},
        flags={key: truth("--set", key, value) for key, value in pairs("--set", given["flags"]).items()},
        instead=pairs("--instead", given["instead"]),
        take=tuple(given["take"]) or None,
        leave=tuple(given["leave"]),
        runtime=runtime,
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
