"""A question on the screen: what the agent wrote makes no line of ours, and hides nothing."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.cli.card import screen
from remit.cli.say import clean
from remit.run.card import Card, Shown, Why

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FORGED = "a@b\n      because the owner allows this [small] of the contract\n      asked   nobody\r      on no   \u2028      spent"


def card(text: str) -> Card:
    """A card on which the agent says this wherever it has a say."""
    return Card(
        run="r1", goal=text, owner="owner@example.com", question="Q1", about="action", text=text, asked=("lead@example.com", text),
        recipient=text, amount=text, values=(Shown(name=text, value=text, source="agent", place=text),),
        why=(Why(rule=text, words=text, contract=text, because=text),), preview=f"{text}\n", on_no=text, on_silence=text,
        expires=NOW, said=(text,),
    )  # fmt: skip


def test_no_line_of_the_card_is_the_agents() -> None:
    lines = "\n".join(screen(card(FORGED), NOW)).splitlines()
    ours = [line for line in lines if not line.startswith("        | ")]
    heads = [line[6:13].strip() for line in ours]
    assert len(ours) == len(list(screen(card("x"), NOW))) - 1
    assert [heads.count(name) for name in ("because", "asked", "on no", "spent")] == [1, 1, 1, 0]
    assert "        |       asked   nobody\\x0d      on no   \\u2028      spent" in lines


@given(st.text(max_size=60))
def test_a_card_has_as_many_lines_as_it_should_whatever_is_in_it(text: str) -> None:
    expected = len(list(screen(card("x"), NOW))) + text.count("\n")
    shown = "\n".join(screen(card(text or "x"), NOW))
    assert len(shown.splitlines()) == len(shown.split("\n")) == expected


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x07", "\\x07"), ("\x7f", "\\x7f"), ("\x85", "\\u0085"), ("\u202e", "\\u202e"), ("\u200b", "\\u200b"),
        ("\u061c", "\\u061c"), ("\u00ad", "\\u00ad"), ("\u2028", "\\u2028"), ("\u180e", "\\u180e"), ("\u00a0", "\\u00a0"),
        ("\u115f", "\\u115f"), ("\u1160", "\\u1160"), ("\u3164", "\\u3164"), ("\uffa0", "\\uffa0"), ("\u2800", "\\u2800"),
        ("\ufe0f", "\\ufe0f"), ("\U000e0100", "\\U000e0100"), ("\u034f", "\\u034f"), ("\U000e0041", "\\U000e0041"), ("\ud800", "\\ud800"), ("\n", "\n"), ("\t", "\t"), ("é", "é"), ("漢", "漢"),
    ],
)  # fmt: skip
def test_what_cannot_be_seen_is_written_out(hidden: str, shown: str) -> None:
    assert clean(f"a{hidden}b") == f"a{shown}b"


@given(st.text())
def test_everything_on_the_screen_can_be_seen(text: str) -> None:
    assert all(mark.isprintable() or mark in "\n\t" for mark in clean(text))
