"""One fact onto one run: the only place where a run changes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from remit.authority.decision import Code
from remit.contract.limits import Spend
from remit.errors import Tampered
from remit.run import event as e
from remit.run.lifecycle import next_phase
from remit.run.state import Asked, Run

K = TypeVar("K")
V = TypeVar("V")
change = msgspec.structs.replace


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
            return change(
                run, attempt=fact.attempt, attempt_at=record.at, box=None, work=None, trouble="", judged=None, checks={},
                finished=None, storm=0, last_digest="", repeats=0, rung=None,
            )  # fmt: skip
        case e.BoxStarted():
            return change(run, box=(fact.pid, fact.born))
        case e.AttemptLost():
            return change(run, spend=_timed(run, run.at), trouble="crashed")
        case e.WorkDone():
            trouble = {"limit": "limit reached", "stuck": "stuck"}.get(fact.why, "")
            return change(run, work=fact, spend=_timed(run, record.at), trouble=trouble)
        case e.Decided():
            return _decided(run, fact)
        case e.Blocked():
            wanted = fact.what == "request"
            return change(run, refusals=run.refusals + wanted, storm=run.storm + wanted)
        case e.Intended():
            return _intended(run, fact)
        case e.Effected():
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
        case _:
            return _fold_outcome(run, fact)


def _fold_outcome(run: Run, fact: e.Event) -> Run:
    match fact:
        case e.ChangesJudged():
            return change(run, judged=fact, checks={}, finished=None, rung=None)
        case e.CheckRan():
            return change(run, checks=_with(run.checks, fact.check, fact))
        case e.ChecksFinished():
            return change(run, finished=fact, round=fact.round)
        case e.RecoveryEntered():
            return change(run, rungs=(*run.rungs, fact), rung=fact, trouble="" if fact.do == "continue" else run.trouble)
        case e.VerdictReached():
            return change(run, verdict=fact.verdict, exceptions=fact.exceptions, why=fact.why, told=False)
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
            return _fold_people(run, fact)


def _fold_people(run: Run, fact: e.Event) -> Run:
    match fact:
        case e.QuestionAsked():
            return change(run, questions=_with(run.questions, fact.question, Asked(question=fact)))
        case e.QuestionAnswered():
            asked = run.questions.get(fact.question)
            if asked is None or asked.answer is not None:
                return run
            return change(run, questions=_with(run.questions, fact.question, change(asked, answer=fact)))
        case e.QuestionExpired():
            asked = run.questions.get(fact.question)
            if asked is None or asked.said:
                return run
            stop = "nobody answered in time" if fact.otherwise == "stop" else ""
            questions = _with(run.questions, fact.question, change(asked, expired=True))
            return change(run, questions=questions, stop=run.stop or stop)
        case e.Accepted():
            return change(run, acceptance=fact.acceptance)
        case e.Notified():  # what was told on the way does not count: only how it ended (OWN-12)
            return change(run, told=run.told or fact.ending)
        case _:
            return run


def _decided(run: Run, fact: e.Decided) -> Run:
    refused = fact.decision == "refuse"
    over = any(reason.code is Code.LIMIT and reason.rule is None for reason in fact.reasons)
    repeats = run.repeats + 1 if fact.digest == run.last_digest else 1
    turn = Spend(turns=1, calls=1 if fact.action.verb == "call" else 0) if fact.at_door == "door" and not over else Spend()
    counted = fact.at_door in {"door", "proxy"} or (fact.at_door == "observer" and refused)
    return change(
        run,
        refusals=run.refusals + refused,
        storm=(run.storm + 1 if refused else 0) if counted else run.storm,
        last_digest=fact.digest if counted else run.last_digest,
        repeats=repeats if counted else run.repeats,
        spend=run.spend.plus(turn),
    )


def _intended(run: Run, fact: e.Intended) -> Run:
    used = {
        name: change(asked, used=True) if asked.question.digest == fact.action.digest() and asked.answer else asked
        for name, asked in run.questions.items()
    }
    return change(run, intents=_with(run.intents, fact.key, fact), questions=used)


def _child_ended(run: Run, fact: e.ChildEnded) -> Run:
    held = run.children.get(fact.child)
    if held is None:
        return run
    left = Spend(
        turns=run.reserved.turns - held.turns, calls=run.reserved.calls - held.calls,
        tokens=run.reserved.tokens - held.tokens, usd=run.reserved.usd - held.usd, time=run.reserved.time - held.time,
    )  # fmt: skip
    used = Spend(turns=fact.spend.turns, calls=fact.spend.calls, tokens=fact.spend.tokens, usd=fact.spend.usd)
    children = {name: spend for name, spend in run.children.items() if name != fact.child}
    return change(run, reserved=left, spend=run.spend.plus(used), children=children)


def _timed(run: Run, until: datetime | None) -> Spend:
    """Wall-clock time of the attempt that ended at `until`. Dead time after a crash is nobody's: it ends at the last fact."""
    if run.attempt_at is None or until is None:
        return run.spend
    seconds = max(0.0, (until - run.attempt_at).total_seconds())
    return run.spend.plus(Spend(time=seconds))
