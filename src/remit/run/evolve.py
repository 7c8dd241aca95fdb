"""One fact onto one run: the only place where a run changes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from remit.authority.decision import Code
from remit.contract.limits import Spend
from remit.errors import Tampered
from remit.run import chain
from remit.run import chained as c
from remit.run import event as e
from remit.run.asking import next_person
from remit.run.lifecycle import next_phase
from remit.run.outbox import Draft, after
from remit.run.state import RESUMING, Asked, Run, Sent

K = TypeVar("K")
V = TypeVar("V")
change = msgspec.structs.replace
MOST_TRIES = 3
"""how often a page is handed to its channel"""


def evolve(run: Run, record: e.Recorded) -> Run:
    """The run after this fact. Raises Tampered when the lifecycle has no such move."""
    phase = next_phase(run.phase, record.kind)
    if phase is None:
        raise Tampered(f"entry {record.seq} says `{record.kind}` of run `{record.run}`, which is `{run.phase}`")
    folded = run if record.event is None else _fold(run, record.event, record)
    return change(folded, phase=phase, seq=record.seq, at=record.at)


def replay(records: Iterable[e.Recorded], run: Run | None = None) -> Run:
    """The run after these facts; start from `run` to fold only what is new. Raises Tampered on a fact that cannot be."""
    state = run or Run()
    for record in records:
        state = evolve(state, record)
    return state


def _with(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return {**mapping, key: value}


def _fold(run: Run, fact: e.Event, record: e.Recorded) -> Run:
    match fact:
        case e.Started():
            return change(run, id=fact.run, started=fact, started_at=record.at)
        case e.AttemptStarted():
            return _begun(run, fact, record)
        case e.BoxStarted():
            return change(run, box=(fact.pid, fact.born))
        case e.AttemptLost():
            return change(run, spend=_timed(run, run.at), trouble="crashed")
        case e.WorkDone():
            return _worked(run, fact, record.at)
        case e.Decided():
            return _decided(run, fact)
        case e.Blocked():
            wanted = fact.what in {"request", "model call"}
            return change(run, refusals=run.refusals + wanted, storm=run.storm + wanted)
        case e.Intended():
            return _drafts(_intended(run, fact), fact, record.at)
        case e.Effected():
            run = _drafts(run, fact, record.at)
            created = run.created | frozenset(fact.returned) if fact.ok else run.created
            questions = run.questions
            if fact.key in questions:  # allowed by a person, refused by the gate all the same: it is dealt with
                questions = _with(questions, fact.key, change(questions[fact.key], used=True))
            return change(run, settled=run.settled | {fact.key}, created=created, questions=questions)
        case e.Charged():
            return change(run, spend=run.spend.plus(fact.spend))
        case e.Warned():
            return change(run, warned=run.warned | {fact.limit})
        case e.LimitReached():
            return change(run, warned=run.warned | {f"{fact.limit} reached"})
        case e.ChildStarted():
            return change(
                run, reserved=run.reserved.plus(fact.reserved), children=_with(run.children, fact.child, fact.reserved),
                keys=_with(run.keys, fact.key, fact.child),
            )  # fmt: skip
        case e.ChildEnded():
            return _child_ended(run, fact)
        case e.Drafted():
            draft = Draft(drafted=fact, at=record.at, action=fact.action)
            return change(run, drafts=_with(run.drafts, fact.key, draft))
        case e.Told():
            return change(
                run, drafts={key: change(each, collected=True) if key == fact.key else each for key, each in run.drafts.items()}
            )
        case e.HandedOff() | e.Withdrawn() | e.InDoubt() | e.Resolved() | e.Confirmed():
            return _drafts(run, fact, record.at)
        case _:
            return _fold_outcome(run, fact, record)


def _begun(run: Run, fact: e.AttemptStarted, record: e.Recorded) -> Run:
    """A further attempt: what belongs to the one before is over. What is carried was forked when it was begun afresh."""
    told_again = {key: change(draft, collected=False) for key, draft in run.drafts.items()}
    seq = run.attempt_seq if fact.carried else record.seq
    goes_on = bool(fact.carried) and run.started is not None and run.started.runtime in RESUMING
    return change(
        run, drafts=told_again, because=fact.because, carried=fact.carried, attempt=fact.attempt, attempt_at=record.at,
        attempt_seq=seq, box=None, work=None, trouble="", judged=None, checks={}, finished=None, storm=0, last_digest="",
        repeats=0, rung=None, invoked=run.invoked if goes_on else (), words=run.words if goes_on else "",
    )  # fmt: skip


def _worked(run: Run, fact: e.WorkDone, at: datetime) -> Run:
    """The stage is sealed; a chain's holds what its steps had merged by then."""
    trouble = {"limit": "limit reached", "stuck": "stuck"}.get(fact.why, "")
    held = change(run.chain, sealed=len(run.chain.merged)) if run.chain is not None else None
    return change(run, work=fact, sealed_at=at, spend=_timed(run, at), trouble=trouble, chain=held)


