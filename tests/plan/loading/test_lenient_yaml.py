"""YAML of other people: what is broken becomes a finding, the rest is still there, and nothing runs away."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.lenient import MOST_BYTES, read_yaml
from remit.plan.lenient_tree import MOST_VALUES

WORDS = st.sampled_from([
    "a", "b: ", "- ", "  ", "\t", "\n", ": ", "#", "&x ", "*x", "<<: ", "{", "}", "[", "]", '"', "'", "|", ">", "? ", "!!int ", "%", "---\n", "...\n",
    "\r\n", "\ufeff", "\x00", "\ud800", "ä", ",", "name: x\n", "78%", "\x85",
])  # fmt: skip


def codes(text: str) -> list[str]:
    return [each.code for each in read_yaml(text, file="x.yaml")[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("78%", "78%"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("2026-01-02", "2026-01-02"),
        ("007", "007"),
        ("0.7", 0.7),
        ("-3", -3),
        ("True", True),
        ("~", None),
        ("1" * 5000, "1" * 5000),
        ("'12'", "12"),
        (".inf", ".inf"),
    ],
)
def test_a_plain_word_means_what_a_person_would_read(text: str, value: object) -> None:
    assert read_yaml(f"it: {text}\n", file="x.yaml") == ({"it": value}, ())


def test_a_text_with_a_colon_in_it_is_kept_as_the_text_it_is_and_said_with_its_line() -> None:
    found, noted = read_yaml("name: one\ndescription: Use it for: tables, and more\n", file="x.yaml", line=1)
    assert found == {"name": "one", "description": "Use it for: tables, and more"}
    assert [(each.code, each.line) for each in noted] == [("YAML", 3), ("NEEDS-QUOTES", 3)]


def test_a_broken_entry_deep_inside_costs_only_itself() -> None:
    text = "version: '2'\nskills:\n  one:\n    note: a: b\n    priority: 3\n  two:\n    keywords: [x, y]\n"
    found, noted = read_yaml(text, file="x.yaml")
    assert found == {"version": "2", "skills": {"one": {"note": "a: b", "priority": 3}, "two": {"keywords": ["x", "y"]}}}
    assert {each.line for each in noted} == {4}


def test_a_broken_item_of_a_list_costs_only_itself() -> None:
    found, noted = read_yaml("- name: one\n  text: a: b\n- name: two\n- three: [\n", file="x.yaml")
    assert found[:2] == [{"name": "one", "text": "a: b"}, {"name": "two"}]
    assert noted[0].severity == "error"


def test_steps_numbered_below_a_key_are_kept() -> None:
    found, _ = read_yaml("steps: 1. Read\n  2. Cut: into pieces\n  3. Store\nsize: 512\n", file="x.yaml")
    assert found == {"steps": "1. Read 2. Cut: into pieces 3. Store", "size": 512}


def test_tabs_instead_of_blanks_are_read() -> None:
    found, noted = read_yaml("name: one\nlist:\n\t- a\n\t- b\n", file="x.yaml")
    assert found == {"name": "one", "list": ["a", "b"]}
    assert [each.severity for each in noted] == ["error"]


def test_folded_texts_and_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    found, noted = read_yaml("\ufeffa: >-\r\n  one\r\n  two\r\nb: 1\r\n", file="x.yaml")
    assert found == {"a": "one two", "b": 1}
    assert [each.code for each in noted] == ["BOM"]


def test_a_glob_in_braces_without_quotes_is_a_mapping_and_does_not_end_the_reading() -> None:
    assert read_yaml('applyTo: {"**/*.ts","**/*.js"}\nname: x\n', file="x.yaml")[0] == {
        "applyTo": {"**/*.ts": None, "**/*.js": None},
        "name": "x",
    }


def test_references_and_merges_work_within_bounds() -> None:
    text = "base: &b {tier: one, keep: 1}\nmore:\n  <<: *b\n  tier: two\nlist: [*b]\n"
    assert read_yaml(text, file="x.yaml") == (
        {"base": {"tier": "one", "keep": 1}, "more": {"tier": "two", "keep": 1}, "list": [{"tier": "one", "keep": 1}]},
        (),
    )


def test_a_bomb_of_references_is_refused_by_what_it_would_become() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{chr(98 + at)}: &{chr(98 + at)} [{','.join([f'*{chr(97 + at)}'] * 9)}]" for at in range(9)]
    assert read_yaml("\n".join(lines), file="x.yaml")[0] is None
    assert codes("\n".join(lines)) == ["TOO-MANY"]


def test_a_bomb_in_a_file_that_is_broken_as_well_is_refused_too() -> None:
    lines = ["broken: a: b", "z:", "  a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"  {chr(98 + at)}: &{chr(98 + at)} [{','.join([f'*{chr(97 + at)}'] * 9)}]" for at in range(9)]
    found, noted = read_yaml("\n".join(lines), file="x.yaml")
    assert found == {"broken": "a: b", "z": None}
    assert "TOO-MANY" in {each.code for each in noted}


def test_something_that_contains_itself_does_not() -> None:
    assert read_yaml("a: &a [*a]\n", file="x.yaml")[0] == {"a": ["*a"]}


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "a:\n" + "\n".join(" " * n + "a:" for n in range(1, 500))]
)
def test_nesting_without_end_is_refused_at_once(text: str) -> None:
    begun = time.monotonic()
    assert read_yaml(text, file="x.yaml")[0] is None
    assert codes(text) == ["TOO-DEEP"]
    assert time.monotonic() - begun < 5


def test_too_many_values_and_too_large_a_text_are_refused() -> None:
    assert codes("- a\n" * (MOST_VALUES + 1)) == ["TOO-MANY"]
    assert codes("a" * (MOST_BYTES + 1)) == ["TOO-LARGE"]


def test_of_a_key_given_twice_the_last_counts_and_it_is_said() -> None:
    assert read_yaml("a: 1\na: 2\n", file="x.yaml")[0] == {"a": 2}
    assert codes("a: 1\na: 2\n") == ["DUPLICATE-KEY"]


def test_only_the_first_of_two_documents_is_read() -> None:
    assert read_yaml("a: 1\n---\nb: 2\n", file="x.yaml")[0] == {"a": 1}
    assert codes("a: 1\n---\nb: 2\n") == ["SECOND-DOCUMENT"]


@given(st.text() | st.lists(WORDS, max_size=40).map("".join))
@settings(max_examples=400, deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    found, noted = read_yaml(text, file="x.yaml", line=7)
    assert all(each.line >= 7 for each in noted)
    assert found is None or isinstance(found, str | int | float | list | dict)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.from_regex(r"[A-Za-z][A-Za-z ,.:#()]{0,40}[a-z]", fullmatch=True),
        min_size=1,
        max_size=5,
    )
)
@settings(deadline=None)
def test_a_key_with_one_line_of_prose_is_never_lost(table: dict[str, str]) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in table.items()) + "broken: a: b\n"
    found, _ = read_yaml(text, file="x.yaml")
    assert set(found) == {*table, "broken"}
