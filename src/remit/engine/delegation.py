"""A granted `delegate`: a child run of a narrowed contract, its limits reserved, its stage forked from its parent's."""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import anyio

from remit.authority.decision import Code, Refuse
from remit.authority.spent import in_tree
from remit.contract.limits import Limits, Spend
from remit.contract.models import CHAIN, HEAVY_RUNTIMES, RUNTIMES
from remit.engine.beginning import asked_for, begun
from remit.engine.bring import bring
from remit.engine.errands import run_errand
from remit.engine.escalation import back, escalated, justified, returned
from remit.engine.gate import Answer, Gate
from remit.engine.hands import Hands
from remit.engine.lineage import noes
from remit.engine.outbox import beyond
from remit.engine.stepping import handed
from remit.errors import BadInput, Busy, Refused, RemitError
from remit.ports import Box, Job, Transaction
from remit.run.errand import errand
from remit.run.event import ChildEnded, ChildStarted, Decided, Effected, Event
from remit.run.evolve import replay
from remit.run.state import Run

Drive = Callable[[Hands, str], Awaitable[Run]]
"""Drives a run with these hands until it ends or waits: the supervisor, handed down so that it need not be imported."""


LOOK = 0.2
"""seconds between two looks at what children have to have done"""
PATIENCE = 30.0
"""seconds to wait for the errand of a child before it is driven"""
MOST_AGAIN = 8
"""how often children may ask for what a person has said no to before no further child is taken on"""
ASIDE = 30.0
"""seconds for which a child whose errand failed is left alone"""


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
        if answer.grant.action.object not in (*RUNTIMES, CHAIN):
            raise BadInput(f"there is no runtime `{answer.grant.action.object}`; one of {', '.join(RUNTIMES)}")
        child_id = await _take_on(hands, parent_id, str(answer.grant.action.object), arguments, key)
        child = await _driven(replace(hands, above=box), drive, child_id)
    except RemitError as error:
        await hands.record(Effected(run=parent_id, key=answer.grant.key, ok=False, receipt=str(error)))
        raise
    receipt = f"{child_id}: {child.verdict or 'waiting'}"
    done = Effected(run=parent_id, key=answer.grant.key, ok=child.verdict is not None, receipt=receipt)
    await settle(hands, parent_id, child, done)
    return {
        "schema": "remit.act/1", "run": parent_id, "decision": "allow", "reasons": [], "done": child.verdict is not None,
        "child": child_id, "verdict": child.verdict, "exceptions": list(child.exceptions), "why": child.why,
        **back(child),
    }  # fmt: skip


async def _driven(hands: Hands, drive: Drive, child_id: str) -> Run:
    before = await hands.replay(child_id)
    await _free(hands, child_id)
    child = await drive(hands, child_id)
    if before.published is not None and hands.above is not None:
        parent = await hands.replay(child_id.rpartition(".")[0])
        await bring(hands, child, again=parent.chain is None)  # its parent's stage was lost after it had published into it
    return child


async def _free(hands: Hands, child_id: str) -> None:
    """Until its errand is done, if one is being run: it is no reason to tell the agent that somebody else drives the child."""
    with anyio.move_on_after(PATIENCE):
        while True:
            try:
                with hands.leases.hold(child_id):
                    return
            except Busy:
                await anyio.sleep(LOOK)


async def _take_on(hands: Hands, parent_id: str, runtime: str, arguments: dict[str, Any], key: str) -> str:
    parent = await hands.replay(parent_id)
    if key in parent.keys:
        return parent.keys[key]
    if parent.chain is None and await _asked_again(hands, parent) >= MOST_AGAIN:
        raise Refused("children of this run asked again and again for what a person has said no to", hint="do something else")
    given = handed(parent, arguments) if parent.chain is not None else asked_for(parent, runtime, arguments)
    contract = given.contract
    up = justified(parent, contract, runtime, arguments) if runtime in HEAVY_RUNTIMES else None
    if isinstance(up, Refuse):
        raise Refused("; ".join(reason.why for reason in up.reasons), hint=up.reasons[0].instead)
    async with hands.ledger.transaction() as transaction:
        state = hands.folds.within(transaction, parent_id)
        if key in state.keys:
            return state.keys[key]
        if state.stop or state.verdict is not None:  # whoever stopped it was told that nothing is left
            raise Refused(f"the run was stopped by {state.stop}" if state.stop else "the run has ended")
        if state.owner != contract.owner:
            raise BadInput(f"the outcome has gone to {state.owner} meanwhile: write `owner: {state.owner}`")
        child_id = f"{parent_id}.{len(state.keys) + 1}"
        reserved = _reserve(state, contract.limits)
        transaction.append(ChildStarted(run=parent_id, child=child_id, key=key, reserved=reserved))
        if up is not None:
            transaction.append(escalated(parent, child_id, up))
        for event in begun(parent, child_id, given, key):
            transaction.append(event)
        transaction.submit(Job(id=f"{child_id}:start", run=child_id))
    return child_id


