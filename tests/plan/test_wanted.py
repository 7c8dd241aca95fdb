"""What a blueprint asks for: maturity, profiles, extras, conditions and answers, and who wins where they disagree."""

from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from remit.plan.blueprint import LEVELS, Blueprint
from remit.plan.blueprints.reading import read_blueprint
from remit.plan.wanted import flags_of, wanted

FILES = Path(__file__).parent / "blueprints" / "files"


def blueprint(name: str) -> Blueprint:
    return read_blueprint((FILES / f"{name}.md").read_text(), name=name, file=f"{name}.md")[0]


MUSEUM, FERRY, HUT = (blueprint(name) for name in ("museum-guide", "ferry-bookings", "mountain-hut"))
TOLD: Mapping[str, bool] = {"tides_enabled": False}


def told(of: Blueprint, flags: Mapping[str, bool] | None) -> Mapping[str, bool]:
    return flags if flags is not None else TOLD if of is FERRY else {}


def names(
    of: Blueprint, maturity: str, answers: Mapping[str, str] | None = None, flags: Mapping[str, bool] | None = None
) -> list[str]:
    return [each.name for each in wanted(of, maturity=maturity, answers=answers or {}, flags=told(of, flags))[0]]


def why(
    of: Blueprint, maturity: str, answers: Mapping[str, str] | None = None, flags: Mapping[str, bool] = TOLD
) -> dict[str, str]:
    return {each.name: each.why for each in wanted(of, maturity=maturity, answers=answers or {}, flags=told(of, flags))[1]}


def codes(
    of: Blueprint, maturity: str, answers: Mapping[str, str] | None = None, flags: Mapping[str, bool] | None = None
) -> list[str]:
    return [each.code for each in wanted(of, maturity=maturity, answers=answers or {}, flags=told(of, flags))[3]]


def test_the_level_decides_what_is_asked_for_and_why_the_rest_is_not() -> None:
    assert names(MUSEUM, "starter", {"Q2": "A"}) == ["Room list", "Feed"]
    assert why(MUSEUM, "starter", {"Q2": "B"}) == {
        "Translations (if several)": "skipped by the profile starter",
        "Floor plans": "only if Answer to Q3 = 'A - Yes': the default answer to Q3 is B",
        "Visitor numbers": "not required at starter maturity (advanced)",
    }


def test_production_is_advanced() -> None:
    assert names(MUSEUM, "production", {"Q2": "B", "Q3": "A"}) == names(MUSEUM, "advanced", {"Q2": "B", "Q3": "A"})
    assert names(MUSEUM, "advanced", {"Q2": "B", "Q3": "A"}) == [each.deliverable.name for each in MUSEUM.wanted]


def test_folders_that_may_be_empty_are_those_of_the_level() -> None:
    assert wanted(MUSEUM, maturity="starter", answers={})[2] == ("rooms/pictures/", "voices/")
    assert wanted(MUSEUM, maturity="advanced", answers={})[2] == ()


def test_without_a_level_every_level_is_asked_for_and_it_is_said() -> None:
    assert names(MUSEUM, "", {"Q2": "B", "Q3": "A"}) == [each.deliverable.name for each in MUSEUM.wanted]
    assert codes(MUSEUM, "", {"Q2": "B"}) == ["NO-LEVEL"]


def test_a_level_nobody_knows_is_refused_in_words() -> None:
    assert codes(MUSEUM, "expert", {"Q2": "B"}) == ["LEVEL"]


def test_an_answer_turns_a_conditional_deliverable_on() -> None:
    assert "Floor plans" in names(MUSEUM, "starter", {"Q3": "A"})
    assert "Floor plans" in names(MUSEUM, "starter", {"3": "yes"})
    assert "Floor plans" not in names(MUSEUM, "starter", {"q3": "B - voice only"})


def test_an_answer_that_is_no_choice_is_an_error_not_a_no() -> None:
    assert "Floor plans" in names(MUSEUM, "starter", {"Q3": "perhaps", "Q2": "A"})
    assert codes(MUSEUM, "starter", {"Q3": "perhaps", "Q2": "A"}) == ["ANSWER", "UNDECIDED"]


