"""What happened in a run, fact by fact, as lines of a timeline."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from remit.run import chained as c
from remit.run import event as e
from remit.run.event import Recorded
from remit.value import Value

Lane = Literal["work", "decisions", "people", "effects", "outcome"]
LANES: tuple[Lane, ...] = ("work", "decisions", "people", "effects", "outcome")


class Moment(Value, frozen=True, kw_only=True):
    """One thing that happened. `tone` is good, bad, wait or plain; `what` one word, `about` the rest."""

    at: datetime
    lane: Lane
    tone: str
    what: str
    about: str = ""


def moments(records: Sequence[Recorded]) -> Iterator[Moment]:
    """The facts a person wants to see, oldest first; what is mere bookkeeping is left to the account."""
    for record in records:
        if record.event is None:
            yield Moment(at=record.at, lane="outcome", tone="plain", what="erased", about=record.kind.replace("_", " "))
            continue
        found = (
            _work(record.event)
            or _runtime(record.event)
            or _chain(record.event)
            or _people(record.event)
            or _effects(record.event)
            or _outcome(record.event)
        )
        if found is not None:
            lane, tone, what, about = found
            yield Moment(at=record.at, lane=lane, tone=tone, what=what, about=about)


Told = tuple[Lane, str, str, str]


def _work(fact: e.Event) -> Told | None:
    match fact:
        case e.Started():
            return "work", "plain", "started", f"by {fact.requester or 'hand'}, {fact.trigger}"
        case e.AttemptStarted():
            return "work", "plain", f"attempt {fact.attempt}", fact.because
        case e.BoundarySet():
            return "work", "plain", f"contained at {fact.level}", ", ".join(fact.hosts) or "no network"
        case e.AttemptLost():
            return "work", "bad", f"attempt {fact.attempt} lost", fact.why
        case e.WorkDone():
            return "work", "plain", "work over", f"{fact.why}, status {fact.status}"
        case e.Stuck():
            return "work", "bad", "stuck", fact.why
        case e.LimitReached():
            return "work", "bad", "limit reached", f"{fact.limit}: {fact.used} of {fact.of}"
        case e.Warned():
            return "work", "wait", "near a limit", f"{fact.limit}: {fact.used} of {fact.of}"
        case e.ChildStarted():
            return "work", "plain", "delegated", fact.child
        case e.ChildEnded():
            return "work", "plain", "delegation over", f"{fact.child}: {fact.verdict}"
        case e.Decided():
            tone = {"allow": "good", "ask": "wait", "refuse": "bad"}[fact.decision]
            why = f" — {fact.reasons[0].why}" if fact.reasons and fact.decision != "allow" else ""
            words = {"allow": "allowed", "ask": "must be asked", "refuse": "refused"}
            return "decisions", tone, words[fact.decision], fact.action.said() + why
        case e.Blocked():
            return "decisions", "bad", "blocked", f"{fact.what} {fact.object}, by {fact.by}"
        case _:
            return None


def _runtime(fact: e.Event) -> Told | None:
    match fact:
        case e.RuntimeChosen():
            return "work", "plain", f"{fact.runtime} {fact.version}", f"model {fact.model}" if fact.model else ""
        case e.ModelRefused():
            return "decisions", "bad", "model call refused", f"{fact.model}: {fact.why}"
        case e.Unasked():
            return "decisions", "wait", "not asked about", f"{fact.tool} {fact.text}"
        case e.Escalated():
            return "work", "wait", f"up to {fact.runtime}", f"{fact.child}: {', '.join(fact.needs)} — {fact.why}"
        case e.Deescalated():
            return "work", "plain", f"back from {fact.runtime}", f"{fact.child}: {fact.verdict}, {len(fact.paths)} paths"
        case _:
            return None


def _chain(fact: e.Event) -> Told | None:
    match fact:
        case c.PlanPinned():
            return "work", "plain", "plan", f"{fact.plan.name}: {len(fact.plan.steps)} steps, {fact.plan.mode}"
        case c.StepStarted():
            again = f"for the {fact.number}. time: {fact.because}" if fact.number > 1 else fact.child
            return "work", "plain", f"step {fact.step}", again
        case c.StepEnded():
            tone = "good" if fact.outcome == "complete" else "bad"
            return "work", tone, f"step {fact.step} {fact.outcome}", fact.why or f"{len(fact.files)} files"
        case c.StepSkipped():
            return "people", "wait", f"step {fact.step} skipped", f"with the consent of {fact.person}"
        case c.SkillInvoked():
            return "work", "plain", "skill", fact.skill + (", changed since it was planned with" if fact.changed else "")
        case c.Validated():
            tone = {"PASS": "good", "PARTIAL": "wait", "FAIL": "bad"}[fact.found.status]
            return "outcome", tone, f"validation {fact.found.status}", f"{fact.found.completeness}%, round {fact.round}"
        case c.GapsAccepted():
            return "people", "wait", "gaps accepted", f"{fact.person}: {', '.join(fact.missing)}"
        case c.PlanEnded():
            tone = {"complete": "good", "partial": "wait", "aborted": "bad"}[fact.how]
            return "outcome", tone, f"chain {fact.how}", fact.why
        case _:
            return None


def _people(fact: e.Event) -> Told | None:
    match fact:
        case e.QuestionAsked():
            return "people", "wait", f"{fact.question} asked", f"{fact.text} — of {', '.join(fact.of)}"
        case e.QuestionAnswered():
            tone = "good" if fact.answer in {"yes", "happened"} else "bad" if fact.answer == "no" else "wait"
            return "people", tone, f"{fact.question}: {fact.answer}", f"{fact.person} ({fact.assurance}) {fact.note}".rstrip()
        case e.AnswerRejected():
            return "people", "bad", f"{fact.question}: answer not taken", f"{fact.person}: {fact.why}"
        case e.QuestionEscalated():
            return "people", "wait", f"{fact.question} escalated", f"to {fact.to}: {fact.why}"
        case e.QuestionReminded():
            return "people", "wait", f"{fact.question} reminded", f"for the {fact.count}. time"
        case e.QuestionExpired():
            return "people", "bad", f"{fact.question} ran out of time", f"so: {fact.otherwise}"
        case e.Notified():
            return "people", "plain", f"told {fact.who}", fact.what
        case e.OwnershipOffered():
            return "people", "wait", "ownership offered", f"by {fact.by} to {fact.to}"
        case e.OwnershipAnswered():
            return (
                "people",
                "good" if fact.accepted else "bad",
                "ownership " + ("taken" if fact.accepted else "declined"),
                fact.person,
            )
        case e.StopAsked():
            return "people", "bad", "stop", f"{fact.by}: {fact.why}"
        case _:
            return None


def _effects(fact: e.Event) -> Told | None:
    match fact:
        case e.Drafted():
            return "effects", "plain", "drafted", fact.action.said()
        case e.Intended():
            return "effects", "plain", "begun", fact.action.said()
        case e.Effected():
            return "effects", "good" if fact.ok else "bad", "done" if fact.ok else "did not happen", fact.receipt
        case e.HandedOff():
            return "effects", "plain", fact.transition, f"{', '.join(fact.responsible)} answers for it"
        case e.Withdrawn():
            return "effects", "bad", fact.how, fact.why
        case e.InDoubt():
            return "effects", "bad", "unknown", fact.why
        case e.Resolved():
            return "effects", "plain", "resolved", f"{fact.said}, by {fact.person or fact.by}"
        case e.Confirmed():
            return "effects", "good", "confirmed", fact.receipt
        case _:
            return None


def _outcome(fact: e.Event) -> Told | None:
    match fact:
        case e.ChangesJudged():
            kept = len(fact.changes.changes) - len(fact.dropped)
            return "outcome", "plain", "changes judged", f"{kept} publishable, {len(fact.dropped)} dropped"
        case e.CheckRan():
            return "outcome", "good" if fact.ok else "bad", f"check {fact.check}", "passes" if fact.ok else "fails"
        case e.RecoveryEntered():
            return "outcome", "wait", "recovery", f"{fact.when}, so {fact.do}"
        case e.VerdictReached():
            good = fact.verdict in {"success", "success_with_exceptions"}
            return "outcome", "plain" if good else "bad", fact.verdict.replace("_", " "), fact.why
        case e.Published():
            return "outcome", "plain", "published", f"{len(fact.paths)} paths, {len(fact.refs)} refs"
        case e.PublishFailed():
            return "outcome", "bad", "not published", fact.why
        case e.Undone():
            return "outcome", "plain", "undone", fact.receipt
        case e.UndoFailed():
            return "outcome", "bad", "not undone", fact.why
        case e.Accepted():
            return "outcome", "good" if fact.acceptance == "accepted" else "bad", fact.acceptance, f"by {fact.person}"
        case e.Stopped():
            return "outcome", "bad", "stopped", fact.receipt
        case _:
            return None
