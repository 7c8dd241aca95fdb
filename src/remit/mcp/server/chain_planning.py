"""From what a host wishes to a plan: which library, which blueprint or chain file, and every reason why it cannot be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from remit.adapters.library import chains, read_library
from remit.errors import BadInput
from remit.mcp.server.chain_wanted import Wished
from remit.mcp.server.house import House, within
from remit.plan import planning, planning_findings
from remit.plan.blueprint import Blueprint
from remit.plan.library import Library
from remit.plan.mode import Advice
from remit.plan.planning import ChainFile, Wish, Words
from remit.plan.skill import Noted
from remit.plan.step import Plan

MOST_FILES, MOST_BYTES, MOST_SAID = 200, 1024 * 1024, 60


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What there is to choose from: the library, and chain files by name. `kept` are those that no agent can have written."""

    library: Library
    files: Mapping[str, Path]
    kept: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan that can be carried out, what should be known of it, and why it is this one. `kept`: a person wrote its file."""

    plan: Plan
    noted: tuple[Noted, ...]
    advice: Advice
    why: tuple[str, ...]
    kept: bool


def shelf(house: House, workspace: Path) -> Shelf:
    """Everything in the usual places of this machine and this workspace, and chain files beside them."""
    usual = chains.usual(workspace)
    allowed = (workspace, *house.contracts, *(each.resolve() for each in usual))
    files: dict[str, Path] = {}
    for name, path in chains.chain_files((*house.contracts, *chains.beside(workspace, usual)), most=MOST_FILES):
        if within(path.resolve(), allowed):
            files.setdefault(name, path.resolve())
    kept = frozenset(name for name, path in files.items() if within(path, house.contracts))
    return Shelf(library=read_library(usual), files=files, kept=kept)


def chosen(name: str, here: Shelf) -> Blueprint | Path:
    """The blueprint or chain file of this name. Raises BadInput with what comes near."""
    return planning.named(name, here.library, here.files, _near) or here.files[name]


def _near(close: Sequence[str], names: Sequence[str]) -> str:
    near = ", ".join(f"`{each}`" for each in close or names[:12])
    return f"such as {near}" if near else "no place here has a blueprint or a chain file"


def planned(want: Wished, here: Shelf) -> Planned:
    """Raises BadInput where nothing is meant, a name is unresolved, or the plan cannot be carried out; with every reason."""

    def pick(name: str) -> Blueprint | ChainFile:
        source = chosen(name, here)
        if isinstance(source, Blueprint):
            return source
        return ChainFile(file=str(source), shown="the file", text=lambda: text_of(source))

    wish = Wish(**{name: getattr(want, name) for name in Wish.__struct_fields__})
    found = planning.planned(wish, here.library, pick, WORDS)
    plan = planning.in_mode(found.plan, want.mode or found.advice.mode)
    if want.usd is not None:
        plan = replace(plan, limits=replace(plan.limits, usd=round(want.usd * 1_000_000)))
    kept = isinstance(found.source, ChainFile) and found.wish.name in here.kept
    return Planned(plan=plan, noted=found.noted, advice=found.advice, why=found.why, kept=kept)


def text_of(path: Path) -> str:
    """The text of a chain file. Raises BadInput."""
    data = chains.opening(path, MOST_BYTES, shown=path.name)
    if len(data) > MOST_BYTES:
        raise BadInput(f"`{path.name}` is too large for a chain file", hint="at most 1 MiB")
    return chains.text(data, shown=path.name)


def unresolved(blueprint: Blueprint, library: Library) -> Iterator[str]:
    """The names of its chains that mean no skill of the library, each once, with what comes near."""
    for each in planning_findings.unresolved(blueprint, library):
        yield f"{each.name} is the name of no skill here" + (f"; one of {', '.join(each.near)}?" if each.near else "")


def said(noted: Iterable[Noted]) -> list[str]:
    """Findings as lines; at most MOST_SAID of them."""
    rows = []
    for each in noted:
        place = f"{Path(each.file).name}:{each.line}" if each.line else Path(each.file).name
        rows.append(f"{place}: {each.severity} {each.code}: {each.message} {each.hint}".strip().replace("\n", " "))
    return [*rows[:MOST_SAID], f"and {len(rows) - MOST_SAID} more"] if len(rows) > MOST_SAID else rows


def _fields(wishes: Sequence[str]) -> str:
    return f"`{', '.join(wishes)}`"


def _lines(noted: Iterable[Noted]) -> list[str]:
    return [f"- {each}" for each in said(noted)]


WORDS = Words(
    which="give `name`, or `skills`, or say in `goal` what it is for",
    purpose="say it in a sentence, in `goal`",
    nothing_fits="`chain_list` lists what there is",
    mend="`instead` takes another skill for a name, `leave` does without",
    call=_fields,
    lines=_lines,
)
