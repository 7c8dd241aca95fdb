"""Where a run stands decides what is done next: the corners of the table, one by one."""

from datetime import timedelta

import pytest
from test_lifecycle import RUN, START, Story, begun

from remit.contract.limits import Spend
from remit.contract.outcome import Recovery
from remit.run import event as e
from remit.run import next_move as m
from remit.run.change import ChangeSet
from remit.run.ladder import conditions, next_rung, unlocked
from remit.run.statement import acceptance_statement, answer_statement, read_statement
from remit.value import digest


def done(story: Story, why: str = "ended", attempt: int = 1) -> None:
    story.tell(
        e.AttemptStarted(run=RUN, attempt=attempt),
        e.WorkDone(run=RUN, attempt=attempt, status=0, why=why, sealed="s", receipt="gone"),  # type: ignore[arg-type]
        e.ChangesJudged(run=RUN, attempt=attempt, changes=ChangeSet()),
    )


def checked(story: Story, *failed: str, round_: int = 1) -> None:
    story.tell(e.ChecksFinished(run=RUN, round=round_, failed=failed))


def test_every_condition_that_holds_is_named_and_no_other() -> None:
    story = begun()
    done(story, "stuck")
    assert conditions(story.run) == ("stuck",)
    refusal = e.Blocked(run=RUN, what="x", object="y", by="z")
    story.tell(refusal)
    assert conditions(story.run) == ("stuck",)
    checked(story, "links", "other")
    assert conditions(story.run) == ("links fails", "other fails", "any check fails", "stuck")


def test_rungs_are_taken_in_the_order_of_the_file_and_each_as_often_as_it_says() -> None:
    ladder = (
        Recovery(when="stuck", do="stop"),
        Recovery(when="links fails", do="retry", times=2),
        Recovery(when="failed", do="undo"),
    )
    story = begun(ladder)
    done(story)
    checked(story, "links")
    for entry, do in ((1, "retry"), (1, "retry"), (2, "undo")):
        found = next_rung(story.run)
        assert found is not None
        assert (found[0], found[1].do) == (entry, do)
        story.tell(e.RecoveryEntered(run=RUN, entry=entry, when=found[1].when, do=do, why="w"))
    assert next_rung(story.run) is None
    assert unlocked(story.run) == (ladder[1], ladder[2])


def test_a_retry_that_is_no_retry_is_taken_once_whatever_its_times() -> None:
    story = begun((Recovery(when="links fails", do="ask owner", times=5),))
    done(story)
    checked(story, "links")
    story.tell(e.RecoveryEntered(run=RUN, entry=0, when="links fails", do="ask owner", why="w"))
    assert next_rung(story.run) is None


@pytest.mark.parametrize(("seconds", "move"), [(59, m.Rest), (60, m.Expire), (61, m.Expire)])
def test_a_question_runs_out_at_its_moment_and_not_before(seconds: int, move: type[m.Move]) -> None:
    story = begun(publish="ask")
    done(story)
    checked(story)
    story.tell(
        e.VerdictReached(run=RUN, verdict="success"),
        e.Notified(run=RUN, who="o", how="inbox", what="?", ending=True),
        e.QuestionAsked(run=RUN, question="Q1", about="publish", text="?", of=("o",), expires=START + timedelta(seconds=60)),
    )
    assert isinstance(m.next_move(story.run, START + timedelta(seconds=seconds)), move)


def test_an_answer_that_came_in_time_is_not_undone_by_a_late_expiry_nor_by_a_second_answer() -> None:
    story = begun(publish="ask")
    story.tell(e.QuestionAsked(run=RUN, question="Q1", about="publish", text="?", of=("o",)))
    for said in ("yes", "no"):
        story.tell(
            e.QuestionAnswered(
                run=RUN, question="Q1", answer=said, person="o", assurance="terminal", statement="s", signature="g", key="k"
            )  # type: ignore[arg-type]
        )
    story.tell(
        e.QuestionExpired(run=RUN, question="Q1", otherwise="stop"), e.QuestionExpired(run=RUN, question="Q9", otherwise="stop")
    )
    run = story.run
    assert (run.questions["Q1"].said, run.questions["Q1"].expired, run.stop) == ("yes", False, "")


def test_the_first_stop_is_the_one_that_is_told() -> None:
    story = begun()
    story.tell(e.StopAsked(run=RUN, by="o", why="enough"), e.StopAsked(run=RUN, by="p"))
    assert m.next_move(story.run, START) == m.Conclude(verdict="stopped", why="o: enough")


def test_time_is_charged_from_the_start_of_an_attempt_to_its_end() -> None:
    story = begun()
    done(story)
    assert story.run.spend == Spend(time=1.0)
    assert story.run.attempt == 1


def test_a_reservation_is_held_until_the_child_ends_and_then_settled_to_what_it_spent() -> None:
    story = begun()
    held, used = Spend(turns=5, calls=4, tokens=3, usd=2), Spend(turns=2, calls=1, tokens=1, usd=1, time=9.0)
    story.tell(
        e.ChildStarted(run=RUN, child="r1.1", key="k1", reserved=held),
        e.ChildStarted(run=RUN, child="r1.2", key="k2", reserved=held),
    )
    assert story.run.reserved == held.plus(held)
    ended = e.ChildEnded(run=RUN, child="r1.1", verdict="success", spend=used)
    story.tell(ended, ended)
    run = story.run
    assert run.reserved == held
    assert run.spend == Spend(turns=2, calls=1, tokens=1, usd=1), "its time passed while its parent's did"
    assert (dict(run.keys), list(run.children)) == ({"k1": "r1.1", "k2": "r1.2"}, ["r1.2"])


def test_what_is_signed_reads_back_line_by_line_and_nothing_else_does() -> None:
    said = answer_statement("r", "Q1", "yes", "o", "d", "c", "t", assurance="terminal", note="two\nlines: yes")
    assert read_statement(said) == {
        "form": "remit.answer/1", "run": "r", "question": "Q1", "answer": "yes", "person": "o",
        "assurance": "terminal", "action": "d", "contract": "c", "at": "t", "note": digest("two\nlines: yes"),
    }  # fmt: skip
    taken = acceptance_statement("r", "accepted", "o", "c", "s", "t", assurance="session")
    assert read_statement(taken) == {
        "form": "remit.acceptance/1", "run": "r", "acceptance": "accepted", "person": "o",
        "assurance": "session", "contract": "c", "outcome": "s", "at": "t",
    }  # fmt: skip
    assert read_statement(said + "answer: no\n") == {}
    assert read_statement(said + "loose\n") == {}
