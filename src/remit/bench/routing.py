"""How well goals find their blueprint and their skills: somebody's scenarios, or twelve goals of our own, against a library.

A goal is right when the expected blueprint was offered (or none, where none is expected), and at least 80 per cent of the
expected skills were proposed, after aliases. A name that means no skill here counts as missed. Precision, the share of proposed
skills that were expected, stands beside it and judges nothing: scenarios name some of the skills of a chain, seldom all.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remit.bench.routing_goals import GOALS
from remit.errors import BadInput
from remit.plan.lenient import read_yaml
from remit.plan.library import Library
from remit.plan.routing import Route, route
from remit.plan.skill import Noted
from remit.value import Value

RECALL = 0.8
CRITERION = "right: the blueprint that was expected (or none), and recall of the expected skills, after aliases, of at least 0.80"
SCHEMA = "remit.bench.routing/1"
MOST_BYTES = 1_000_000


class Scenario(Value, frozen=True, kw_only=True):
    """One goal and what is expected. `blueprint` empty: that none is offered."""

    id: str
    goal: str
    blueprint: str = ""
    skills: tuple[str, ...] = ()


class Scored(Value, frozen=True, kw_only=True):
    """What was found for one scenario. `missed` are expected names, `unknown` those of them that no skill here has."""

    id: str
    expected: str
    found: str
    confidence: float
    recall: float
    precision: float
    right: bool
    missed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def own() -> tuple[Scenario, ...]:
    """Our own twelve."""
    return tuple(
        Scenario(id=f"G{at:02}", goal=goal, blueprint=name, skills=skills) for at, (name, goal, skills) in enumerate(GOALS, 1)
    )


def read_scenarios(text: str, *, file: str) -> tuple[tuple[Scenario, ...], tuple[Noted, ...]]:
    """Scenarios from a file with `scenarios: [{id, goal, blueprint, expected_skills}]`; the rest is not looked at."""
    tree, noted = read_yaml(text, file=file)
    listed = tree.get("scenarios") if isinstance(tree, dict) else None
    found = [each for at, item in enumerate(listed if isinstance(listed, list) else (), 1) if (each := _scenario(item, at))]
    return tuple(found), noted


def _scenario(item: Any, number: int) -> Scenario | None:
    if not isinstance(item, dict) or not isinstance(item.get("goal"), str):
        return None
    skills = item.get("expected_skills")
    blueprint = item.get("blueprint")
    return Scenario(
        id=str(item.get("id", f"S{number:02}")),
        goal=item["goal"],
        blueprint="" if blueprint is None or str(blueprint).casefold() in ("none", "null", "") else str(blueprint),
        skills=tuple(str(each) for each in skills) if isinstance(skills, list) else (),
    )


def load(place: Path) -> tuple[Scenario, ...]:
    """The scenarios of a file. Raises BadInput where it cannot be read, or holds none."""
    try:
        data = place.read_bytes()
    except OSError as error:
        raise BadInput(f"{place} cannot be read: {error.strerror}", hint="name a file with `scenarios:`") from error
    if len(data) > MOST_BYTES:
        raise BadInput(f"{place} is larger than {MOST_BYTES} bytes", hint="scenarios are a page or two")
    scenarios, _ = read_scenarios(data.decode(errors="replace"), file=str(place))
    if not scenarios:
        raise BadInput(f"{place} holds no scenarios", hint="a list `scenarios:` with `goal`, `blueprint` and `expected_skills`")
    return scenarios


def score(scenario: Scenario, library: Library) -> Scored:
    """One scenario against what the router says."""
    return judged(scenario, route(scenario.goal, library), library)


def judged(scenario: Scenario, found: Route, library: Library) -> Scored:
    """The criterion."""
    proposed = {*found.skills}
    meant = {each: _meant(each, library) for each in scenario.skills}
    missed = tuple(name for name, skills in meant.items() if not skills & proposed)
    recall = 1 - len(missed) / len(meant) if meant else 1.0
    expected = {skill for skills in meant.values() for skill in skills}
    return Scored(
        id=scenario.id,
        expected=scenario.blueprint,
        found=found.blueprint,
        confidence=found.confidence,
        recall=round(recall, 2),
        precision=round(len(proposed & expected) / len(proposed), 2) if proposed else 0.0,
        right=found.blueprint == scenario.blueprint and recall >= RECALL,
        missed=missed,
        unknown=tuple(name for name, skills in meant.items() if not skills),
    )


def _meant(name: str, library: Library) -> set[str]:
    found = library.resolve(name)
    return {found.skill} if found.skill else {*found.candidates}


def document(scored: Scored) -> dict[str, Any]:
    """One goal as programs read it."""
    return {
        "id": scored.id, "expected": scored.expected, "found": scored.found, "confidence": scored.confidence,
        "recall": scored.recall, "precision": scored.precision, "right": scored.right, "missed": list(scored.missed),
        "unknown": list(scored.unknown),
    }  # fmt: skip


def table(scored: Sequence[Scored]) -> list[str]:
    """The result as a person reads it, the criterion with it."""
    shown = [f"{'':<5}{'expected':<15}{'found':<15}{'sure':>5} {'recall':>7} {'precision':>10}  right"]
    for each in scored:
        right = "yes" if each.right else "NO"
        shown.append(
            f"{each.id:<5}{each.expected or '-':<15}{each.found or '-':<15}{each.confidence:>5.0%} {each.recall:>7.2f}"
            f" {each.precision:>10.2f}  {right}"
        )
        if each.missed:
            unknown = f" (no skill here: {', '.join(each.unknown)})" if each.unknown else ""
            shown.append(f"{'':<5}missed {', '.join(each.missed)}{unknown}")
    count = len(scored) or 1
    good, offered = sum(each.right for each in scored), sum(each.found == each.expected for each in scored)
    recall, precision = sum(each.recall for each in scored) / count, sum(each.precision for each in scored) / count
    means = f"mean recall {recall:.2f}, mean precision {precision:.2f}"
    return [*shown, f"{good} of {len(scored)} right; blueprint {offered} of {len(scored)}; {means}", CRITERION]
