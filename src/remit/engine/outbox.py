"""Releasing drafts: intent first, the effect once, its outcome after; what is in doubt is found out, never repeated blindly."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio

from remit.authority.decision import Allow, Ask, Code, Decision, Refuse
from remit.contract.party import Tool
from remit.engine.answering import stands
from remit.engine.gate import Gate, unanswerable
from remit.engine.handoff import answering, hand_off, responsible_for, why_they
from remit.engine.hands import Hands
from remit.engine.lineage import spent, tool_of
from remit.engine.telling import told
from remit.errors import BadInput, Refused, RemitError, Tampered
from remit.ports import Performer, Receipt, Transaction
from remit.run.errand import MOST_TRIES, Effect, doubt_of, due, honoured
from remit.run.event import Confirmed, Effected, Event, InDoubt, Intended, QuestionAsked, Resolved
from remit.run.outbox import ENDED, Draft
from remit.run.state import Run


async def perform(hands: Hands, run_id: str, key: str) -> None:
    """Carry out an effect whose intent is recorded. Once begun it is not given up: being cancelled would leave it in doubt."""
    with anyio.CancelScope(shield=True):
        run = await hands.replay(run_id)
        draft = run.drafts[key]
        performer = await _performer(hands, run, draft)
        try:
            if performer is None:
                raise Refused("nothing here carries out this tool any more")
            done = await performer.perform(key, draft.action.arguments, workspace=_workspace(run))
        except (Refused, BadInput) as error:
            rows = () if run.phase == "working" else told(run, run.owner, f"it did not happen: {draft.action.said()}: {error}")
            await hands.record(Effected(run=run_id, key=key, ok=False, receipt=str(error)), *rows)
        except Exception as error:  # noqa: BLE001 - whatever else happened, nobody knows whether the effect did
            await hands.record(InDoubt(run=run_id, key=key, why=f"{type(error).__name__}: {error}"))
        else:
            await hands.record(happened(run_id, key, done))


def happened(run: str, key: str, done: Receipt) -> Effected:
    """The outcome as a fact."""
    return Effected(run=run, key=key, ok=True, receipt=done.receipt, returned=done.returned, output=done.output)


def _workspace(run: Run) -> Path:
    assert run.started is not None
    return Path(run.started.workspace)


async def _tool(hands: Hands, run: Run, draft: Draft) -> Tool | None:
    above = {each: await hands.replay(each) for each in (run.started.ancestors if run.started else ())}
    return tool_of(hands.lineages.of(run, above.__getitem__), draft.action)


async def _performer(hands: Hands, run: Run, draft: Draft) -> Performer | None:
    tool = await _tool(hands, run, draft)
    return hands.tools.find(tool) if tool is not None and hands.tools is not None else None


async def settle(hands: Hands, run: Run, key: str) -> None:
    """Find out what became of an effect: ask the provider, or rely on its key, or on a person; in this order."""
    draft = run.drafts[key]
    if draft.state != "unknown":
        why = (
            "remit ended between the beginning and the outcome"
            if draft.state == "publishing"
            else "it may not be repeated any more"
        )
        await hands.record(InDoubt(run=run.id, key=key, why=why))
        draft = (await hands.replay(run.id)).drafts[key]
    doubt = doubt_of(run, key)
    if doubt is not None and doubt.answer is not None:
        await hands.record(_by_person(run, key, doubt.answer.person, doubt.said, doubt.answer.receipt))
        return
    found = await _found_out(hands, run, draft)
    await (hands.record(*found) if found else _ask(hands, run, draft))


async def _found_out(hands: Hands, run: Run, draft: Draft) -> tuple[Event, ...]:
    """What can be known, or done about it, without a person; empty when only a person can know."""
    performer, now = await _performer(hands, run, draft), hands.clock.now()
    if performer is None:
        return ()
    seen = await _probed(performer, run, draft) if performer.probes else None
    if seen is not None and seen.receipt is not None:
        said = Resolved(run=run.id, key=draft.key, by="probe", said="happened", receipt=seen.receipt.receipt)
        return (said, happened(run.id, draft.key, seen.receipt))
    if draft.tries >= MOST_TRIES:
        return ()
    if honoured(draft, now) and not run.stop:  # a stopped run begins nothing, not even to find out
        return (Resolved(run=run.id, key=draft.key, by="idempotency", said="may be repeated"),)
    if seen is None:
        return ()
    if draft.tried is not None and now < draft.tried + timedelta(seconds=draft.drafted.settles):
        return (InDoubt(run=run.id, key=draft.key, why="the provider has nothing of it yet", looked=True),)
    return (Resolved(run=run.id, key=draft.key, by="probe", said="did not happen"),)


@dataclass(frozen=True)
class _Seen:
    """What the provider says of a key: a receipt, or that there is nothing."""

    receipt: Receipt | None


async def _probed(performer: Performer, run: Run, draft: Draft) -> _Seen | None:
    """None when the provider cannot tell."""
    try:
        return _Seen(await performer.probe(draft.key, draft.action.arguments, workspace=_workspace(run)))
    except (RemitError, OSError):
        return None


def _by_person(run: Run, key: str, person: str, said: str, receipt: str) -> Resolved:
    match said:
        case "happened":
            return Resolved(run=run.id, key=key, by="person", said="happened", person=person, receipt=receipt)
        case "redo":
            return Resolved(run=run.id, key=key, by="person", said="did not happen", person=person)
        case _:
            return Resolved(run=run.id, key=key, by="person", said="abandoned", person=person)


async def beyond(hands: Hands, run: Run) -> dict[str, str]:
    """The drafts that nothing in this process can carry out, and why.

    The functions of a caller's own loop live in that loop; a password may be set where the worker runs, and not here.
    """
    found: dict[str, str] = {}
    for draft in run.drafts.values():
        if draft.state in ENDED:
            continue
        tool = await _tool(hands, run, draft)
        if tool is None or hands.tools is None or hands.tools.find(tool) is None:
            found[draft.key] = "nothing in this process carries it out"
        elif lacks := hands.tools.lacks(tool):
            found[draft.key] = lacks
    return found


async def _ask(hands: Hands, run: Run, draft: Draft) -> None:
    """Only a person can know. Whoever answers for the effect is asked, and the owner where nobody does."""
    who = draft.responsible or (run.owner,)
    name = f"Q{len(run.questions) + 1}"
    text = f"Did this happen: {draft.action.said()}? {draft.why}"
    asked = QuestionAsked(
        run=run.id, question=name, about="doubt", text=text, of=who, draft=draft.key, preview=draft.shown,
        action=draft.action, contract=run.contract.hash(),
    )  # fmt: skip
    rows = [row for person in who for row in told(run, person, f"{name}: {text}", question=name)]
    await hands.record(asked, *rows)


async def release(hands: Hands, gate: Gate, run_id: str, key: str) -> None:
    """Everyone said yes: decide once more with their answers, use them up in the same transaction, then carry it out.

    Whoever calls may have looked a moment ago: what is due is looked at again inside the transaction, so that a no, a stop or
    another task that came first holds.
    """
    if key in await beyond(hands, await hands.replay(run_id)):
        return  # an intent that nothing here can carry out would only be a doubt
    async with gate.transaction() as transaction:
        run = gate.fold(transaction, run_id)
        draft = run.drafts[key]
        begun = isinstance(due(run, draft, gate.now()), Effect) and _begun(gate, transaction, run, draft)
    if begun:
        await perform(hands, run_id, key)


def _begun(gate: Gate, transaction: Transaction, run: Run, draft: Draft) -> bool:
    """Whether it may be carried out now; the intent is recorded then."""
    authorities = gate.lineage(transaction, run)
    action, key = draft.action, draft.key
    mine = [asked for asked in run.questions.values() if asked.question.draft == key and asked.question.about == "action"]
    if not all(stands(run, asked) for asked in mine):
        raise Tampered(f"an answer about `{key}` is not what was signed", hint="`remit verify` names the first fault")
    used = spent(run, transaction, gate.now(), authorities, metered=False)  # asking was the turn; releasing is none
    decision = gate.weigh(transaction, run, authorities, action, unused=draft.begun is None, used=used, draft=key)
    if draft.begun is not None:
        return _once_more(gate, transaction, run, draft, decision)
    if not isinstance(decision, Allow):
        _not_yet(gate, transaction, run, draft, decision)
        return False
    tool = tool_of(authorities, action)
    named = answering(mine) or responsible_for(run, authorities, action, tool, decision, draft=key)
    if isinstance(named, Refuse):
        gate.withdraw(transaction, run, draft, named, at="outbox")
        return False
    gate.note(transaction, run, action, decision, at="outbox", key=key)
    hand_off(transaction, run.id, key, action, tool, named, why_they(mine, decision))
    gate.intend(transaction, run, authorities, action, decision, key)
    return True


def _once_more(gate: Gate, transaction: Transaction, run: Run, draft: Draft, decision: Decision) -> bool:
    """It was granted before a doubt, and is known not to have happened. What forbids it by now stands against it all the same."""
    if isinstance(decision, Refuse) and any(reason.code is Code.AUTHORITY for reason in decision.reasons):
        gate.withdraw(transaction, run, draft, decision, at="outbox")
        return False
    first = run.intents[draft.key]  # windows count it when it is done, not when it was first tried
    transaction.append(Intended(run=run.id, key=draft.key, action=draft.action, rules=first.rules, numbers=first.numbers))
    return True


def _not_yet(gate: Gate, transaction: Transaction, run: Run, draft: Draft, decision: Ask | Refuse) -> None:
    """The answers did not suffice: whoever is still missing is asked, and where nobody is, it is refused."""
    if isinstance(decision, Ask):
        preview, action = draft.shown, draft.action
        if gate.put(transaction, run.id, action, decision, about="action", draft=draft.key, preview=preview) is not None:
            gate.note(transaction, run, action, decision, at="outbox", key=draft.key)
            return
        decision = unanswerable(gate.lineage(transaction, run), decision)
    gate.withdraw(transaction, run, draft, decision, at="outbox")


async def confirm(hands: Hands, run_id: str, key: str, receipt: str, *, by: str) -> Run:
    """Word from outside that an effect happened: a fact beside all others. Raises BadInput for an unknown draft."""
    run = await hands.replay(run_id)
    if key not in run.drafts:
        raise BadInput(f"run `{run_id}` has no draft `{key}`", hint=f"`remit outbox {run_id}` lists them")
    await hands.record(Confirmed(run=run_id, key=key, receipt=receipt, by=by))
    return await hands.replay(run_id)
