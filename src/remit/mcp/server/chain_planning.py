"""From what a host wishes to a plan: which library, which blueprint or chain file, and every reason why it cannot be."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from remit.adapters.library import places, read_library
from remit.errors import BadInput
from remit.mcp.server.chain_wanted import Wished
from remit.mcp.server.house import House, within
from remit.plan.blueprint import Blueprint
from remit.plan.chain_file import read_chain
from remit.plan.changing import without
from remit.plan.library import Library
from remit.plan.making import make_plan
from remit.plan.mode import Advice, advise, mixed
from remit.plan.routing import route
from remit.plan.skill import Noted
from remit.plan.step import Mode, Plan

SUFFIX = ".chain.yaml"
MOST_FILES, MOST_BYTES, MOST_SAID = 200, 1024 * 1024, 60
UNSAID = "a goal given when it is run"
"""stands for the goal of a chain file that leaves it to whoever runs it"""


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
    usual = places(os.environ, Path.home(), workspace)
    allowed = (workspace, *house.contracts, *(each.resolve() for each in usual))
    files: dict[str, Path] = {}
    for place in (*house.contracts, workspace, workspace / "chains", *(each for one in usual for each in (one, one / "chains"))):
        for path in sorted(place.glob(f"*{SUFFIX}"))[:MOST_FILES] if place.is_dir() else ():
            if path.is_file() and within(path.resolve(), allowed):
                files.setdefault(path.name.removesuffix(SUFFIX), path.resolve())
    kept = frozenset(name for name, path in files.items() if within(path, house.contracts))
    return Shelf(library=read_library(usual), files=files, kept=kept)


def chosen(name: str, here: Shelf) -> Blueprint | Path:
    """The blueprint or chain file of this name. Raises BadInput with what comes near."""
    found = next((each for each in here.library.blueprints if each.name == name), None)
    if found is not None:
        return found
    if name in here.files:
        return here.files[name]
    names = [*(each.name for each in here.library.blueprints), *here.files]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:12]
    hint = f"such as {', '.join(f'`{each}`' for each in near)}" if near else "no place here has a blueprint or a chain file"
    raise BadInput(f"no blueprint and no chain file is called `{name}`", hint=hint)


def planned(want: Wished, here: Shelf) -> Planned:
    """Raises BadInput where nothing is meant, a name is unresolved, or the plan cannot be carried out; with every reason."""
    name, skills, why = want.name, want.skills, tuple[str, ...]()
    if not name and not skills:
        name, skills, why = _routed(want.goal, here.library)
    source = chosen(name, here) if name else None
    if isinstance(source, Path):
        plan, noted = _from_file(source, want, here.library)
    else:
        plan, noted = _from_library(source, want, skills, here.library)
    if plan is None or any(each.severity == "error" for each in noted):
        reasons = said(each for each in noted if each.severity == "error") or said(noted)
        hint = "`instead` takes another skill for a name, `leave` does without"
        raise BadInput(
            "\n".join(["this chain cannot be carried out as it stands:", *(f"- {each}" for each in reasons)]), hint=hint
        )
    advice = _advised(plan, source if isinstance(source, Blueprint) else None, here.library)
    plan = in_mode(plan, want.mode or advice.mode)
    if want.usd is not None:
        plan = replace(plan, limits=replace(plan.limits, usd=round(want.usd * 1_000_000)))
    return Planned(plan=plan, noted=noted, advice=advice, why=why, kept=isinstance(source, Path) and name in here.kept)


def _routed(goal: str, library: Library) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The blueprint, or else the skills, that the goal calls for, and why."""
    if not goal.strip():
        raise BadInput("which chain?", hint="give `name`, or `skills`, or say in `goal` what it is for")
    found = route(goal, library)
    if not found.blueprint and not found.skills:
        raise BadInput(
            "nothing in the library fits this goal", hint="; ".join(found.reasons) or "`chain_list` lists what there is"
        )
    return found.blueprint, () if found.blueprint else tuple(found.skills), tuple(found.reasons)


