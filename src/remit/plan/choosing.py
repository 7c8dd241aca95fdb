"""From the lines of a blueprint, or a list of names, to the skills of a plan: alternatives, and names that must resolve."""

import re
from collections.abc import Mapping, Sequence

from remit.plan.blueprint import Blueprint, Pattern, Slot
from remit.plan.library import Library
from remit.plan.skill import Noted, Severity, Skill
from remit.value import Value


class Chosen(Value, frozen=True, kw_only=True):
    """A skill that stands in the plan: the names files call it by, whether its line is optional, who asked for it."""

    skill: Skill
    names: tuple[str, ...]
    optional: bool = False
    because: str = ""


class Choosing:
    """One choice of skills: what was found on the way is in `noted`, and an error there means that there is no plan."""

    def __init__(self, library: Library, *, file: str, alternatives: Mapping[str, str], leave_out: Sequence[str]) -> None:
        self.library, self.file = library, file
        self.alternatives, self.leave_out = alternatives, leave_out
        self.noted: list[Noted] = []
        self.chosen: list[Chosen] = []
        self._said: set[str] = set()

    def note(self, code: str, message: str, hint: str = "", *, severity: Severity = "error", line: int = 0) -> None:
        """Keep one thing to be said, once."""
        if message not in self._said:
            self._said.add(message)
            self.noted.append(Noted(code=code, severity=severity, file=self.file, message=message, hint=hint, line=line))

    def find(self, name: str) -> Skill | None:
        """The skill that a name means; where it could be several, the caller's choice among them. Nothing is guessed."""
        found = self.library.resolve(name)
        taken = self.alternatives.get(name, "")
        if taken and taken != name and not found.skill:
            found = self.library.resolve(taken)
        return self.library.skill(found.skill) if found.skill else None

    def take(
        self,
        name: str,
        *,
        optional: bool = False,
        required: bool = True,
        because: str = "",
        line: int = 0,
        also: Sequence[str] = (),
    ) -> Skill | None:
        """Put the skill of that name into the plan, or note why it cannot be; a skill that is there already gains a name."""
        if self.left_out(name):
            return None
        skill = self.find(name)
        if skill is None:
            self.unresolved(name, optional=not required, line=line)
            return None
        if self.left_out(skill.name):
            return None
        for at, one in enumerate(self.chosen):
            if one.skill.name == skill.name:
                message = f"{name} is the skill {skill.name}, which the plan has as {one.names[0]}: one step does both."
                self.note("SAME-SKILL", message, severity="note", line=line)
                names = tuple(dict.fromkeys((*one.names, name, *also)))
                both = one.optional and optional
                self.chosen[at] = Chosen(skill=skill, names=names, optional=both, because=one.because)
                return skill
        names = tuple(dict.fromkeys((name, skill.name, *also)))
        self.chosen.append(Chosen(skill=skill, names=names, optional=optional, because=because))
        return skill

    def left_out(self, name: str) -> bool:
        """Whether the caller said to leave it out."""
        return name in self.leave_out

    def unresolved(self, name: str, *, optional: bool, line: int) -> None:
        """Say that a name means no skill, and what it may have meant."""
        found = self.library.resolve(name)
        if found.candidates:
            hint = f"Choose one of {', '.join(found.candidates)} for it, or leave it out."
        elif found.nearest:
            hint = f"The nearest: {', '.join(found.nearest)}. Choose one of them for it, or leave it out."
        else:
            hint = "Nothing here is like it: leave it out, or add a place that has it."
        if optional:
            message = f"The optional skill {name} is not in the library and was left out."
            self.note("UNRESOLVED", message, hint, severity="warning", line=line)
        else:
            self.note("UNRESOLVED", f"{name} is the name of no skill here.", hint, line=line)


def pattern_of(blueprint: Blueprint, name: str) -> Pattern | Noted:
    """The chain of a blueprint that is meant: the one of that name, else its default, else its first."""
    for each in blueprint.patterns:
        if each.name == name or (not name and each.default):
            return each
    if not name and blueprint.patterns:
        return blueprint.patterns[0]
    known = ", ".join(each.name for each in blueprint.patterns)
    what = f"{blueprint.name} has no chain called {name}." if name else f"{blueprint.name} has no chain of skills."
    return Noted(
        code="PATTERN",
        severity="error",
        file=blueprint.source or blueprint.name,
        message=what,
        hint=f"It has: {known}." if known else "",
    )


def alternative(choosing: Choosing, slot: Slot, *, goal: str, said: Sequence[str]) -> str:
    """Which of the names of a line is taken: the caller's, else the one that an answer or the goal names, else the first."""
    names = (slot.name, *slot.instead)
    if not slot.instead:
        return slot.name
    for name in names:
        taken = choosing.alternatives.get(name, "")
        if taken:
            return taken
    words = [_words(name) for name in names]
    shared = frozenset.intersection(*words)
    for text in (*said, goal):
        told = [name for name, own in zip(names, words, strict=True) if (own - shared) & _words(text)]
        if len(told) == 1:
            choosing.note(
                "ALTERNATIVE", f"Of {' or '.join(names)}, {told[0]} was taken: it was named.", severity="note", line=slot.line
            )
            return told[0]
    hint = f"Choose another one instead: {', '.join(names[1:])}."
    choosing.note("ALTERNATIVE", f"Of {' or '.join(names)}, the first was taken.", hint, severity="note", line=slot.line)
    return slot.name


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+", text.casefold()))
