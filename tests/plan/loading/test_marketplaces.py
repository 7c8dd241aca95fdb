"""Marketplaces: which plugin a skill goes by, what lies elsewhere, and what tries to leave the folder."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.library import Plugin
from remit.plan.loading.invoking import invocations_of
from remit.plan.loading.marketplace import read_marketplace, read_plugin
from remit.plan.skill import Noted, Skill


def market(*plugins: object) -> tuple[tuple[Plugin, ...], list[str]]:
    found, noted = read_marketplace(json.dumps({"name": "crafts", "plugins": plugins}), file="marketplace.json", root="/place")
    return found, [each.code for each in noted]


def test_a_plugin_names_its_skills_below_the_root() -> None:
    found, odd = market({"name": "paper-skills", "source": "./", "skills": ["./skills/folding-maps"], "strict": False})
    assert odd == []
    assert found == (
        Plugin(name="paper-skills", root="/place", skills=("/place/skills/folding-maps",), strict=False, file="marketplace.json"),
    )


def test_a_plugin_without_a_list_has_every_skill_of_its_folder() -> None:
    (plugin,), odd = market({"name": "paper-skills", "source": "./plugins/paper"})
    assert (plugin.whole, plugin.root, plugin.strict, odd) == (True, "/place/plugins/paper", True, [])


@pytest.mark.parametrize("source", [{"source": "github", "repo": "crafts/paper"}, "https://example.com/paper.git", 7])
def test_a_source_elsewhere_is_named_and_never_fetched(source: object) -> None:
    (plugin,), odd = market({"name": "paper-skills", "source": source})
    assert plugin.elsewhere
    assert (plugin.skills, plugin.whole, odd) == ((), False, ["PLUGIN-ELSEWHERE"])


@pytest.mark.parametrize("path", ["../outside", "/etc", "~/x", "./skills/../../outside", "a\\b"])
def test_a_path_that_leaves_the_folder_is_left_out(path: str) -> None:
    (plugin,), odd = market({"name": "paper-skills", "source": "./", "skills": [path, "./skills/one"]})
    assert (plugin.skills, odd) == (("/place/skills/one",), ["OUTSIDE"])
    (other,), odd = market({"name": "paper-skills", "source": path if path.startswith((".", "/", "~")) else f"./{path}"})
    assert (other.root, odd) == ("", ["OUTSIDE"])


def test_json_with_a_comment_and_a_comma_too_many_is_read_and_said() -> None:
    text = '{\n  # ours\n  "plugins": [{"name": "paper-skills", "source": "./", "skills": ["./skills/one"],},],\n}\n'
    found, noted = read_marketplace("\ufeff" + text, file="marketplace.json", root="/place")
    assert [plugin.skills for plugin in found] == [("/place/skills/one",)]
    assert noted[0].code == "JSON"


def test_what_is_no_marketplace_is_said() -> None:
    for text in ("", "[]", "{}", '{"plugins": 7}', "not: json: at all"):
        found, noted = read_marketplace(text, file="marketplace.json", root="/place")
        assert found == ()
        assert noted[-1].code == "MARKETPLACE"


def test_a_plugin_without_a_name_is_left_out_and_of_two_with_one_name_the_first_is_taken() -> None:
    found, odd = market({"source": "./"}, {"name": "a", "source": "./", "skills": ["./x"]}, {"name": "a", "source": "./"}, "text")
    assert [(plugin.name, plugin.skills) for plugin in found] == [("a", ("/place/x",))]
    assert odd == ["MARKETPLACE", "PLUGIN-TWICE", "MARKETPLACE"]


def test_a_single_plugin_names_itself() -> None:
    (plugin,), noted = read_plugin('{"name": "paper-skills", "source": "../out"}', file="plugin.json", root="/place")
    assert (plugin.name, plugin.root, plugin.whole, noted) == ("paper-skills", "/place", True, ())
    assert [each.code for each in read_plugin("{}", file="plugin.json", root="/place")[1]] == ["PLUGIN"]


def invoked(skills: list[Skill], *plugins: Plugin) -> tuple[dict[str, str], dict[str, str], list[Noted]]:
    noted: list[Noted] = []
    found, spelled = invocations_of(skills, plugins, noted)
    return {skill.name: skill.invocation for skill in found}, spelled, noted


def test_a_skill_is_invoked_by_its_plugin_and_its_own_name_and_found_by_its_directory_too() -> None:
    keeping = Skill(name="keeping-keys", folder="/place/skills/key-keeping")
    main, spelled, noted = invoked([keeping], Plugin(name="safe-skills", root="/place", skills=(keeping.folder,)))
    assert main == {"keeping-keys": "safe-skills:keeping-keys"}
    assert spelled == {"safe-skills:keeping-keys": "keeping-keys", "safe-skills:key-keeping": "keeping-keys"}
    assert noted == []


def test_a_skill_of_two_plugins_goes_by_the_first_and_a_listed_folder_that_is_not_there_is_said() -> None:
    one = Skill(name="one", folder="/place/skills/one")
    main, spelled, noted = invoked(
        [one],
        Plugin(name="first", root="/place", skills=(one.folder, "/place/skills/two")),
        Plugin(name="second", root="/place", whole=True),
    )
    assert main == {"one": "first:one"}
    assert set(spelled) == {"first:one", "second:one"}
    assert [each.code for each in noted] == ["PLUGIN-SKILL", "INVOCATION-TWICE"]


def test_a_skill_that_no_plugin_lists_goes_by_its_bare_name() -> None:
    assert invoked([Skill(name="one", folder="/place/one")])[0] == {"one": "one"}


def test_an_invocation_that_hosts_may_not_take_is_said() -> None:
    _, _, noted = invoked([Skill(name="One Two", folder="/p/x")], Plugin(name="Paper", root="/p", skills=("/p/x",)))
    assert [each.code for each in noted] == ["INVOCATION-FORM"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["plugins", "name", "source", "skills", "strict", "metadata", "pluginRoot"]), inner)
    ),
)


@given(st.text() | JSON.map(json.dumps))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_it_raise_and_no_path_leaves_the_root(text: str) -> None:
    for read in (read_marketplace, read_plugin):
        found, _ = read(text, file="marketplace.json", root="/place")
        for plugin in found:
            assert all(path == "/place" or path.startswith("/place/") for path in (*plugin.skills, plugin.root or "/place"))


def test_json_without_end_is_said() -> None:
    assert read_marketplace("[" * 200_000, file="marketplace.json", root="/place")[0] == ()
