"""A copy of an answer is read the same in whatever pieces it comes, and in bounded memory."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_vendor import ANTHROPIC, CHAT, GEMINI, RESPONSES, events

from remit.adapters.models import reading
from remit.adapters.models.reading import Reading, Tally
from remit.adapters.models.routes import FORMATS
from remit.adapters.models.sse import Events
from remit.ports.models import ToolUse, Usage

STREAMS: dict[str, bytes] = {
    "anthropic": b"".join(events(ANTHROPIC).pieces),
    "responses": b"".join(events(RESPONSES).pieces),
    "chat": b"".join(events(CHAT, done=True).pieces),
    "gemini": b"".join(events(GEMINI).pieces),
}
EACH = pytest.mark.parametrize("dialect", STREAMS)


def read(dialect: Any, pieces: list[bytes], kind: str = "events") -> Tally:
    form = FORMATS[dialect]
    along = Reading(form.event, form.whole, kind)
    for piece in pieces:
        along.feed(piece)
    along.end()
    return along.tally


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(marks)]


@EACH
@given(places=st.lists(st.integers(min_value=0, max_value=5000), max_size=40), ends=st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_pieces_give_the_same_reading(dialect: str, places: list[int], ends: bytes) -> None:
    tally = read(dialect, cut_at(STREAMS[dialect].replace(b"\n", ends), places))
    assert tally.usage == Usage(input=100, output=10, cache_read=20, cache_write=10 if dialect == "anthropic" else 0)
    assert tally.tools == (ToolUse(id="t1", name="shell", arguments='{"command":"ls"}'),)


@EACH
def test_byte_by_byte_is_no_different(dialect: str) -> None:
    data = STREAMS[dialect]
    assert read(dialect, [data[place : place + 1] for place in range(len(data))]).usage == read(dialect, [data]).usage


@EACH
def test_a_stream_that_breaks_off_anywhere_says_nothing_or_everything(dialect: str) -> None:
    data = STREAMS[dialect]
    whole = read(dialect, [data]).usage
    found = [read(dialect, [data[:end]]).usage for end in range(0, len(data), 7)]
    assert set(map(str, found)) <= {str(None), str(whole)}
    assert found[len(found) // 3] is None


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=8), min_size=1, max_size=3), max_size=5), st.lists(st.integers(0, 200), max_size=10), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())  # fmt: skip
def test_events_are_what_the_standard_says(messages: list[list[str]], places: list[int], end: str, mark: bool) -> None:
    text = "".join(f": a comment{end}event: x{end}" + "".join(f"data: {line}{end}" for line in lines) + end for lines in messages)
    data = (b"\xef\xbb\xbf" if mark else b"") + text.encode()
    stream = Events()
    found = [each for piece in cut_at(data, places) for each in stream.feed(piece)]
    assert found == ["\n".join(lines).encode() for lines in messages]


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_whatever_comes_the_reading_does_not_break(pieces: list[bytes]) -> None:
    for dialect in STREAMS:
        for kind in ("events", "json", ""):
            assert read(dialect, pieces, kind).usage is None


VALUES = st.recursive(st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "usage", "index", "delta", "message", "content_block", "choices", "tool_calls", "function", "response", "item", "candidates", "content", "parts", "functionCall", "usageMetadata", "input_tokens", "output_tokens"]), inner, max_size=4), max_leaves=10)  # fmt: skip
KINDS = [
    "message_start",
    "message_delta",
    "content_block_start",
    "content_block_delta",
    "message_stop",
    "response.completed",
    "response.output_item.done",
]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(["usage", "index", "delta", "message", "content_block", "choices", "response", "item", "output_index", "candidates", "usageMetadata"]), VALUES, max_size=4)), max_size=5))  # fmt: skip
def test_a_strange_provider_does_not_break_the_reading(said: list[tuple[str, dict[str, Any]]]) -> None:
    data = b"".join(b"data: " + msgspec.json.encode({"type": kind} | more) + b"\n\n" for kind, more in said)
    for dialect in STREAMS:
        tally = read(dialect, [data])
        assert tally.usage is None or tally.usage.input >= 0


@pytest.mark.parametrize("count", [-1, True, "5", 1.5, 10**13])
def test_a_count_that_is_none_is_no_count(count: Any) -> None:
    answer = msgspec.json.encode({"content": [], "usage": {"input_tokens": 5, "output_tokens": count}})
    assert read("anthropic", [answer], "json").usage is None


def test_an_event_that_is_too_long_ends_the_reading_not_the_answer() -> None:
    stream = Events(longest=100)
    assert stream.feed(b"data: 1\n\n") == [b"1"]
    assert stream.feed(b"data: " + b"x" * 200) == []
    assert stream.feed(b"\n\ndata: 2\n\n") == []
    assert stream.lost


def test_after_a_lost_event_nothing_is_claimed_to_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.adapters.models.sse.Events.__init__.__defaults__", (1000,))
    filler = b": " + b"x" * 2000 + b"\n\n"
    assert read("anthropic", [STREAMS["anthropic"] + filler]).usage is None


def test_only_so_much_of_the_tools_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_TOOLS", 2)
    monkeypatch.setattr(reading, "MOST_WRITTEN", 10)
    tally = Tally()
    for place in range(5):
        tally.call(place, f"id{place}" * 200, "shell", "1234567")
    assert [len(tool.arguments) for tool in tally.tools] == [7, 3]
    assert all(len(tool.id) <= 200 for tool in tally.tools)


def test_a_server_that_says_the_id_with_every_piece_is_understood() -> None:
    calls = [{"index": 0, "id": "t1", "function": {"name": "shell", "arguments": text}} for text in ('{"a":', "1}")]
    said = [{"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]} for call in calls]
    tally = read("chat", events(said).pieces)
    assert tally.tools == (ToolUse(id="t1", name="shell", arguments='{"a":1}'),)


def test_a_count_before_the_model_has_finished_is_not_the_whole() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1}
    running = [{"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}], "usage": usage}]
    assert read("chat", events(running).pieces).usage is None
    done = [
        *running,
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage | {"completion_tokens": 9}},
    ]
    assert read("chat", events(done).pieces).usage == Usage(input=5, output=9)


def test_a_prompt_that_gemini_blocks_is_counted() -> None:
    said = {"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": {"promptTokenCount": 9}}
    assert read("gemini", events([said]).pieces).usage == Usage(input=9)
