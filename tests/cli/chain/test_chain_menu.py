"""A menu: the number and the word both answer, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.cli.menu import LATER, REPORT, has_menu, offered, picked
from remit.run.event import QuestionAsked

STEP = QuestionAsked(run="r", question="Q1", about="step", text="t", of=("a",), options=("retry", "skip", "abort"), step="s")
GAPS = QuestionAsked(run="r", question="Q2", about="gaps", text="t", of=("a",), options=("generate", "accept"))
PLAIN = QuestionAsked(run="r", question="Q3", about="step", text="t", of=("a",), step="s")


@pytest.mark.parametrize("question", [STEP, GAPS])
def test_the_number_and_the_word_mean_the_same(question: QuestionAsked) -> None:
    words = offered(question)
    for number, word in enumerate(words, 1):
        assert picked(words, str(number)) == picked(words, f" {number}. ") == picked(words, word.upper()) == word


def test_the_report_is_offered_for_gaps_alone_and_is_no_answer() -> None:
    assert (offered(GAPS)[-1], REPORT in offered(STEP), REPORT in GAPS.options) == (REPORT, False, False)


def test_a_question_without_options_has_no_menu() -> None:
    assert (has_menu(STEP), has_menu(GAPS), has_menu(PLAIN), offered(PLAIN)) == (True, True, False, ())


@given(st.text(max_size=12))
def test_whatever_is_typed_is_an_answer_of_the_menu_or_later_or_nothing(said: str) -> None:
    assert picked(offered(STEP), said) in {*offered(STEP), LATER, ""}


@pytest.mark.parametrize("said", ["0", "4", "-1", "²", "1.5", "yes", "reTry it"])
def test_what_is_not_on_the_menu_answers_nothing(said: str) -> None:
    assert picked(offered(STEP), said) == ""
