"""Handing an outcome over: offered by its owner, and theirs until the other person has accepted it (OWN-03, OWN-04)."""

from remit.contract.party import Assurance
from remit.engine.errands import escalated
from remit.engine.hands import Hands
from remit.engine.inbox import recognised
from remit.engine.telling import told
from remit.errors import BadInput, Refused
from remit.ports import Job, Signer
from remit.run.event import Event, OwnershipAnswered, OwnershipOffered
from remit.run.evolve import replay
from remit.run.state import Run
from remit.run.statement import OWNERSHIP, ownership_statement


async def offer(hands: Hands, run_id: str, to: str, *, signer: Signer, assurance: Assurance, note: str = "") -> Run:
    """The owner offers the outcome to one other person the organisation knows. Raises Refused for anybody else."""
    run = await _whole(hands, run_id)
    assert run.started is not None
    if signer.person != run.owner:
        raise Refused(f"{run.owner} owns the outcome of `{run_id}`, so only they can offer it")
    known = {person.id: person for person in run.started.organisation.people}
    if to not in known or to == run.owner:
        near = ", ".join(sorted(known.keys() - {run.owner})) or "nobody else"
        raise BadInput(f"`{to}` is nobody the outcome could go to", hint=f"the organisation of this run knows {near}")
    if not known[to].keys:
        raise BadInput(f"the organisation knows no key of {to}, so nobody could tell that they accepted")
    recognised(run.started.organisation, signer, assurance)
    text = ownership_statement(
        run_id, "offered", signer.person, to, run.contract.hash(), hands.clock.now().isoformat(), assurance=assurance, note=note
    )
    fact = OwnershipOffered(
        run=run_id, by=signer.person, to=to, assurance=assurance, statement=text, key=signer.public, note=note,
        signature=await signer.sign(text.encode(), namespace=OWNERSHIP),
    )  # fmt: skip
    what = f"{signer.person} offers you the outcome of this run: remit ownership {run_id} --accept"
    return await _recorded(hands, run, fact, *told(run, to, what))


async def take_over(
    hands: Hands, run_id: str, *, signer: Signer, assurance: Assurance, decline: bool = False, note: str = ""
) -> Run:
    """The person it was offered to accepts, and owns it from now on, or declines, and it stays where it is."""
    run = await _whole(hands, run_id)
    assert run.started is not None
    if run.offer is None:
        raise BadInput(f"the outcome of `{run_id}` is offered to nobody", hint=f"it is {run.owner}'s")
    if signer.person != run.offer.to:
        raise Refused(f"the outcome of `{run_id}` is offered to {run.offer.to}, not to {signer.person}")
    recognised(run.started.organisation, signer, assurance)
    word, at = "declined" if decline else "accepted", hands.clock.now().isoformat()
    text = ownership_statement(
        run_id, word, signer.person, signer.person, run.contract.hash(), at, assurance=assurance, note=note
    )
    fact = OwnershipAnswered(
        run=run_id, person=signer.person, accepted=not decline, assurance=assurance, statement=text, key=signer.public, note=note,
        signature=await signer.sign(text.encode(), namespace=OWNERSHIP),
    )  # fmt: skip
    return await _recorded(hands, run, fact, *told(run, run.owner, f"{signer.person} {word} the outcome of this run"))


async def _whole(hands: Hands, run_id: str) -> Run:
    run = await hands.replay(run_id)
    if run.undone or run.acceptance != "pending":
        raise BadInput(f"the outcome of `{run_id}` was {'undone' if run.undone else run.acceptance} already")
    return run


async def _recorded(hands: Hands, run: Run, fact: OwnershipOffered | OwnershipAnswered, *rows: Event) -> Run:
    """In one transaction, and only while nothing about it has changed."""
    async with hands.ledger.transaction() as transaction:
        fresh = replay(transaction.events(run.id))
        if (fresh.owner, fresh.offer, fresh.acceptance) != (run.owner, run.offer, run.acceptance):
            raise BadInput(
                f"the ownership of `{run.id}` changed meanwhile", hint=f"`remit ownership {run.id}` says how it stands"
            )
        recorded = transaction.append(fact)
        for row in (*rows, *_taken_along(hands, fresh, fact)):
            transaction.append(row)
        transaction.submit(Job(id=f"{run.id}:{recorded.seq}", run=run.id))
    return await hands.replay(run.id)


def _taken_along(hands: Hands, run: Run, fact: OwnershipOffered | OwnershipAnswered) -> list[Event]:
    """What the owner was asked and has not answered goes to the new owner."""
    if not isinstance(fact, OwnershipAnswered) or not fact.accepted:
        return []
    why, now = "owns the outcome now", hands.clock.now()
    return [
        event
        for question in run.open_questions
        if run.owner in question.of and fact.person not in question.of
        for event in escalated(run, question.question, fact.person, why, now)
    ]
