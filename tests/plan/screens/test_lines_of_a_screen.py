"""What agents and files say becomes one honest line: nothing hidden, nothing a terminal acts on, never too long."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.plan.screens.line import LONGEST, line, lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x1b[0mc", "abc"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x9b2Jb", "ab"),
        ("a\u202eb\u200bc\ufe0fd", "abcd"),
        ("a\r\nb\tc\u2028d\x0be", "a b c d e"),
        ("  a   b  ", "a b"),
        ("\U000e0041a", "a"),
        ("größer ✓ 東京", "größer ✓ 東京"),
        ("\ud800x", "x"),
    ],
)
def test_only_what_a_person_sees_is_left(text: str, shown: str) -> None:
    assert line(text) == shown


@given(st.text(max_size=2000), st.integers(2, 400))
def test_a_line_is_one_bounded_line_and_stays_as_it_is(text: str, most: int) -> None:
    said = line(text, most)
    assert len(said) <= most
    assert said.isprintable()
    assert line(said, most) == said


def test_what_is_cut_says_so() -> None:
    assert line("x" * 1000) == "x" * (LONGEST - 1) + "…"


def test_several_lines_keep_their_indentation_and_no_more_than_so_many() -> None:
    assert lines("\n\na:\n\tb\n\n  c  \n\n") == ["a:", "  b", "", "  c"]
    assert len(lines("x\n" * 10_000)) == 400
    assert lines("\n \n") == []


def test_a_very_long_text_costs_no_more_than_its_line() -> None:
    began = time.process_time()
    line("\x1b[" * 1_000_000)
    lines("\x1b]" * 1_000_000)
    assert time.process_time() - began < 1
