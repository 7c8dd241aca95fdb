"""Folders as people have them, read into one library: within bounds, never outside, never fatal."""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.adapters.library import lint_library, read_library
from remit.adapters.library.walk import MOST_DEPTH, MOST_LISTED
from remit.plan.library import Library
from remit.plan.skill import Output

Lay = Callable[[dict[str, str | bytes]], Path]


def skill_text(name: str, more: str = "") -> str:
    return f"---\nname: {name}\ndescription: Does {name}.\n{more}---\n\n# {name}\n"


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    def laid(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / "place" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "place"

    return laid


def codes(library: Library) -> list[str]:
    return [each.code for each in library.noted]


REPOSITORY = {
    ".claude-plugin/marketplace.json": json.dumps(
        {
            "plugins": [
                {
                    "name": "paper-skills",
                    "source": "./",
                    "skills": ["./skills/folding-maps", "./skills/key-keeping"],
                    "strict": False,
                }
            ]
        }
    ),
    "skills/folding-maps/SKILL.md": skill_text("folding-maps"),
    "skills/folding-maps/references/how to fold.md": "x" * 100,
    "skills/folding-maps/scripts/fold.sh": "exit 1",
    "skills/folding-maps/outputs.yaml": "base_outputs:\n  - path: maps/index.md\n    must_contain: [north]\n",
    "skills/key-keeping/SKILL.md": skill_text("keeping-keys"),
    "commands/skillchain/_registry.yaml": "skills:\n  folding-maps: {category: paper, priority: 3}\n  sewing: {priority: 4}\nblueprints:\n  atlas: {skill_chain: [folding-maps]}\n",
    "commands/skillchain/registries/_index.yaml": "domains: {stone: {file: stone.yaml}}\n",
    "commands/skillchain/registries/stone.yaml": "domain: stone\nskills:\n  keeping-keys: {priority: 9}\n",
    "commands/skillchain/shared/skill-graph.yaml": "tiers: {one: {order: 1}}\nskills: {folding-maps: {tier: one}}\n",
    "commands/skillchain/blueprints/atlas.md": "# Atlas Blueprint\n\n## Skill Chain (Pre-configured)\n\n```\n1. folding-maps\n```\n",
    "commands/skillchain/blueprints/README.md": "about",
    "README.md": "about",
}


def test_a_repository_of_plugins_is_one_library(lay: Lay) -> None:
    place = lay(REPOSITORY)
    library = read_library([place])
    assert [(each.name, each.invocation) for each in library.skills] == [
        ("folding-maps", "paper-skills:folding-maps"),
        ("keeping-keys", "paper-skills:keeping-keys"),
    ]
    maps = library.skill("folding-maps")
    assert maps is not None
    assert (maps.domain, maps.priority, maps.tier, maps.outputs) == (
        "paper",
        3,
        "one",
        (Output(path="maps/index.md", must_contain=("north",)),),
    )
    assert [Path(each).name for each in maps.sources] == ["SKILL.md", "outputs.yaml", "_registry.yaml", "skill-graph.yaml"]
    assert (library.skill("keeping-keys") or maps).domain == "stone"
    assert [each.name for each in library.blueprints] == ["atlas"]
    assert [each.name for each in library.offers] == ["atlas"]
    assert [each.code for each in library.noted if "blueprints" not in each.file] == ["NAME-DIFFERS", "UNKNOWN-SKILL"]


def test_what_lies_beside_a_skill_is_listed_and_never_read(lay: Lay) -> None:
    place = lay({**REPOSITORY, "skills/folding-maps/references/secret.md": "in no value of the library"})
    library = read_library([place])
    assert library.files("folding-maps") == (
        "outputs.yaml",
        "references/how to fold.md",
        "references/secret.md",
        "scripts/fold.sh",
    )
    assert "in no value" not in repr(library)


def test_the_digest_is_that_of_the_bytes_of_the_file_and_the_folder_is_whole(lay: Lay) -> None:
    place = lay({"folding-maps/SKILL.md": "\ufeff" + skill_text("folding-maps").replace("\n", "\r\n")})
    (skill,) = read_library([place]).skills
    data = (place / "folding-maps" / "SKILL.md").read_bytes()
    assert skill.digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert skill.folder == os.path.realpath(place / "folding-maps")


def test_a_place_may_be_the_folder_of_one_skill(lay: Lay) -> None:
    place = lay({"SKILL.md": skill_text("place")})
    assert [each.name for each in read_library([place]).skills] == ["place"]


def test_the_first_place_that_names_a_skill_wins(lay: Lay) -> None:
    place = lay(
        {
            "a/one/SKILL.md": skill_text("one"),
            "b/one/SKILL.md": skill_text("one", "license: MIT\n"),
            "b/two/SKILL.md": skill_text("two"),
        }
    )
    library = read_library([place / "b", place / "a"])
    assert [Path(each.folder).parent.name for each in library.skills] == ["b", "b"]
    assert codes(library) == ["NAME-TWICE"]


def test_links_are_followed_inside_the_place_and_never_out_of_it(lay: Lay, tmp_path: Path) -> None:
    place = lay(
        {
            "skills/one/SKILL.md": skill_text("one"),
            "kept/two/SKILL.md": skill_text("two"),
            "skills/four/SKILL.md": skill_text("four"),
        }
    )
    outside = tmp_path / "outside" / "three"
    outside.mkdir(parents=True)
    (outside / "SKILL.md").write_text(skill_text("three"))
    (place / "skills" / "two").symlink_to("../kept/two")
    (place / "skills" / "three").symlink_to(outside)
    (place / "skills" / "round").symlink_to("..")
    (place / "skills" / "gone").symlink_to("nowhere")
    (place / "skills" / "four" / "secret.md").symlink_to("/etc/passwd")
    library = read_library([place])
    assert [each.name for each in library.skills] == ["two", "four", "one"]
    assert sorted(codes(library)) == ["LINK-BROKEN", "LINK-OUT", "LINK-OUT"]
    assert library.files("four") == ()
    assert [each.name for each in read_library([place / "skills"]).skills] == ["four", "one"]


def test_a_file_of_a_skill_that_is_a_link_out_is_no_skill(lay: Lay, tmp_path: Path) -> None:
    place = lay({"one/x.md": "x"})
    (tmp_path / "SKILL.md").write_text(skill_text("one"))
    (place / "one" / "SKILL.md").symlink_to(tmp_path / "SKILL.md")
    library = read_library([place])
    assert (library.skills, codes(library)) == ((), ["LINK-OUT"])


def test_no_file_that_is_none_is_opened(lay: Lay) -> None:
    place = lay({"two/SKILL.md": skill_text("two")})
    (place / "one").mkdir()
    os.mkfifo(place / "one" / "SKILL.md")
    assert [each.name for each in read_library([place]).skills] == ["two"]


def test_what_is_too_large_too_deep_or_too_many_is_said_and_left_out(lay: Lay) -> None:
    deep = "/".join("d" for _ in range(MOST_DEPTH + 2))
    place = lay(
        {
            "big/SKILL.md": skill_text("big") + "x" * (1024 * 1024),
            f"{deep}/SKILL.md": skill_text("d"),
            "many/SKILL.md": skill_text("many"),
        }
    )
    for at in range(MOST_LISTED + 5):
        (place / "many" / f"{at:04}.md").touch()
    library = read_library([place])
    assert [each.name for each in library.skills] == ["many"]
    assert sorted(codes(library)) == ["TOO-DEEP", "TOO-LARGE", "TOO-MANY"]
    assert len(library.files("many")) in (MOST_LISTED, MOST_LISTED - 1)


def test_folders_of_programs_are_not_looked_through(lay: Lay) -> None:
    place = lay({"node_modules/one/SKILL.md": skill_text("one"), ".git/two/SKILL.md": skill_text("two")})
    assert read_library([place]).skills == ()


def test_a_skill_inside_a_skill_is_only_listed(lay: Lay) -> None:
    place = lay({"one/SKILL.md": skill_text("one"), "one/examples/two/SKILL.md": skill_text("two")})
    library = read_library([place])
    assert [each.name for each in library.skills] == ["one"]
    assert library.files("one") == ("examples/two/SKILL.md",)


def test_a_file_that_is_called_otherwise_or_is_no_text_is_read_and_said(lay: Lay) -> None:
    place = lay({"one/skill.md": skill_text("one").encode() + b"\xff\xfe\n"})
    library = read_library([place])
    assert [each.name for each in library.skills] == ["one"]
    assert codes(library) == ["FILE-NAME", "NOT-UTF-8"]


def test_a_place_that_is_not_there_or_cannot_be_read_is_said(lay: Lay) -> None:
    place = lay({"one/SKILL.md": skill_text("one")})
    assert codes(read_library([place / "nowhere"])) == ["PLACE"]
    if os.geteuid() != 0:
        (place / "one").chmod(0)
        assert codes(read_library([place])) == ["UNREADABLE"]
        (place / "one").chmod(0o755)


def test_a_place_says_itself_what_its_old_names_mean(lay: Lay) -> None:
    place = lay({"skills/one/SKILL.md": skill_text("one"), "skills/aliases.yaml": "uno: one\nmany: [one, two]\n"})
    library = read_library([place])
    assert library.resolve("uno").skill == "one"
    assert library.resolve("many").candidates == ("one",)


def test_a_single_plugin_gives_its_name_to_its_skills(lay: Lay) -> None:
    place = lay({".claude-plugin/plugin.json": '{"name": "paper-skills"}', "skills/one/SKILL.md": skill_text("one")})
    assert [each.invocation for each in read_library([place]).skills] == ["paper-skills:one"]


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are texts there")
def test_names_of_files_that_are_no_text_do_not_end_the_reading(lay: Lay) -> None:
    place = lay({"one/SKILL.md": skill_text("one")})
    os.mkdir(os.fsencode(place) + b"/\xff")
    (place / os.fsdecode(b"\xff") / "SKILL.md").write_text(skill_text("two"))
    (place / "one" / os.fsdecode(b"\xfe.md")).touch()
    library = read_library([place])
    assert sorted(each.name for each in library.skills) == ["one", "two"]
    assert msgspec.json.encode(library)


def test_reading_strictly_says_what_the_letter_refuses_and_all_that_reading_says(lay: Lay) -> None:
    place = lay({**REPOSITORY, "skills/third/SKILL.md": skill_text("third", "argument-hint: x\n")})
    library, noted = lint_library(place)
    assert len(library.skills) == 3
    assert [(each.code, Path(each.file).parent.name) for each in noted if each.severity == "error"] == [
        ("NAME-DIFFERS", "key-keeping"),
        ("EXTRA-KEY", "third"),
    ]
    assert [each.code for each in noted if each.severity == "warning" and "blueprints" not in each.file] == ["UNKNOWN-SKILL"]


@given(
    data=st.dictionaries(
        st.sampled_from(list(REPOSITORY)),
        st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"---\nname: {text}".encode()),
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_in_any_file_make_it_raise(lay: Lay, data: dict[str, bytes]) -> None:
    place = lay({**REPOSITORY, **data})
    assert msgspec.json.encode(read_library([place]))
    lint_library(place)
