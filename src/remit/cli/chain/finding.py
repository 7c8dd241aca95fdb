"""Where a chain comes from: the library, a blueprint of it, a chain file; and what is the matter with them, in lines."""

import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from remit.adapters.library import places, read_library
from remit.cli.load import read_bytes
from remit.cli.say import clean
from remit.errors import BadInput
from remit.plan.blueprint import Blueprint
from remit.plan.library import Library
from remit.plan.skill import Noted

SUFFIX = ".chain.yaml"
MOST_FILES = 500
"""chain files that are listed from one place"""


def library(given: Sequence[Path], workspace: Path) -> Library:
    """What these folders hold, or the usual ones where none is named. Raises BadInput for one that is not there."""
    for each in given:
        if not each.is_dir():
            raise BadInput(f"there is no folder `{each}`", hint="give an existing folder to --library")
    return read_library([each.resolve() for each in given] or usual(workspace))


def usual(workspace: Path) -> list[Path]:
    """Where skills and blueprints are looked for when nobody names a place."""
    return places(os.environ, Path.home(), workspace.resolve())


def chain_files(given: Sequence[Path], workspace: Path) -> dict[str, Path]:
    """`NAME.chain.yaml` in the workspace, in the places of the library and in their `chains` folders, by name; the first wins."""
    found: dict[str, Path] = {}
    for place in (
        workspace,
        workspace / "chains",
        *(each for one in given or usual(workspace) for each in (one, one / "chains")),
    ):
        if place.is_dir():
            for path in sorted(place.glob(f"*{SUFFIX}"))[:MOST_FILES]:
                if path.is_file():
                    found.setdefault(path.name.removesuffix(SUFFIX), path)
    return found


def chosen(name: str, known: Library, files: dict[str, Path]) -> Blueprint | Path:
    """The blueprint or chain file that is meant. Raises BadInput with what comes near."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise BadInput(f"there is no chain file `{name}`", hint="`remit chain list` lists blueprints and chain files")
        return path
    found = next((each for each in known.blueprints if each.name == name), None)
    if found is not None:
        return found
    if name in files:
        return files[name]
    names = [*(each.name for each in known.blueprints), *files]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or [each for each in names if name in each or each in name][:3]
    if near:
        hint = f"did you mean {', '.join(f'`{each}`' for each in near)}?"
    elif names:
        hint = f"there are {', '.join(f'`{each}`' for each in names[:12])}"
    else:
        hint = "no place has a blueprint or chain file; name one with --library"
    raise BadInput(f"no blueprint and no chain file is called `{name}`", hint=hint)


def text_of(path: Path) -> str:
    """The text of a chain file. Raises BadInput."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError:
        raise BadInput(f"`{path}` is not UTF-8", hint="a chain file is a text") from None


def said(noted: Iterable[Noted]) -> list[str]:
    """Findings as lines: `file:line: severity CODE: what; what to do`."""
    lines = []
    for each in noted:
        place = f"{each.file}:{each.line}" if each.line else each.file
        what = f"{each.message} {each.hint}".strip()
        lines.append(clean(f"{place}: {each.severity} {each.code}: {what}".replace("\n", " ")))
    return lines


def wrong(noted: Iterable[Noted]) -> list[Noted]:
    """Those that keep a chain from being carried out."""
    return [each for each in noted if each.severity == "error"]


def about(blueprint: Blueprint, known: Library) -> list[Noted]:
    """What the loaders met in the file of a blueprint."""
    return [each for each in known.noted if blueprint.source and each.file == blueprint.source]
