"""The chain grammar of blueprints: fences, marks, alternatives, patterns, bold lists; screens and other fences are none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.plan.blueprint import Blueprint, Slot
from remit.plan.blueprints.reading import read_blueprint

FILES = Path(__file__).parent / "files"


def blueprint(name: str) -> Blueprint:
    return read_blueprint((FILES / f"{name}.md").read_text(), name=name, file=f"{name}.md")[0]


def chain(*rows: str) -> tuple[Slot, ...]:
    text = "\n".join(("# X", "## Skill Chain (Pre-configured)", "```", *rows, "```"))
    return read_blueprint(text, name="x", file="x.md")[0].patterns[0].slots


def codes(*rows: str) -> list[str]:
    text = "\n".join(("# X", "## Trigger", "**Primary:** x", "## Skill Chain", "```", *rows, "```"))
    return [each.code for each in read_blueprint(text, name="x", file="x.md")[1]]


def test_a_number_and_a_name_make_a_slot_and_the_rest_is_its_comment() -> None:
    assert chain("1. sweeping-floors          # with a broom", "2. airing-rooms   (windows, doors)", "3. going-home") == (
        Slot(name="sweeping-floors", comment="with a broom", line=4),
        Slot(name="airing-rooms", comment="windows, doors", line=5),
        Slot(name="going-home", line=6),
    )


@pytest.mark.parametrize(
    "row",
    [
        "1. [OPTIONAL] sweeping-floors      # with a broom",
        "1. [optional] sweeping-floors",
        "1. sweeping-floors (optional - if there is a broom)",
        "1. sweeping-floors   # optional",
        "1. sweeping-floors (Priority: 20, Optional)",
        "1. sweeping-floors   (with a broom) [OPTIONAL]",
        "1) sweeping-floors - optional",
    ],
)
def test_every_way_to_say_optional_is_understood(row: str) -> None:
    (slot,) = chain(row)
    assert (slot.name, slot.optional) == ("sweeping-floors", True)


@pytest.mark.parametrize("row", ["1. sweeping-floors (always required)", "1. sweeping-floors # brooms, an optionality study"])
def test_a_comment_that_only_holds_the_letters_is_not_an_option(row: str) -> None:
    assert chain(row)[0].name == "sweeping-floors"
    assert chain("1. sweeping-floors (not optional at all)")[0].optional is False


def test_alternatives_go_to_the_slot_above_them() -> None:
    rows = (
        "1. laying-stones",
        "2. stacking-logs (wood)",
        "   OR pouring-concrete (grey)",
        "   OR piling-snow",
        "3. ringing-bells",
    )
    assert [(slot.name, slot.instead) for slot in chain(*rows)] == [
        ("laying-stones", ()),
        ("stacking-logs", ("pouring-concrete", "piling-snow")),
        ("ringing-bells", ()),
    ]


def test_alternatives_on_one_line_are_read_too() -> None:
    assert chain("1. stacking-logs OR pouring-concrete | piling-snow  # walls")[0] == Slot(
        name="stacking-logs", instead=("pouring-concrete", "piling-snow"), comment="walls", line=4
    )


def test_a_slot_may_be_written_as_the_skill_is_invoked() -> None:
    assert chain("1. `house-skills:stacking-logs`")[0] == Slot(
        name="stacking-logs", invocation="house-skills:stacking-logs", line=4
    )


def test_two_named_patterns_are_two_chains_and_the_marked_one_is_the_default() -> None:
    first, second = blueprint("museum-guide").patterns
    assert (first.name, first.default, [slot.name for slot in first.slots]) == (
        "Voice Only", True, ["cataloguing-rooms", "recording-voices", "translating-texts", "publishing-feeds"],
    )  # fmt: skip
    assert (second.name, second.default) == ("With Map", False)
    assert [(slot.name, slot.instead, slot.optional) for slot in second.slots] == [
        ("cataloguing-rooms", (), False),
        ("drawing-maps", ("tracing-photos", "buying-maps"), False),
        ("publishing-feeds", (), True),
        ("checking-access", (), False),
    ]


def test_screens_drawn_in_boxes_are_no_chains() -> None:
    names = {slot.name for pattern in blueprint("museum-guide").patterns for slot in pattern.slots}
    assert not names & {"drawing-boxes", "telling-tales"}


def test_a_numbered_list_in_bold_is_one_chain_across_its_headings() -> None:
    (pattern,) = blueprint("ferry-bookings").patterns
    assert [(slot.name, slot.invocation, slot.priority, slot.optional) for slot in pattern.slots] == [
        ("sea-routes", "harbour-skills:sea-routes", 5, False),
        ("ticket-store", "harbour-skills:ticket-store", 10, False),
        ("crew-login", "office-skills:crew-login", 20, True),
        ("harbour-light", "office-skills:harbour-light", 0, True),
    ]


def test_a_chain_inside_a_fence_of_markdown_is_an_example_of_a_text_not_a_chain() -> None:
    assert all(slot.name != "not-a-skill" for pattern in blueprint("ferry-bookings").patterns for slot in pattern.slots)


def test_numbers_that_begin_again_begin_another_pattern() -> None:
    text = "# X\n## Skill Chain\n### One\n```\n1. a\n2. b\n```\n### Two\n```\n1. c\n```\n"
    found, noted = read_blueprint(text, name="x", file="x.md")
    assert [(each.name, each.default, len(each.slots)) for each in found.patterns] == [("One", True, 2), ("Two", False, 1)]
    assert "DEFAULT-PATTERN" in [each.code for each in noted]


def test_what_is_not_understood_is_said_not_dropped() -> None:
    assert "CHAIN-LINE" in codes("1. a", "2. !!", "3. b")
    assert "CHAIN-TWICE" in codes("1. a", "2. a")
    assert "CHAIN-NUMBERS" in codes("1. a", "3. b")
    assert "NO-CHAIN" in [each.code for each in read_blueprint("# Nothing", name="x", file="x.md")[1]]


def test_a_chain_without_end_is_cut() -> None:
    rows = tuple(f"{number}. skill-{number}" for number in range(1, 2000))
    assert len(chain(*rows)) == 500
    assert "CHAIN-LONG" in codes(*rows)


names = st.from_regex(r"[a-z]{1,8}(-[a-z0-9]{1,6}){0,3}", fullmatch=True).filter(lambda name: name not in ("or", "optional"))


@given(st.lists(st.tuples(names, st.booleans(), st.lists(names, max_size=2)), min_size=1, max_size=12))
def test_every_chain_that_is_written_is_read_again(slots: list[tuple[str, bool, list[str]]]) -> None:
    rows = []
    for number, (name, optional, instead) in enumerate(slots, 1):
        rows += [f"{number}. {'[OPTIONAL] ' if optional else ''}{name}   # why", *(f"   OR {other}" for other in instead)]
    assert [(slot.name, slot.optional, [*slot.instead]) for slot in chain(*rows)] == slots
