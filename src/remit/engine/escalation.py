"""Work that goes up to a heavier runtime and comes back: justified before anything is granted, recorded both ways."""

from typing import Any

from remit.authority.action import Action
from remit.authority.decision import Code, Decision, Reason, Refuse
from remit.authority.escalating import Justified, agreed, justify
from remit.contract.contract import Contract
from remit.contract.models import HEAVY_RUNTIMES
from remit.contract.parse import parse
from remit.engine.gate import Gate
from remit.run.event import Deescalated, Escalated
from remit.run.state import Run

LONGEST = 2000


def goes_up(action: Action) -> bool:
    """Whether an action hands work to a heavier runtime."""
    return action.verb == "delegate" and action.object in HEAVY_RUNTIMES


def justified(parent: Run, contract: Contract, runtime: str, arguments: dict[str, Any]) -> Justified | Refuse:
    """Whether a child of this contract may go up. The task is what its goal says; the reason is the requester's."""
    assert parent.started is not None
    why, known = str(arguments.get("why") or ""), parent.started.organisation
    if parent.chain is not None and parent.chain.confirmed:
        found = agreed(contract, runtime, why or f"the plan, agreed to by {parent.chain.confirmed}", known)
    else:
        found = justify(contract.goal, contract, runtime, why, known)
    if isinstance(found, Justified) and parent.started.accepted_level == "L0":
        why = "there is no way back: this machine was accepted with no containment, so nothing could be stopped or dropped"
        reason = Reason(code=Code.NOT_JUSTIFIED, rule=None, contract=parent.contract.hash(), why=why, instead="do it yourself")
        return Refuse(reasons=(reason,))
    return found


async def kept_here(gate: Gate, run_id: str, action: Action) -> Decision | None:
    """The recorded refusal of work that is no matter for a heavier runtime; None when it may be put before the gate."""
    parsed = parse(str(action.arguments.get("contract") or ""), file="child.remit.yaml")
    if parsed.contract is None:
        return None  # the contract itself is refused, with its mistakes, by whoever takes the child on
    async with gate.transaction() as transaction:
        run = gate.fold(transaction, run_id)
        if run.chain is not None:  # what the step is handed follows from the plan: it is weighed where it is taken on
            return None
        found = justified(run, parsed.contract, str(action.object), dict(action.arguments))
        if isinstance(found, Justified):
            return None
        gate.note(transaction, run, action, found, at="door")
        gate.warn(transaction, run_id)
        return found


def escalated(parent: Run, child: str, found: Justified) -> Escalated:
    """The record of it, written before anything is launched (ESC-02..04)."""
    way_back = f"its stage is a copy of its own, dropped by `remit undo {child}`; `remit stop {child}` ends it"
    return Escalated(
        run=parent.id, child=child, runtime=found.runtime, needs=found.needs, why=found.why[:LONGEST],
        requester=f"the agent of {parent.id}, for {parent.owner}", caps=found.caps, way_back=way_back,
    )  # fmt: skip


def returned(parent: Run, child: Run) -> Deescalated:
    """What there is to review once it is back (ESC-05, ESC-07)."""
    assert child.started is not None
    spend = child.spend
    cost = {
        "turns": str(spend.turns),
        "tokens": str(spend.tokens),
        "usd": f"{spend.usd / 1_000_000:.6f}",
        "s": f"{spend.time:.1f}",
    }
    yes = [each.person for asked in child.questions.values() if asked.said == "yes" for each in asked.answers]
    return Deescalated(
        run=parent.id, child=child.id, runtime=child.started.runtime, verdict=child.verdict or "waiting",
        paths=child.published or (), cost=cost, approvals=tuple(dict.fromkeys(yes)), refused=child.refusals,
        log=f"remit account {child.id}",
    )  # fmt: skip


def back(child: Run) -> dict[str, Any]:
    """What the agent that handed it up is told of it."""
    return {"paths": list(child.published or ()), "refused": child.refusals, "spend": {"turns": child.spend.turns}}
