"""Changing a plan before it is pinned: a step taken out, the order in which the steps stand (the answer `modify`)."""

from collections.abc import Sequence

from msgspec.structs import replace

from remit.plan.graph import needs
from remit.plan.skill import Noted
from remit.plan.step import Left, Plan, Step


def without(plan: Plan, step: str) -> Plan:
    """The plan without that step. Whoever came after it comes after what it came after, so that no order is lost; what only it
    owes is not asked for and stands in `left`. Raises KeyError where there is no such step.
    """
    gone = plan.step(step)
    steps = tuple(_closed(each, gone) for each in plan.steps if each.id != step)
    names = {gone.id, *((gone.skill.name,) if gone.skill else ())}
    still = {each.skill.name for each in steps if each.skill} | {each.id for each in steps}
    owed = tuple(each for each in plan.deliverables if each.by in names and each.by not in still)
    left = tuple(Left(name=each.name, why=f"{gone.id} was taken out of the plan") for each in owed)
    kept = tuple(each for each in plan.deliverables if each not in owed)
    return replace(plan, steps=steps, deliverables=kept, left=(*plan.left, *left))


def _closed(step: Step, gone: Step) -> Step:
    """A step that no longer needs the one that is gone, but still what stood behind it."""

    def through(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each for name in names for each in (gone.after if name == gone.id else (name,))))

    def plain(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name != gone.id)

    groups = tuple(kept for group in step.any_of if (kept := plain(group)))
    return replace(step, after=through(step.after), soft=plain(step.soft), optional=plain(step.optional), any_of=groups)


def reordered(plan: Plan, order: Sequence[str]) -> Plan | Noted:
    """The plan with its steps in that order: it says which comes first where both may begin, and how their work is merged.

    Refused where the order names a step that is not there, leaves one out, names one twice, or puts one before what it needs.
    """
    names = [step.id for step in plan.steps]
    if sorted(order) != sorted(names):
        missing = [name for name in names if name not in order]
        strange = [name for name in dict.fromkeys(order) if name not in names]
        twice = [name for name in dict.fromkeys(order) if list(order).count(name) > 1]
        said = [f"{what} {', '.join(which)}" for what, which in _amiss(missing, strange, twice) if which]
        return _refused(plan, f"The new order {' and '.join(said)}.", f"Name each of {', '.join(names)} once.")
    place = {name: number for number, name in enumerate(order)}
    for name, mine in needs(plan).items():
        for need in (*mine.over, *mine.ended):
            if place.get(need, -1) > place[name]:
                return _refused(plan, f"{name} stands before {need}, which it needs.", f"Put {need} before {name}.")
        for group in mine.groups:
            if all(place[need] > place[name] for need in group):
                said_group = ", ".join(group)
                return _refused(plan, f"{name} stands before all of {said_group}, one of which it needs.", "Put one before it.")
    return replace(plan, steps=tuple(plan.step(name) for name in order))


def _amiss(missing: list[str], strange: list[str], twice: list[str]) -> list[tuple[str, list[str]]]:
    return [("leaves out", missing), ("names unknown", strange), ("names more than once", twice)]


def _refused(plan: Plan, message: str, hint: str) -> Noted:
    return Noted(code="ORDER", severity="error", file=plan.source or plan.name, message=message, hint=hint)
