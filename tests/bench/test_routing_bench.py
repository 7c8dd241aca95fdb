"""Scored routing: the criterion, scenarios as others write them, the table, and what the verb says where there is nothing to score."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from remit.adapters.library import read_library
from remit.bench.routing import CRITERION, Scenario, judged, load, own, read_scenarios, score, table
from remit.cli.bench import command
from remit.errors import BadInput
from remit.plan.library import Library
from remit.plan.routing import Route
from remit.plan.skill import Skill

LIBRARY = Library(
    skills=tuple(Skill(name=name) for name in ("a", "b", "c", "d", "e")), aliases=(("old-b", ("b",)), ("either", ("c", "d")))
)
FILE = """\
criteria: [{name: other}]
scenarios:
  - id: "S1"
    goal: "One"
    blueprint: dashboard   # with a word
    expected_skills: [a, old-b]
    expected_questions: 3
  - id: S2
    goal: Two
    blueprint: null
    expected_skills: []
  - {name: without a goal}
summary: {reduction_percentage: 78%}
"""


def test_scenarios_are_read_as_others_write_them() -> None:
    found, noted = read_scenarios(FILE, file="s.yaml")
    assert found == (Scenario(id="S1", goal="One", blueprint="dashboard", skills=("a", "old-b")), Scenario(id="S2", goal="Two"))
    assert not any(each.severity == "error" for each in noted)


@pytest.mark.parametrize(
    ("blueprint", "proposed", "right", "recall"),
    [("x", ("a", "b", "c", "d", "e"), True, 1.0), ("x", ("a", "b", "c", "e"), True, 1.0), ("y", ("a", "b", "c", "e"), False, 1.0),
     ("x", ("a", "b"), False, 0.5), ("", ("a", "b", "c", "e"), False, 1.0)],
)  # fmt: skip
def test_a_goal_is_right_by_its_blueprint_and_the_recall_of_its_skills_after_aliases(
    blueprint: str, proposed: tuple[str, ...], right: bool, recall: float
) -> None:
    wanted = Scenario(id="S", goal="g", blueprint="x", skills=("a", "old-b", "either", "e"))
    found = judged(wanted, Route(goal="g", blueprint=blueprint, skills=proposed), LIBRARY)
    assert (found.right, found.recall) == (right, recall)


def test_a_name_that_means_no_skill_is_missed_and_said() -> None:
    found = judged(Scenario(id="S", goal="g", skills=("a", "flying")), Route(goal="g", skills=("a",)), LIBRARY)
    assert (found.missed, found.unknown, found.recall, found.right) == (("flying",), ("flying",), 0.5, False)
    assert "     missed flying (no skill here: flying)" in table([found])


def test_the_table_ends_with_the_score_and_its_criterion() -> None:
    rows = [judged(Scenario(id="S", goal="g", skills=("a",)), Route(goal="g", skills=("a", "b")), LIBRARY)]
    *_, said, criterion = table(rows)
    assert said == "1 of 1 right; blueprint 1 of 1; mean recall 1.00, mean precision 0.50" and criterion == CRITERION


def test_our_own_goals_name_twelve_blueprints() -> None:
    assert len({each.blueprint for each in own()}) == len(own()) == 12


def test_a_file_without_scenarios_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "s.yaml"
    place.write_text("scenarios: []\n")
    for each in (place, tmp_path / "none.yaml"):
        with pytest.raises(BadInput):
            load(each)


def test_the_verb_scores_a_library_and_says_it_in_json_too(tmp_path: Path) -> None:
    folder = tmp_path / "skills" / "brewing-tea"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: brewing-tea\ndescription: Brews tea.\n---\n\nBoil water.\n")
    goals = tmp_path / "goals.yaml"
    goals.write_text("scenarios: [{id: T1, goal: Tea brewing, blueprint: null, expected_skills: [brewing-tea]}]\n")
    words = ["routing", "--library", str(tmp_path), "--scenarios", str(goals)]
    shown = CliRunner().invoke(command, words, catch_exceptions=False)
    assert shown.exit_code == 0 and "1 of 1 right" in shown.output and CRITERION in shown.output
    document = json.loads(CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False).stdout)
    assert document["schema"] == "remit.bench.routing/1" and document["goals"][0]["right"] is True


@pytest.mark.parametrize(
    "words", [["routing"], ["routing", "startup"], ["startup", "--library", "."], ["routing", "--library", "/nowhere/at/all"]]
)
def test_the_verb_says_what_is_missing(words: list[str]) -> None:
    found = CliRunner().invoke(command, words)
    assert isinstance(found.exception, BadInput)


@pytest.mark.skipif("REMIT_SKILL_REPO" not in os.environ, reason="REMIT_SKILL_REPO names no folder of real skills")
def test_ten_of_their_own_twelve_goals_are_right() -> None:
    places = [Path(each) for each in os.environ["REMIT_SKILL_REPO"].split(os.pathsep)]
    found = next((place for each in places if (place := each / "evaluation" / "scenarios.yaml").exists()), None)
    if found is None:
        pytest.skip("no evaluation/scenarios.yaml in REMIT_SKILL_REPO")
    library = read_library(places)
    scored = [score(each, library) for each in load(found)]
    assert len(scored) == 12 and sum(each.right for each in scored) >= 10, "\n".join(table(scored))