def test_what_nobody_has_decided_is_asked_for_and_said() -> None:
    assert "Translations (if several)" in names(MUSEUM, "intermediate")
    (said,) = [each for each in wanted(MUSEUM, maturity="intermediate", answers={"Q3": "A"})[3] if each.code == "UNDECIDED"]
    assert said.message == (
        "only if Answer to Q2 = 'B - Several', Q2 has no answer that is one of its choices: Translations (if several) is asked for"
    )
    assert "Tides" in names(FERRY, "starter", flags={})


def test_a_condition_that_does_not_hold_wins_over_a_profile_that_requires() -> None:
    assert "Lamps" not in names(FERRY, "starter")
    assert "PROFILE-CONDITION" in codes(FERRY, "starter")


def test_a_profile_that_requires_wins_over_the_levels_of_the_deliverable() -> None:
    assert "Walls" in names(HUT, "starter")
    assert "PROFILE-CONFLICT" in codes(HUT, "starter")


def test_a_profile_that_both_requires_and_skips_requires() -> None:
    assert "Bell" in names(HUT, "starter")


def test_a_profile_that_skips_wins_over_the_levels_of_the_deliverable() -> None:
    assert why(HUT, "starter")["Stove"] == "skipped by the profile starter"


def test_a_flag_follows_from_the_extra_whose_own_words_say_when_it_applies() -> None:
    assert "Crew passes" in names(FERRY, "starter"), "the default answer to Q3 is yes"
    assert why(FERRY, "starter", {"Q3": "2"})["Crew passes"] == "only if login_enabled == true: the answer to Q3 is 2"
    assert "Lamps" in names(FERRY, "intermediate", {"Q4": "l,r"})


def test_a_flag_that_is_set_wins_over_what_follows_from_answers() -> None:
    assert "Crew passes" not in names(FERRY, "starter", {"Q3": "1"}, {**TOLD, "login_enabled": False})
    assert "Crew passes" in names(FERRY, "starter", {"Q3": "2"}, {**TOLD, "login_enabled": True})
    assert "Crew passes" in names(FERRY, "starter", {"Q3": "2"}, {**TOLD, "with_login": True})
    assert "Crew passes" in names(FERRY, "starter", {"Q3": "2", "login_enabled": "yes"})


def test_an_extra_that_limits_itself_to_levels_requires_nothing_below_them() -> None:
    assert "Ranks" not in names(FERRY, "starter", flags={**TOLD, "with_login": True})
    assert "Ranks" in names(FERRY, "intermediate", flags={**TOLD, "with_login": True})


def test_an_extra_that_is_taken_wins_over_the_level() -> None:
    assert "Lamps" in names(FERRY, "starter", flags={**TOLD, "with_lights": True})


def test_an_extra_without_words_is_taken_only_by_its_flag() -> None:
    assert "PROFILE-UNKNOWN" not in codes(FERRY, "starter")
    assert "PROFILE-UNKNOWN" in codes(FERRY, "starter", flags={**TOLD, "with_radio": True})


def test_answers_and_flags_that_mean_nothing_are_said() -> None:
    assert codes(FERRY, "intermediate", {"Q9": "A"}) == ["ANSWER-UNKNOWN"]
    assert codes(FERRY, "intermediate", flags={**TOLD, "boats": True}) == ["FLAG-UNKNOWN"]


def test_the_flags_to_be_set_are_known() -> None:
    assert flags_of(FERRY) == ("login_enabled", "lights_enabled", "tides_enabled")


said = st.sampled_from(["", "A", "B", "1", "2", "l", "none", "yes", "perhaps", "l,r"])


@given(
    st.sampled_from([MUSEUM, FERRY, HUT]),
    st.sampled_from(["", *LEVELS, "production", "expert"]),
    st.dictionaries(st.sampled_from(["Q1", "Q2", "Q3", "Q4", "4", "login_enabled"]), said),
    st.dictionaries(st.sampled_from(["login_enabled", "with_login", "with_lights", "tides_enabled"]), st.booleans()),
)
def test_every_deliverable_is_either_asked_for_or_left_with_a_reason(
    of: Blueprint, maturity: str, answers: dict[str, str], flags: dict[str, bool]
) -> None:
    kept, left, _, _ = wanted(of, maturity=maturity, answers=answers, flags=flags)
    found = [*(each.name for each in kept), *(each.name for each in left)]
    assert sorted(found) == sorted(each.deliverable.name for each in of.wanted)
    assert all(each.why for each in left)
