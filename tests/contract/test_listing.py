"""Exceptions by list, a value out of a file, a search: what an agent wrote, read without trusting it."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.check_program import argument_paths, program_paths
from remit.contract.data_path import DEPTH, JSON_MARKS, NUMBER, YAML_VALUES, at, value_at
from remit.contract.listing import LONGEST, items, text, unlisted
from remit.contract.search import SHOWN, search

LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n`~"), min_size=1).map(str.strip).filter(bool)


# ------------------------------------------------------------------------------------------------ lists of exceptions


def test_every_line_that_is_not_blank_is_an_item_of_either_stream() -> None:
    assert items(" a \n\n\tb\r\n", "Traceback:\n  File x\n") == ("a", "b", "Traceback:", "File x")
    assert items("", "\n \n") == ()
    assert items("a\x0bb\u2028c") == ("a\x0bb\u2028c",)


@pytest.mark.parametrize(
    "line",
    [
        "a.md",
        "  a.md  ",
        "- a.md",
        "* a.md",
        "+ a.md",
        "1. a.md",
        "12.  a.md",
        "`a.md`",
        "- `a.md`",
        "\t- ` a.md `\r",
        "```\na.md\n```",
    ],
)
def test_a_line_that_is_the_item_lists_it(line: str) -> None:
    assert unlisted(["a.md"], line.encode()) == ()


@pytest.mark.parametrize(
    "line",
    [
        "", "this is a.md", "a.md, honest", "a.md.", "- - a.md", "-a.md", "-- a.md", "``a.md``", "`a.md", "a.md`", "a. a.md",
        "1.a.md", "1234567890. a.md", "(a.md)", "a.m", "A.md", "`- a.md`", "```\n- a.md\n```", "~~~\n`a.md`\n~~~", "```a.md\n```",
        "```\n`````", "~~~~a.md", "# a.md", "- [ ] a.md", "a.md\x00", "a.md/", "` `",
    ],
)  # fmt: skip
def test_a_line_that_only_holds_the_item_lists_nothing(line: str) -> None:
    assert unlisted(["a.md"], line.encode()) == ("a.md",)


@pytest.mark.parametrize("item", ["- a", "`a`", "- `a`", "1. a", "```", "~~~"])
def test_an_item_that_looks_like_markdown_can_be_listed_as_it_stands(item: str) -> None:
    assert unlisted([item], f"~~~~\n{item}\n~~~~".encode()) == ()
    if item[0] not in "`~" or item == "`a`":
        assert unlisted([item], item.encode()) == ()


@pytest.mark.parametrize(
    ("listing", "missing"),
    [
        ("```\na\n```\n- b", ()), ("```\na\n- b", ("b",)), ("~~~\na\n```\n- b\n~~~", ("b",)), ("````\n```\na\n````\n- b", ()),
        ("```\na\n``` x\n- b", ("b",)), ("```x`y\n- a\n- b", ()), ("```\n~~~\n```\n- a\n- b", ()), ("```\n```\n- a\n- b", ()),
        ("- ```\n- a\n- b", ()), ("```\n``\n- a\n- b", ("a", "b")), ("```\n````\n- a\n- b", ()),
    ],
)  # fmt: skip
def test_a_fence_ends_where_markdown_ends_it(listing: str, missing: tuple[str, ...]) -> None:
    assert unlisted(["a", "b"], listing.encode()) == missing


def test_what_is_missing_is_told_in_order_and_a_repeated_item_is_listed_once() -> None:
    assert unlisted(["c", "a", "b", "a"], b"- b\n") == ("c", "a", "a")
    assert unlisted(["a", "a"], b"a") == ()
    assert unlisted([], b"") == ()


def test_bytes_that_are_no_text_stay_apart() -> None:
    assert text(b"docs/\xff") != text(b"docs/\xfe")
    assert unlisted([text(b"docs/\xff")], b"- docs/\xfe\n- docs/\xef\xbf\xbd\n") == (text(b"docs/\xff"),)
    assert unlisted([text(b"docs/\xff")], b"- docs/\xff\n") == ()


def test_a_line_longer_than_any_item_is_passed_over() -> None:
    long = b"x" * LONGEST
    assert unlisted(["a", long.decode()], long + b"\na") == ()
    assert unlisted(["a"], long + b"x\na") == ()
    assert unlisted([f"{long.decode()}x"], long + b"x") == (f"{long.decode()}x",)


@given(st.lists(LINE, max_size=8), st.sampled_from(["{}", "- {}", "* {}", "1. {}", "`{}`", "- `{}`"]))
def test_whatever_is_listed_is_found(wanted: list[str], form: str) -> None:
    listing = "\n".join(form.format(each) for each in wanted)
    assert unlisted(wanted, listing.encode()) == ()


@given(LINE, st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=10).map(str.strip).filter(bool))
def test_more_on_the_line_is_another_item(item: str, more: str) -> None:
    assert unlisted([item], f"a {item} {more}".encode()) == (item,)


# ------------------------------------------------------------------------------------------------ a value out of a file


def test_a_value_is_found_along_lists_and_tables() -> None:
    value = {"a": {"b": [1, {"c": "d"}]}, "n": None}
    assert at(value, "$.a.b[1].c") == "d"
    assert at(value, "$.a.b[0]") == 1
    assert at(value, "$.n") is None
    assert at(value, "$") == value
    assert at([[1, 2]], "$[0][1]") == 2


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("$.x", "there is no `x`"),
        ("$.a.b[2]", "in a list of 2"),
        ("$.a[0]", "no list"),
        ("$.a.b.c", "no `c`"),
        ("$.a.b[-1]", "-1"),
    ],
)
def test_what_is_not_there_is_said(path: str, why: str) -> None:
    with pytest.raises(LookupError, match=why.replace("[", r"\[")):
        at({"a": {"b": [1, 2]}}, path)


def test_json_and_yaml_are_read_as_they_always_were() -> None:
    assert value_at("json", b'\xef\xbb\xbf{"a": [1.5, true]}', "$.a") == [1.5, True]
    assert value_at("yaml", b"a:\n  - 1.5\n  - no\n  - 'x'\n", "$.a") == [1.5, False, "x"]
    assert value_at("yaml", b"a: |\n" + b"  " + b"x" * (2 * NUMBER) + b"\n", "$.a") == "x" * (2 * NUMBER) + "\n"
    assert value_at("yaml", b"a: " + b"word " * NUMBER, "$.a") == ("word " * NUMBER).strip()
    assert value_at("yaml", b"a: " + b"1" * NUMBER, "$.a") == int("1" * NUMBER)


NESTED = DEPTH + 1
YAML_BOMB = b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
REFUSED: list[tuple[Any, bytes, str]] = [
    ("json", b"[" * 100_000, "nested more than"),
    ("json", b"[" * NESTED + b"]" * NESTED, "nested more than"),
    ("json", b'{"a":' * NESTED + b"1" + b"}" * NESTED, "nested more than"),
    ("json", b"[" + b"0," * JSON_MARKS + b"0]", "holds more than"),
    ("json", b"{nothing}", "malformed"),
    ("json", b'{"a": NaN}', "malformed"),
    ("json", b'{"a": ' + b"9" * 5000 + b"}", "out of range"),
    ("yaml", b"[" * NESTED + b"]" * NESTED, "nested more than"),
    ("yaml", b"[" * 100_000, "nested more than"),
    ("yaml", b"- x\n" * YAML_VALUES, "holds more than"),
    ("yaml", YAML_BOMB, "anchors and aliases"),
    ("yaml", b"a: &x 1", "anchors and aliases"),
    ("yaml", b"&x a: 1", "anchors and aliases"),
    ("yaml", b"a: &x [1]", "anchors and aliases"),
    ("yaml", b"a: &x {b: 1}", "anchors and aliases"),
    ("yaml", b"a: *x", "anchors and aliases"),
    ("yaml", b"a: !!python/object:os.system {}", "the tag"),
    ("yaml", b"a: !!int '1:1:1'", "the tag"),
    ("yaml", b"a: 1" + b":1" * NUMBER, "plain word"),
    ("yaml", b"a: b: c", "no YAML"),
    ("yaml", b"a: 1\n---\nb: 2\n", "no YAML"),
    ("yaml", b"\xff\xfe\x00", "no YAML"),
]


@pytest.mark.parametrize(("form", "data", "why"), REFUSED)
def test_a_file_that_would_fill_the_memory_or_the_time_is_refused(form: Any, data: bytes, why: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=why):
        value_at(form, data, "$.a")
    assert time.process_time() - start < 5


def test_what_is_just_within_the_bounds_is_read() -> None:
    assert at(value_at("json", b"[" * DEPTH + b"]" * DEPTH, "$"), "$" + "[0]" * (DEPTH - 1)) == []
    assert at(value_at("yaml", b"[" * DEPTH + b"]" * DEPTH, "$"), "$" + "[0]" * (DEPTH - 1)) == []
    assert len(value_at("json", b"[" + b"0," * (JSON_MARKS - 1) + b"0]", "$")) == JSON_MARKS
    assert len(value_at("yaml", b"- x\n" * (YAML_VALUES - 1), "$")) == YAML_VALUES - 1


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_every_json_value_comes_back(value: Any) -> None:
    assert value_at("json", json.dumps({"a": value}).encode(), "$.a") == value


# ------------------------------------------------------------------------------------------------ a search


@pytest.mark.parametrize(
    ("pattern", "data", "found"),
    [
        ("b+", b"abbc", "bb"), ("^b", b"a\nb", "b"), ("a$", b"a\nb", "a"), ("x", b"a", None), ("", b"a", ""), ("a|b", b"b", "b"),
        ("é", "né".encode(), "é"), ("a.c", b"a\nc", None), (".", b"\xff", None), ("b", b"\xffb", "b"),
        (".{3}", "ééé".encode(), "ééé"),
    ],
)  # fmt: skip
def test_a_search_goes_by_lines_and_bytes_do_not_stop_it(pattern: str, data: bytes, found: str | None) -> None:
    assert search(pattern, data) == found


def test_a_long_match_is_shown_in_part() -> None:
    assert search("(?s)a.*", b"a" * 5000) == "a" * SHOWN
    assert search("(?s)é.*", "é".encode() * 5000) == "é" * SHOWN


def test_a_pattern_that_back_tracks_elsewhere_takes_linear_time_here() -> None:
    start = time.process_time()
    assert search("(a|aa|a?)*b", b"a" * 1_000_000) is None
    assert time.process_time() - start < 10


@pytest.mark.parametrize("pattern", ["(?=a)", "(a", "((a{100}){100}){100}"])
def test_a_pattern_the_engine_does_not_take_is_said(pattern: str) -> None:
    with pytest.raises(ValueError, match="cannot be used"):
        search(pattern, b"a")


# ------------------------------------------------------------------------------------------------ the files of a command


@pytest.mark.parametrize(
    ("argv", "paths"),
    [
        ("python tools/check.py docs", ("python", "tools/check.py", "docs")),
        ("python ./tools/../tools/check.py", ("python", "tools/check.py")),
        ("/w/tools/check -x ../out /etc/passwd", ("tools/check",)),
        (
            "python -m tools.check",
            ("python", "tools/check.py", "tools/check/__main__.py", "tools/__init__.py", "tools/check/__init__.py"),
        ),
        ("/w", ()), ("/wide/x", ()), ("a a", ("a",)),
    ],
)  # fmt: skip
def test_the_files_a_command_names_are_below_the_workspace(argv: str, paths: tuple[str, ...]) -> None:
    assert argument_paths(tuple(argv.split()), "/w") == paths


@pytest.mark.parametrize(
    ("argv", "paths"),
    [
        ("python tools/check.py docs/a.md", ("tools/check.py",)), ("python3.11 -I x.py", ("x.py",)),
        ("./tools/check a", ("tools/check",)),
        ("/w/tools/check", ("tools/check",)), ("pytest tests", ()), ("/usr/bin/python3 ./x.py", ("x.py",)), ("sh -c x", ()),
        ("python -m tools.check", ("tools/check.py", "tools/check/__main__.py")),
        ("python -m", ()), ("python", ()), ("node -e x y", ()),
        ("python -", ()), ("python ../x.py", ()), ("../x", ()),
    ],
)  # fmt: skip
def test_the_program_of_a_command_is_one_file(argv: str, paths: tuple[str, ...]) -> None:
    assert program_paths(tuple(argv.split()), "/w") == paths


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("python tools/check.py docs/a.md", ("tools/check.py",)),
        ("cd docs && ../tools/check a; python3 -m a.b", ("a/b.py", "a/b/__main__.py")),
        ("tools/check | tools/more && ./x", ("tools/check", "tools/more", "x")), ("grep x docs/a.md", ()), ("(tools/check)", ("tools/check",)),
        ("echo 'open", ()), ("", ()), ("x;tools/check", ("tools/check",)),
    ],
)  # fmt: skip
def test_of_a_shell_line_the_programs_count_and_not_what_they_read(line: str, paths: tuple[str, ...]) -> None:
    assert argument_paths(("sh", "-c", line), "/w") == ("sh", *paths)
    assert argument_paths(("/bin/bash", "-c", line), "/w") == paths
    assert argument_paths(("tool", "-c", "docs"), "/w") == ("tool", "docs")


def test_an_empty_word_names_nothing() -> None:
    assert argument_paths(("", "a"), "/w") == ("a",)
