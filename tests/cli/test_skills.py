"""`remit skills`, as it is seen and as programs read it."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from remit.cli.skills import command
from remit.errors import BadInput

VALID = "---\nname: folding-maps\ndescription: Folds maps.\n---\n\n# Folding\n"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REMIT_LIBRARY", "REMIT_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.chdir(tmp_path)
    write("skills/folding-maps/SKILL.md", VALID)


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def skills(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_valid_skills_are_said_to_be_valid() -> None:
    for path in ("skills", "skills/folding-maps", "skills/folding-maps/SKILL.md"):
        result = skills("lint", path)
        assert (result.exit_code, result.stdout) == (0, "1 of 1 skills are valid; 0 errors, 0 warnings, 0 notes\n")


def test_what_is_not_valid_is_a_table_and_exit_code_1() -> None:
    write(
        "skills/cutting/SKILL.md",
        "---\nname: Cutting\ndescription: Cuts: paper.\nversion: 2\n---\n\n[gone](references/gone.md)\n",
    )
    result = skills("lint", "skills")
    assert result.exit_code == 1
    assert (
        result.stdout
        == """\
error    EXTRA-KEY     skills/cutting/SKILL.md:1: `version` is not a key of the specification; put it below `metadata:`
error    NAME-CASE     skills/cutting/SKILL.md:1: `Cutting` has capitals; write `cutting`
error    NAME-DIFFERS  skills/cutting/SKILL.md:1: the name is `Cutting`, the directory `cutting`; they are to be the same
error    NEEDS-QUOTES  skills/cutting/SKILL.md:3: the value of `description` is not YAML: taken as the text it is; put it in quotes
error    YAML          skills/cutting/SKILL.md:3: not YAML: mapping values are not allowed in this context; a text with `: ` or `#` in it needs quotes
warning  LINK-BROKEN   skills/cutting/SKILL.md: the link to `references/gone.md` leads nowhere
1 of 2 skills are valid; 5 errors, 1 warning, 0 notes
"""
    )


def test_findings_are_one_document_for_programs() -> None:
    write("skills/cutting/SKILL.md", "no front matter")
    result = skills("lint", "skills", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert {key: document[key] for key in ("schema", "ok", "skills", "invalid")} == {
        "schema": "remit.skills-lint/1",
        "ok": False,
        "skills": 2,
        "invalid": 1,
    }
    assert document["findings"] == [
        {
            "code": "FRONT-MISSING", "severity": "error", "file": "skills/cutting/SKILL.md", "line": 1, "message": "there is no front matter",
            "hint": "begin with `---`, `name:`, `description:`, `---`",
        }
    ]  # fmt: skip


def test_a_place_without_skills_cannot_be_checked() -> None:
    Path("empty").mkdir()
    for path in ("empty", "nowhere"):
        result = skills("lint", path)
        assert isinstance(result.exception, BadInput)


def test_the_skills_of_a_library_are_listed_by_how_they_are_invoked() -> None:
    write(
        ".claude-plugin/marketplace.json",
        '{"plugins": [{"name": "paper-skills", "source": "./", "skills": ["./skills/folding-maps"]}]}',
    )
    result = skills("list", "--library", ".")
    assert result.exit_code == 0
    assert result.stdout == "paper-skills:folding-maps  Folds maps.\n1 skill, 0 blueprints; 0 errors, 0 warnings, 0 notes\n"
    document = json.loads(skills("list", "--library", ".", "--json").stdout)
    (skill,) = document["skills"]
    assert (document["schema"], skill["invocation"], skill["name"]) == (
        "remit.skills/1",
        "paper-skills:folding-maps",
        "folding-maps",
    )
    assert skill["folder"] == os.path.realpath("skills/folding-maps")


def test_without_a_library_those_of_the_workspace_are_listed() -> None:
    write(".claude/skills/cutting/SKILL.md", "---\nname: cutter\ndescription: Cuts.\n---\nbody\n")
    result = skills("list")
    assert [line.split()[0] for line in result.stdout.splitlines()[:2]] == ["cutter", "folding-maps"]
    assert "1 warning" in result.stdout
    assert "NAME-DIFFERS" in skills("list", "--findings").stdout


def test_nothing_hidden_in_a_file_reaches_the_terminal() -> None:
    write("skills/evil/SKILL.md", '---\nname: evil\ndescription: "red \\e[31m and \\u202eback"\n---\nbody\n')
    result = skills("list", "--library", "skills", "--findings")
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
