"""`remit skills`: what skills and blueprints there are, and whether a skill is valid by the letter of the specification."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from remit.adapters.library import lint_library, places, read_library
from remit.cli.line import one_line
from remit.cli.place import expanded
from remit.cli.say import document, talk
from remit.errors import BadInput
from remit.plan.library import Library
from remit.plan.skill import Noted

ORDER = {"error": 0, "warning": 1, "note": 2}


@click.group("skills")
def command() -> None:
    """Look at skills before anything uses them."""


@command.command("lint")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")
def lint(path: Path, as_json: bool) -> None:
    """Check PATH strictly: a SKILL.md, its folder, or a folder of many, with registries and marketplaces in it.

    Exit 0 where every skill is valid, 1 where one is not.
    """
    library, noted = lint_library(_folder(path))
    if not library.skills and not any(each.file.lower().endswith("skill.md") for each in noted):
        raise BadInput(f"there is no SKILL.md below `{path}`", hint="give the folder that holds the folders of skills")
    found = _sorted(noted)
    errors = [each for each in found if each.severity == "error"]
    invalid = {each.file for each in errors if each.file.lower().endswith("skill.md")}
    if as_json:
        document(
            {
                **_findings("remit.skills-lint/1", found),
                "ok": not errors,
                "skills": _read(library, invalid),
                "invalid": len(invalid),
            }
        )
    else:
        for line in rows(found):
            click.echo(line)
        many = _read(library, invalid)
        click.echo(f"{many - len(invalid)} of {many} skills are valid; {_counted(found)}")
    sys.exit(1 if errors else 0)


@command.command("list")
@click.option(
    "--library", "given", multiple=True, type=click.Path(path_type=Path), metavar="DIR", help="where skills are; again for more"
)
@click.option("--findings", is_flag=True, help="everything odd that was met, not only how much")
@click.option("--json", "as_json", is_flag=True, help="one JSON document on stdout")
def listing(given: tuple[Path, ...], findings: bool, as_json: bool) -> None:
    """List skills and blueprints: of DIR, else of the workspace and the home folder. Exit 0, also where files are odd."""
    library = read_library(list(given) or usual_places())
    found = _sorted(library.noted)
    if as_json:
        document({**_findings("remit.skills/1", found), **as_document(library)})
        return
    if not library.places:
        talk("no folder with skills here; give one with --library DIR, or name it in $REMIT_LIBRARY")
    wide = max((len(skill.invocation or skill.name) for skill in library.skills), default=0)
    for skill in library.skills:
        click.echo(f"{one_line(skill.invocation or skill.name):{wide}}  {one_line(skill.description, 90)}")
    for blueprint in library.blueprints:
        click.echo(f"blueprint {one_line(blueprint.name)}  {one_line(blueprint.title, 90)}")
    for line in rows(found) if findings else ():
        click.echo(line)
    click.echo(f"{_many(len(library.skills), 'skill')}, {_many(len(library.blueprints), 'blueprint')}; {_counted(found)}")
    if found and not findings:
        talk("--findings shows what was found")


def usual_places() -> list[Path]:
    """The folders of skills of this workspace and of this person."""
    return places(os.environ, expanded("~"), Path.cwd())


def rows(found: Sequence[Noted]) -> list[str]:
    """A table: severity, code, place, what is the matter, what to do."""
    wide = max((len(each.code) for each in found), default=0)
    shown = []
    for each in found:
        place = f"{each.file}:{each.line}" if each.line else each.file
        what = f"{each.message}; {each.hint}" if each.hint else each.message
        shown.append(f"{each.severity:7}  {each.code:{wide}}  {one_line(place)}: {one_line(what)}")
    return shown


def as_document(library: Library) -> dict[str, Any]:
    """The skills without their texts, and the blueprints by name."""
    keys = ("name", "invocation", "description", "folder", "digest", "domain", "tier", "tools", "sources")
    return {
        "places": library.places,
        "skills": [
            {**{key: getattr(skill, key) for key in keys}, "files": library.files(skill.name)} for skill in library.skills
        ],
        "blueprints": [{"name": each.name, "title": each.title, "source": each.source} for each in library.blueprints],
    }


def _folder(path: Path) -> Path:
    """The folder to look at; a SKILL.md stands for its own."""
    if path.is_file() and path.name.lower() == "skill.md":
        return path.parent
    if not path.is_dir():
        raise BadInput(f"no folder and no SKILL.md at `{path}`", hint="`remit skills lint .claude/skills`")
    return path


def _read(library: Library, invalid: set[str]) -> int:
    """How many skills were looked at, those that could not be read included."""
    return len(invalid | {skill.sources[0] for skill in library.skills})


def _sorted(noted: Sequence[Noted]) -> list[Noted]:
    return sorted(noted, key=lambda each: (ORDER[each.severity], each.file, each.line, each.code))


def _findings(schema: str, found: Sequence[Noted]) -> dict[str, Any]:
    return {"schema": schema, "findings": found}


def _counted(found: Sequence[Noted]) -> str:
    return ", ".join(_many(sum(each.severity == severity for each in found), severity) for severity in ORDER)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
