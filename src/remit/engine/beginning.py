"""What a child run is started with: asked for by an agent, never trusted, or handed on by the plan of a chain."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from remit.authority.narrower import narrower
from remit.contract.contract import Contract
from remit.contract.models import CHAIN, may_call
from remit.contract.parse import parse
from remit.contract.review import review
from remit.engine.stepping import Handed
from remit.errors import BadInput
from remit.plan.step import VALIDATION
from remit.run.chained import PlanPinned, StepStarted
from remit.run.event import Event, Started
from remit.run.state import Run


def asked_for(parent: Run, runtime: str, arguments: Mapping[str, Any]) -> Handed:
    """What an agent asks for: `contract` (text of a contract file), `command` (argv), `model`. Raises BadInput."""
    if runtime == CHAIN:
        raise BadInput("a chain needs a plan", hint="`remit chain run` begins one")
    contract = _contract(parent, arguments)
    model = str(arguments.get("model") or "")
    if model and contract.models and not may_call(contract.models, model):
        raise BadInput(f"the child's contract does not let `{model}` be called")
    return Handed(
        step="", number=0, contract=contract, runtime=runtime, model=model, command=_command(runtime, arguments.get("command")),
        brief="",
    )  # fmt: skip


def begun(parent: Run, child_id: str, given: Handed, key: str) -> Iterator[Event]:
    """The facts of a child's beginning: written in one transaction with the reservation."""
    assert parent.started is not None
    above = parent.started
    if given.step and given.step != VALIDATION:
        yield StepStarted(run=parent.id, step=given.step, number=given.number, child=child_id, because=given.because)
    yield Started(
        run=child_id, contract=given.contract, organisation=above.organisation, workspace=above.workspace,
        command=given.command, trigger=f"delegated by {parent.id}", parent=parent.id, key=key,
        ancestors=(*above.ancestors, parent.id), accepted_level=above.accepted_level, accepted_by=above.accepted_by,
        visible=above.visible, requester=above.requester, unattended=above.unattended, runtime=given.runtime,
        model=given.model or given.contract.model, soul=above.soul, brief=given.brief, skills=given.skills, step=given.step,
    )  # fmt: skip
    if given.plan is not None:
        yield PlanPinned(run=child_id, plan=given.plan, advised="", confirmed=above.requester)


def _command(runtime: str, given: object) -> tuple[str, ...]:
    """The argv of a child's runtime; only a plain command and an ACP agent need one."""
    if given is None and runtime not in {"command", "acp"}:
        return ()
    if not isinstance(given, list) or not given or not all(isinstance(part, str) for part in given):
        raise BadInput("`command` must be a list of texts: the argv of the child's runtime")
    return tuple(given)


def _contract(parent: Run, arguments: Mapping[str, Any]) -> Contract:
    """The child's contract as the agent wrote it: parsed, reviewed and compared, never trusted."""
    assert parent.started is not None
    text = arguments.get("contract")
    if not isinstance(text, str):
        raise BadInput("`contract` must be the text of a contract file")
    parsed = parse(text, file="child.remit.yaml")
    looked = review(parsed, organisation=parent.started.organisation, identity=parent.owner)
    wrong = [finding for finding in looked.findings if finding.severity == "error"]
    if parsed.contract is None or wrong:
        raise BadInput(
            "the child's contract cannot run: " + "; ".join(f"{each.mark or each.where}: {each.message}" for each in wrong)
        )
    above = msgspec.structs.replace(parent.contract, owner=parent.owner)  # whoever has taken the outcome since it began
    wider = [each for each in narrower(above, parsed.contract) if each.severity == "error"]
    if wider:
        marked = [f"{parsed.marks.get(each.where, each.where)}: {each.message} ({each.hint})" for each in wider]
        kind = "another owner's" if all(each.code == "OWNER-CHANGED" for each in wider) else "wider than yours"
        raise BadInput(f"the child's contract is {kind}: " + "; ".join(marked))
    return parsed.contract
