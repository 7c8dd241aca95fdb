"""What the files say of the order of skills, as needs of steps: declared dependencies first, then layers, groups and position.

Precedence: a blueprint's own orders and hard dependencies always stand, and a circle among them is refused later. Whatever is
weaker is left away where it would close a circle. Where nothing is said of a skill, it comes after the line above it.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from remit.plan.blueprint import Blueprint
from remit.plan.choosing import Choosing, Chosen
from remit.plan.skill import Skill

Kind = Literal["after", "soft", "optional"]


class Needed:
    """The needs of the steps of one plan while they are gathered, by the names of skills."""

    def __init__(self, choosing: Choosing, chosen: Sequence[Chosen]) -> None:
        self.choosing, self.chosen = choosing, tuple(chosen)
        self.names = [each.skill.name for each in chosen]
        self.by_name = {name: each.skill.name for each in chosen for name in each.names}
        self.after: dict[str, list[str]] = {name: [] for name in self.names}
        self.soft: dict[str, list[str]] = {name: [] for name in self.names}
        self.optional: dict[str, list[str]] = {name: [] for name in self.names}
        self.any_of: dict[str, list[tuple[str, ...]]] = {name: [] for name in self.names}
        self.last: set[str] = set()
        self.placed: set[str] = set()

    def here(self, name: str) -> str:
        """The skill of the plan that a name means, or nothing."""
        if name in self.by_name:
            return self.by_name[name]
        skill = self.choosing.find(name)
        return skill.name if skill and skill.name in self.after else ""

    def needs(self, name: str) -> list[str]:
        """All that a step waits for, of whatever kind; a choice among several is none."""
        return [
            *self.after[name],
            *self.soft[name],
            *self.optional[name],
            *(group[0] for group in self.any_of[name] if len(group) == 1),
        ]

    def waits(self, name: str, other: str) -> bool:
        """Whether a step waits for another, directly or not."""
        seen: set[str] = set()
        todo = [name]
        while todo:
            each = todo.pop()
            if each == other:
                return True
            if each not in seen:
                seen.add(each)
                todo.extend(self.needs(each))
        return False

    def add(self, name: str, need: str, kind: Kind, *, firm: bool = False) -> bool:
        """Let a step wait for another. One that is not `firm` is left away where it would close a circle."""
        known = self.needs(name)
        if name == need or (not firm and (need in known or self.waits(need, name))):
            return need in known
        into = {"after": self.after, "soft": self.soft, "optional": self.optional}[kind][name]
        if need not in into:
            into.append(need)
        return True


def ordered_needs(choosing: Choosing, blueprint: Blueprint | None) -> Needed:
    """Everything the files say, in order of precedence."""
    needed = Needed(choosing, choosing.chosen)
    if blueprint is not None:
        _orders(needed, blueprint)
    for each in needed.chosen:
        _declared(needed, each.skill)
    tiers = dict(choosing.library.tiers)
    _layers(needed, lambda skill: ("", tiers.get(skill.tier, 0)))
    _layers(needed, lambda skill: (skill.domain, skill.group))
    _position(needed)
    return needed


def _orders(needed: Needed, blueprint: Blueprint) -> None:
    """What a blueprint says of two of its skills."""
    for order in blueprint.orders:
        name = needed.here(order.skill)
        if not name:
            continue
        needed.placed.add(name)
        for later in filter(None, map(needed.here, order.before)):
            needed.add(later, name, "after", firm=True)
            needed.placed.add(later)
        for need in filter(None, map(needed.here, order.requires)):
            needed.add(name, need, "after", firm=True)
        for need in filter(None, map(needed.here, order.uses)):
            needed.add(name, need, "optional")
        if order.last:
            needed.last.add(name)


def _declared(needed: Needed, skill: Skill) -> None:
    """What a skill's own files say it depends on."""
    name, depends, choosing = skill.name, skill.depends, needed.choosing
    if depends.last or "*" in depends.hard:
        needed.last.add(name)
    if depends != type(depends)() or skill.group or skill.tier:
        needed.placed.add(name)
    for each in depends.hard:
        if each == "*":
            continue
        if need := needed.here(each):
            needed.add(name, need, "after", firm=True)
        else:
            message = f"{name} depends on {each}, which is not in this plan: its work is taken to be there."
            choosing.note("NEED-NOT-HERE", message, "Add it, if it is not.", severity="warning")
    for each in depends.soft:
        if need := needed.here(each):
            needed.add(name, need, "soft")
    for each in depends.optional:
        if need := needed.here(each):
            needed.add(name, need, "optional")
    for group in depends.any_of:
        here = tuple(dict.fromkeys(filter(None, map(needed.here, group))))
        if not here:
            message = f"{name} needs one of {', '.join(group)}, and none of them is in this plan."
            choosing.note("NEED-NOT-HERE", message, "Add one of them, if their work is not there.", severity="warning")
        elif not any(needed.waits(each, name) for each in here):
            needed.any_of[name].append(here)


def _layers(needed: Needed, layer: Callable[[Skill], tuple[str, int]]) -> None:
    """A skill waits for those above it that stand in a lower layer, whatever became of them. Tiers are common to all, groups are
    those of a domain; 0 is no layer.
    """
    for at, one in enumerate(needed.chosen):
        field, mine = layer(one.skill)
        for other in needed.chosen[:at]:
            theirs, lower = layer(other.skill)
            if theirs == field and 0 < lower < mine and not needed.last & {one.skill.name, other.skill.name}:
                needed.add(one.skill.name, other.skill.name, "soft")


def _position(needed: Needed) -> None:
    """A skill of which no file says where it belongs comes after the line above it."""
    for above, each in zip(needed.names, needed.names[1:], strict=False):
        if each not in needed.placed and each not in needed.last and above not in needed.last:
            needed.add(each, above, "soft")


def in_order(needed: Needed) -> list[str]:
    """The names as they stood, with each after what it waits for; where they wait in a circle, as they stood."""
    rest = [*(name for name in needed.names if name not in needed.last), *(name for name in needed.names if name in needed.last)]
    done: list[str] = []
    while rest:
        free = next((name for name in rest if not set(needed.needs(name)) & set(rest)), rest[0])
        rest.remove(free)
        done.append(free)
    return done
