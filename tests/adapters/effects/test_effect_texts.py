"""What is read from the environment is kept out of what is told, and what cannot be said exactly is not sent."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.adapters.effects.arguments import json_text, readable, usable
from remit.adapters.effects.http_target import filled, reachable
from remit.adapters.effects.secret import Secrets, named, without_user
from remit.errors import BadInput


def test_a_name_stands_for_its_value_wherever_it_stands() -> None:
    secrets = Secrets({"A": "first", "B_2": "second"})
    assert secrets.read("Bearer $A") == "Bearer first"
    assert secrets.read("${A}$B_2") == "firstsecond"
    assert secrets.read("pa$sword costs $5 and $$") == "pa$sword costs $5 and $$"
    assert not named("pa$sword costs $5")


@pytest.mark.parametrize("text", ["$GONE", "x${GONE}", "$EMPTY"])
def test_a_variable_that_is_not_set_is_named(text: str) -> None:
    with pytest.raises(BadInput, match=r"\$(GONE|EMPTY)"):
        Secrets({"EMPTY": ""}).read(text)


def test_a_value_is_not_read_twice() -> None:
    assert Secrets({"A": "$B", "B": "deep"}).read("$A") == "$B"


@given(st.text(alphabet='ab"\\/ü\n%&', min_size=4, max_size=12))
def test_no_way_of_writing_a_secret_shows_it(value: str) -> None:
    from urllib.parse import quote

    secrets = Secrets({"A": value})
    secrets.read("$A")
    for form in (value, json_text(value)[1:-1], quote(value, safe="")):
        assert form not in secrets.covered(f"<{form}>")


def test_a_short_value_is_no_secret_and_changes_no_amount() -> None:
    secrets = Secrets({"PORT": "50"})
    secrets.read("$PORT")
    assert secrets.covered("50.00") == "50.00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pw@host/x", "https://host/x"),
        ("see https://tok@h/ and postgresql://u:p@ss@db/x", "see https://h/ and postgresql://db/x"),
        ("ssh://git:pw@host/x", "ssh://git@host/x"),
        ("git@host:x", "git@host:x"),
        ("https://bot:$TOKEN@h/x", "https://bot:$TOKEN@h/x"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_urls_are_shown_without_a_login(text: str, shown: str) -> None:
    assert without_user(text) == shown


def test_looking_for_logins_in_a_long_answer_takes_no_time() -> None:
    for part in ("x", "a:", "http://", "http://a", "://", "a+"):
        without_user(part * 50_000)


def test_what_others_say_is_one_short_line() -> None:
    said = Secrets({}).line("no\r\n\x1b[2J\u202e" + "x" * 1000)
    assert said.startswith("no [2J x")
    assert len(said) == 300
    assert said.isprintable()
    assert readable("a\u202eb\x1b\n") == "a\\u202eb\\u001b\n"


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        0.1,
        Decimal("NaN"),
        Decimal("Infinity"),
        "\ud800",
        b"x",
        object(),
        {1: 2},
        {"\udfff": 1},
        [0.5],
        {"a": [{"b": 1.5}]},
        {1, 2},
    ],
)
def test_what_json_cannot_say_exactly_is_bad_input(value: Any) -> None:
    with pytest.raises(BadInput, match="`x`"):
        usable({"x": value})


def test_what_is_nested_too_deeply_is_bad_input() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(BadInput, match="deep"):
        usable({"x": deep})


@given(st.text(max_size=30), st.sampled_from(["https://api.example/a/{x}/b", "https://api.example/a?q={x}&r=1"]))
def test_whatever_an_argument_is_the_rest_of_the_address_stays(value: str, url: str) -> None:
    from urllib.parse import parse_qsl, unquote, urlsplit

    try:
        usable({"x": value})
        made = filled(url, {"x": value})
    except BadInput:
        return
    assert reachable(made)[:3] == ("https", "api.example", 443)
    parts = urlsplit(made)
    if parts.query:
        assert parse_qsl(parts.query, keep_blank_values=True) == [("q", value), ("r", "1")]
    else:
        assert [unquote(step) for step in parts.path.split("/")] == ["", "a", value, "b"]
