"""Front matter as people write it: every way it is broken is said, and none of them ends the reading."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.front import read_front


def read(text: str) -> tuple[dict[str, object], str, list[str]]:
    keys, body, noted = read_front(text, file="SKILL.md")
    return keys, body, [each.code for each in noted]


def test_keys_and_body_are_parted_at_the_fences() -> None:
    assert read("---\nname: one\n---\n\n# Head\n---\nmore\n") == ({"name": "one"}, "\n# Head\n---\nmore\n", [])


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert read("\ufeff---\r\nname: one\r\n---\r\nbody\r\n") == ({"name": "one"}, "body\n", ["BOM"])


def test_a_file_without_front_matter_is_all_body() -> None:
    assert read("# Head\n\ntext\n") == ({}, "# Head\n\ntext\n", ["FRONT-MISSING"])
    assert read("") == ({}, "", ["FRONT-MISSING"])


def test_front_matter_that_is_never_closed_ends_at_the_first_line_that_is_prose() -> None:
    keys, body, found = read("---\nname: one\ndescription: >\n  folded\n  text\n# Head\nbody: no\n")
    assert (keys, body, found) == ({"name": "one", "description": "folded text"}, "# Head\nbody: no\n", ["FRONT-OPEN"])


def test_front_matter_below_empty_lines_is_found() -> None:
    assert read("\n\n---\nname: one\n---\nbody") == ({"name": "one"}, "body", ["FRONT-LATE"])


def test_an_unquoted_colon_in_the_description_costs_neither_name_nor_description() -> None:
    text = "---\nname: one\ndescription: Cuts paper: A4, A3\n  and rolls: all of them\nlicense: MIT\n---\nbody"
    keys, body, found = read(text)
    assert keys == {"name": "one", "description": "Cuts paper: A4, A3 and rolls: all of them", "license": "MIT"}
    assert (body, found) == ("body", ["YAML", "NEEDS-QUOTES"])


def test_a_quote_that_is_never_closed_costs_only_its_own_key() -> None:
    keys, _, found = read('---\nname: one\ndescription: "never closed\nlicense: MIT\n---\nbody')
    assert (keys["name"], keys["license"], found[0]) == ("one", "MIT", "YAML")


def test_the_line_of_a_finding_is_that_of_the_file() -> None:
    _, _, noted = read_front("---\nname: one\nlicense: MIT\ndescription: a: b\n---\n", file="SKILL.md")
    assert {each.line for each in noted} == {4}


@pytest.mark.parametrize("text", ["---\n- one\n- two\n---\nbody", "---\njust words\n---\nbody"])
def test_front_matter_that_is_no_set_of_keys_is_said(text: str) -> None:
    keys, body, found = read(text)
    assert (keys, body, found) == ({}, "body", ["FRONT-NOT-KEYS"])


def test_empty_front_matter_is_no_keys() -> None:
    assert read("---\n---\nbody") == ({}, "body", [])


@given(st.text() | st.text(alphabet="-\n: ab\t#>|'\"[]{}&*\r\ufeff\x00", max_size=200).map(lambda each: f"---\n{each}"))
@settings(max_examples=400, deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    keys, body, _ = read_front(text, file="SKILL.md")
    assert all(isinstance(key, str) for key in keys)
    assert "\r" not in body
