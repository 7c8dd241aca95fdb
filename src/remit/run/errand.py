"""What has to be done for people and for the outbox, whatever else the run is at: a pure function of where it stands."""

from datetime import datetime, timedelta
from typing import Literal

from remit.run.asking import next_person, of, reminders_due
from remit.run.outbox import OPEN, Draft
from remit.run.state import Asked, Run, Sent
from remit.value import Value

BACKOFF = (0, 30, 300)
"""seconds between the tries to deliver a page, or to carry out an effect that certainly did not happen"""
MOST_TRIES = 3
"""how often an effect is tried before a person is asked"""


class Expire(Value, frozen=True, kw_only=True, tag="expire"):
    """The time of this question is over: what its escalation says otherwise now holds."""

    question: str
    otherwise: str


class Escalate(Value, frozen=True, kw_only=True, tag="escalate"):
    """Nobody answered in time: the next person is asked as well."""

    question: str
    to: str


class Remind(Value, frozen=True, kw_only=True, tag="remind"):
    """Those who were asked are told again."""

    question: str
    count: int


class Send(Value, frozen=True, kw_only=True, tag="send"):
    """Hand this page, by its place in the ledger, to its channel."""

    page: int


class Withdraw(Value, frozen=True, kw_only=True, tag="withdraw"):
    """This draft will not be released."""

    draft: str
    how: Literal["refused", "expired"]
    why: str


class Settle(Value, frozen=True, kw_only=True, tag="settle"):
    """This effect was begun and its outcome is not known: find out."""

    draft: str


class Effect(Value, frozen=True, kw_only=True, tag="effect"):
    """Everyone said yes, or nobody had to: release this draft."""

    draft: str


Errand = Expire | Escalate | Remind | Send | Withdraw | Settle | Effect


def errand(run: Run, now: datetime, *, alive: bool = False, beyond: frozenset[str] = frozenset()) -> Errand | None:
    """The next one; None when there is none. `alive`: effects that are being published are being worked on by somebody.

    `beyond` are drafts that nothing in this process can carry out: they are left to the process that can.
    """
    if run.phase == "new":
        return None
    for draft in run.drafts.values():
        move = due(run, draft, now, alive=alive)
        if move is not None and not (draft.key in beyond and isinstance(move, Effect)):
            return move
    return question_due(run, now) or _page(run, now)


def _page(run: Run, now: datetime) -> Send | None:
    """Pages come last: a channel that hangs must not hold up an effect that people have approved."""
    return next((Send(page=seq) for seq, sent in run.pages.items() if sent.tried is None or now >= _again(sent)), None)


def next_moment(run: Run) -> datetime | None:
    """When time alone will make an errand: a deadline of a question, a reminder, or a page that is tried again."""
    moments = [each.expires for each in run.blocking if each.expires is not None and each.about != "doubt"]
    moments += [_again(sent) for sent in run.pages.values() if sent.tried is not None]
    moments += [_once_more(draft) for draft in run.drafts.values() if draft.state == "answered" and draft.tried is not None]
    moments += [_settled(draft) for draft in run.drafts.values() if draft.state == "unknown" and draft.looked]
    for question in run.blocking:
        rung, asked = of(run.contract, question), run.questions[question.question]
        if rung is not None and rung.remind:
            moments.append((asked.since or asked.at) + timedelta(seconds=rung.remind * (asked.reminders + 1)))
    return min(moments, default=None)


def _again(sent: Sent) -> datetime:
    assert sent.tried is not None
    return sent.tried + timedelta(seconds=BACKOFF[min(sent.tries, 2)])


def question_due(run: Run, now: datetime) -> Errand | None:
    """The question whose time, or whose reminder, has come."""
    if run.phase == "undone":
        return None
    for question in run.blocking:
        name, asked = question.question, run.questions[question.question]
        if question.expires is not None and question.expires <= now and question.about != "doubt":
            to = next_person(run.contract, asked)
            return Escalate(question=name, to=to) if to else Expire(question=name, otherwise=question.otherwise or "refuse")
        due = reminders_due(run.contract, asked, now)
        if due > asked.reminders:
            return Remind(question=name, count=due)
    return None


def due(run: Run, draft: Draft, now: datetime, *, alive: bool = True) -> Errand | None:
    """What has to be done about one draft now."""
    key = draft.key
    if draft.state == "publishing":
        return None if alive else Settle(draft=key)
    if draft.state == "unknown":
        doubt = doubt_of(run, key)
        if doubt is None:
            return None if draft.looked and now < _settled(draft) else Settle(draft=key)
        return Settle(draft=key) if doubt.said else None
    if draft.state not in OPEN:
        return None
    if draft.begun is not None and draft.resolved is not None and draft.resolved.said == "may be repeated":
        if run.stop or not honoured(draft, now):
            return Settle(draft=key)  # it is in doubt as before: to repeat it would be to do it
    elif run.stop:
        return Withdraw(draft=key, how="refused", why="the run was stopped")
    settled = [asked for asked in run.questions.values() if asked.question.draft == key and asked.said == "no"]
    if settled:
        how: Literal["refused", "expired"] = "expired" if settled[0].expired else "refused"
        said = "nobody answered in time" if settled[0].expired else f"{settled[0].answers[-1].person} said no"
        return Withdraw(draft=key, how=how, why=said)
    if draft.state == "asked":
        return None
    if draft.tried is not None and now < _once_more(draft):
        return None
    return _released(run, draft) if draft.drafted.waits == "publish" else Effect(draft=key)


def doubt_of(run: Run, key: str) -> Asked | None:
    """The question about what became of this effect that no later try has used up."""
    found = (asked for asked in run.questions.values() if asked.question.about == "doubt" and asked.question.draft == key)
    return next((asked for asked in found if not asked.used and not asked.expired), None)


def honoured(draft: Draft, now: datetime) -> bool:
    """Whether the provider still takes this key for this effect, with time to spare for the request itself."""
    if draft.drafted.window is None or draft.begun is None:
        return False
    return now < draft.begun + timedelta(seconds=draft.drafted.window - min(60, draft.drafted.window // 10))


def _settled(draft: Draft) -> datetime:
    """When nothing of the last try can be on its way any more."""
    assert draft.tried is not None
    return draft.tried + timedelta(seconds=draft.drafted.settles)


def _once_more(draft: Draft) -> datetime:
    """When an effect that is known not to have happened is tried again: at once where a person says so, else ever later."""
    assert draft.tried is not None
    said = draft.resolved is not None and draft.resolved.by == "person"
    return draft.tried if said else draft.tried + timedelta(seconds=BACKOFF[min(draft.tries - 1, 2)])


def _released(run: Run, draft: Draft) -> Errand | None:
    """What takes its content from the published workspace waits for it, and is dropped where there will be none."""
    if run.published is not None and not run.undone:
        return Effect(draft=draft.key)
    over = run.undone or run.acceptance == "declined" or (run.verdict not in {None, "success", "success_with_exceptions"})
    return Withdraw(draft=draft.key, how="expired", why="nothing was published") if over else None
