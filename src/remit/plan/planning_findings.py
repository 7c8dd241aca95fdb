"""What is the matter with a blueprint, before anybody wishes for it."""

from collections.abc import Iterator

from remit.plan.blueprint import Blueprint
from remit.plan.library import Library
from remit.plan.skill import Noted
from remit.value import Value

UNSAID = "a goal given when it is run"
"""stands for the goal of a chain file that leaves it to whoever runs it"""


class Unresolved(Value, frozen=True, kw_only=True):
    """A name in a blueprint that means no skill, with what comes near. `line` is 0 where none is known."""

    name: str
    near: tuple[str, ...]
    optional: bool
    line: int


def unresolved(blueprint: Blueprint, library: Library) -> Iterator[Unresolved]:
    """The names of its chains that mean no skill of the library, each once."""
    seen = set()
    for slot in (slot for pattern in blueprint.patterns for slot in pattern.slots):
        for name in (slot.name, *slot.instead):
            found = library.resolve(name)
            if not found.skill and name not in seen:
                seen.add(name)
                near = tuple(found.candidates or found.nearest)
                yield Unresolved(name=name, near=near, optional=slot.optional, line=slot.line)


def about(blueprint: Blueprint, library: Library) -> list[Noted]:
    """What the loaders met in the file of a blueprint."""
    return [each for each in library.noted if blueprint.source and each.file == blueprint.source]
