"""Answers and acceptance: signed and recorded, and the run carried on with them. What does not count is recorded too."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.compile import Authority
from remit.authority.decide import decide
from remit.authority.decision import Code, Refuse
from remit.contract.party import Assurance, Organisation
from remit.engine import answering
from remit.engine.answering import Given, Objection
from remit.engine.calls import cut, performed, too_much
from remit.engine.errands import escalated
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.lineage import spent
from remit.errors import BadInput, Refused, RemitError
from remit.evidence.signature import verify_signature
from remit.ports import Job, Signer, Transaction
from remit.run.asking import next_person
from remit.run.event import Accepted, AnswerRejected, StopAsked
from remit.run.evolve import replay
from remit.run.state import Asked, Run
from remit.run.statement import ACCEPTANCE, ANSWER, acceptance_statement, read_statement

HINTS = {
    Code.AUTHORITY: "ask one of those it asks, or whoever they answer to",
    Code.INPUTS: "sign the statement that `remit answer --print` shows, as it is",
    Code.APPROVAL: "`remit inbox` lists what is open",
    Code.STOPPED: "`remit show` says where the run stands",
}


async def answer(
    hands: Hands, run_id: str, question: str, said: str, *, signer: Signer, assurance: Assurance, note: str = "",
    arguments: Mapping[str, Any] | None = None, rules: str = "", receipt: str = "", organisation: Organisation | None = None,
) -> Run:  # fmt: skip
    """Record a signed answer to an open question, and have the run carried on.

    `arguments` are what `modify` changes, `rules` the conditions it adds (YAML), `receipt` what is known of a doubt.
    `organisation` is the file as it is now: a key taken out of it counts no more. Raises BadInput when there is nothing to
    answer, Refused when this person may not; both are recorded.
    """
    run = await hands.replay(run_id)
    asked, given = _given(run, question, said, signer.person, assurance, note, arguments, rules, receipt)
    text = answering.statement(run, asked, given, hands.clock.now().isoformat())
    signature = await signer.sign(text.encode(), namespace=ANSWER) if signer.public else ""
    return await _take(hands, run_id, replace(given, statement=text, signature=signature, key=signer.public), organisation)


async def answer_signed(
    hands: Hands, statement: str, signature: str, *, note: str = "", arguments: Mapping[str, Any] | None = None,
    rules: str = "", receipt: str = "", organisation: Organisation | None = None,
) -> Run:  # fmt: skip
    """Record an answer that was signed elsewhere, over the statement `unsigned` gave. Raises like `answer`."""
    said = read_statement(statement)
    if said.get("form") != "remit.answer/1":
        raise BadInput("this is no statement of an answer", hint="`remit answer RUN QUESTION WORD --print` writes one")
    run = await hands.replay(said.get("run", ""))
    if run.started is None:
        raise BadInput(f"there is no run `{said.get('run', '')}` here")
    name, word, person = (said.get(each, "") for each in ("question", "answer", "person"))
    _, given = _given(run, name, word, person, "person-signed", note, arguments, rules, receipt)
    keys = next((each.keys for each in answering.organisation(run).people if each.id == person), ())
    key = next((each for each in keys if verify_signature(each, statement.encode(), signature, ANSWER)), keys[0] if keys else "")
    given = replace(given, statement=statement, signature=signature, key=key)
    return await _take(hands, run.id, given, organisation)


async def unsigned(
    hands: Hands, run_id: str, question: str, said: str, *, person: str, note: str = "",
    arguments: Mapping[str, Any] | None = None, rules: str = "", receipt: str = "",
) -> str:  # fmt: skip
    """The statement to be signed elsewhere, with `ssh-keygen -Y sign -n remit-answer`. Raises BadInput.

    `answer_signed` must be given the same note, arguments, rules and receipt: the statement names them by their digests.
    """
    run = await hands.replay(run_id)
    asked, given = _given(run, question, said, person, "person-signed", note, arguments, rules, receipt)
    return answering.statement(run, asked, given, hands.clock.now().isoformat())


def _given(
    run: Run, question: str, said: str, person: str, assurance: Assurance, note: str, arguments: Mapping[str, Any] | None,
    rules: str, receipt: str,
) -> tuple[Asked, Given]:  # fmt: skip
    asked = run.questions.get(question)
    if asked is None:
        names = ", ".join(open_.question for open_ in run.open_questions) or "none is open"
        raise BadInput(f"run `{run.id}` has no question `{question}`", hint=f"open questions: {names}")
    words = answering.choices(asked)
    if said not in words:
        raise BadInput(f"`{question}` cannot be answered `{said}`", hint=f"one of {', '.join(words)}")
    changed, added = answering.becoming(asked, arguments), answering.conditions(rules)
    if said == "modify" and changed is None and not added:
        raise BadInput("a change that changes nothing", hint="give new values with --set, or conditions with --rules")
    if said != "modify" and (changed is not None or added):
        raise BadInput(f"`{said}` takes neither values nor conditions", hint="answer `modify`")
    word = said
    return asked, Given(
        question=question, said=word, person=person, assurance=assurance, note=note, changed=changed, rules=added, receipt=receipt
    )  # fmt: skip


async def _take(hands: Hands, run_id: str, given: Given, now_known: Organisation | None) -> Run:
    """One transaction: it counts and the run is carried on, or it does not and that is recorded."""
    gate = Gate(hands)
    async with gate.transaction() as transaction:
        run = gate.fold(transaction, run_id)
        found = _objection(hands, gate, transaction, run, given, now_known)
        if found is None and given.changed is not None:
            preview = _shown(hands, gate.lineage(transaction, run), given.changed)
            found = preview if isinstance(preview, Objection) else None
            given = replace(given, preview=preview) if isinstance(preview, str) else given
        if found is None:
            recorded = transaction.append(answering.fact(run, given))
            transaction.submit(Job(id=f"{run_id}:{recorded.seq}", run=run_id))
        else:
            _reject(hands, transaction, run, given, found)
    if found is None:
        return await hands.replay(run_id)
    failure = Refused if found.code is Code.AUTHORITY else BadInput
    raise failure(found.why, hint=HINTS.get(found.code, ""))


def _objection(
    hands: Hands, gate: Gate, transaction: Transaction, run: Run, given: Given, now_known: Organisation | None
) -> Objection | None:
    asked, now = run.questions[given.question], hands.clock.now()
    lineage = gate.lineage(transaction, run)
    early = answering.timely(run, asked, given, now) or answering.addressed(run, asked, given, lineage)
    early = early or answering.authentic(run, asked, given, now_known, now)
    if early is not None:
        return early
    used = spent(run, transaction, now, lineage, metered=False)
    found = answering.authorised(run, asked, given, lineage, used, now)
    if found is not None or given.changed is None:
        return found
    person, known = given.person, answering.roles(answering.organisation(run), given.person)
    yes = [
        Approval(action=given.changed.digest(), contract=each.hash, person=person, roles=known, assurance=given.assurance)
        for each in lineage
    ]
    assert run.started is not None
    decision = decide(lineage, given.changed, spent=used, approvals=yes, now=now, requester=run.started.requester)
    if not isinstance(decision, Refuse):
        return None
    return Objection(code=Code.INPUTS, why=f"what it becomes is refused: {decision.reasons[0].why}")


def _shown(hands: Hands, lineage: tuple[Authority, ...], action: Action) -> str | Objection:
    """What the change would do, for everybody who is still asked: nobody says yes to a picture of something else."""
    if too := too_much(action):
        return Objection(code=Code.INPUTS, why=too)
    found = performed(hands, lineage, action)
    try:
        if found is not None:
            return cut(found[1].preview(action.arguments))
    except RemitError as error:
        return Objection(code=Code.INPUTS, why=f"the tool cannot use that: {error}")
    return cut("\n".join(f"{name}: {value}" for name, value in action.arguments.items()))


def _reject(hands: Hands, transaction: Transaction, run: Run, given: Given, found: Objection) -> None:
    """Record what did not count; where somebody was asked beyond their authority, the next person is asked (APP-04)."""
    transaction.append(
        AnswerRejected(
            run=run.id, question=given.question, answer=given.said, person=given.person, code=found.code, why=found.why,
            assurance=given.assurance, statement=given.statement, signature=given.signature, key=given.key,
        )
    )  # fmt: skip
    to = _next(run, run.questions[given.question], given.person) if found.beyond else ""
    if to:
        why = f"{given.person} may not sign it: {found.why}"
        for event in escalated(run, given.question, to, why, hands.clock.now()):
            transaction.append(event)
        transaction.submit(Job(id=f"{run.id}:{given.question}:{to}", run=run.id))


def _next(run: Run, asked: Asked, person: str) -> str:
    """Whom to ask instead: the next of the contract's ladder, else whoever this person answers to."""
    ladder = next_person(run.contract, asked)
    above = next((each.answers_to or "" for each in answering.organisation(run).people if each.id == person), "")
    return next((each for each in (ladder, above) if each and each not in asked.question.of), "")


