"""A granted `delegate`: a child run of a narrowed contract, its limits reserved, its stage forked from its parent's."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from remit.authority.narrower import narrower
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Spend
from remit.contract.parse import parse
from remit.contract.review import review
from remit.engine.bring import bring
from remit.engine.gate import Answer
from remit.engine.hands import Hands
from remit.errors import BadInput, RemitError
from remit.ports import Box, Job, Transaction
from remit.run.event import ChildEnded, ChildStarted, Effected, Started
from remit.run.evolve import replay
from remit.run.state import Run

Drive = Callable[[Hands, str], Awaitable[Run]]
"""Drives a run with these hands until it ends or waits: the supervisor, handed down so that it need not be imported."""


RUNTIMES = frozenset({"command"})
"""runtimes a child can be given; the names of `delegate` rules"""


async def delegate(
    hands: Hands, drive: Drive, parent_id: str, arguments: dict[str, Any], answer: Answer, box: Box | None
) -> dict[str, Any]:
    """Take on a child run, drive it to its end, bring what it published into the parent's live stage, and say how it went.

    Arguments: `contract` (text of a contract file) and `command` (argv list). The same contract and command in a later
    attempt is the same child: it is found again, not started twice.
    """
    assert answer.grant is not None
    key = answer.grant.action.digest()
    try:
        if answer.grant.action.object not in RUNTIMES:
            raise BadInput(f"there is no runtime `{answer.grant.action.object}`; one of {', '.join(sorted(RUNTIMES))}")
        child_id = await _take_on(hands, parent_id, arguments, key)
        child = await _driven(replace(hands, above=box), drive, child_id)
    except RemitError as error:
        await hands.record(Effected(run=parent_id, key=answer.grant.key, ok=False, receipt=str(error)))
        raise
    await settle(hands, parent_id, child)
    receipt = f"{child_id}: {child.verdict or 'waiting'}"
    await hands.record(Effected(run=parent_id, key=answer.grant.key, ok=child.verdict is not None, receipt=receipt))
    return {
        "schema": "remit.act/1", "run": parent_id, "decision": "allow", "reasons": [], "done": child.verdict is not None,
        "child": child_id, "verdict": child.verdict, "exceptions": list(child.exceptions), "why": child.why,
    }  # fmt: skip


async def _driven(hands: Hands, drive: Drive, child_id: str) -> Run:
    before = await hands.replay(child_id)
    child = await drive(hands, child_id)
    if before.published is not None and hands.above is not None:
        await bring(hands, child)  # its parent's stage was lost after it had published into it
    return child


async def _take_on(hands: Hands, parent_id: str, arguments: dict[str, Any], key: str) -> str:
    parent = await hands.replay(parent_id)
    if key in parent.keys:
        return parent.keys[key]
    assert parent.started is not None
    contract = _contract(parent, arguments)
    command = arguments.get("command")
    if not isinstance(command, list) or not command or not all(isinstance(part, str) for part in command):
        raise BadInput("`command` must be a list of texts: the argv of the child's runtime")
    async with hands.ledger.transaction() as transaction:
        state = replay(transaction.events(parent_id))
        if key in state.keys:
            return state.keys[key]
        child_id = f"{parent_id}.{len(state.keys) + 1}"
        reserved = _reserve(state, contract.limits)
        transaction.append(ChildStarted(run=parent_id, child=child_id, key=key, reserved=reserved))
        transaction.append(_started(parent, child_id, contract, tuple(command), key))
        transaction.submit(Job(id=f"{child_id}:start", run=child_id))
    return child_id


def _started(parent: Run, child_id: str, contract: Contract, command: tuple[str, ...], key: str) -> Started:
    assert parent.started is not None
    above = parent.started
    return Started(
        run=child_id, contract=contract, organisation=above.organisation, workspace=above.workspace, command=command,
        trigger=f"delegated by {parent.id}", parent=parent.id, key=key, ancestors=(*above.ancestors, parent.id),
        accepted_level=above.accepted_level, accepted_by=above.accepted_by, visible=above.visible,
        requester=above.requester, unattended=above.unattended,
    )  # fmt: skip


def _contract(parent: Run, arguments: dict[str, Any]) -> Contract:
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
    wider = [each for each in narrower(parent.contract, parsed.contract) if each.severity == "error"]
    if wider:
        marked = [f"{parsed.marks.get(each.where, each.where)}: {each.message}" for each in wider]
        raise BadInput("the child's contract is wider than yours: " + "; ".join(marked))
    return parsed.contract


def _reserve(parent: Run, limits: Limits) -> Spend:
    """What the child may use, taken out of what the parent has left. Raises BadInput when that is less (BUD-03)."""
    have, used = parent.contract.limits, parent.spend.plus(parent.reserved)
    amounts: dict[str, int] = {}
    for name in ("turns", "calls", "tokens", "usd"):
        most, asked = getattr(have, name), getattr(limits, name)
        if most is None:
            amounts[name] = asked or 0
            continue
        left = most - getattr(used, name)
        if asked is None:
            raise BadInput(f"the child must name `{name}`: you have {left} left")
        if asked > left:
            raise BadInput(f"the child asks for {asked} {name}, you have {left} left")
        amounts[name] = asked
    if have.time is not None and (limits.time is None or limits.time > have.time - used.time):
        raise BadInput(f"the child's time must be at most {have.time - used.time:.0f} s")
    return Spend(turns=amounts["turns"], calls=amounts["calls"], tokens=amounts["tokens"], usd=amounts["usd"])


async def settle(hands: Hands, parent_id: str, child: Run) -> None:
    """Give back what an ended child did not use; a child that waits keeps its reservation."""
    if child.verdict is None:
        return
    async with hands.ledger.transaction() as transaction:
        transaction.revoke(child.id)
        if child.id in replay(transaction.events(parent_id)).children:
            _settle(transaction, parent_id, child)


def _settle(transaction: Transaction, parent_id: str, child: Run) -> None:
    assert child.verdict is not None
    transaction.append(ChildEnded(run=parent_id, child=child.id, verdict=child.verdict, spend=child.spend))
