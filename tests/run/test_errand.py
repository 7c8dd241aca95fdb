"""What has to be done for people and the outbox is always known, always makes progress, and never comes from nowhere."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from run_people import CONTRACT, FINANCE, LEAD, OWNER, asked, begun, drafted, refund, said
from test_lifecycle import RUN, START, Story

from remit.contract.outcome import Escalation
from remit.run import errand as m
from remit.run import event as e
from remit.run import next_move as n
from remit.run.change import ChangeSet
from remit.run.outbox import ENDED
from remit.run.state import Run

KEY = "R1:E1"


def told(story: Story, draw: st.DataObject, move: m.Errand, now: datetime) -> None:
    """What an engine records for an errand, as hypothesis chooses."""
    run = story.run
    match move:
        case m.Expire(question=name, otherwise=otherwise):
            put(story, now, e.QuestionExpired(run=RUN, question=name, otherwise=otherwise))
        case m.Escalate(question=name, to=to):
            until = now + timedelta(seconds=60) if draw.draw(st.booleans()) else None
            put(story, now, e.QuestionEscalated(run=RUN, question=name, to=to, why="w", expires=until))
        case m.Remind(question=name, count=count):
            put(story, now, e.QuestionReminded(run=RUN, question=name, count=count))
        case m.Send(page=page):
            put(story, now, e.Delivered(run=RUN, page=page, who=LEAD, how="mail", ok=draw.draw(st.booleans())))
        case m.Withdraw(draft=key, how=how, why=why):
            put(story, now, e.Withdrawn(run=RUN, key=key, how=how, why=why))
        case m.Settle(draft=key):
            settle(story, draw, run, key, now)
        case m.Effect(draft=key):
            effect(story, draw, run, key, now)


def settle(story: Story, draw: st.DataObject, run: Run, key: str, now: datetime) -> None:
    draft = run.drafts[key]
    if draft.state != "unknown":
        put(story, now, e.InDoubt(run=RUN, key=key, why="cut off"))
    doubts = [each for each in run.questions.values() if each.question.about == "doubt" and each.question.draft == key]
    if doubts and doubts[-1].answer is not None:
        words: dict[str, Any] = {"happened": "happened", "redo": "did not happen"}
        said_ = words.get(doubts[-1].said, "abandoned")
        put(story, now, e.Resolved(run=RUN, key=key, by="person", said=said_, person=LEAD))
        return
    automatic = ["did not happen", *(["may be repeated"] if m.honoured(draft, now) else [])] if draft.tries < m.MOST_TRIES else []
    how = draw.draw(st.sampled_from(["happened", *automatic, "ask"]))
    if how == "ask":
        name = f"Q{len(run.questions) + 1}"
        put(story, now, asked(name, draft.action, key, about="doubt", expires=None, otherwise=""))
    else:
        put(story, now, e.Resolved(run=RUN, key=key, by="probe", said=how))  # type: ignore[arg-type]


def effect(story: Story, draw: st.DataObject, run: Run, key: str, now: datetime) -> None:
    draft = run.drafts[key]
    put(story, now, e.Intended(run=RUN, key=key, action=draft.action))
    match draw.draw(st.sampled_from(["done", "refused", "doubt", "cut off"])):
        case "done":
            put(story, now, e.Effected(run=RUN, key=key, ok=True, receipt="r-1"))
        case "refused":
            put(story, now, e.Effected(run=RUN, key=key, ok=False, receipt="no"))
        case "doubt":
            put(story, now, e.InDoubt(run=RUN, key=key, why="the line broke"))


def put(story: Story, now: datetime, *facts: e.Event) -> None:
    for fact in facts:
        story.tell(fact)
        last = story.records.pop()
        story.records.append(e.Recorded(seq=last.seq, at=now, run=last.run, kind=last.kind, event=last.event))


def a_story(draw: st.DataObject) -> Story:
    """A hosted run with drafts, questions, pages, perhaps a stop, an end of the work, a verdict."""
    story = begun()
    for number in range(draw.draw(st.integers(1, 3))):
        key, action = f"R1:E{number}", refund(customer=f"c-{number}")
        waits = draw.draw(st.sampled_from(["", "publish"]))
        story.tell(drafted(key, action, waits=waits))
        for _ in range(draw.draw(st.integers(0, 2))):
            name = f"Q{len(story.run.questions) + 1}"
            until = draw.draw(st.sampled_from([None, START + timedelta(seconds=30), START + timedelta(seconds=90)]))
            quorum = draw.draw(st.integers(1, 2))
            story.tell(
                asked(name, action, key, expires=until, quorum=quorum, otherwise=draw.draw(st.sampled_from(["refuse", "stop"])))
            )
            if draw.draw(st.booleans()):
                story.tell(
                    said(name, draw.draw(st.sampled_from(["yes", "no", "modify"])), draw.draw(st.sampled_from([LEAD, OWNER])))
                )
    if draw.draw(st.booleans()):
        story.tell(e.Notified(run=RUN, who=LEAD, how="page", what="Q1"))
    if draw.draw(st.booleans()):
        story.tell(e.QuestionAsked(run=RUN, question="Qc", about="context", text="?", of=(OWNER,)))
    if draw.draw(st.integers(0, 3)) == 0:
        story.tell(e.StopAsked(run=RUN, by=OWNER))
    return story


@given(st.data())
def test_errands_come_to_an_end_and_each_of_them_makes_progress(draw: st.DataObject) -> None:
    story, now = a_story(draw), START + timedelta(seconds=draw.draw(st.sampled_from([0, 31, 100, 10_000])))
    seen: list[tuple[Run, datetime]] = []
    for _ in range(200):
        move = m.errand(story.run, now)
        if move is None:
            break
        assert (story.run, now) not in seen, f"{move} changed nothing"
        seen.append((story.run, now))
        told(story, draw, move, now)
    else:
        raise AssertionError("no end of errands")
    assert all(draft.state != "publishing" for draft in story.run.drafts.values()), "what was begun is settled first"


@given(st.data())
def test_time_alone_is_waited_for_only_where_it_will_bring_something(draw: st.DataObject) -> None:
    story, now = a_story(draw), START + timedelta(seconds=40)
    for _ in range(200):
        move = m.errand(story.run, now)
        if move is not None:
            told(story, draw, move, now)
            continue
        moment = m.next_moment(story.run)
        if moment is None:
            break
        assert moment > now, "a moment that has passed and brought nothing would be waited for in vain, over and over"
        assert m.errand(story.run, moment) is not None
        now = moment
        if now > START + timedelta(days=1):
            break


@given(st.data())
def test_no_draft_is_released_without_every_yes_it_asked_for(draw: st.DataObject) -> None:
    story, now = a_story(draw), START
    for _ in range(200):
        move = m.errand(story.run, now)
        if move is None:
            break
        if isinstance(move, m.Effect):
            run = story.run
            mine = [
                each for each in run.questions.values() if each.question.draft == move.draft and each.question.about == "action"
            ]
            assert all(each.said == "yes" for each in mine)
            assert run.drafts[move.draft].state in {"drafted", "answered"}
            assert not run.stop or run.drafts[move.draft].begun is not None
        told(story, draw, move, now)
        now += timedelta(seconds=draw.draw(st.sampled_from([0, 15])))


@given(st.data())
def test_the_next_move_of_a_hosted_run_is_known_through_drafts_doubts_and_stops(draw: st.DataObject) -> None:
    story, now = a_story(draw), START
    for _ in range(80):
        move = n.next_move(story.run, now)
        if isinstance(move, n.Rest):
            if not step(story, draw):
                break
        elif isinstance(move, m.Errand):
            told(story, draw, move, now)
        else:
            engine(story, draw, move)
        now += timedelta(seconds=draw.draw(st.sampled_from([0, 1, 40])))
    for record in range(1, len(story.records) + 1):
        part = Story()
        part.records = story.records[:record]
        n.next_move(part.run, now)


def step(story: Story, draw: st.DataObject) -> bool:
    """A person answers, the loop ends, a late word comes in; False when nothing does."""
    run = story.run
    if run.open_questions and draw.draw(st.booleans()):
        question = run.open_questions[0]
        words = ["happened", "redo", "abandon"] if question.about == "doubt" else ["yes", "no"]
        for person in (LEAD, FINANCE)[: question.quorum]:
            story.tell(said(question.question, draw.draw(st.sampled_from(words)), person))
        return True
    if run.phase == "working" and draw.draw(st.booleans()):
        story.tell(e.WorkDone(run=RUN, attempt=1, status=0, why="ended", sealed="s", receipt="gone"))
        return True
    if run.drafts and draw.draw(st.integers(0, 3)) == 0:
        story.tell(e.Confirmed(run=RUN, key=next(iter(run.drafts)), receipt="c", by="provider"))
        return True
    return False


def engine(story: Story, draw: st.DataObject, move: n.Move) -> None:
    run = story.run
    match move:
        case n.Seal():
            story.tell(e.WorkDone(run=RUN, attempt=1, status=None, why="stopped", sealed="s", receipt="gone"))
        case n.Judge():
            story.tell(e.ChangesJudged(run=RUN, attempt=1, changes=ChangeSet()))
        case n.Check(round=round_):
            failed = ("links",) if draw.draw(st.booleans()) else ()
            story.tell(e.ChecksFinished(run=RUN, round=round_, failed=failed))
        case n.Conclude(verdict=verdict):
            story.tell(e.VerdictReached(run=RUN, verdict=verdict))
        case n.Publish():
            if run.phase != "publishing":
                story.tell(e.PublishIntended(run=RUN, attempt=1, journal="j"))
            story.tell(e.Published(run=RUN, attempt=1, paths=(), refs=(), receipt="r"))
        case n.Tell():
            story.tell(e.Notified(run=RUN, who=OWNER, how="inbox", what="ended", ending=True))
        case n.Discard():
            story.tell(e.Undone(run=RUN, paths=(), receipt="r"))
        case _:
            raise AssertionError(f"a hosted run has no {move}")


def waiting(**more: Any) -> Story:
    story, action = begun(), refund()
    story.tell(drafted(KEY, action), asked("Q1", action, KEY, **more))
    return story


def test_the_ladder_is_climbed_before_anything_expires() -> None:
    story, late = waiting(), START + timedelta(seconds=61)
    assert m.errand(story.run, START + timedelta(seconds=10)) is None
    assert m.errand(story.run, late) == m.Escalate(question="Q1", to=FINANCE)
    put(story, late, e.QuestionEscalated(run=RUN, question="Q1", to=FINANCE, why="w", expires=late + timedelta(seconds=60)))
    later = late + timedelta(seconds=61)
    assert m.errand(story.run, later) == m.Expire(question="Q1", otherwise="refuse")
    put(story, later, e.QuestionExpired(run=RUN, question="Q1", otherwise="refuse"))
    assert m.errand(story.run, later) == m.Withdraw(draft=KEY, how="expired", why="nobody answered in time")
    put(story, later, e.Withdrawn(run=RUN, key=KEY, how="expired", why="nobody answered in time"))
    assert m.errand(story.run, later) is None


def test_those_who_were_asked_are_reminded_each_time_once() -> None:
    story, soon = waiting(), START + timedelta(seconds=25)
    assert m.next_moment(story.run) == story.records[-1].at + timedelta(seconds=20)
    assert m.errand(story.run, soon) == m.Remind(question="Q1", count=1)
    put(story, soon, e.QuestionReminded(run=RUN, question="Q1", count=1))
    assert m.errand(story.run, soon) is None


def test_a_page_is_tried_three_times_with_time_in_between() -> None:
    story, now = begun(), START
    story.tell(e.Notified(run=RUN, who=LEAD, how="page", what="Q1"))
    tries = []
    for _ in range(3):
        move = m.errand(story.run, now)
        assert move == m.Send(page=2)
        put(story, now, e.Delivered(run=RUN, page=2, who=LEAD, how="mail", ok=False))
        tries.append(now)
        assert m.errand(story.run, now) is None
        moment = m.next_moment(story.run)
        now = moment or now
    assert [(each - START).total_seconds() for each in tries] == [0, 30, 330]
    assert m.next_moment(story.run) is None


def test_an_approved_effect_goes_before_any_page() -> None:
    story = waiting()
    story.tell(e.Notified(run=RUN, who=LEAD, how="page", what="Q1"), said("Q1", "yes"))
    assert m.errand(story.run, START) == m.Effect(draft=KEY)


def test_one_no_withdraws_the_draft_and_what_else_it_asked_is_not_waited_for() -> None:
    story, action = begun(), refund()
    story.tell(
        drafted(KEY, action), asked("Q1", action, KEY), asked("Q2", action, KEY, of=(FINANCE,), expires=None), said("Q1", "no")
    )
    assert m.errand(story.run, START) == m.Withdraw(draft=KEY, how="refused", why=f"{LEAD} said no")
    story.tell(
        e.Withdrawn(run=RUN, key=KEY, how="refused", why="no"),
        e.WorkDone(run=RUN, attempt=1, status=0, why="ended", sealed="s", receipt="gone"),
    )
    assert n.next_move(story.run, START) == n.Judge(), "nobody's answer can matter to a draft that is withdrawn"
    assert m.errand(story.run, START + timedelta(seconds=500)) is None, "nor is anybody reminded of it"


def test_nobody_is_reminded_or_asked_further_once_the_run_was_stopped() -> None:
    story = waiting()
    story.tell(
        e.StopAsked(run=RUN, by=OWNER), e.Withdrawn(run=RUN, key=KEY, how="refused", why="the run was stopped"),
        e.WorkDone(run=RUN, attempt=1, status=None, why="stopped", sealed="s", receipt="gone"),
        e.VerdictReached(run=RUN, verdict="stopped"), e.Notified(run=RUN, who=OWNER, how="inbox", what="ended", ending=True),
    )  # fmt: skip
    assert m.errand(story.run, START + timedelta(seconds=30)) is None
    assert m.next_moment(story.run) is None


def test_a_stop_keeps_back_what_is_known_not_to_have_happened() -> None:
    story, action = begun(), refund()
    story.tell(
        drafted(KEY, action), e.Intended(run=RUN, key=KEY, action=action), e.InDoubt(run=RUN, key=KEY, why="cut off"),
        e.StopAsked(run=RUN, by=OWNER), e.Resolved(run=RUN, key=KEY, by="probe", said="did not happen"),
    )  # fmt: skip
    assert m.errand(story.run, START) == m.Withdraw(draft=KEY, how="refused", why="the run was stopped")


@pytest.mark.parametrize(
    ("facts", "move"),
    [
        ((), None),
        ((e.VerdictReached(run=RUN, verdict="failed"),), m.Withdraw(draft=KEY, how="expired", why="nothing was published")),
        (
            (
                e.VerdictReached(run=RUN, verdict="success"), e.PublishIntended(run=RUN, attempt=1, journal="j"),
                e.Published(run=RUN, attempt=1, paths=(), refs=(), receipt="r"),
            ),
            m.Effect(draft=KEY),
        ),
        (
            (
                e.VerdictReached(run=RUN, verdict="success"),
                e.Accepted(run=RUN, acceptance="declined", person=OWNER, assurance="terminal", statement="", signature="", key=""),
            ),
            m.Withdraw(draft=KEY, how="expired", why="nothing was published"),
        ),
    ],
)  # fmt: skip
def test_what_takes_its_content_from_the_published_workspace_waits_for_it(facts: tuple[e.Event, ...], move: object) -> None:
    story = begun()
    story.tell(
        drafted(KEY, refund(), waits="publish"),
        e.WorkDone(run=RUN, attempt=1, status=0, why="ended", sealed="s", receipt="gone"),
        *facts,
    )
    assert m.errand(story.run, START) == move
    assert story.run.drafts[KEY].state not in ENDED


def test_what_is_being_worked_on_is_left_alone() -> None:
    story, action = begun(), refund()
    story.tell(drafted(KEY, action), e.Intended(run=RUN, key=KEY, action=action))
    assert m.errand(story.run, START, alive=True) is None
    assert m.errand(story.run, START) == m.Settle(draft=KEY)


def test_a_run_that_has_not_begun_has_no_errands() -> None:
    assert m.errand(Run(), START) is None
    assert m.next_moment(Run()) is None


def test_a_question_that_only_supplies_what_is_not_known_wakes_nobody() -> None:
    story = begun(contract=replace(CONTRACT, escalation=(Escalation(about="any", page=OWNER, within=60, remind=20),)))
    story.tell(e.QuestionAsked(run=RUN, question="Q1", about="context", text="?", of=(OWNER,)))
    assert m.errand(story.run, START + timedelta(seconds=100)) is None
    assert m.next_moment(story.run) is None


def test_a_doubt_that_has_resolved_itself_asks_nobody_any_more() -> None:
    story, action = begun(), refund()
    story.tell(
        drafted(KEY, action), e.Intended(run=RUN, key=KEY, action=action), e.InDoubt(run=RUN, key=KEY, why="cut off"),
        asked("Q1", action, KEY, about="doubt", expires=None), e.Confirmed(run=RUN, key=KEY, receipt="c", by="provider"),
    )  # fmt: skip
    assert story.run.open_questions == ()
