"""How a step is called, by agents and on a screen."""

from remit.plan.screens.line import line
from remit.plan.step import Plan, Step


def label(step: Step) -> str:
    """`[SKILL]`, `[PROMPT]`, `[COMMAND]`, `[PERSON]` or `[CHAIN]`."""
    return f"[{step.kind.upper()}]"


def shown_name(step: Step) -> str:
    """The name of its skill, and its id where that is another; for other kinds its id, and its title where it has one."""
    name = line(step.id, 120)
    if step.skill and step.skill.name:
        skill = line(step.skill.name, 120)
        return skill if skill == name else f"{skill} ({name})"
    title = line(step.title, 120)
    return f"{name} - {title}" if title and title != name else name


def named(step: Step) -> str:
    """The name under which a step is told to agents and shown to people: that of its skill, else its id."""
    return line(step.skill.name if step.skill and step.skill.name else step.id, 120)


def flat(plan: Plan, depth: int = 8) -> tuple[Step, ...]:
    """The steps of a plan in order, those of chains within it in their place."""
    found: list[Step] = []
    for step in plan.steps:
        found += flat(step.chain, depth - 1) if step.chain is not None and depth else [step]
    return tuple(found)
