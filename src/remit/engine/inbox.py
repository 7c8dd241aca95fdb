"""Answers and acceptance: signed, recorded, and the run carried on in the same transaction."""

from remit.contract.party import Assurance, Organisation
from remit.engine.hands import Hands
from remit.errors import BadInput, Refused
from remit.ports import Job, Signer, Transaction
from remit.run.event import Accepted, QuestionAnswered, StopAsked
from remit.run.evolve import replay
from remit.run.state import Run
from remit.run.statement import ACCEPTANCE, ANSWER, acceptance_statement, answer_statement


def roles(organisation: Organisation, person: str) -> tuple[str, ...]:
    """What a person is in the organisation."""
    return next((known.roles for known in organisation.people if known.id == person), ())


def recognised(organisation: Organisation, signer: Signer) -> None:
    """Raises Refused when the organisation pinned for the run does not know this key for this person: nobody could verify it."""
    keys = next((known.keys for known in organisation.people if known.id == signer.person), ())
    if signer.public.split()[:2] not in [key.split()[:2] for key in keys]:
        raise Refused(
            f"the organisation of this run knows another key for {signer.person}, or none",
            hint="sign with the key in the organisation file the run was started under",
        )


async def answer(
    hands: Hands, run_id: str, question: str, said: str, *, signer: Signer, assurance: Assurance, note: str = ""
) -> Run:
    """Record a signed yes or no to an open question. Raises BadInput when there is none, Refused when the person may not."""
    run = await hands.replay(run_id)
    asked = run.questions.get(question)
    if asked is None:
        names = ", ".join(open_.question for open_ in run.open_questions) or "none is open"
        raise BadInput(f"run `{run_id}` has no question `{question}`", hint=f"open questions: {names}")
    if asked.answer is not None:
        raise BadInput(f"`{question}` was answered `{asked.answer.answer}` by {asked.answer.person} already")
    if asked.expired or (asked.question.expires is not None and asked.question.expires <= hands.clock.now()):
        raise BadInput(f"the time to answer `{question}` is over", hint=f"`remit resume {run_id}` carries on without an answer")
    if run.stop or run.undone:
        raise BadInput(f"run `{run_id}` has been ended, so an answer would change nothing")
    assert run.started is not None
    held = roles(run.started.organisation, signer.person)
    if not {signer.person, *held} & set(asked.question.of):
        raise Refused(f"`{question}` asks {', '.join(asked.question.of)}, not {signer.person}", hint="ask one of them to answer")
    recognised(run.started.organisation, signer)
    at = hands.clock.now().isoformat()
    statement = answer_statement(run_id, question, said, signer.person, asked.question.digest, run.started.contract.hash(), at)
    fact = QuestionAnswered(
        run=run_id, question=question, answer="yes" if said == "yes" else "no", person=signer.person, roles=held,
        assurance=assurance, statement=statement, signature=await signer.sign(statement.encode(), namespace=ANSWER),
        key=signer.public, note=note,
    )  # fmt: skip
    async with hands.ledger.transaction() as transaction:
        fresh = replay(transaction.events(run_id))
        if fresh.questions[question].answer is not None:
            raise BadInput(f"`{question}` was answered meanwhile")
        recorded = transaction.append(fact)
        transaction.submit(Job(id=f"{run_id}:{recorded.seq}", run=run_id))
    return await hands.replay(run_id)


async def accept(hands: Hands, run_id: str, *, signer: Signer, assurance: Assurance, decline: bool, note: str = "") -> Run:
    """The owner takes the outcome, or declines it. Raises Refused for anybody else, BadInput when there is nothing to take."""
    run = await hands.replay(run_id)
    if run.verdict is None:
        raise BadInput(f"run `{run_id}` has no outcome yet", hint=f"`remit show {run_id}` says where it stands")
    if run.undone and not decline:
        raise BadInput(f"run `{run_id}` is undone: there is no outcome left to take")
    if run.acceptance != "pending":
        raise BadInput(f"the outcome of `{run_id}` was {run.acceptance} already")
    if signer.person != run.contract.owner:
        raise Refused(f"the owner {run.contract.owner} takes this outcome, not {signer.person}")
    if not decline and run.verdict not in {"success", "success_with_exceptions"}:
        raise Refused(f"the verdict is `{run.verdict}`: there is no outcome to take", hint="decline it, or undo it")
    assert run.started is not None
    recognised(run.started.organisation, signer)
    word = "declined" if decline else "accepted"
    sealed = run.work.sealed if run.work else ""
    statement = acceptance_statement(run_id, word, signer.person, run.contract.hash(), sealed, hands.clock.now().isoformat())
    fact = Accepted(
        run=run_id, acceptance="declined" if decline else "accepted", person=signer.person, assurance=assurance,
        statement=statement, signature=await signer.sign(statement.encode(), namespace=ACCEPTANCE), key=signer.public,
        note=note,
    )  # fmt: skip
    async with hands.ledger.transaction() as transaction:
        if replay(transaction.events(run_id)).acceptance != "pending":
            raise BadInput(f"the outcome of `{run_id}` was taken or declined meanwhile")
        recorded = transaction.append(fact)
        transaction.submit(Job(id=f"{run_id}:{recorded.seq}", run=run_id))
    return await hands.replay(run_id)


def _tree(transaction: Transaction, run_id: str) -> list[str]:
    """The run and every open run below it."""
    children = replay(transaction.events(run_id)).children
    return [run_id, *(each for child in children for each in _tree(transaction, child))]


async def ask_stop(hands: Hands, run_id: str, *, by: str, why: str) -> Run:
    """Have a run stopped; whoever drives it sees this within a moment. Children are asked too."""
    run = await hands.replay(run_id)
    if run.verdict is not None:
        raise BadInput(f"run `{run_id}` has ended already: {run.verdict}")
    async with hands.ledger.transaction() as transaction:
        for each in _tree(transaction, run_id):
            recorded = transaction.append(StopAsked(run=each, by=by, why=why))
            transaction.submit(Job(id=f"{each}:{recorded.seq}", run=each))
    return await hands.replay(run_id)
