"""From a wish to a plan: the blueprint or chain file is picked, or the goal routed, and every name resolved.

Nothing is read here: who asks says how a chain file is picked and read, and in which words its own surface refuses.
"""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

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
from remit.value import Value

Made = tuple[Plan | None, tuple[Noted, ...]]
SAID_BY_A_FILE = ("skills", "pattern", "maturity", "answers", "flags", "take", "instead")
"""what a chain file says itself, so that nothing beside it can"""


class Wish(Value, frozen=True, kw_only=True):
    """What was asked for. `take` None: the optional steps that owe something that is wanted. `runtime` empty: nobody said."""

    name: str = ""
    goal: str = ""
    skills: tuple[str, ...] = ()
    pattern: str = ""
    maturity: str = ""
    answers: Mapping[str, str] = {}
    flags: Mapping[str, bool] = {}
    take: tuple[str, ...] | None = None
    leave: tuple[str, ...] = ()
    instead: Mapping[str, str] = {}
    runtime: str = ""
    model: str = ""
    command: tuple[str, ...] = ()


class ChainFile(Value, frozen=True, kw_only=True):
    """A chain file that was picked. `shown` names it in a refusal, `text` reads it and may raise BadInput."""

    file: str
    shown: str
    text: Callable[[], str]


class Words(Value, frozen=True, kw_only=True):
    """How one surface refuses: what to do next where nothing is named, no goal is said, nothing fits, a plan cannot be; how it
    calls the wishes that a chain file has no use for; and how it shows findings, as lines.
    """

    which: str
    purpose: str
    nothing_fits: str
    mend: str
    call: Callable[[Sequence[str]], str]
    lines: Callable[[Iterable[Noted]], list[str]]


class Planned(Value, frozen=True, kw_only=True):
    """A plan that can be carried out, what should be known of it, why it is this one, and from what it was made. `wish` can be
    changed and planned again.
    """

    plan: Plan
    noted: tuple[Noted, ...]
    advice: Advice
    why: tuple[str, ...]
    wish: Wish
    library: Library
    source: Blueprint | ChainFile | None

    @property
    def optional(self) -> list[str]:
        """The optional steps of the blueprint's chain, by the names of its file."""
        if not isinstance(self.source, Blueprint) or not self.source.patterns:
            return []
        usual = next((each for each in self.source.patterns if each.default), self.source.patterns[0])
        pattern = next((each for each in self.source.patterns if each.name == self.wish.pattern), usual)
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


def planned(wish: Wish, library: Library, pick: Callable[[str], Blueprint | ChainFile], words: Words) -> Planned:
    """Raises BadInput where nothing is meant, a name is unresolved, or the plan cannot be carried out; with every reason."""
    why: tuple[str, ...] = ()
    if not wish.name and not wish.skills:
        wish, why = _routed(wish, library, words)
    source = pick(wish.name) if wish.name else None
    if isinstance(source, ChainFile):
        plan, noted = _from_file(source, wish, library, words)
    else:
        plan, noted = _from_library(source, wish, library, words)
    if plan is None or wrong(noted):
        reasons = words.lines(wrong(noted) or noted)
        raise BadInput("\n".join(["this chain cannot be carried out as it stands:", *reasons]), hint=words.mend)
    advice = _advised(plan, source.category if isinstance(source, Blueprint) else "", library)
    return Planned(plan=plan, noted=noted, advice=advice, why=why, wish=wish, library=library, source=source)


def _routed(wish: Wish, library: Library, words: Words) -> tuple[Wish, tuple[str, ...]]:
    """The blueprint, or else the skills, that the goal calls for, and why."""
    if not wish.goal.strip():
        raise BadInput("which chain?", hint=words.which)
    found = route(wish.goal, library)
    if found.blueprint:
        return replace(wish, name=found.blueprint), tuple(found.reasons)
    if found.skills:
        return replace(wish, skills=tuple(found.skills)), tuple(found.reasons)
    raise BadInput("nothing in the library fits this goal", hint="; ".join(found.reasons) or words.nothing_fits)


def _from_library(blueprint: Blueprint | None, wish: Wish, library: Library, words: Words) -> Made:
    """A plan of a blueprint, of skills, or of both."""
    if not wish.goal and blueprint is None:
        raise BadInput("what is it for?", hint=words.purpose)
    return make_plan(
        library, goal=wish.goal or (blueprint.title if blueprint else "") or wish.name, blueprint=blueprint, skills=wish.skills,
        pattern=wish.pattern, answers={key.upper(): value for key, value in wish.answers.items()}, flags=wish.flags,
        maturity=wish.maturity, runtime=wish.runtime or "command", model=wish.model, command=wish.command,
        take_optional=wish.take, alternatives=wish.instead, leave_out=wish.leave,
    )  # fmt: skip


def _from_file(source: ChainFile, wish: Wish, library: Library, words: Words) -> Made:
    """The plan of a chain file, without the steps that are left; who works, where that was said, goes before the file."""
    if given := [name for name in SAID_BY_A_FILE if getattr(wish, name)]:
        raise BadInput(f"{words.call(given)} means nothing for a chain file", hint=f"{source.shown} says all of that itself")
    plan, noted = read_chain(source.text(), file=source.file, library=library, goal=wish.goal)
    if plan is None:
        return None, noted
    for step in wish.leave:
        steps = [each.id for each in plan.steps]
        if step not in steps:
            raise BadInput(f"there is no step `{step}` to leave out", hint=f"steps: {', '.join(steps)}")
        plan = without(plan, step)
    runtime = wish.runtime or ("command" if wish.command else "")
    told = {"runtime": runtime, "model": wish.model, "command": wish.command}
    return replace(plan, **{name: value for name, value in told.items() if value}), noted


def _advised(plan: Plan, category: str, library: Library) -> Advice:
    """Which mode is recommended for it, and why."""
    skills = [library.skill(step.skill.name) for step in plan.steps if step.skill is not None]
    return advise(plan, category=category, domains=sorted({skill.domain for skill in skills if skill and skill.domain}))


def in_mode(plan: Plan, mode: Mode) -> Plan:
    """The plan in this mode. Raises BadInput where a chain inside it wants another."""
    changed = replace(plan, mode=mode)
    if trouble := mixed(changed):
        raise BadInput(trouble[0].message, hint=trouble[0].hint)
    return changed


def wrong(noted: Iterable[Noted]) -> list[Noted]:
    """Those that keep a chain from being carried out."""
    return [each for each in noted if each.severity == "error"]


def named(
    name: str, library: Library, files: Collection[str], near: Callable[[Sequence[str], Sequence[str]], str]
) -> Blueprint | None:
    """The blueprint of this name, or None where it is a chain file's. Raises BadInput for neither; `near` makes the hint of the
    names that come near, and of all.
    """
    found = next((each for each in library.blueprints if each.name == name), None)
    if found is not None or name in files:
        return found
    names = [*(each.name for each in library.blueprints), *files]
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    raise BadInput(f"no blueprint and no chain file is called `{name}`", hint=near(close, names))
