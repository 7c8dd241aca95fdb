"""Beginning a chain: its plan and its start are one fact each, written together."""

from collections.abc import Sequence
from pathlib import Path

from remit.contract.contract import Contract, Level
from remit.contract.models import CHAIN
from remit.contract.party import Organisation
from remit.engine.hands import Hands
from remit.engine.start import start
from remit.errors import BadInput
from remit.plan.graph import wrong
from remit.plan.step import Plan
from remit.run.chained import PlanPinned


async def begin(
    hands: Hands, plan: Plan, contract: Contract, organisation: Organisation, workspace: Path, *, trigger: str,
    advised: str = "", why: Sequence[str] = (), confirmed: str = "", requester: str = "", unattended: bool = False,
    visible: Sequence[str] = (), accepted: tuple[Level, str] | None = None, context: Sequence[tuple[str, str]] = (),
    checklist: Sequence[tuple[str, bool]] = (), soul: str = "",
) -> str:  # fmt: skip
    """Record the start of a chain and submit it; its id. Raises BadInput for a plan that cannot be carried out, and whatever
    `start` raises.
    """
    faults = [each for each in wrong(plan) if each.severity == "error"]
    if faults or not plan.steps:
        said = "; ".join(each.message for each in faults) or "it has no steps"
        raise BadInput(f"the plan cannot be carried out: {said}", hint=faults[0].hint if faults else "")
    if plan.mode == "standard" and (other := [step for step in plan.steps if step.skill is None]):
        said = f"standard mode is one conversation with every skill, and step `{other[0].id}` is a {other[0].kind}"
        raise BadInput(said, hint="use delegated mode")
    known = {contract.owner, "owner", *(person.id for person in organisation.people)}
    known |= {role for person in organisation.people for role in person.roles}
    if strangers := [step for step in plan.steps if step.person and step.person not in known]:
        said = f"step `{strangers[0].id}` asks {strangers[0].person}, whom the organisation does not know"
        raise BadInput(said, hint="name the owner, a person or a role of the organisation file")
    if (turns := contract.limits.turns) is not None and turns < 3 * (len(plan.steps) + 1):
        said = f"{turns} turns are too few for {len(plan.steps)} steps and their validation"
        raise BadInput(said, hint=f"`remit chain plan` shows limits that fit: at least {3 * (len(plan.steps) + 1)} turns")
    return await start(
        hands, contract, organisation, workspace, (), trigger=trigger, visible=visible, accepted=accepted, checklist=checklist,
        context=context, requester=requester, unattended=unattended, runtime=CHAIN, model=plan.model, soul=soul,
        also=lambda run: (PlanPinned(run=run, plan=plan, advised=advised, why=tuple(why), confirmed=confirmed),),
    )  # fmt: skip
