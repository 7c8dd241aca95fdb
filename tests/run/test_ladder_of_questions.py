"""What a question has come to: quorum, a change, a no, silence; and who is next."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from run_people import CONTRACT, FINANCE, LEAD, OWNER, asked, refund, said
from test_lifecycle import START

from remit.run.asking import deadline, escalation, next_person, of, reminders_due
from remit.run.people import QuestionAnswered
from remit.run.state import Asked

ACTION, LESS = refund(), refund(currency="CHF")
PEOPLE = st.sampled_from([LEAD, OWNER, FINANCE])
ANSWERS = st.one_of(
    st.builds(said, st.just("Q1"), st.sampled_from(["yes", "no", "modify"]), PEOPLE),
    st.builds(lambda person: said("Q1", "modify", person, action=LESS, digest=LESS.digest()), PEOPLE),
)


def question(*answers: QuestionAnswered, quorum: int = 1, expired: bool = False, rung: int = 0) -> Asked:
    return Asked(question=asked("Q1", ACTION, quorum=quorum), at=START, answers=answers, expired=expired, rung=rung)


@given(st.lists(ANSWERS, max_size=6), st.integers(1, 3))
def test_a_yes_is_that_of_as_many_different_people_as_were_wanted(answers: list[QuestionAnswered], quorum: int) -> None:
    asked_ = question(*answers, quorum=quorum)
    if asked_.said == "yes":
        assert len({each.person for each in asked_.counting}) >= quorum
        assert all(each.answer in {"yes", "modify"} for each in asked_.counting)


@given(st.lists(ANSWERS, min_size=1, max_size=6), st.integers(1, 3))
def test_answers_before_a_change_of_the_action_never_count(answers: list[QuestionAnswered], quorum: int) -> None:
    asked_ = question(*answers, quorum=quorum)
    changes = [at for at, each in enumerate(answers) if each.action is not None]
    first = changes[-1] if changes else 0
    assert asked_.counting == tuple(answers[first:])


@given(st.lists(ANSWERS, max_size=6), st.integers(1, 3))
def test_what_ran_out_of_time_is_a_no_unless_it_was_settled_before(answers: list[QuestionAnswered], quorum: int) -> None:
    open_, over = question(*answers, quorum=quorum), question(*answers, quorum=quorum, expired=True)
    assert over.said == (open_.said or "no")
    if not open_.said:
        assert over.answer is None


def test_one_person_is_no_quorum_however_often_they_say_yes() -> None:
    twice = (said("Q1", "yes"), said("Q1", "yes"))
    assert question(*twice, quorum=2).said == ""
    assert question(*twice, said("Q1", "yes", FINANCE), quorum=2).said == "yes"
    assert question(*twice, said("Q1", "no", FINANCE), quorum=2).said == "no"


def test_a_change_by_one_needs_the_others_again() -> None:
    change = said("Q1", "modify", FINANCE, action=LESS, digest=LESS.digest())
    assert question(said("Q1", "yes"), change, quorum=2).said == ""
    assert question(said("Q1", "yes"), change, said("Q1", "yes"), quorum=2).said == "yes"
    assert question(said("Q1", "yes"), said("Q1", "modify", FINANCE), quorum=2).said == "yes", "a condition changes no action"


def test_a_doubt_says_what_became_of_it() -> None:
    for word in ("happened", "redo", "abandon"):
        assert question(said("Q1", word)).said == word


def test_the_ladder_names_one_person_after_another_and_then_nobody() -> None:
    rung = of(CONTRACT, question().question)
    assert rung is escalation(CONTRACT, "refund")
    assert next_person(CONTRACT, question()) == FINANCE
    assert next_person(CONTRACT, question(rung=1)) == ""
    assert deadline(rung, START) == START + timedelta(seconds=60)
    assert deadline(None, START) is None
    assert escalation(CONTRACT, "elsewhere") is None


def test_a_doubt_stands_under_the_escalation_for_doubts_although_it_names_an_act() -> None:
    doubt = asked("Q2", ACTION, "R1:E1", about="doubt")
    assert of(CONTRACT, doubt) is escalation(CONTRACT, "doubt")


@given(st.integers(0, 500))
def test_reminders_are_counted_from_when_it_was_asked(seconds: int) -> None:
    assert reminders_due(CONTRACT, question(), START + timedelta(seconds=seconds)) == seconds // 20
