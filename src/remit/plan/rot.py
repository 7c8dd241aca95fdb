"""Whether a conversation lost its plan on the way: judged from what was invoked, never from what was claimed."""

from collections.abc import Sequence
from typing import Literal

from remit.plan.screens.line import line
from remit.plan.screens.naming import flat, named
from remit.plan.step import Plan, Step
from remit.value import Value

Symptom = Literal["tail skipped", "skipped", "no validation", "below half", "plan forgotten"]


class Rot(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a chain in one conversation. `expected`, `invoked` and `skipped` are names in the order of the plan,
    `strange` what was invoked although the plan does not have it, `late` what was invoked after something that follows it in
    the plan. `activation` is per cent of the expected skills, rounded down; a plan without skills has 100.
    """

    title: str
    expected: tuple[str, ...]
    invoked: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    activation: int = 100
    validated: bool = False
    symptoms: tuple[Symptom, ...] = ()

    @property
    def rotten(self) -> bool:
        """Whether any symptom shows."""
        return bool(self.symptoms)


def rot(plan: Plan, invoked: Sequence[str], *, validated: bool) -> Rot:
    """What the observed invocations, in their order, say of the plan (S3). A skill counts once, under its name or invocation;
    two steps with the same skill count as one skill each invocation of which may serve.
    """
    steps = [step for step in flat(plan) if step.kind == "skill"]
    seen: list[int] = []
    strange: list[str] = []
    for asked in invoked:
        at = _place(steps, asked, seen)
        if at is None:
            strange.append(asked)
        elif at not in seen:
            seen.append(at)
    late = [named(steps[at]) for number, at in enumerate(seen) if any(before > at for before in seen[:number])]
    names = tuple(map(named, steps))
    skipped = [at for at in range(len(steps)) if at not in seen]
    activation = 100 * len(seen) // len(steps) if steps else 100
    return Rot(
        title=plan.title or plan.name,
        expected=names,
        invoked=tuple(names[at] for at in sorted(seen)),
        skipped=tuple(names[at] for at in skipped),
        strange=tuple(dict.fromkeys(strange)),
        late=tuple(late),
        activation=activation,
        validated=validated,
        symptoms=_symptoms(len(steps), skipped, 2 * len(seen) < len(steps), bool(strange or late), validated),
    )


def warned(found: Rot) -> str:
    """What the symptoms mean and what to do about them; empty where there are none."""
    said = {
        "tail skipped": f"the end of the chain was skipped ({len(found.skipped)} of {len(found.expected)} skills)",
        "skipped": f"{len(found.skipped)} of {len(found.expected)} skills were skipped",
        "no validation": "validation was never executed",
        "below half": f"only {found.activation}% of the skills were invoked",
        "plan forgotten": f"the plan was left: {', '.join(map(line, (*found.strange, *found.late)))}",
    }
    if not found.symptoms:
        return ""
    recommended = "Recommended: delegated execution (fresh context per skill)."
    return "\n".join(("Warning: context rot", *(f"  - {said[each]}" for each in found.symptoms), recommended))


# ---------------------------------------------------------------------------------------------------------------------


def _place(steps: Sequence[Step], asked: str, seen: Sequence[int]) -> int | None:
    """The first step with this skill that was not invoked yet, else one that was; None where the plan has no such skill."""
    fits = [at for at, step in enumerate(steps) if asked in _names(step)]
    return next((at for at in fits if at not in seen), fits[0] if fits else None)


def _names(step: Step) -> tuple[str, ...]:
    return (step.skill.name, step.skill.invocation) if step.skill else (step.id,)


def _symptoms(count: int, skipped: Sequence[int], below: bool, forgotten: bool, validated: bool) -> tuple[Symptom, ...]:
    found: list[Symptom] = []
    if skipped:
        found.append("tail skipped" if skipped[-1] == count - 1 else "skipped")
    if not validated:
        found.append("no validation")
    if below:
        found.append("below half")
    if forgotten:
        found.append("plan forgotten")
    return tuple(found)
