"""Where a chain comes from: the library, a blueprint of it, a chain file; and what is the matter with them, in lines."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from remit.adapters.library import chains, read_library
from remit.adapters.library.chains import SUFFIX
from remit.cli.say import clean
from remit.contract.text import MOST_BYTES
from remit.errors import BadInput
from remit.plan.blueprint import Blueprint
from remit.plan.library import Library
from remit.plan.planning import named
from remit.plan.planning_findings import about
from remit.plan.skill import Noted

__all__ = ["SUFFIX", "about", "chain_files", "chosen", "library", "said", "text_of"]
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
    return chains.usual(workspace.resolve())


def chain_files(given: Sequence[Path], workspace: Path) -> dict[str, Path]:
    """`NAME.chain.yaml` in the workspace, in the places of the library and in their `chains` folders, by name; the first wins."""
    found: dict[str, Path] = {}
    for name, path in chains.chain_files(chains.beside(workspace, given or usual(workspace)), most=MOST_FILES):
        found.setdefault(name, path)
    return found


def chosen(name: str, known: Library, files: dict[str, Path]) -> Blueprint | Path:
    """The blueprint or chain file that is meant. Raises BadInput with what comes near."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise BadInput(f"there is no chain file `{name}`", hint="`remit chain list` lists blueprints and chain files")
        return path
    return named(name, known, files, lambda close, names: _near(name, close, names)) or files[name]


def _near(name: str, close: Sequence[str], names: Sequence[str]) -> str:
    if near := close or [each for each in names if name in each or each in name][:3]:
        return f"did you mean {', '.join(f'`{each}`' for each in near)}?"
    if names:
        return f"there are {', '.join(f'`{each}`' for each in names[:12])}"
    return "no place has a blueprint or chain file; name one with --library"


def text_of(path: Path) -> str:
    """The text of a chain file. Raises BadInput."""
    shown = str(path)
    return chains.text(chains.opening(path, MOST_BYTES, shown=shown, hint="give the path of a contract file"), shown=shown)


def said(noted: Iterable[Noted]) -> list[str]:
    """Findings as lines: `file:line: severity CODE: what; what to do`."""
    lines = []
    for each in noted:
        place = f"{each.file}:{each.line}" if each.line else each.file
        what = f"{each.message} {each.hint}".strip()
        lines.append(clean(f"{place}: {each.severity} {each.code}: {what}".replace("\n", " ")))
    return lines
