"""What the engine should do now: a pure function of where the run stands."""

from datetime import datetime
from typing import Literal

from remit.contract.outcome import Recovery
from remit.run.chain import Chain
from remit.run.chain_move import chain_moves
from remit.run.errand import Errand, Expire, errand
from remit.run.event import QuestionAsked, Verdict
from remit.run.ladder import next_rung
from remit.run.outbox import Draft
from remit.run.state import RESUMING, Run
from remit.value import Value


class Work(Value, frozen=True, kw_only=True, tag="work"):
    """Start this attempt in a fresh stage, or in one that carries on from what attempt `carried` had left."""

    attempt: int
    because: str = ""
    carried: int = 0


class Lose(Value, frozen=True, kw_only=True, tag="lose"):
    """An attempt is marked as working though nobody works on it: the supervisor died. Drop its stage."""


class Perform(Value, frozen=True, kw_only=True, tag="perform"):
    """A person allowed, after the work ended, what the agent had asked for: do it on the sealed stage."""

    question: str


class Seal(Value, frozen=True, kw_only=True, tag="seal"):
    """A loop of the caller's own was stopped, or is gone: its work is over."""


class Judge(Value, frozen=True, kw_only=True, tag="judge"):
    """Decide every changed path and ref of the sealed stage."""


class Check(Value, frozen=True, kw_only=True, tag="check"):
    """Run every success check on exactly what would be published."""

    round: int


class Recover(Value, frozen=True, kw_only=True, tag="recover"):
    """Take this rung."""

    entry: int
    rung: Recovery
    why: str


class AskPublish(Value, frozen=True, kw_only=True, tag="ask publish"):
    """The contract wants a person to release what succeeded."""


class Conclude(Value, frozen=True, kw_only=True, tag="conclude"):
    """Say the verdict."""

    verdict: Verdict
    exceptions: tuple[str, ...] = ()
    why: str = ""


class Publish(Value, frozen=True, kw_only=True, tag="publish"):
    """Release the stage, or finish releasing it."""


class Discard(Value, frozen=True, kw_only=True, tag="discard"):
    """Drop the stage: nothing of it was, or will be, released."""


class Undo(Value, frozen=True, kw_only=True, tag="undo"):
    """Finish putting back what was released."""


class Tell(Value, frozen=True, kw_only=True, tag="tell"):
    """Tell the owner how the run ended."""


class Rest(Value, frozen=True, kw_only=True, tag="rest"):
    """Nothing to do until a person acts. `on` says what is awaited; empty: nothing is."""

    on: Literal["", "answer", "acceptance", "conflict", "doubt", "work"] = ""


Move = (
    Work | Lose | Perform | Seal | Judge | Check | Recover | AskPublish | Conclude | Publish | Discard | Undo | Tell | Rest
    | Errand
)  # fmt: skip


def next_move(run: Run, now: datetime, *, beyond: frozenset[str] = frozenset()) -> Move:
    """The one thing to do next; total over every state a fold can reach. `now` is what deadlines are held against.

    `beyond` are drafts that only another process can carry out.
    """
    if run.phase == "working" and not _hosted(run):
        return Lose()  # before anything else: what is left of the box might still be asking
    found = errand(run, now, beyond=beyond)
    if found is not None:
        return found
    match run.phase:
        case "new":
            return Rest()
        case "publishing":
            return Publish()
        case "undoing":
            return Undo()
        case "working":
            return Seal() if run.stop else Rest(on="work")
        case _:
            return _toward_verdict(run) if run.verdict is None else _after_verdict(run)


def _hosted(run: Run) -> bool:
    return run.started is not None and run.started.hosted


