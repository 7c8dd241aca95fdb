"""The manifest of a blueprint: files, contents, levels, conditions, profiles, orders and security lines, with every trap."""

from pathlib import Path

import pytest

from remit.contract.deliverable import Content, Deliverable
from remit.plan.blueprint import LEVELS, Blueprint, Condition, Order, SecurityCheck, Wanted
from remit.plan.blueprints.alternatives import ALTERNATIVES, grouped, language
from remit.plan.blueprints.reading import read_blueprint
from remit.plan.skill import Noted

FILES = Path(__file__).parent / "files"


def read(name: str) -> tuple[Blueprint, tuple[Noted, ...]]:
    return read_blueprint((FILES / f"{name}.md").read_text(), name=name, file=f"{name}.md")


def manifest(entry: str, *more: str) -> tuple[tuple[Wanted, ...], list[str]]:
    text = "\n".join(
        ("# X", "```yaml", "deliverables:", '  "Thing":', *(f"    {row}" for row in entry.split("\n")), "```", *more)
    )
    found, noted = read_blueprint(text, name="x", file="x.md")
    return found.wanted, [each.code for each in noted]


MUSEUM, FERRY, HUT = (read(name)[0] for name in ("museum-guide", "ferry-bookings", "mountain-hut"))


def test_a_deliverable_has_an_owner_files_contents_and_levels() -> None:
    assert MUSEUM.wanted[0] == Wanted(
        deliverable=Deliverable(
            name="Room list",
            by="cataloguing-rooms",
            files=("rooms/index.json", "rooms/pictures/"),
            contains=(Content(pattern="floor|wing", place="rooms/"),),
        ),
        line=140,
    )


def test_one_file_may_stand_without_a_list_and_production_is_advanced() -> None:
    feed = MUSEUM.wanted[1]
    assert feed.deliverable.files == ("feed.xml",)
    assert feed.maturity == LEVELS


def test_both_ways_to_write_a_condition_are_read() -> None:
    assert MUSEUM.wanted[2].condition == Condition(text="Answer to Q2 = 'B - Several'", question="Q2", letter="B")
    assert FERRY.wanted[2].condition == Condition(text="login_enabled == true", flag="login_enabled")


@pytest.mark.parametrize(
    ("said", "flag", "wanted"),
    [
        ("login_enabled == true", "login_enabled", True),
        ("login_enabled == false", "login_enabled", False),
        ("login_enabled != true", "login_enabled", False),
        ("login_enabled is enabled", "login_enabled", True),
        ("login_enabled", "login_enabled", True),
        ("not login_enabled", "login_enabled", False),
    ],
)
def test_a_flag_may_be_asked_for_or_against(said: str, flag: str, wanted: bool) -> None:
    (found,), _ = manifest(f"condition: '{said}'")
    assert found.condition == Condition(text=said, flag=flag, wanted=wanted)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("wind > 3", "CONDITION"),
        ("login_enabled == true and lights_enabled == true", "CONDITION"),
        ("Answer to Q9 = 'A'", "CONDITION-QUESTION"),
    ],
)
def test_a_condition_that_cannot_be_read_is_said_and_stays_unread(said: str, code: str) -> None:
    (found,), codes = manifest(f'condition: "{said}"')
    assert found.condition == Condition(text=said)
    assert code in codes


def test_an_answer_that_is_no_choice_makes_no_condition() -> None:
    asked = ("## Quick Questions", "### 1. Map", "```", "A) Yes", "B) No", "```")
    (found,), codes = manifest("conditional: \"Answer to Q1 = 'A - No'\"", *asked)
    assert found.condition is not None
    assert (found.condition.question, "CONDITION-ANSWER" in codes) == ("", True)


def test_files_of_two_languages_become_alternatives_and_it_is_said() -> None:
    found = FERRY.wanted[1].deliverable
    assert (found.files, found.either) == (("db/",), (("alembic.ini", "drizzle.config.ts"),))
    assert [content.place for content in found.contains] == ["alembic.ini", "drizzle.config.ts"]
    assert "LANGUAGES" in [each.code for each in read("ferry-bookings")[1]]


def test_two_files_of_one_language_are_both_wanted() -> None:
    assert grouped(("pyproject.toml", "requirements.txt", "src/App.tsx")) == (
        ("pyproject.toml", "requirements.txt", "src/App.tsx"), (),
    )  # fmt: skip
    assert grouped(("api/pyproject.toml", "web/package.json", "go.mod")) == (
        (), (("api/pyproject.toml", "web/package.json", "go.mod"),),
    )  # fmt: skip


