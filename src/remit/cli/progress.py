"""What a person sees while a run goes on: every fact that matters, with the counters."""

import click

from remit.cli.line import one_line
from remit.cli.say import talk
from remit.run import event as e
from remit.run.state import Run


def line(fact: e.Event) -> str | None:
    """One fact as one line; None for facts that would only be noise."""
    match fact:
        case e.AttemptStarted():
            return f"attempt {fact.attempt}" + (f" ({one_line(fact.because)})" if fact.because else "")
        case e.BoundarySet():
            net = ", ".join(fact.hosts) or "no network"
            return f"contained at {fact.level} · {fact.stage} stage · {net} · {len(fact.hidden)} secret paths hidden"
        case e.Decided() if fact.decision != "allow":
            return f"{fact.decision:7} {one_line(fact.action.said())}: {one_line(fact.reasons[0].why)}"
        case e.Decided() if fact.at_door in {"door", "proxy", "runtime"}:
            return f"allow   {one_line(fact.action.said())}"
        case e.Blocked():
            return f"blocked {one_line(fact.what)} {one_line(fact.object)} (by {fact.by})"
        case e.QuestionAsked():
            return f"waits   {fact.question} of {', '.join(fact.of)}: {one_line(fact.text)}"
        case e.QuestionAnswered():
            return f"{fact.person} answered {fact.question}: {fact.answer}"
        case e.Warned():
            return f"near the limit: {fact.used} of {fact.of} {fact.limit}"
        case e.LimitReached():
            return f"limit reached: {fact.limit} {fact.of}"
        case e.Stuck():
            return f"stuck: {fact.why}"
        case e.RuntimeChosen() | e.ModelRefused() | e.Unasked() | e.Escalated() | e.Deescalated():
            return _runtime_line(fact)
        case e.WorkDone():
            return f"work over ({fact.why}, status {fact.status}) · {fact.receipt}"
        case _:
            return _outcome_line(fact)


def _runtime_line(fact: e.RuntimeChosen | e.ModelRefused | e.Unasked | e.Escalated | e.Deescalated) -> str:
    match fact:
        case e.RuntimeChosen():
            return f"runtime {fact.runtime} {fact.version}" + (f", model {one_line(fact.model)}" if fact.model else "")
        case e.ModelRefused():
            return f"refuse  model call to {one_line(fact.model)}: {one_line(fact.why)}"
        case e.Unasked():
            return f"unasked {one_line(fact.tool)} {one_line(fact.text)} (only the box decided)"
        case e.Escalated():
            return f"up      to {fact.runtime} as {fact.child}: {', '.join(fact.needs)}; {one_line(fact.why)}"
        case e.Deescalated():
            return f"back    from {fact.runtime}: {fact.verdict}, {len(fact.paths)} paths"


def _outcome_line(fact: e.Event) -> str | None:
    match fact:
        case e.AttemptLost():
            return f"attempt {fact.attempt} lost: {one_line(fact.why)}"
        case e.ChangesJudged():
            kept = len(fact.changes.changes) - len(fact.dropped)
            return f"judged {len(fact.changes.changes)} changed paths: {kept} publishable, {len(fact.dropped)} dropped"
        case e.CheckRan():
            items = f" · {len(fact.failing)} failing" if fact.failing else ""
            return f"check   {fact.check}: {'passes' if fact.ok else 'fails'}{items}"
        case e.RecoveryEntered():
            return f"recovery: {fact.when}, so {fact.do}"
        case e.Published():
            return f"published {len(fact.paths)} paths, {len(fact.refs)} refs"
        case e.PublishFailed():
            return f"not published: {one_line(fact.why)}"
        case e.Undone():
            return f"undone: {one_line(fact.receipt)}"
        case e.UndoFailed():
            return f"not undone: {one_line(fact.why)}"
        case e.Accepted():
            return f"{fact.person} {fact.acceptance} the outcome"
        case e.Stopped():
            return f"stopped · {one_line(fact.receipt)}"
        case _:
            return None


def show(record: e.Recorded, run: Run) -> None:
    """Print the line of a fact, with time, turns and refusals in front."""
    if record.event is None:
        return
    said = line(record.event)
    if said is None:
        return
    since = (record.at - run.started_at).total_seconds() if run.started_at else 0.0
    turns = f"{run.spend.turns}" + (f"/{run.limits.turns}" if run.limits.turns else "")
    paid = f"  {run.spend.usd / 1_000_000:.4f} usd" if run.modelled else ""
    front = f"{since:6.1f}s  turns {turns:>5}{paid}  refused {run.refusals:>2}  "
    talk(click.style(front, dim=True) + said)  # click leaves the style out where nobody sits at a terminal