def _toward_verdict(run: Run) -> Move:
    if run.stop:
        if run.doubts:
            said = ", ".join(draft.action.said() for draft in run.doubts)
            return Conclude(verdict="unknown", why=f"{run.stop}; nobody knows whether this happened: {said}")
        return Conclude(verdict="stopped", why=run.stop)
    if run.doubts:
        return Rest(on="doubt")
    match run.phase:
        case "ready":
            if run.rung is not None:
                return _attempt(run, run.rung.why, carried=run.carried) if run.rung.do == "continue" else _rung(run)
            if run.trouble == "crashed" and any(entry.when == "crashed" for entry in run.contract.recovery):
                return _ladder(run)
            return _attempt(run, "the attempt before was cut off" if run.attempt else "", carried=run.carried)
        case "sealed":
            return _sealed(run)
        case "judged":
            return _judged(run)
        case _:
            return _checked(run)


def _sealed(run: Run) -> Move:
    if run.chain is not None and not run.trouble and (move := _chained(run, run.chain)) is not None:
        return move
    if _carries_on(run):
        if run.open_questions:
            return Rest(on="answer")
        if answered := _answered_late(run):
            return Work(attempt=run.attempt + 1, because=f"{', '.join(answered)} was answered", carried=run.attempt)
    for question in run.blocking:
        if question.about == "action" and not question.draft and not _writes(question):
            return Expire(question=question.question, otherwise="the work is over, so it can no longer be done")
    if run.blocking:
        return Rest(on="answer")
    for name, asked in run.questions.items():
        # A grant under the question's own name without an outcome is a crash in between: the write is done again.
        open_ = name not in run.settled and (not asked.used or name in run.intents)
        if _writes(asked.question) and asked.said == "yes" and open_:
            return Perform(question=name)
    return Rest(on="work") if any(map(_pending, run.drafts.values())) else Judge()


def _chained(run: Run, chain: Chain) -> Move | None:
    """A chain that is not through: a person is awaited, or its coordinator takes the stage up again. None once it is through."""
    if chain.over == "aborted":
        return Conclude(verdict="failed", why=chain.over_why or "given up")
    if chain.over:
        unmet = chain.over == "partial" and chain.current and not chain.exceptions
        return Conclude(verdict="failed", why=chain.over_why or "validation found gaps") if unmet else None
    if run.blocking and not chain_moves(run):
        return Rest(on="answer")
    return _attempt(run, "the chain goes on", carried=run.attempt)


def _carries_on(run: Run) -> bool:
    """Whether the runtime takes its own conversation up again once people have answered, on the stage as it left it."""
    limits, used = run.limits, run.spend
    room = (limits.time is None or used.time < limits.time) and (limits.turns is None or used.turns < limits.turns)
    return run.started is not None and run.started.runtime in RESUMING and room and not run.trouble


def _answered_late(run: Run) -> list[str]:
    """Questions of the last attempt whose answer the agent has not heard: its turn was over for them when it had asked."""
    assert run.attempt_at is not None
    return [
        name
        for name, asked in run.questions.items()
        if asked.question.about in {"action", "context"} and not asked.question.draft and asked.said and not asked.told
        and (asked.at >= run.attempt_at or any(at > run.attempt_at for at in asked.times))
    ]  # fmt: skip


def _pending(draft: Draft) -> bool:
    """An effect that will be carried out, later or by another process; the verdict waits for it."""
    return draft.state in {"drafted", "answered", "publishing"} and draft.drafted.waits != "publish"


def _writes(question: QuestionAsked) -> bool:
    return question.about == "action" and question.action is not None and question.action.verb == "write"


def _judged(run: Run) -> Move:
    if run.rung is not None:
        return _rung(run)
    if run.blocking:
        return Rest(on="answer")
    if run.judged is not None and run.judged.held:  # every question about it has been answered
        return Judge()
    return _ladder(run) if run.trouble else Check(round=run.round + 1)


