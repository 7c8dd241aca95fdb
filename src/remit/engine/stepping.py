"""What a step of a chain is handed: its contract, its words, its skill; all of it follows from the plan and what is on record."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from remit.contract.contract import Contract
from remit.contract.deliverable import Deliverable
from remit.contract.limits import Limits
from remit.errors import BadInput
from remit.plan.contracting import (
    conversation_contract,
    step_contract,
    validation_contract,
    who,
)
from remit.plan.graph import needs
from remit.plan.prompt import prompt, whole_prompt
from remit.plan.reported import Exported
from remit.plan.step import CONVERSATION, VALIDATION, Pinned, Plan, Step
from remit.plan.validation_brief import validation_brief
from remit.run.chain import Chain
from remit.run.state import Run
from remit.value import Value

MOST_OUTPUTS = 20
"""outputs of earlier steps that a later one is told"""
MOST_NAMES, MOST_LAST = 20, 3
"""steps before it that are named; steps whose words it is told where it names none that it builds on"""


class Handed(Value, frozen=True, kw_only=True):
    """Everything one child of a chain is started with. `plan` is that of a step which is itself a chain."""

    step: str
    number: int
    contract: Contract
    runtime: str
    model: str
    command: tuple[str, ...]
    brief: str
    skills: tuple[Pinned, ...] = ()
    plan: Plan | None = None
    because: str = ""


def handed(parent: Run, arguments: Mapping[str, Any]) -> Handed:
    """What the child is given for this step of its parent's plan. Raises BadInput for a step the plan does not have."""
    chain, started = parent.chain, parent.started
    assert chain is not None and started is not None
    name, number = str(arguments.get("step") or ""), int(arguments.get("number") or 0)
    because, plan, project = str(arguments.get("because") or ""), chain.plan, started.workspace
    if name == VALIDATION:
        due = expected(chain)
        brief = validation_brief(plan, due, project=project)
        runtime = plan.validate_by or "command"
        command = plan.validate_command or (("true",) if runtime == "command" else ())
        contract = _within(parent, validation_contract(parent.contract, plan, due), Limits())
        return Handed(
            step=name, number=number, contract=contract, runtime=runtime, model=plan.model, command=command, brief=brief
        )
    if name == CONVERSATION:
        skills = tuple(step.skill for step in plan.steps if step.skill is not None)
        return Handed(
            step=name, number=number, runtime=plan.runtime,
            contract=_within(parent, conversation_contract(parent.contract, plan), Limits()),
            model=plan.model, command=plan.command, brief=whole_prompt(plan, project=project), skills=skills, because=because,
        )  # fmt: skip
    try:
        step = plan.step(name)
    except KeyError:
        raise BadInput(f"the plan has no step `{name}`") from None
    if step.kind == "person":
        raise BadInput(f"step `{name}` is a person's: no agent is given it")
    runtime, model, command = who(plan, step)
    return Handed(
        step=name, number=number, runtime=runtime, model=model,
        contract=_within(parent, step_contract(parent.contract, plan, step), step.limits or plan.limits),
        command=command, brief=_words(chain, step, project), skills=(step.skill,) if step.skill is not None else (),
        plan=step.chain, because=because,
    )  # fmt: skip


def _within(parent: Run, contract: Contract, asked: Limits) -> Contract:
    """The contract with what is only usual cut to a fair part of what is left; what somebody wrote stands, and may be refused."""
    have, used, given = parent.limits, parent.spend.plus(parent.reserved), contract.limits
    assert parent.chain is not None
    still = 1 + sum(each.status in {"pending", "in_progress", "failed"} for each in parent.chain.steps.values())
    cut: dict[str, int] = {}
    for name in ("turns", "calls", "tokens", "usd"):
        most, mine = getattr(have, name), getattr(given, name)
        if most is not None and getattr(asked, name) is None:
            room = most - getattr(used, name)
            share = max(1, (room - 2 * still if name == "turns" else room) // still)
            cut[name] = share if mine is None else min(mine, share)
    if have.time is not None and asked.time is None and given.time is not None:
        cut["time"] = max(1, min(given.time, int(have.time - used.time) - 1))
    return replace(contract, limits=replace(given, **cut)) if cut else contract


def _words(chain: Chain, step: Step, project: str) -> str:
    """The template, filled: who is complete before it, and what those it builds on said for whoever comes next (SUB-03, SUB-15).

    Nothing of it grows with the length of the chain: names stand for the last steps, words for those that this one waits for.
    """
    plan = chain.plan
    done = [each.id for each in plan.steps if chain.steps[each.id].status == "complete" and each.id != step.id]
    mine = needs(plan)[step.id]
    wanted = {*mine.over, *mine.ended, *(one for group in mine.groups for one in group)}
    told = [name for name in done if name in wanted][-MOST_NAMES:] if wanted else done[-MOST_LAST:]
    outputs: list[Exported] = []
    decisions: list[tuple[str, str]] = []
    for name in told:
        outputs += chain.steps[name].report.outputs
        decisions += [(name, each) for each in chain.steps[name].report.decisions]
    more = [f"{len(done) - MOST_NAMES} before these"] if len(done) > MOST_NAMES else []
    return prompt(
        step, goal=plan.goal, project=project, done=[*more, *done[-MOST_NAMES:]], outputs=outputs[-MOST_OUTPUTS:],
        decisions=decisions[-MOST_OUTPUTS:],
    )  # fmt: skip


def expected(chain: Chain) -> tuple[Deliverable, ...]:
    """What validation looks for: what the plan says is due, and from steps that owe nothing there, what they say they left.

    A claim counts as due, flagged or not: what was claimed and is not there is a gap. What the plan asks for already, under
    whatever name, is not asked for twice.
    """
    owing = {each.by for each in chain.plan.deliverables}
    named = {path for each in chain.plan.deliverables for path in (*each.files, *(one for group in each.either for one in group))}
    found = list(chain.plan.deliverables)
    for step in chain.plan.steps:
        stood = chain.steps[step.id]
        mine = {step.id, step.skill.name if step.skill is not None else step.id}
        claimed = tuple(path for path in dict.fromkeys(stood.report.files) if path not in named)
        if stood.status == "complete" and not mine & owing and claimed:
            found.append(Deliverable(name=f"what {step.id} left", by=step.id, files=claimed))
    return tuple(found)
