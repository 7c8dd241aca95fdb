"""Runs whose work is done by a loop of the caller's own: the same gate, outbox and checks, without a box."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import anyio

from remit.authority.action import Action
from remit.authority.decision import Allow, Code, Reason, Refuse
from remit.contract.limits import Spend
from remit.engine.calls import Called
from remit.engine.gate import Gate, exhausted, used_up
from remit.engine.hands import Hands
from remit.engine.outbox import happened
from remit.errors import BadInput, Refused, RemitError
from remit.ports import Performer, Stage
from remit.run.event import AttemptLost, AttemptStarted, Blocked, Charged, Effected, LimitReached, Told, WorkDone
from remit.run.outbox import ENDED, Draft
from remit.run.state import Run


async def begin(hands: Hands, run: Run) -> None:
    """Say that the work has begun."""
    assert run.started is not None
    await hands.record(AttemptStarted(run=run.id, attempt=1, because=run.started.trigger))


async def again(hands: Hands, run: Run, because: str) -> None:
    """The loop comes back after it was gone: a further attempt, in which the ends of earlier effects are told once more."""
    lost = AttemptLost(run=run.id, attempt=run.attempt, why="the caller's loop was gone")
    await hands.record(lost, AttemptStarted(run=run.id, attempt=run.attempt + 1, because=because))


async def seal(hands: Hands, run: Run) -> None:
    """The caller's loop is over, or was stopped: what the checks judge is the workspace as it stands now."""
    digest = await (await _stage(hands, run)).seal()
    receipt = "the loop is the caller's own: remit gave it no processes, and gives it no more grants"
    await hands.record(
        WorkDone(
            run=run.id, attempt=run.attempt, status=None if run.stop else 0, why=_why(run), sealed=digest, receipt=receipt
        )
    )  # fmt: skip


def _why(run: Run) -> Literal["stopped", "limit", "ended"]:
    if run.stop:
        return "stopped"
    return "limit" if any(each.endswith(" reached") for each in run.warned) else "ended"


async def _stage(hands: Hands, run: Run) -> Stage:
    """The stage that a crash left sealed, else a fresh one."""
    assert run.started is not None
    place = hands.place(run.id, run.attempt)
    return await hands.workspace.reopen(place) or await hands.workspace.open(
        Path(run.started.workspace), place, secrets=(), named=lambda _: False, quota=None,
        identity=(f"remit {run.id}", run.owner),
    )  # fmt: skip


def overtime(run: Run, now: datetime) -> bool:
    """Whether the time of the contract is used up while the loop works."""
    most = run.limits.time
    if most is None or run.phase != "working" or run.attempt_at is None:
        return False
    return run.spend.time + (now - run.attempt_at).total_seconds() >= most


async def unusable(hands: Hands, run_id: str, what: str, why: str) -> Called:
    """A want that is no action is refused, recorded and counted like any other: it must not be a way to go unseen."""
    turn = Charged(run=run_id, spend=Spend(turns=1), what="a request that is no action")
    await hands.record(Blocked(run=run_id, what="request", object=what, by=f"the guard: {why}"), turn)
    return Called(state="refused", decision=_refusal(Code.INPUTS, "", why, "give arguments the tool can use"))


async def refuse(gate: Gate, run_id: str, action: Action, code: Code, why: str, instead: str = "") -> Called:
    """Refuse what no rule has to be asked about. A stop or a used-up limit is said first; the decision is recorded."""
    async with gate.transaction() as transaction:
        run = gate.fold(transaction, run_id)
        own = gate.lineage(transaction, run)[-1].hash
        over = exhausted(run) or ("time" if overtime(run, gate.now()) else "")
        decision = _refusal(code, own, why, instead)
        if run.stop:
            decision = _refusal(Code.STOPPED, own, f"the run was stopped by {run.stop}")
        elif over:
            decision = used_up(run, over)
        if over and f"{over} reached" not in run.warned:
            have, most = getattr(run.spend, over), getattr(run.limits, over)
            transaction.append(LimitReached(run=run_id, limit=over, used=str(have), of=str(most)))
        gate.note(transaction, run, action, decision, at="door")
        gate.warn(transaction, run_id)
    return Called(state="refused", decision=decision, over=over)


async def act(hands: Hands, gate: Gate, run_id: str, action: Action, performer: Performer) -> Called:
    """A tool whose effect stays inside: decided and recorded like any other, and carried out at once.

    What goes wrong in it is no doubt: nothing has left. The grant is used up all the same.
    """
    try:
        performer.preview(action.arguments)
    except RemitError as error:
        return await refuse(gate, run_id, action, Code.INPUTS, str(error), "give arguments the tool can use")
    answer = await gate.decide(run_id, action, at="door", effect=True)
    if not isinstance(answer.decision, Allow) or answer.grant is None:
        state: Literal["waiting", "refused"] = "waiting" if answer.question else "refused"
        return Called(state=state, decision=answer.decision, question=answer.question or "", over=answer.over)
    return await _done(hands, gate, run_id, answer.grant.key, action, performer, answer.decision)


async def _done(
    hands: Hands, gate: Gate, run_id: str, key: str, action: Action, performer: Performer, decision: Allow
) -> Called:  # fmt: skip
    async with gate.transaction() as transaction:
        run = gate.fold(transaction, run_id)
    assert run.started is not None
    with anyio.CancelScope(shield=True):
        try:
            done = await performer.perform(f"{run_id}:{key}", action.arguments, workspace=Path(run.started.workspace))
        except Exception as error:  # noqa: BLE001 - whatever it was, it is over, and it changed nothing outside
            why = str(error) if isinstance(error, Refused | BadInput) else f"{type(error).__name__}: {error}"
            await hands.record(Effected(run=run_id, key=key, ok=False, receipt=why))
            return Called(state="refused", decision=_refusal(Code.DENIED, "", why), key=key)
        await hands.record(happened(run_id, key, done))
    return Called(state="done", decision=decision, key=key, receipt=done.receipt, output=done.output)


async def tell(gate: Gate, run_id: str, key: str) -> Draft:
    """Record that the caller reads how a draft ended: the same call again means a further effect then."""
    async with gate.transaction() as transaction:
        draft = gate.fold(transaction, run_id).drafts[key]
        if draft.state in ENDED and not draft.collected:
            transaction.append(Told(run=run_id, key=key))
    return draft


def _refusal(code: Code, contract: str, why: str, instead: str = "") -> Refuse:
    return Refuse(reasons=(Reason(code=code, rule=None, contract=contract, why=why, instead=instead),))