def _checked(run: Run) -> Move:
    if run.rung is not None:
        return _rung(run)
    finished = run.finished
    if finished is None:
        return Check(round=run.round + 1)
    if set(finished.failed) - set(finished.excused):
        return _ladder(run)
    taken = run.chain.exceptions if run.chain is not None else ()
    if exceptions := tuple(dict.fromkeys((*finished.exceptions, *taken))):
        return Conclude(verdict="success_with_exceptions", exceptions=exceptions)
    return Conclude(verdict="success")


def _rung(run: Run) -> Move:
    """Carry out the rung that was entered last."""
    assert run.rung is not None
    match run.rung.do:
        case "continue":
            return Judge()
        case "retry":
            return _attempt(run, run.rung.why, carried=_taken_up(run))
        case "ask owner":
            answers = [asked for asked in run.questions.values() if asked.question.about == "recovery"]
            if not answers or not answers[-1].said:
                return Rest(on="answer")
            go_on = answers[-1].said == "yes"
            return _attempt(run, "a person said to go on", carried=_taken_up(run)) if go_on else _ladder(run)
        case _:
            return _ending(run)


def _taken_up(run: Run) -> int:
    """The attempt that a lost one had been carried from: its crash took nothing of that away."""
    return run.carried if run.phase == "ready" else 0


def _ladder(run: Run) -> Move:
    found = next_rung(run)
    if found is None:
        return _ending(run)
    entry, rung = found
    return Recover(entry=entry, rung=rung, why=_trouble(run))


def _attempt(run: Run, because: str, *, carried: int = 0) -> Move:
    limits = run.limits
    if limits.time is not None and run.spend.time >= limits.time:
        return Conclude(verdict="exhausted", why=f"{limits.time} s of time are used up")
    if limits.turns is not None and run.spend.turns >= limits.turns:
        return Conclude(verdict="exhausted", why=f"{limits.turns} turns are used up")
    if _hosted(run):  # the loop is the caller's own: nobody here can start it, or start it again
        return Conclude(verdict="failed", why=_trouble(run)) if run.attempt else Rest(on="work")
    return Work(attempt=run.attempt + 1, because=because, carried=carried)


def _ending(run: Run) -> Move:
    why = _trouble(run)
    if run.rung is not None and run.rung.do == "hand over":
        why = f"{why}; handed over"
    if run.trouble == "limit reached":
        return Conclude(verdict="exhausted", why=why)
    if run.rung is not None and run.rung.when == "refused":
        return Conclude(verdict="refused", why=why)
    return Conclude(verdict="failed", why=why)


def _trouble(run: Run) -> str:
    if run.finished is not None:
        failing = [check for check in run.finished.failed if check not in run.finished.excused]
        if failing:
            return "check " + ", ".join(f"`{check}`" for check in failing) + " fails"
    if run.trouble == "stuck" and run.stuck:
        return f"stuck: {run.stuck}"
    return run.trouble or "nothing above helped"


def _after_verdict(run: Run) -> Move:
    move = _release(run)
    step = run.started is not None and bool(run.started.step)  # its coordinator says how it ended, and tells once for all
    return Tell() if isinstance(move, Rest) and not run.told and not step else move


def _release(run: Run) -> Move:
    if run.published is not None or run.undone:
        return Rest()
    match run.verdict:
        case "success":
            return _release_success(run)
        case "success_with_exceptions":
            if run.acceptance == "declined":
                return Discard()
            if run.acceptance == "pending":
                return Rest(on="acceptance")
            return Rest(on="conflict") if run.publish_failed else Publish()
        case _:
            undo = run.rungs and run.rungs[-1].do == "undo"
            return Discard() if undo and run.attempt else Rest()


def _release_success(run: Run) -> Move:
    if run.acceptance == "declined":
        return Discard()
    if run.publish_failed:
        return Rest(on="conflict")
    if run.contract.publish == "auto":
        return Publish()
    asked = [asked for asked in run.questions.values() if asked.question.about == "publish"]
    if not asked:
        return AskPublish()
    if not asked[-1].said:
        return Rest(on="answer")
    return Publish() if asked[-1].said == "yes" else Discard()
