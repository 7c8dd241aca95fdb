"""A plan as the chain file that reads back to it."""

from typing import Any

from remit.contract.amounts import time_text
from remit.contract.deliverable import PASS
from remit.contract.limits import Limits
from remit.contract.print import block, check_tree, deliverable_tree, limits_tree, number, rule_tree, some
from remit.contract.print_condition import Plain
from remit.plan.step import Plan, Step


def print_chain(plan: Plan) -> str:
    """YAML that `read_chain` reads back to an equal plan, given the same library; `source` is that of the new file."""
    return "".join(f"{line}\n" for line in block(_plan(plan)))


def _plan(plan: Plan) -> dict[str, Any]:
    return some(
        {
            "name": plan.name,
            "title": plan.title,
            "goal": plan.goal,
            "mode": plan.mode,
            "runtime": None if plan.runtime == "command" else plan.runtime,
            "command": list(plan.command),
            "model": plan.model,
            "limits": limits_tree(plan.limits) if plan.limits != Limits() else None,
            "time": None if plan.time == 1800 else Plain(text=time_text(plan.time)),
            "retries": number(plan.retries) if plan.retries else None,
            "parallel": None if plan.parallel == 4 else number(plan.parallel),
            "maturity": plan.maturity,
            "answers": dict(plan.answers),
            "steps": [_step(step) for step in plan.steps],
            "deliverables": [deliverable_tree(each) for each in plan.deliverables],
            "left": [some({"name": each.name, "why": each.why}) for each in plan.left],
            "empty": list(plan.empty),
            "at least": None if plan.at_least == PASS else number(plan.at_least),
            "quality": None if plan.quality else Plain(text="false"),
            "validate by": plan.validate_by,
            "validate command": list(plan.validate_command),
        }
    )


def _step(step: Step) -> dict[str, Any]:
    own = step.skill.name if step.skill else step.chain.name if step.chain else ""
    tree: dict[str, Any] = {
        "id": None if step.id == own else step.id,
        **_what(step),
        "title": step.title,
        "runtime": step.runtime,
        "model": step.model,
        "after": list(step.after),
        "soft": list(step.soft),
        "optional": list(step.optional),
        "any of": [list(group) for group in step.any_of],
        "last": _yes(step.last),
        "may skip": _yes(step.may_skip),
        "writes": list(step.writes),
    }
    for effect in dict.fromkeys(rule.effect for rule in step.rules):
        group = [rule for rule in step.rules if rule.effect == effect]
        tree[effect] = [rule_tree(rule, f"{effect}-{rule.verb}-{at}") for at, rule in enumerate(group, 1)]
    tree |= {
        "checks": [check_tree(check, at) for at, check in enumerate(step.checks, 1)],
        "limits": limits_tree(step.limits) if step.limits is not None else None,
        "time": None if step.time is None else Plain(text=time_text(step.time)),
        "settings": step.settings,
        "why": step.why,
    }
    return some(tree)


def _what(step: Step) -> dict[str, Any]:
    match step.kind:
        case "skill":
            return {"skill": step.skill.name if step.skill else step.id, "command": list(step.command)}
        case "prompt":
            return {"prompt": step.prompt, "command": list(step.command)}
        case "command":
            return {"run": list(step.command)}
        case "person":
            return {"person": step.person, "asks": step.prompt}
        case "chain":
            return {"chain": _plan(step.chain) if step.chain else {}}


def _yes(value: bool) -> Plain | None:
    return Plain(text="true") if value else None
