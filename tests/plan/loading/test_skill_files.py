"""SKILL.md read leniently: whatever is odd is said, and the skill is there all the same."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.loading.skill_file import broken_links, read_skill, tools
from remit.plan.skill import Skill

WHOLE = "---\nname: folding-maps\ndescription: Folds maps. Use it when a map is flat.\n---\n\n# Folding\n\nFirst, [the creases](references/creases.md).\n"


def read(text: str, folder: str = "/place/folding-maps") -> tuple[Skill, list[str]]:
    skill, noted = read_skill(text, file="SKILL.md", folder=folder, digest="sha256:0")
    return skill, [each.code for each in noted]


def test_a_whole_skill_has_nothing_odd() -> None:
    skill, found = read(WHOLE)
    assert found == []
    assert (skill.name, skill.invocation, skill.description) == (
        "folding-maps",
        "folding-maps",
        "Folds maps. Use it when a map is flat.",
    )
    assert (skill.lines, skill.digest, skill.sources) == (8, "sha256:0", ("SKILL.md",))
    assert skill.body.startswith("\n# Folding")


def test_a_name_that_differs_from_its_directory_is_kept_and_said() -> None:
    skill, found = read(WHOLE, "/place/map-folding")
    assert (skill.name, found) == ("folding-maps", ["NAME-DIFFERS"])


def test_a_directory_one_level_deeper_than_the_name_is_only_a_note() -> None:
    skill, noted = read_skill(WHOLE, file="SKILL.md", folder="/place/folding-maps/v2")
    assert skill.name == "folding-maps"
    assert [(each.code, each.severity) for each in noted] == [("NAME-DEEPER", "note")]


def test_a_skill_without_front_matter_is_called_like_its_directory() -> None:
    skill, found = read("# Folding\n\nFolds every map\nthere is.\n\nMore.\n")
    assert (skill.name, skill.description) == ("folding-maps", "Folds every map there is.")
    assert found == ["FRONT-MISSING", "NAME-MISSING", "DESCRIPTION-MISSING"]


def test_broken_yaml_keeps_name_and_description() -> None:
    skill, found = read("---\nname: folding-maps\ndescription: Folds: maps, and: charts\n---\nbody\n")
    assert (skill.name, skill.description) == ("folding-maps", "Folds: maps, and: charts")
    assert found == ["YAML", "NEEDS-QUOTES"]


def test_extra_keys_are_said_and_not_used() -> None:
    skill, found = read(
        WHOLE.replace("---\n\n#", "argument-hint: a map\nversion: 2\npermissionMode: bypassPermissions\n---\n\n#")
    )
    assert found == ["EXTRA-KEY"]
    assert skill.tools == ()


def test_a_description_that_is_too_long_or_folded_is_kept_on_one_line() -> None:
    skill, found = read(f"---\nname: folding-maps\ndescription: >\n  Folds\n  maps.\n  {'x' * 1100}\n---\nbody\n")
    assert skill.description.startswith("Folds maps. xxx")
    assert found == ["DESCRIPTION-LONG"]


@pytest.mark.parametrize("name", ["Folding Maps", "folding_maps", "folding--maps", "-maps", "m" * 65])
def test_an_unusual_name_is_kept_and_said(name: str) -> None:
    skill, found = read(WHOLE.replace("folding-maps", name), f"/place/{name}")
    assert (skill.name, found) == (name, ["NAME-FORM"])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Read Grep", ("Read", "Grep")),
        ("Read, Grep,Bash(git add:*), Read", ("Read", "Grep", "Bash(git add:*)")),
        (["Read", "Bash(npm run *)"], ("Read", "Bash(npm run *)")),
        ("*", ("*",)),
        ([], ()),
        (None, ()),
        ({"a": 1}, ()),
    ],
)
def test_tools_are_a_text_or_a_list_and_only_a_wish(value: object, found: tuple[str, ...]) -> None:
    assert tools(value) == found


def test_links_that_lead_nowhere_or_out_are_said_and_links_in_code_are_none() -> None:
    text = WHOLE + (
        "[a folder](references/) [an anchor](#top) [the web](https://example.com/x.md) [part](references/creases.md#one)\n"
        "[gone](references/gone.md) [out](../other/SKILL.md) [blank](scripts/two%20words.sh) [word](someday)\n"
        "```\n[not a link](nowhere/at/all.md)\n```\n"
    )
    skill, _ = read(text)
    found = broken_links(skill, ["references/creases.md", "scripts/two words.sh"], file="SKILL.md")
    assert [(each.code, each.message) for each in found] == [
        ("LINK-BROKEN", "the link to `references/gone.md` leads nowhere"),
        ("LINK-OUT", "the link to `../other/SKILL.md` leads out of the skill"),
    ]


@given(st.text(), st.text(alphabet="abc/. -", max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_text_makes_it_raise_and_every_skill_has_a_name(text: str, folder: str) -> None:
    for content in (text, f"---\n{text}\n---\n{text}"):
        skill, _ = read_skill(content, file="SKILL.md", folder=folder)
        assert skill.name
        broken_links(skill, [], file="SKILL.md")


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_file_gives_itself_more_than_a_list_of_wishes(wish: str) -> None:
    skill, _ = read_skill(
        f"---\nname: x\ndescription: y\nallowed-tools: {wish!r}\npermissionMode: {wish!r}\n---\n", file="SKILL.md"
    )
    plain, _ = read_skill("---\nname: x\ndescription: y\n---\n", file="SKILL.md")
    assert {key for key in skill.__struct_fields__ if getattr(skill, key) != getattr(plain, key)} <= {"tools", "lines", "body"}