def _from_library(
    blueprint: Blueprint | None, want: Wished, skills: Sequence[str], library: Library
) -> tuple[Plan | None, tuple[Noted, ...]]:
    if not want.goal and blueprint is None:
        raise BadInput("what is it for?", hint="say it in a sentence, in `goal`")
    return make_plan(
        library, goal=want.goal or (blueprint.title if blueprint else "") or want.name, blueprint=blueprint, skills=skills,
        pattern=want.pattern, answers={key.upper(): value for key, value in want.answers.items()}, flags=want.flags,
        maturity=want.maturity, runtime=runtime_of(want) or "command", model=want.model, command=want.command,
        take_optional=want.take, alternatives=want.instead, leave_out=want.leave,
    )  # fmt: skip


def _from_file(path: Path, want: Wished, library: Library) -> tuple[Plan | None, tuple[Noted, ...]]:
    """The plan of a chain file, without the steps that are left; who works, where that was said, goes before the file."""
    own = ("skills", "pattern", "maturity", "answers", "flags", "take", "instead")
    if given := [name for name in own if getattr(want, name)]:
        raise BadInput(f"`{', '.join(given)}` means nothing for a chain file", hint="the file says all of that itself")
    plan, noted = read_chain(text_of(path), file=str(path), library=library, goal=want.goal)
    if plan is None:
        return None, noted
    for step in want.leave:
        if step not in [each.id for each in plan.steps]:
            steps = ", ".join(each.id for each in plan.steps)
            raise BadInput(f"there is no step `{step}` to leave out", hint=f"steps: {steps}")
        plan = without(plan, step)
    told = {"runtime": runtime_of(want), "model": want.model, "command": want.command}
    return replace(plan, **{name: value for name, value in told.items() if value}), noted


def runtime_of(want: Wished) -> str:
    """Who is to work, where that was said."""
    return want.runtime or ("command" if want.command else "")


def _advised(plan: Plan, blueprint: Blueprint | None, library: Library) -> Advice:
    skills = [library.skill(step.skill.name) for step in plan.steps if step.skill is not None]
    domains = sorted({skill.domain for skill in skills if skill is not None and skill.domain})
    return advise(plan, category=blueprint.category if blueprint else "", domains=domains)


def in_mode(plan: Plan, mode: Mode) -> Plan:
    """The plan in this mode. Raises BadInput where a chain inside it wants another."""
    changed = replace(plan, mode=mode)
    if trouble := mixed(changed):
        raise BadInput(trouble[0].message, hint=trouble[0].hint)
    return changed


def text_of(path: Path) -> str:
    """The text of a chain file. Raises BadInput."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise BadInput(f"`{path.name}` is too large for a chain file", hint="at most 1 MiB")
        return data.decode()
    except UnicodeDecodeError:
        raise BadInput(f"`{path.name}` is not UTF-8", hint="a chain file is a text") from None
    except OSError as error:
        raise BadInput(f"`{path.name}` cannot be read: {(error.strerror or str(error)).lower()}") from None


def unresolved(blueprint: Blueprint, library: Library) -> Iterator[str]:
    """The names of its chains that mean no skill of the library, each once, with what comes near."""
    slots = [slot for pattern in blueprint.patterns for slot in pattern.slots]
    for name in dict.fromkeys(name for slot in slots for name in (slot.name, *slot.instead)):
        found = library.resolve(name)
        if not found.skill:
            near = found.candidates or found.nearest
            yield f"{name} is the name of no skill here" + (f"; one of {', '.join(near)}?" if near else "")


def said(noted: Iterable[Noted]) -> list[str]:
    """Findings as lines; at most MOST_SAID of them."""
    rows = []
    for each in noted:
        place = f"{Path(each.file).name}:{each.line}" if each.line else Path(each.file).name
        rows.append(f"{place}: {each.severity} {each.code}: {each.message} {each.hint}".strip().replace("\n", " "))
    return [*rows[:MOST_SAID], f"and {len(rows) - MOST_SAID} more"] if len(rows) > MOST_SAID else rows
