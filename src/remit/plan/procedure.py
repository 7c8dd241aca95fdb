"""A plan as a numbered procedure: who does which step, on what, within what, and what proves it (OBS-11).

It is the plan's side of the record: `remit.evidence.procedure` numbers what really happened.
"""

from collections.abc import Mapping, Sequence

from remit.contract.amounts import time_text
from remit.contract.rule import Rule
from remit.plan.graph import conflicts, waves
from remit.plan.step import Plan, Step
from remit.value import Value

SCHEMA = "remit.chain-procedure/1"


class Numbered(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One step of the procedure. `number` is `3`, or `3.1` inside a sub-chain; `wave` says which steps may run beside it.

    `actor` is who carries it out, `does` what, `after` the numbers it waits for, `apart` the numbers it never runs beside because
    both write one path; `within` are its rules, paths and limits, `evidence` what proves it; `state` where it stands.
    """

    number: str
    step: str
    wave: int
    actor: str
    does: str
    after: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    state: str = "pending"


def procedure(plan: Plan, *, standing: Mapping[str, str] | None = None, prefix: str = "") -> tuple[Numbered, ...]:
    """Every step in plan order, those of sub-chains below theirs, and the validation last. `standing` says how far each is."""
    number = {step.id: f"{prefix}{at}" for at, step in enumerate(plan.steps, 1)}
    wave = {name: at for at, names in enumerate(waves(plan), 1) for name in names}
    apart: dict[str, list[str]] = {}
    for one, other, _ in conflicts(plan):
        apart.setdefault(one, []).append(number[other])
        apart.setdefault(other, []).append(number[one])
    found: list[Numbered] = []
    for step in plan.steps:
        needs = (*step.after, *step.soft, *step.optional, *(each for group in step.any_of for each in group))
        found.append(
            Numbered(
                number=number[step.id],
                step=step.id,
                wave=wave.get(step.id, 0),
                actor=actor(step, plan),
                does=does(step),
                after=_after(step, number, needs),
                apart=tuple(apart.get(step.id, ())),
                within=within(step, plan),
                evidence=evidence(step, plan),
                state=(standing or {}).get(step.id, "pending"),
            )
        )
        if step.chain is not None:
            found.extend(procedure(step.chain, prefix=f"{number[step.id]}."))
    if not prefix:
        found.append(_validation(plan))
    return tuple(found)


def _after(step: Step, number: Mapping[str, str], needs: Sequence[str]) -> tuple[str, ...]:
    known = tuple(dict.fromkeys(number[each] for each in needs if each in number))
    return (*known, "all others") if step.last else known


def _validation(plan: Plan) -> Numbered:
    judge = f"validation agent on {plan.validate_by}" if plan.validate_by else "remit"
    owed = tuple(f"{each.name} ({each.by})" if each.by else each.name for each in plan.deliverables)
    return Numbered(
        number=str(len(plan.steps) + 1),
        step="validation",
        wave=len(waves(plan)) + 1,
        actor=judge,
        does="checks with a fresh context, and no right to write, that everything is there",
        after=("all others",),
        within=("writes nothing",),
        evidence=(*owed, f"passes from {plan.at_least} per cent"),
    )


def actor(step: Step, plan: Plan) -> str:
    """Who carries a step out."""
    match step.kind:
        case "person":
            return step.person or "a person"
        case "command":
            return "remit, in the sandbox"
        case "chain":
            return "coordinator"
        case _:
            return f"sub-agent on {step.runtime or plan.runtime}"


def does(step: Step) -> str:
    """What a step is, in one line."""
    match step.kind:
        case "skill":
            return f"invokes the skill {step.skill.invocation if step.skill else step.id}"
        case "command":
            return f"runs {' '.join(step.command)}"
        case "chain":
            return f"carries out the chain {step.chain.name if step.chain else step.id}"
        case _:
            said = " ".join(step.prompt.split()) or step.title or step.id
            return said if len(said) <= 200 else f"{said[:197]}..."


def within(step: Step, plan: Plan) -> tuple[str, ...]:
    """The bounds of a step: its rules, the paths it claims, its limits."""
    limits = step.limits or plan.limits
    said = [_rule(rule) for rule in step.rules] or ["what the chain may"]
    said += [f"claims {', '.join(step.writes)}"] if step.writes else []
    said += [f"at most {limits.turns} turns"] if limits.turns is not None else []
    said += [f"at most {limits.calls} calls"] if limits.calls is not None else []
    said += [f"at most {limits.tokens} tokens"] if limits.tokens is not None else []
    return (*said, f"at most {time_text(step.time or plan.time)}")


def _rule(rule: Rule) -> str:
    return f"{rule.effect} {rule.verb} {', '.join(rule.objects)}"


def evidence(step: Step, plan: Plan) -> tuple[str, ...]:
    """What proves a step: its checks, and the deliverables it owes."""
    names = {step.id, *((step.skill.name,) if step.skill else ())}
    return (*(f"check {check.id}" for check in step.checks), *(each.name for each in plan.deliverables if each.by in names))


def lines(steps: Sequence[Numbered]) -> list[str]:
    """The procedure as a person reads it."""
    shown = []
    for each in steps:
        mark = "" if each.state == "pending" else f" [{each.state}]"
        shown.append(f"{each.number}. {each.step}: {each.does}{mark}")
        shown.append(f"   by {each.actor}; {'; '.join(each.within)}")
        for word, what in (("after", each.after), ("never beside", each.apart), ("proved by", each.evidence)):
            if what:
                shown.append(f"   {word} {', '.join(what)}")
    return shown