def test_no_file_of_the_table_does_two_jobs() -> None:
    names = [name for _, files in ALTERNATIVES for name in files]
    assert len(names) == len(set(names))
    assert all(len({language(name) for name in files}) > 1 for _, files in ALTERNATIVES)


def test_a_doubled_backslash_is_said_and_the_pattern_kept_as_it_stands() -> None:
    (said,) = [each for each in read("ferry-bookings")[1] if each.code == "DOUBLED-BACKSLASH"]
    assert (said.severity, said.line) == ("warning", 114)
    assert '"kind":\\\\s*"pier"' in [content.pattern for content in FERRY.wanted[0].deliverable.contains]


def test_a_pattern_that_is_no_regular_expression_is_left_out() -> None:
    assert len(FERRY.wanted[0].deliverable.contains) == 2
    assert "PATTERN" in [each.code for each in read("ferry-bookings")[1]]


@pytest.mark.parametrize("path", ["../up", "/etc/hosts", "a/../../up", "C:\\x", "..", "."])
def test_a_path_outside_the_project_is_left_out(path: str) -> None:
    (found,), codes = manifest(f"required_files: ['{path}', inside.txt]")
    assert (found.deliverable.files, "PATH-OUTSIDE" in codes) == (("inside.txt",), True)


def test_folders_keep_their_stroke_and_paths_are_made_plain() -> None:
    (found,), _ = manifest("required_files: [./src//, src/./a.py, 'voices/*.txt', src/]")
    assert found.deliverable.files == ("src/", "src/a.py", "voices/*.txt")


def test_broken_yaml_costs_only_what_is_broken() -> None:
    assert [each.deliverable.name for each in HUT.wanted] == ["Walls", "Stove", "Roof (if it rains)", "Bell"]
    codes = {each.code for each in read("mountain-hut")[1]}
    assert codes >= {"YAML", "DELIVERABLE", "NO-SKILL", "LEVEL", "CONDITION", "CONDITION-IN-NAME"}


def test_a_level_nobody_knows_is_said_and_the_others_count() -> None:
    assert HUT.wanted[3].maturity == ("starter",)


def test_profiles_add_skip_and_tolerate() -> None:
    starter, intermediate, advanced = MUSEUM.profiles
    assert (starter.name, starter.description, starter.adjust) == ("starter", "A first walk", ("Keep texts short",))
    assert (starter.require, starter.skip) == (("Room list", "Feed"), ("Translations (if several)",))
    assert starter.empty == ("rooms/pictures/", "voices/")
    assert (intermediate.name, advanced.name) == ("intermediate", "advanced"), "production is the name of a progress file"


def test_an_extra_applies_when_its_own_words_say_so() -> None:
    extras = {each.name: each.when for each in FERRY.profiles}
    assert extras == {
        "starter": None,
        "with_login": Condition(text="Question 3 = Yes", question="Q3", letter="1"),
        "with_lights": Condition(text="Question 4 includes 'l'", question="Q4", letter="l"),
        "with_radio": None,
    }


def test_a_profile_that_contradicts_a_deliverable_is_said_with_what_stands() -> None:
    said = [each.message for each in read("mountain-hut")[1] if each.code.startswith("PROFILE")]
    assert said == [
        "starter requires 'Cellar', which is no deliverable",
        "starter requires Walls, which is for intermediate, advanced: the profile stands",
        "starter skips Stove, which is for starter too: the profile stands",
        "starter both requires and skips Bell: it is required",
    ]


def test_orders_between_skills_are_read() -> None:
    assert HUT.orders == (
        Order(skill="laying-stones", before=("stacking-logs", "lighting-fires"), reason="Walls stand on stones"),
        Order(skill="stacking-logs", requires=("laying-stones",), uses=("lighting-fires",)),
        Order(skill="ringing-bells", last=True),
    )


def test_security_lines_are_read_to_be_shown() -> None:
    assert HUT.security == (
        SecurityCheck(name="No matches left", check="grep -r matches .", severity="critical", on="any match"),
        SecurityCheck(name="Door", check="ls door.txt", severity="warnings", on="no door"),
        SecurityCheck(name="View", check="ls view.txt", severity="informational", on="no view"),
    )


def test_that_the_tree_promises_other_files_is_said() -> None:
    (said,) = [each.message for each in read("museum-guide")[1] if each.code == "TREE"]
    assert said == "1 of 5 required paths are not in the tree it promises (numbers.csv): the manifest counts"


def test_the_numbers_a_blueprint_gives_itself_are_not_copied() -> None:
    assert "PASSED (3/4)" in (FILES / "museum-guide.md").read_text()
    assert len(MUSEUM.wanted) == 5
