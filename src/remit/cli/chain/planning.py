"""From a wish to a plan: the library is loaded, the blueprint found or the goal routed, and every name resolved."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from remit.cli.chain.finding import chain_files, chosen, library, said, text_of, wrong
from remit.cli.chain.wish import Wish
from remit.errors import BadInput
from remit.plan.blueprint import Blueprint
from remit.plan.chain_file import read_chain
from remit.plan.changing import without
from remit.plan.library import Library
from remit.plan.making import make_plan
from remit.plan.mode import Advice, advise, mixed
from remit.plan.routing import route
from remit.plan.skill import Noted
from remit.plan.step import Mode, Plan


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan that can be carried out, what a person should know of it, and why it is this one. `wish` can be changed and planned
    again.
    """

    plan: Plan
    noted: tuple[Noted, ...]
    advice: Advice
    why: tuple[str, ...]
    wish: Wish
    library: Library
    blueprint: Blueprint | None

    @property
    def optional(self) -> list[str]:
        """The optional steps of the blueprint's chain, by the names of its file."""
        if self.blueprint is None or not self.blueprint.patterns:
            return []
        usual = next((each for each in self.blueprint.patterns if each.default), self.blueprint.patterns[0])
        pattern = next((each for each in self.blueprint.patterns if each.name == self.wish.pattern), usual)
        return [slot.name for slot in pattern.slots if slot.optional]

    @property
    def left_out(self) -> list[str]:
        """Optional steps that are not in the plan."""
        here = {step.id for step in self.plan.steps}
        return [name for name in self.optional if (self.library.resolve(name).skill or name) not in here]

    @property
    def taken(self) -> list[str]:
        """Optional steps that are."""
        return [name for name in self.optional if name not in self.left_out]


def planned(wish: Wish) -> Planned:
    """Raises BadInput where nothing is meant, a name is unresolved, or the plan cannot be carried out; with every reason."""
    known = library(wish.library, wish.workspace)
    files = chain_files(wish.library, wish.workspace)
    why: tuple[str, ...] = ()
    if not wish.name and not wish.skills:
        wish, why = routed(wish, known)
    source = chosen(wish.name, known, files) if wish.name else None
    if isinstance(source, Path):
        plan, noted = from_file(source, wish, known)
    else:
        plan, noted = from_library(source, wish, known)
    if plan is None or wrong(noted):
        raise BadInput(
            "\n".join(["this chain cannot be carried out as it stands:", *(f"  {each}" for each in said(wrong(noted) or noted))]),
            hint="`--instead NAME=OTHER` takes another skill for a name, `--leave NAME` does without",
        )
    blueprint = source if isinstance(source, Blueprint) else None
    return Planned(
        plan=plan, noted=noted, advice=advised(plan, blueprint, known), why=why, wish=wish, library=known, blueprint=blueprint
    )  # fmt: skip


def from_library(blueprint: Blueprint | None, wish: Wish, known: Library) -> tuple[Plan | None, tuple[Noted, ...]]:
    """A plan of a blueprint, of skills, or of both."""
    if not wish.goal and blueprint is None:
        raise BadInput("what is it for?", hint="say it in a sentence with --goal")
    return make_plan(
        known, goal=wish.goal or (blueprint.title if blueprint else "") or wish.name, blueprint=blueprint, skills=wish.skills,
        pattern=wish.pattern, answers=wish.answers, flags=wish.flags, maturity=wish.maturity, runtime=wish.runtime,
        model=wish.model, command=wish.command, take_optional=wish.take, alternatives=wish.instead, leave_out=wish.leave,
    )  # fmt: skip


def from_file(path: Path, wish: Wish, known: Library) -> tuple[Plan | None, tuple[Noted, ...]]:
    """The plan of a chain file, without the steps that are left; who works, where that was said, goes before the file."""
    if refused := [
        name for name in ("skills", "pattern", "maturity", "answers", "flags", "take", "instead") if getattr(wish, name)
    ]:
        named = ", ".join(f"--{FLAGS.get(each, each)}" for each in refused)
        raise BadInput(f"{named} means nothing for a chain file", hint=f"`{path}` says all of that itself")
    plan, noted = read_chain(text_of(path), file=str(path), library=known, goal=wish.goal)
    if plan is None:
        return None, noted
    for step in wish.leave:
        if step not in [each.id for each in plan.steps]:
            raise BadInput(f"there is no step `{step}` to leave out", hint=f"steps: {', '.join(each.id for each in plan.steps)}")
        plan = without(plan, step)
    own = {"runtime": wish.runtime} if wish.runtime != "command" or wish.command else {}
    own |= {name: value for name in ("model", "command") if (value := getattr(wish, name))}
    return msgspec.structs.replace(plan, **own), noted


FLAGS = {"skills": "skill", "answers": "answer", "flags": "set"}


def routed(wish: Wish, known: Library) -> tuple[Wish, tuple[str, ...]]:
    """The blueprint, or else the skills, that the goal calls for, and why. Raises BadInput where nothing fits."""
    if not wish.goal:
        raise BadInput("which chain?", hint="name a blueprint or a chain file, or say with --goal what it is for")
    found = route(wish.goal, known)
    if found.blueprint:
        return replace(wish, name=found.blueprint), found.reasons
    if found.skills:
        return replace(wish, skills=tuple(found.skills)), found.reasons
    raise BadInput(
        "nothing in the library fits this goal", hint="; ".join(found.reasons) or "name a blueprint: `remit chain list`"
    )


def advised(plan: Plan, blueprint: Blueprint | None, known: Library) -> Advice:
    """Which mode is recommended for it, and why."""
    skills = [known.skill(step.skill.name) for step in plan.steps if step.skill is not None]
    domains = sorted({skill.domain for skill in skills if skill is not None and skill.domain})
    return advise(plan, category=blueprint.category if blueprint else "", domains=domains)


def in_mode(plan: Plan, mode: Mode) -> Plan:
    """The plan in this mode. Raises BadInput where a chain inside it wants another."""
    changed = msgspec.structs.replace(plan, mode=mode)
    if trouble := mixed(changed):
        raise BadInput(trouble[0].message, hint=trouble[0].hint)
    return changed
