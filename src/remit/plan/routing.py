"""From a goal to the blueprint and the skills that fit it, with the reasons."""

from typing import Literal

from remit.plan.blueprint import Blueprint
from remit.plan.choosing import Choosing, alternative, pattern_of
from remit.plan.library import Library
from remit.plan.scoring import ENOUGH, OFFERED, Score, score_blueprints, score_skills
from remit.plan.skill import Noted
from remit.plan.words import stems
from remit.value import Value

Ask = Literal["", "goal", "narrow"]


class Route(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What fits a goal. `blueprint` is empty where none is sure enough. `skills` are those to propose, in the order of a plan:
    the chain of the blueprint, then what the goal names besides; without a blueprint, what scores, what it depends on, and what
    its domain always needs. `ask` says that a person must tell more (`goal`) or less (`narrow`).
    """

    goal: str
    blueprint: str = ""
    confidence: float = 0.0
    blueprints: tuple[Score, ...] = ()
    scores: tuple[Score, ...] = ()
    skills: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    category: str = ""
    ask: Ask = ""
    reasons: tuple[str, ...] = ()


def route(goal: str, library: Library) -> Route:
    """The blueprint and the skills for a goal, explained. Pure, and the same for the same goal and library."""
    said = stems(goal)
    scores = score_skills(said, library)
    blueprints = score_blueprints(said, library, frozenset(each.name for each in scores if each.score >= ENOUGH))
    best = blueprints[0] if blueprints else None
    chosen = library.blueprint(best.name) if best else None
    if best is None or chosen is None or best.confidence < _threshold(chosen, library):
        return _without(goal, library, blueprints, scores)
    return _with(goal, library, chosen, best, blueprints, scores)


def _threshold(blueprint: Blueprint, library: Library) -> float:
    return next((each.confidence for each in library.offers if each.name == blueprint.name), blueprint.confidence or OFFERED)


def _with(
    goal: str, library: Library, blueprint: Blueprint, best: Score, blueprints: tuple[Score, ...], scores: tuple[Score, ...]
) -> Route:
    choosing = Choosing(library, file=blueprint.name, alternatives={}, leave_out=())
    chain = pattern_of(blueprint, "")
    slots = () if isinstance(chain, Noted) else chain.slots
    names: list[str] = []
    optional: list[str] = []
    for slot in slots:
        skill = choosing.find(alternative(choosing, slot, goal=goal, said=()))
        if skill is not None and skill.name not in names:
            names.append(skill.name)
            if slot.optional:
                optional.append(skill.name)
    besides = tuple(each.name for each in scores if each.score >= 2 * ENOUGH and each.name not in names)
    first = f"blueprint {best.name}, {best.score} points, {best.confidence:.0%} sure: {', '.join(best.words)}"
    rest = [f"{each.name} ({each.score}) would fit less well" for each in blueprints[1:3] if each.score]
    return _route(
        goal, library, blueprints, scores, names, besides,
        blueprint=best.name, confidence=best.confidence, optional=tuple(optional), category=blueprint.category,
        reasons=(first, *rest, *_why(scores, besides)),
    )  # fmt: skip


def _without(goal: str, library: Library, blueprints: tuple[Score, ...], scores: tuple[Score, ...]) -> Route:
    direct = [each.name for each in scores if each.score >= ENOUGH]
    every = {each.name: each for each in library.skills}
    domains = {every[name].domain for name in direct} - {""}
    needed = [each.name for each in library.skills if each.required and each.domain in domains]
    needed += [
        skill
        for domain in library.domains
        if domain.name in domains
        for name in (*domain.first, *domain.last)
        if (skill := library.resolve(name).skill)
    ]
    for name in (*direct, *needed):
        for need in every[name].depends.hard:
            if (skill := library.resolve(need).skill) and skill not in (*direct, *needed):
                needed.append(skill)
    added = [name for name in dict.fromkeys(needed) if name not in direct]
    names = sorted({*direct, *added}, key=lambda name: (every[name].depends.last, every[name].priority, name))
    near = blueprints[0] if blueprints and blueprints[0].score else None
    said = [f"blueprint {near.name} is only {near.confidence:.0%} sure: {', '.join(near.words)}"] if near else []
    said += [f"{', '.join(added)} added: needed by these, or always by {', '.join(sorted(domains))}"] if added else []
    return _route(goal, library, blueprints, scores, names, (), reasons=(*_why(scores, tuple(direct)), *said))


def _why(scores: tuple[Score, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{each.name}, {each.score} points: {', '.join(each.words)}" for each in scores if each.name in names)


def _route(
    goal: str,
    library: Library,
    blueprints: tuple[Score, ...],
    scores: tuple[Score, ...],
    names: list[str],
    besides: tuple[str, ...],
    *,
    blueprint: str = "",
    confidence: float = 0.0,
    optional: tuple[str, ...] = (),
    category: str = "",
    reasons: tuple[str, ...] = (),
) -> Route:
    domain = {each.name: each.domain for each in library.skills}
    domains = tuple(dict.fromkeys(domain[name] for name in (*names, *besides) if domain[name]))
    ask: Ask = ""
    if not names:
        ask = "goal"
    elif len(domains) > 3 and not blueprint:
        ask = "narrow"
    return Route(
        goal=goal,
        blueprint=blueprint,
        confidence=confidence,
        blueprints=blueprints,
        scores=scores,
        skills=(*names, *besides),
        besides=besides,
        optional=optional,
        domains=domains,
        category=category or across(domains),
        ask=ask,
        reasons=reasons,
    )


def across(domains: tuple[str, ...]) -> str:
    """What a set of domains is called: the one, `fullstack` for front and back end, `multi-domain` for others."""
    if len(domains) <= 1:
        return domains[0] if domains else ""
    return "fullstack" if {*domains} == {"frontend", "backend"} else "multi-domain"