async def _asked_again(hands: Hands, parent: Run) -> int:
    """How often one and the same act that a person has said no to was asked for in the runs below this one."""
    times, refused = Counter[str](), set[str]()
    left = [parent.id.split(".")[0]]
    while left:
        records = await hands.ledger.events(left.pop())
        run = replay(records)
        left += run.keys.values()
        refused |= noes(run)
        if run.id != parent.id and in_tree(run.id, parent.id):
            times.update(
                record.event.digest for record in records if isinstance(record.event, Decided) and _told_no(record.event)
            )
    return max((times[digest] for digest in refused), default=0)


def _told_no(decided: Decided) -> bool:
    return decided.decision == "refuse" and any(reason.code is Code.DENIED for reason in decided.reasons)


def _reserve(parent: Run, limits: Limits) -> Spend:
    """What the child may use, taken out of what the parent has left. Raises BadInput when that is less (BUD-03)."""
    have, used = parent.limits, parent.spend.plus(parent.reserved)
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


async def settle(hands: Hands, parent_id: str, child: Run, *also: Event) -> None:
    """Give back what an ended child did not use; a child that waits keeps its reservation. `also` is recorded with it."""
    if child.verdict is None:
        if also:
            await hands.record(*also)
        return
    async with hands.ledger.transaction() as transaction:
        for event in also:
            transaction.append(event)
        transaction.revoke(child.id)
        parent = hands.folds.within(transaction, parent_id)
        if child.id in parent.children:
            if child.started is not None and child.started.runtime in HEAVY_RUNTIMES:
                transaction.append(returned(parent, child))
            _settle(transaction, parent_id, child)


def _settle(transaction: Transaction, parent_id: str, child: Run) -> None:
    assert child.verdict is not None
    transaction.append(ChildEnded(run=parent_id, child=child.id, verdict=child.verdict, spend=child.spend))


async def look_after(hands: Hands, gate: Gate, run: Run) -> None:
    """While the agent of a run works: the errands of its open children, and of theirs, that nobody drives. Until cancelled.

    Whoever drives a child runs its errands, so its lease decides. It is held from the top down: what is below a child is left
    alone while somebody drives the child, who may drive that too.
    """
    seen, family, aside = -1, {run.id: run}, dict[str, float]()
    while True:
        version = await hands.ledger.version()
        if version != seen:
            seen, family = version, await _family(hands, run.id, family)
        for child in [each for each in family.values() if each.id != run.id]:
            if aside.get(child.id, 0.0) <= anyio.current_time() and _owes(hands, child):
                try:
                    await _carried(hands, gate, run.id, child)
                except (RemitError, OSError):  # whoever drives it meets it again: one child must not end its parent's attempt
                    aside[child.id] = anyio.current_time() + ASIDE
        await anyio.sleep(LOOK)


async def _family(hands: Hands, top: str, known: dict[str, Run]) -> dict[str, Run]:
    """This run and every open one below it, as they stand now."""
    found: dict[str, Run] = {}
    left = [top]
    while left:
        name = left.pop()
        found[name] = await hands.replay(name, known.get(name))
        left += found[name].children
    return found


def _owes(hands: Hands, child: Run) -> bool:
    """Whether it has an errand. What is left of a lost attempt is dropped first, by whoever drives it."""
    return child.phase != "working" and errand(child, hands.clock.now()) is not None


async def _carried(hands: Hands, gate: Gate, top: str, child: Run) -> None:
    """Its next errand, while nobody drives it or a run between it and the top."""
    with ExitStack() as held:
        try:
            for name in _between(top, child.id):
                held.enter_context(hands.leases.hold(name))
        except Busy:
            return
        fresh = await hands.replay(child.id, child)
        found = errand(fresh, hands.clock.now(), beyond=frozenset(await beyond(hands, fresh)))
        if found is not None and fresh.phase != "working":
            await run_errand(hands, gate, fresh, found)


def _between(top: str, run: str) -> list[str]:
    """The runs from just below the top down to this one."""
    parts = run.removeprefix(f"{top}.").split(".")
    return [".".join([top, *parts[: at + 1]]) for at in range(len(parts))]