def recognised(organisation: Organisation, signer: Signer, assurance: Assurance = "terminal") -> None:
    """Raises Refused when the organisation pinned for the run does not know this key for this person: nobody could verify it."""
    if not answering.knows(organisation, signer.person, signer.public, assurance):
        raise Refused(
            f"the organisation of this run knows another key for {signer.person}, or none",
            hint="sign with the key in the organisation file the run was started under",
        )


async def accept(hands: Hands, run_id: str, *, signer: Signer, assurance: Assurance, decline: bool, note: str = "") -> Run:
    """The owner takes the outcome, or declines it. Raises Refused for anybody else, BadInput when there is nothing to take."""
    run = await hands.replay(run_id)
    if run.started is not None and run.started.step and run.verdict == "success":
        raise BadInput(
            f"`{run_id}` is a step of `{run.started.parent}`", hint=f"take the whole: remit accept {run.started.parent}"
        )
    if run.verdict is None:
        raise BadInput(f"run `{run_id}` has no outcome yet", hint=f"`remit show {run_id}` says where it stands")
    if run.undone and not decline:
        raise BadInput(f"run `{run_id}` is undone: there is no outcome left to take")
    if run.acceptance != "pending":
        raise BadInput(f"the outcome of `{run_id}` was {run.acceptance} already")
    if signer.person != run.owner:
        raise Refused(f"the owner {run.owner} takes this outcome, not {signer.person}")
    if not decline and run.verdict not in {"success", "success_with_exceptions"}:
        raise Refused(f"the verdict is `{run.verdict}`: there is no outcome to take", hint="decline it, or undo it")
    assert run.started is not None
    recognised(run.started.organisation, signer, assurance)
    word = "declined" if decline else "accepted"
    sealed = run.work.sealed if run.work else ""
    statement = acceptance_statement(
        run_id, word, signer.person, run.contract.hash(), sealed, hands.clock.now().isoformat(), assurance=assurance, note=note
    )
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
