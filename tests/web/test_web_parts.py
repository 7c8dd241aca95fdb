"""The pieces of the pages: times, numbers, JSON texts, diffs, drawings, and the signer that signs only what was seen."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import Conflict
from remit.evidence.signature import verify_signature
from remit.run.statement import ACCEPTANCE, ANSWER, answer_statement
from remit.testing.signer import PaperSigner
from remit.web.attest import SessionSigner
from remit.web.drawings import Line, Node, burndown, timeline, tree
from remit.web.guard import address
from remit.web.told import LANES, Moment
from remit.web.unified import parts
from remit.web.words import dollars, from_json, json_text, relative, span, visible

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-9999, max_value=9999) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
def test_a_value_that_nobody_touched_comes_back_as_it_was(value: object) -> None:
    assert from_json(json_text(value)) == value
    assert json_text(from_json(json_text(value))) == json_text(value)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", '{"a": 1, "a": 1}', "1,5", "'a'", ""])
def test_what_is_no_json_is_no_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


def test_numbers_stay_digit_for_digit() -> None:
    assert json_text({"amount": Decimal("50.10"), "n": 3}) == '{"amount": 50.10, "n": 3}'
    assert from_json("50.10") == Decimal("50.10") and str(from_json("50.10")) == "50.10"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (5999, "1 h 39 min"),
        (90000, "1 d"),
        (2e6, "3 weeks"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_moments_lie_before_and_after() -> None:
    assert relative(NOW - timedelta(minutes=3), NOW) == "3 min ago"
    assert relative(NOW + timedelta(hours=2), NOW) == "in 2 h"
    assert relative(NOW, NOW) == "just now"


def test_money_shows_parts_of_a_cent_only_where_there_are_some() -> None:
    assert [dollars(micro) for micro in (0, 2_000_000, 460_000, 1_234, 1_234_560_000)] == [
        "$0.00",
        "$2.00",
        "$0.46",
        "$0.0012",
        "$1,234.56",
    ]


def test_what_turns_text_around_is_written_out() -> None:
    assert visible("a\u202egpj.exe\x07\u200b") == "a\\u202egpj.exe\\x07\\u200b"


DIFF = """changed: a.py
--- a/a.py
+++ b/a.py
@@ -1,3 +1,3 @@
 keep
--- not a name
+++ not a name
new file: b.py
  mode 0644 -> 0755
--- a/b.py
+++ b/b.py
@@ -0,0 +1 @@
+changed: nothing
"""


def test_lines_of_a_diff_are_told_apart_even_where_they_look_alike() -> None:
    lines, left = parts(DIFF)
    assert [line.kind for line in lines] == [
        "file",
        "note",
        "note",
        "hunk",
        "same",
        "cut",
        "add",
        "file",
        "note",
        "note",
        "note",
        "hunk",
        "add",
    ]
    assert left == 0 and "\n".join(line.text for line in lines) + "\n" == DIFF


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_diff_that_is_too_long_says_how_much_is_missing(most: int, count: int) -> None:
    diff = "".join(f"+{number}\n" for number in range(count))
    lines, left = parts(diff, lines=most)
    assert len(lines) + left == count and len(lines) <= most


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from(LANES), st.sampled_from(["good", "bad", "wait", "plain"]), TEXT, TEXT),
        max_size=12,
    )
)
def test_a_timeline_has_a_mark_for_each_fact_whatever_its_words(rows: list[tuple[int, str, str, str, str]]) -> None:
    moments = [
        Moment(at=NOW + timedelta(seconds=at), lane=lane, tone=tone, what=what, about=about)  # type: ignore[arg-type]
        for at, lane, tone, what, about in sorted(rows)
    ]
    drawn = timeline(moments, NOW)
    if moments:
        root = ElementTree.fromstring(str(drawn))
        marks = [each for each in root.iter() if (each.get("class") or "").startswith("m-")]
        assert len(marks) == len(moments)
        assert {each.tag for each in root.iter()} <= {"svg", "title", "text", "line", "path", "circle", "rect"}


def test_a_long_timeline_keeps_what_went_wrong_and_stays_small() -> None:
    moments = [
        Moment(at=NOW + timedelta(seconds=at), lane="decisions", tone="bad" if at == 3333 else "good", what="x" * 40)
        for at in range(9000)
    ]
    drawing = str(timeline(moments, NOW))
    assert drawing.count('class="m-bad"') == 1 and "9000 facts" in drawing
    assert len(drawing) < 60_000


@given(TEXT, st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_drawings_hold_no_markup_but_their_own(text: str, left: list[float]) -> None:
    drawn = burndown([Line(name=f"{text}{at}", points=((0.0, 1.0), (5.0, share))) for at, share in enumerate(left)])
    assert {each.tag for each in ElementTree.fromstring(str(drawn)).iter()} <= {"svg", "title", "text", "line", "path"}
    nodes = [
        Node(run=f"r{at}", parent="r0" if at else "", depth=bool(at), stands=text, tone="plain", goal=text) for at in range(3)
    ]
    assert {each.tag for each in ElementTree.fromstring(str(tree(nodes))).iter()} <= {"svg", "title", "text", "rect", "path", "a"}


def test_the_signer_of_a_session_signs_what_was_seen_and_nothing_else() -> None:
    key = PaperSigner("inbox@example.com")
    signer = SessionSigner("lead@example.com", key, "sha256:seen")

    def said(person: str, digest: str) -> bytes:
        return answer_statement("r1", "Q1", "yes", person, digest, "sha256:c", "2030-01-01", assurance="session").encode()

    async def story() -> None:
        good = said("lead@example.com", "sha256:seen")
        assert verify_signature(signer.public, good, await signer.sign(good, namespace=ANSWER), ANSWER)
        for other in (said("lead@example.com", "sha256:other"), said("boss@example.com", "sha256:seen"), b"remit.answer/1\n"):
            with pytest.raises(Conflict):
                await signer.sign(other, namespace=ANSWER)
        assert await signer.sign(b"an acceptance", namespace=ACCEPTANCE)

    anyio.run(story)


def test_the_names_of_a_server_are_those_it_is_reached_by() -> None:
    assert address("127.0.0.1", 8737).hosts == {"127.0.0.1:8737", "localhost:8737", "[::1]:8737"}
    outside = address("0.0.0.0", 80, "https://Inbox.example.com")
    assert outside.hosts == {"inbox.example.com"} and outside.secure
    assert outside.origin("inbox.example.com") == "https://inbox.example.com"
    assert json.dumps(sorted(address("10.0.0.5", 80).hosts)[0]) == '"10.0.0.5:80"'