def _drafts(
    run: Run, fact: e.Intended | e.Effected | e.HandedOff | e.Withdrawn | e.InDoubt | e.Resolved | e.Confirmed, at: datetime
) -> Run:
    draft = run.drafts.get(fact.key)
    return run if draft is None else change(run, drafts=_with(run.drafts, fact.key, after(draft, fact, at)))


def _fold_outcome(run: Run, fact: e.Event, record: e.Recorded) -> Run:
    match fact:
        case e.Stuck():
            return change(run, stuck=fact.why)
        case e.ContextLoaded() if fact.what.startswith("answer "):
            name = fact.what.removeprefix("answer ")
            if name not in run.questions:
                return run
            return change(run, questions=_with(run.questions, name, change(run.questions[name], told=True)))
        case e.ModelRefused():
            return change(run, refusals=run.refusals + 1, storm=run.storm + 1)
        case e.ModelReserved():
            held = _with(run.holds, fact.key, fact.reserved)
            return change(run, reserved=run.reserved.plus(fact.reserved), holds=held, modelled=run.modelled + 1)
        case e.ModelSettled():
            return _model_settled(run, fact)
        case e.ChangesJudged():
            return change(run, judged=fact, checks={}, finished=None, rung=None)
        case e.CheckRan():
            return change(run, checks=_with(run.checks, fact.check, fact))
        case e.ChecksFinished():
            return change(run, finished=fact, round=fact.round)
        case e.RecoveryEntered():
            return change(run, rungs=(*run.rungs, fact), rung=fact, trouble="" if fact.do == "continue" else run.trouble)
        case e.VerdictReached():
            taken = fact.verdict == "success_with_exceptions" and _taken_already(run, fact)
            acceptance = "accepted" if taken else run.acceptance
            return change(run, verdict=fact.verdict, exceptions=fact.exceptions, why=fact.why, told=False, acceptance=acceptance)
        case e.Published():
            return change(run, published=(*fact.paths, *fact.refs), publish_failed="")
        case e.PublishFailed():
            return change(run, publish_failed=fact.why)
        case e.Undone():
            return change(run, undone=True)
        case e.StopAsked():
            return change(run, stop=run.stop or f"{fact.by}: {fact.why}")
        case e.Stopped():
            return change(run, stopped=fact.receipt)
        case e.PublishAsked():
            return change(run, publish_failed="")
        case _:
            return _fold_people(run, fact, record)


