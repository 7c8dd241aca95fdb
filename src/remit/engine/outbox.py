"""Releasing drafts: intent first, the effect once, its outcome after; what is in doubt is found out, never repeated blindly."""

from datetime import timedelta
from pathlib import Path

import anyio

from remit.authority.decision import Allow, Ask, Refuse
from remit.engine.answering import stands
from remit.engine.gate import Gate, unanswerable
from remit.engine.handoff import hand_off, responsible_for
from remit.engine.hands import Hands
from remit.engine.lineage import Lineages, spent, tool_of
from remit.engine.telling import told
from remit.errors import BadInput, Refused, RemitError, Tampered
from remit.ports import Performer, Receipt, Transaction
from remit.run.errand import MOST_TRIES, doubt_of
from remit.run.event import Confirmed, Effected, Event, InDoubt, Intended, QuestionAsked, Resolved
from remit.run.outbox import ENDED, Draft
from remit.run.state import Run


async def perform(hands: Hands, run_id: str, key: str) -> None:
    """Carry out an effect whose intent is recorded. Once begun it is not given up: being cancelled would leave it in doubt."""
    run = await hands.replay(run_id)
    draft = run.drafts[key]
    with anyio.CancelScope(shield=True):
        performer = await _performer(hands, run, draft)
        try:
            if performer is None:
                raise Refused("nothing here carries out this tool any more")
            done = await performer.perform(key, draft.action.arguments, workspace=_workspace(run))
        except (Refused, BadInput) as error:
            await hands.record(Effected(run=run_id, key=key, ok=False, receipt=str(error)))
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


async def _performer(hands: Hands, run: Run, draft: Draft) -> Performer | None:
    above = {each: await hands.replay(each) for each in (run.started.ancestors if run.started else ())}
    tool = tool_of(Lineages().of(run, above.__getitem__), draft.action)
    return hands.tools.find(tool) if tool is not None and hands.tools is not None else None


async def settle(hands: Hands, run: Run, key: str) -> None:
    """Find out what became of an effect: ask the provider, or rely on its key, or on a person; in this order."""
    draft = run.drafts[key]
    if draft.state == "publishing":
        await hands.record(InDoubt(run=run.id, key=key, why="remit ended between the beginning and the outcome"))
        draft = (await hands.replay(run.id)).drafts[key]
    doubt = doubt_of(run, key)
    if doubt is not None and doubt.answer is not None:
        await hands.record(_by_person(run, key, doubt.answer.person, doubt.said, doubt.answer.receipt))
        return
    performer = await _performer(hands, run, draft)
    if performer is None:
        return  # whoever can carry it out can also find out
    tried = draft.tries >= MOST_TRIES
    found = await _probed(performer, run, draft) if performer.probes else None
    if found is not None and not (tried and len(found) == 1):
        await hands.record(*found)
        return
    window = draft.drafted.window  # a stopped run begins nothing, not even to find out
    fresh = bool(window) and draft.begun is not None and hands.clock.now() < draft.begun + timedelta(seconds=window or 0)
    if fresh and not tried and not run.stop:
        await hands.record(Resolved(run=run.id, key=key, by="idempotency", said="may be repeated"))
        return
    await _ask(hands, run, draft)


async def _probed(performer: Performer, run: Run, draft: Draft) -> tuple[Event, ...] | None:
    """What the provider says; None when it cannot tell."""
    try:
        done = await performer.probe(draft.key, draft.action.arguments, workspace=_workspace(run))
    except (RemitError, OSError):
        return None
    if done is None:
        return (Resolved(run=run.id, key=draft.key, by="probe", said="did not happen"),)
    said = Resolved(run=run.id, key=draft.key, by="probe", said="happened", receipt=done.receipt)
    return (said, happened(run.id, draft.key, done))


def _by_person(run: Run, key: str, person: str, said: str, receipt: str) -> Resolved:
    match said:
        case "happened":
            return Resolved(run=run.id, key=key, by="person", said="happened", person=person, receipt=receipt)
        case "redo":
            return Resolved(run=run.id, key=key, by="person", said="did not happen", person=person)
        case _:
            return Resolved(run=run.id, key=key, by="person", said="abandoned", person=person)


async def beyond(hands: Hands, run: Run) -> frozenset[str]:
    """The drafts that nothing in this process can carry out: the functions of a caller's own loop live in that loop."""
    open_ = [draft for draft in run.drafts.values() if draft.state not in ENDED]
    return frozenset([draft.key for draft in open_ if await _performer(hands, run, draft) is None])


async def _ask(hands: Hands, run: Run, draft: Draft) -> None:
    """Only a person can know. Whoever answers for the effect is asked, and the owner where nobody does."""
    who = draft.responsible or (run.owner,)
    name = f"Q{len(run.questions) + 1}"
    text = f"Did this happen: {draft.action.said()}? {draft.why}"
    asked = QuestionAsked(
        run=run.id, question=name, about="doubt", text=text, of=who, draft=draft.key, preview=draft.drafted.preview,
        action=draft.action, contract=run.contract.hash(),
    )  # fmt: skip
    rows = [row for person in who for row in told(run, person, f"{name}: {text}", question=name)]
    await hands.record(asked, *rows)


async def release(hands: Hands, gate: Gate, run_id: str, key: str) -> None:
    """Everyone said yes: decide once more with their answers, use them up in the same transaction, then carry it out."""
    if key in await beyond(hands, await hands.replay(run_id)):
        return  # an intent that nothing here can carry out would only be a doubt
    async with gate.transaction() as transaction:
        run = gate.fold(transaction, run_id)
        begun = run.drafts[key].state in {"drafted", "answered"} and _begun(gate, transaction, run, run.drafts[key])
    if begun:  # else somebody else is at it, it was withdrawn, or somebody must be asked first
        await perform(hands, run_id, key)


def _begun(gate: Gate, transaction: Transaction, run: Run, draft: Draft) -> bool:
    """Whether it may be carried out now; the intent is recorded then."""
    if draft.begun is not None:  # it was granted before a doubt, and it is known that it did not happen
        transaction.append(Intended(run=run.id, key=draft.key, action=draft.action))
        return True
    authorities = gate.lineage(transaction, run)
    action, key = draft.action, draft.key
    mine = [asked for asked in run.questions.values() if asked.question.draft == key and asked.question.about == "action"]
    if not all(stands(run, asked) for asked in mine):
        raise Tampered(f"an answer about `{key}` is not what was signed", hint="`remit verify` names the first fault")
    used = spent(run, transaction, gate.now(), authorities, metered=False)  # asking was the turn; releasing is none
    decision = gate.weigh(transaction, run, authorities, action, unused=True, used=used, draft=key)
    if not isinstance(decision, Allow):
        _not_yet(gate, transaction, run, draft, decision)
        return False
    tool = tool_of(authorities, action)
    named = responsible_for(run, authorities, action, tool, decision, draft=key)
    if isinstance(named, Refuse):
        gate.withdraw(transaction, run, draft, named, at="outbox")
        return False
    gate.note(transaction, run, action, decision, at="outbox", key=key)
    answers = [asked.question.question for asked in mine]
    by = f"approved in {', '.join(answers)}" if answers else "kept by the owner"
    hand_off(transaction, run.id, key, action, tool, named, by)
    gate.intend(transaction, run, authorities, action, decision, key)
    return True


def _not_yet(gate: Gate, transaction: Transaction, run: Run, draft: Draft, decision: Ask | Refuse) -> None:
    """The answers did not suffice: whoever is still missing is asked, and where nobody is, it is refused."""
    if isinstance(decision, Ask):
        preview, action = draft.drafted.preview, draft.action
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
