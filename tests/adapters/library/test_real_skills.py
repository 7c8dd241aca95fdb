"""The whole of a real repository of skills, as its people wrote it; only where $REMIT_SKILL_REPO says where it lies."""

import os
import time
from pathlib import Path

import pytest

from remit.adapters.library import lint_library, read_library
from remit.plan.library import Library

REPOSITORY = os.environ.get("REMIT_SKILL_REPO", "")
pytestmark = pytest.mark.skipif(not REPOSITORY, reason="$REMIT_SKILL_REPO does not name a repository of skills")
FIRST = ["dashboard", "crud-api", "rag-pipeline"]


@pytest.fixture(scope="module")
def library() -> Library:
    return read_library([Path(REPOSITORY)])


def test_all_of_its_skills_and_plugins_are_read_at_once(library: Library) -> None:
    begun = time.monotonic()
    read_library([Path(REPOSITORY)])
    assert time.monotonic() - begun < 5
    assert (len(library.skills), len(library.plugins)) == (76, 19)
    assert all(":" in skill.invocation and skill.description and skill.body and skill.digest for skill in library.skills)
    assert [each for each in library.noted if each.severity == "error"] == []


def test_all_but_one_are_valid_by_the_letter() -> None:
    _, noted = lint_library(Path(REPOSITORY))
    assert [(each.code, Path(each.file).parent.name) for each in noted if each.severity == "error"] == [
        ("NAME-DIFFERS", "secret-management")
    ]


def test_every_name_of_its_registry_finds_its_skill(library: Library) -> None:
    assert [each for each in library.noted if each.code in ("UNKNOWN-SKILL", "AMBIGUOUS", "CONFLICT")] == []
    assert [each.name for each in library.offers] == FIRST
    assert sorted(each.name for each in library.blueprints) == sorted(FIRST)
    assert len([skill for skill in library.skills if skill.domain]) == 29
    assert [skill.name for skill in library.skills if skill.depends.last] == ["assembling-components"]
    assert [skill.name for skill in library.skills if skill.required] == ["theming-components", "assembling-components"][::-1]


@pytest.mark.parametrize(
    ("name", "skill"),
    [
        ("secret-management", "managing-secrets"),
        ("api-patterns", "implementing-api-patterns"),
        ("auth-security", "securing-authentication"),
        ("ui-foundation-skills:theming-components", "theming-components"),
        ("backend-api-skills:api-patterns", "implementing-api-patterns"),
        ("kubernetes-operations", "operating-kubernetes"),
        ("configuring-networking", ""),
        ("assembling-infrastructure", ""),
    ],
)
def test_names_that_its_files_use_find_what_they_mean_or_nothing(library: Library, name: str, skill: str) -> None:
    assert library.resolve(name).skill == skill


def test_every_alias_of_the_table_means_a_skill_that_is_there(library: Library) -> None:
    assert [name for _, meant in library.aliases for name in meant if library.skill(name) is None] == []


def test_what_lies_beside_its_skills_is_listed(library: Library) -> None:
    assert "tokens/global/colors.json" in library.files("theming-components")


def test_seven_names_of_its_later_skill_graph_are_no_skills_and_all_are_found_by_alias() -> None:
    later = Path(os.environ.get("REMIT_SKILL_LATER", "/nowhere"))
    graph = ".claude-commands/skillchain-data/shared/skill-graph.yaml"
    if not (later / graph).is_file():
        pytest.skip("$REMIT_SKILL_LATER does not name a copy with the skill graph")
    library = read_library([Path(REPOSITORY), later])
    own = [each.code for each in library.noted if each.file.endswith("skill-graph.yaml")]
    assert (own.count("ALIAS"), own.count("UNKNOWN-SKILL")) == (7, 0)
    assert library.tiers == (("foundation", 1), ("component", 2), ("integration", 3), ("assembly", 4))
    assert (library.skill("assembling-components") or library.skills[0]).depends.any_of != ()