def _fold_people(run: Run, fact: e.Event, record: e.Recorded) -> Run:
    match fact:
        case e.QuestionAsked():
            asked = Asked(question=fact, at=record.at, seq=record.seq, digest=fact.digest)
            run = change(run, questions=_with(run.questions, fact.question, asked))
            return _draft_state(run, fact.draft)
        case e.QuestionAnswered():
            return _answered(run, fact, record.at)
        case e.QuestionEscalated():
            return _escalated(run, fact, record.at)
        case e.QuestionReminded():
            return _question(run, fact.question, reminders=fact.count)
        case e.QuestionExpired():
            open_ = run.questions.get(fact.question)
            if open_ is None or open_.said:
                return run
            stop = "nobody answered in time" if fact.otherwise == "stop" else ""
            return change(_question(run, fact.question, expired=True), stop=run.stop or stop)
        case e.Accepted():
            return change(run, acceptance=fact.acceptance)
        case e.Notified():  # what was told on the way does not count: only how it ended (OWN-12)
            pages = _with(run.pages, record.seq, Sent(page=fact)) if fact.how == "page" else run.pages
            return change(run, told=run.told or fact.ending, pages=pages)
        case e.Delivered():
            return _delivered(run, fact, record.at)
        case e.OwnershipOffered():
            return change(run, offer=fact)
        case e.OwnershipAnswered():
            return change(run, offer=None, taken_by=fact.person if fact.accepted else run.taken_by)
        case c.SkillInvoked():
            return change(run, invoked=(*run.invoked, fact.skill))
        case c.Reported():
            return change(run, words=fact.text)
        case _:
            return change(run, chain=chain.fold(run.chain, fact, record.at, record.seq))


def _taken_already(run: Run, fact: e.VerdictReached) -> bool:
    """Whether the owner took every one of these exceptions when validation put its gaps before them."""
    if run.chain is None or run.chain.accepted_by not in {"", run.owner}:
        return False
    asked = run.questions.get(run.chain.accepted_in)
    known = run.started.organisation.assurance if run.started is not None else ""
    if asked is not None and known != "scripted" and any(each.assurance == "scripted" for each in asked.answers):
        return False  # written down beforehand by whoever could: the owner takes it by their own word
    return bool(fact.exceptions) and set(fact.exceptions) <= set(run.chain.exceptions)


def _question(run: Run, name: str, **changes: object) -> Run:
    asked = run.questions.get(name)
    return run if asked is None else change(run, questions=_with(run.questions, name, change(asked, **changes)))


def _answered(run: Run, fact: e.QuestionAnswered, at: datetime) -> Run:
    """One more answer. A change of the action changes what the draft holds, and what everybody else is asked about it."""
    asked = run.questions.get(fact.question)
    if asked is None or asked.said:
        return run
    draft = asked.question.draft
    if fact.action is not None:
        run = _changed(run, fact, draft)
        asked = run.questions[fact.question]
    conditions = (*run.conditions, fact) if fact.rules else run.conditions
    run = change(run, conditions=conditions)
    run = _question(run, fact.question, answers=(*asked.answers, fact), times=(*asked.times, at))
    return _draft_state(run, draft)


def _changed(run: Run, fact: e.QuestionAnswered, draft: str) -> Run:
    """What it becomes, in the draft and in every question about it that is still open; what was said to the old one is void."""
    assert fact.action is not None
    for name, asked in run.questions.items():
        mine = name == fact.question
        if not mine and (not draft or asked.question.draft != draft or asked.question.about != "action" or asked.said):
            continue
        text, preview = fact.text or asked.question.text, fact.preview or asked.question.preview
        question = change(asked.question, action=fact.action, digest=fact.digest, text=text, preview=preview)
        kept: dict[str, object] = {} if mine else {"answers": (), "times": ()}
        run = _question(run, name, question=question, **kept)
    if draft in run.drafts:
        run = change(run, drafts=_with(run.drafts, draft, change(run.drafts[draft], action=fact.action, preview=fact.preview)))
    return run


def _escalated(run: Run, fact: e.QuestionEscalated, at: datetime) -> Run:
    asked = run.questions.get(fact.question)
    if asked is None:
        return run
    question = change(asked.question, of=(*asked.question.of, fact.to), expires=fact.expires or asked.question.expires)
    rung = asked.rung + (next_person(run.contract, asked) == fact.to)  # a transfer takes no rung of the ladder
    return _question(run, fact.question, question=question, rung=rung, since=at, reminders=0)


