"""What else a blueprint says: its heading, trigger words, questions with defaults, settings, the tree of files."""

from pathlib import Path

import pytest

from remit.plan.blueprint import Blueprint, Choice, Question
from remit.plan.blueprints.questions import letters_of
from remit.plan.blueprints.reading import read_blueprint

FILES = Path(__file__).parent / "files"


def blueprint(name: str) -> Blueprint:
    return read_blueprint((FILES / f"{name}.md").read_text(), name=name, file=f"{name}.md")[0]


MUSEUM, FERRY, HUT = (blueprint(name) for name in ("museum-guide", "ferry-bookings", "mountain-hut"))


def test_the_heading_and_the_lines_in_bold_are_read() -> None:
    assert (MUSEUM.name, MUSEUM.title, MUSEUM.version) == ("museum-guide", "Museum Guide Blueprint", "3.1.0")
    assert (MUSEUM.category, MUSEUM.time, MUSEUM.confidence, MUSEUM.source) == ("culture", "6-9 minutes", 0.7, "museum-guide.md")
    assert FERRY.version == "1.4.0", "not that of the tool it was written for"
    assert (HUT.time, HUT.confidence) == ("20-25 minutes", 0.55)


def test_trigger_words_are_split_at_commas_and_quoted_phrases_are_not() -> None:
    assert MUSEUM.keywords.primary == ("museum guide", "audio tour", "gallery app")
    assert MUSEUM.keywords.secondary == ("visitors",)
    assert MUSEUM.keywords.exclusions == ("theatre",)
    assert MUSEUM.indicators == ("rooms, floors and lifts", "opening hours")


def test_trigger_words_may_stand_under_headings_too() -> None:
    assert HUT.keywords.primary == ("hut",)


def test_words_of_another_label_are_no_trigger_words() -> None:
    assert FERRY.keywords.primary == ("ferry", "booking api")
    assert not any("city museum" in word for word in (*MUSEUM.keywords.primary, *MUSEUM.keywords.secondary))


def test_questions_have_letters_and_a_default() -> None:
    assert MUSEUM.questions[0] == Question(
        id="Q1",
        text="Who comes?",
        choices=(
            Choice(letter="A", text="Children"),
            Choice(letter="B", text="Adults"),
            Choice(letter="C", text="Both (families)"),
        ),
        default="C",
    )
    assert [question.default for question in MUSEUM.questions] == ["C", "", "B"]


def test_a_default_in_words_is_the_letter_it_means() -> None:
    assert [(question.id, question.default) for question in FERRY.questions] == [
        ("Q1", "1"), ("Q2", "the big one, the small one"), ("Q3", "1"), ("Q4", "none"),
    ]  # fmt: skip


def test_boxes_to_tick_take_their_letters_from_the_prompt() -> None:
    assert [choice.letter for choice in FERRY.questions[3].choices] == ["l", "r", "none"]


ASKED = Question(
    id="Q1",
    text="?",
    choices=(
        Choice(letter="A", text="Yes - with all floors"),
        Choice(letter="B", text="Yes - one floor (cheaper)"),
        Choice(letter="C", text="No"),
    ),
)


@pytest.mark.parametrize(
    ("said", "letters"),
    [
        ("A", ("A",)),
        ("a", ("A",)),
        ("[C] No", ("C",)),
        ("B - one floor", ("B",)),
        ("b) Yes", ("B",)),
        ("'C - No'", ("C",)),
        ("a,c", ("A", "C")),
        ("Yes - one floor", ("B",)),
        ("no", ("C",)),
        ("Yes", ()),
        ("A - No", ()),
        ("perhaps", ()),
        ("", ()),
        ("D", ()),
        ("a,z", ()),
    ],
)
def test_an_answer_is_a_letter_or_the_words_of_one_choice_and_never_a_guess(said: str, letters: tuple[str, ...]) -> None:
    assert letters_of(ASKED, said) == letters


def test_settings_are_kept_as_the_text_they_are() -> None:
    settings = dict(MUSEUM.settings)
    assert settings["cataloguing-rooms"] == 'source: "files"\nfloors: 3   # the cellar counts'
    assert settings["recording-voices"].startswith('steps:\n  - one: "a\n  : two')


def test_settings_that_are_no_yaml_are_said_so_calmly() -> None:
    _, noted = read_blueprint((FILES / "museum-guide.md").read_text(), name="x", file="museum-guide.md")
    (said,) = [each for each in noted if each.code == "SETTINGS-TEXT"]
    assert (said.severity, said.file, said.line) == ("note", "museum-guide.md", 75)


def test_the_tree_is_relative_to_the_project_and_a_second_root_is_a_folder_of_it() -> None:
    assert MUSEUM.tree == (
        "rooms/", "rooms/index.json", "rooms/pictures/", "feed.xml", "README.md", "map/floors/", "map/floors/ground.svg",
    )  # fmt: skip


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    text = (FILES / "museum-guide.md").read_text()
    again, noted = read_blueprint("\ufeff" + text.replace("\n", "\r\n"), name="museum-guide", file="museum-guide.md")
    assert again == MUSEUM
    assert [each.code for each in noted if each.code == "BOM"] == ["BOM"]