def _draft_state(run: Run, key: str) -> Run:
    """A draft is asked while any of its questions is open, answered once everyone said yes."""
    draft = run.drafts.get(key)
    if draft is None or draft.state not in {"drafted", "asked", "answered"}:
        return run
    mine = [asked for asked in run.questions.values() if asked.question.draft == key and asked.question.about == "action"]
    open_ = any(not asked.said for asked in mine)
    return change(run, drafts=_with(run.drafts, key, change(draft, state="asked" if open_ else "answered")))


def _delivered(run: Run, fact: e.Delivered, at: datetime) -> Run:
    sent = run.pages.get(fact.page)
    if sent is None:
        return run
    left = {seq: page for seq, page in run.pages.items() if seq != fact.page}
    tries = sent.tries + 1
    return change(
        run, pages=left if fact.ok or tries >= MOST_TRIES else {**left, fact.page: Sent(page=sent.page, tries=tries, tried=at)}
    )


def _decided(run: Run, fact: e.Decided) -> Run:
    refused = fact.decision == "refuse"
    over = any(reason.code is Code.LIMIT and reason.rule is None for reason in fact.reasons)
    repeats = run.repeats + 1 if fact.digest == run.last_digest else 1
    call = int(fact.action.verb == "call" and fact.at_door in {"door", "runtime"} and not over)
    turn = Spend(turns=int(fact.at_door == "door" and not over), calls=call)
    heard = {
        name: change(asked, told=True)
        for name, asked in run.questions.items()
        if asked.said and not asked.told and fact.digest in (asked.digest, asked.question.digest)
    }
    counted = fact.at_door in {"door", "proxy", "runtime"} or (fact.at_door == "observer" and refused)
    return change(
        run,
        questions={**run.questions, **heard} if heard else run.questions,
        refusals=run.refusals + refused,
        storm=(run.storm + 1 if refused else 0) if counted else run.storm,
        last_digest=fact.digest if counted else run.last_digest,
        repeats=repeats if counted else run.repeats,
        spend=run.spend.plus(turn),
    )


def _intended(run: Run, fact: e.Intended) -> Run:
    used = {
        name: change(asked, used=True) if asked.answer is not None and _about(asked, fact) else asked
        for name, asked in run.questions.items()
    }
    return change(run, intents=_with(run.intents, fact.key, fact), questions=used)


def _about(asked: Asked, fact: e.Intended) -> bool:
    """Whether this grant uses the answer up: a draft has answers of its own, however many are alike."""
    if asked.question.draft:
        return asked.question.draft == fact.key
    return asked.question.digest == fact.action.digest()


def _child_ended(run: Run, fact: e.ChildEnded) -> Run:
    held = run.children.get(fact.child)
    if held is None:
        return run
    left = run.reserved.minus(held)
    used = Spend(turns=fact.spend.turns, calls=fact.spend.calls, tokens=fact.spend.tokens, usd=fact.spend.usd)
    children = {name: spend for name, spend in run.children.items() if name != fact.child}
    return change(run, reserved=left, spend=run.spend.plus(used), children=children)


def _model_settled(run: Run, fact: e.ModelSettled) -> Run:
    """What was set aside comes back, what was used is charged; a second settling of the same call changes nothing."""
    held = run.holds.get(fact.key)
    if held is None:
        return run
    left = run.reserved.minus(held)
    holds = {key: spend for key, spend in run.holds.items() if key != fact.key}
    return change(run, reserved=left, spend=run.spend.plus(fact.spend), holds=holds)


def _timed(run: Run, until: datetime | None) -> Spend:
    """Wall-clock time of the attempt that ended at `until`. Dead time after a crash is nobody's: it ends at the last fact."""
    if run.attempt_at is None or until is None:
        return run.spend
    seconds = max(0.0, (until - run.attempt_at).total_seconds())
    return run.spend.plus(Spend(time=seconds))
