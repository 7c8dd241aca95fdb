"""`remit chain list|show|plan|run|status|resume|validate`: what they print, and what they say to what cannot be used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from inline_snapshot import snapshot

from remit.cli.main import group
from remit.errors import RemitError

BLUEPRINT = """\
# Shop Blueprint

## Skill Chain (Pre-configured)

```
1. draw-plan
2. lay-flor
3. [OPTIONAL] paint-walls  # colour
4. hang-sign
```

## Quick Questions

### 1. Colour
```
Which colour?
A) Red
B) Blue

[Default: B - Blue]
```
"""
CHAIN = """\
title: A small shop
steps:
  - skill: draw-plan
    writes: [plan/**]
  - skill: lay-floor
    writes: [plan/**]
  - skill: hang-sign
    after: [draw-plan, lay-floor]
deliverables:
  - {name: Plan, by: draw-plan, files: [plan/plan.md]}
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("REMIT_ORG", raising=False)
    monkeypatch.delenv("REMIT_LIBRARY", raising=False)
    Path("library/blueprints").mkdir(parents=True)
    Path("library/blueprints/shop.md").write_text(BLUEPRINT)
    for name in ("draw-plan", "lay-floor", "paint-walls", "hang-sign"):
        Path(f"library/skills/{name}").mkdir(parents=True)
        Path(f"library/skills/{name}/SKILL.md").write_text(f"---\nname: {name}\ndescription: For a shop.\n---\n\n# {name}\n")
    Path("small.chain.yaml").write_text(CHAIN)


def remit(*words: str) -> Result:
    return CliRunner().invoke(group, ["chain", *words])


def refused(*words: str) -> tuple[str, str]:
    """What is said, and what to do, as the program prints them."""
    error = remit(*words).exception
    assert isinstance(error, RemitError), error
    assert error.exit_code == 2
    return str(error), error.hint


def test_list_shows_blueprints_and_chain_files_with_their_counts() -> None:
    assert remit("list", "--library", "library").stdout == snapshot("""\
shop                      blueprint   4 steps (1 optional) · 1 questions · 0 deliverables · 2 findings
small                     chain file  3 steps · 0 questions · 1 deliverables
""")
    rows = json.loads(remit("list", "--library", "library", "--json").stdout)
    assert [(row["name"], row["kind"], row["questions"], row["deliverables"]) for row in rows["chains"]] == [
        ("shop", "blueprint", 1, 0), ("small", "chain file", 0, 1),
    ]  # fmt: skip
    assert (
        "lay-flor is the name of no skill here. One of lay-floor?" in remit("list", "--library", "library", "--findings").stdout
    )


def test_show_prints_steps_questions_deliverables_and_findings() -> None:
    seen = remit("show", "shop", "--library", "library").stdout
    assert "   2. lay-flor (unresolved)\n   3. paint-walls (optional)  colour\n" in seen
    assert "  Q1  Which colour?\n      A  Red\n      B  Blue" in seen
    assert "  Plan  by draw-plan" in remit("show", "small", "--library", "library").stdout
    told = json.loads(remit("show", "small", "--library", "library", "--json").stdout)
    assert [step["id"] for step in told["plan"]["steps"]] == ["draw-plan", "lay-floor", "hang-sign"]


def test_plan_prints_waves_conflicts_advice_and_the_contract() -> None:
    seen = remit("plan", "small", "--library", "library", "--goal", "A shop").stdout
    assert seen[: seen.index("\ncontract:")] == snapshot("""\
small  A small shop
goal         A shop
recommended  standard: 3 skills: short enough for one conversation; one domain

steps:
   1. draw-plan  (wave 1)
   2. lay-floor  (wave 2)
   3. hang-sign  (wave 3; after 1, 2)
   4. Final validation

never at once:
  draw-plan and lay-floor: both claim plan/**

deliverables (1):
  Plan  by draw-plan
""")
    assert "contract:\n  goal: A shop\n  owner: owner@example.com\n  may:\n" in seen


def test_plan_as_a_document_has_everything_that_would_decide() -> None:
    told = json.loads(remit("plan", "small", "--library", "library", "--goal", "A shop", "--json").stdout)
    assert sorted(told) == ["advice", "conflicts", "contract", "findings", "optional", "plan", "schema", "waves", "why"]
    assert told["waves"] == [["draw-plan"], ["lay-floor"], ["hang-sign"]]
    assert told["conflicts"] == [{"path": "plan/**", "steps": ["draw-plan", "lay-floor"]}]


def test_a_plan_is_written_once_and_reads_back_the_same() -> None:
    words = ("--library", "library", "--json")
    first = json.loads(remit("plan", "small", "--goal", "A shop", "--write", "kept.chain.yaml", *words).stdout)
    again = json.loads(remit("plan", "kept.chain.yaml", *words).stdout)
    for told in (first, again):
        told["plan"].pop("source")
        told["plan"].pop("name")
    assert again["plan"] == first["plan"]
    assert (
        refused("plan", "small", "--goal", "g", "--write", "kept.chain.yaml", *words)[0] == "`kept.chain.yaml` is there already"
    )
    assert refused("plan", "small", "--goal", "g", "--write", "kept.txt", *words)[0] == "`kept.txt` is no name of a chain file"


def test_another_skill_for_a_name_or_none_makes_a_plan_of_it() -> None:
    for words in (("--instead", "lay-flor=lay-floor"), ("--leave", "lay-flor")):
        told = json.loads(remit("plan", "shop", "--goal", "g", "--library", "library", "--json", *words).stdout)
        assert ("lay-floor" in [step["id"] for step in told["plan"]["steps"]]) is (words[0] == "--instead")
    told = json.loads(
        remit("plan", "shop", "--leave", "lay-flor", "--take", "paint-walls", "--library", "library", "--json").stdout
    )
    assert "paint-walls" in [step["id"] for step in told["plan"]["steps"]]


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("plan", "shopp"), "no blueprint and no chain file is called `shopp`", "did you mean `shop`?"),
        (("plan", "none.chain.yaml"), "there is no chain file `none.chain.yaml`", "`remit chain list` lists blueprints and chain files"),
        (("plan",), "which chain?", "name a blueprint or a chain file, or say with --goal what it is for"),
        (("plan", "--skill", "draw-plan"), "what is it for?", "say it in a sentence with --goal"),
        (("plan", "shop", "--answer", "Q1"), "`--answer Q1` cannot be used", "write each name once, as --answer NAME=VALUE"),
        (("plan", "shop", "--set", "a=maybe"), "`--set a=maybe` cannot be used", "write --set a=true or --set a=false"),
        (("plan", "shop", "--command", "sh 'x"), "the command cannot be read: no closing quotation", "quote it for a shell, or give it after `--`"),
        (("plan", "small", "--maturity", "starter"), "--maturity means nothing for a chain file", "`small.chain.yaml` says all of that itself"),
        (("plan", "small", "--goal", "g", "--leave", "x"), "there is no step `x` to leave out", "steps: draw-plan, lay-floor, hang-sign"),
        (("run", "small", "--goal", "g"), "nobody is named who does `draw-plan`", "name a runtime with --runtime, or the command of an agent after `--`"),
        (
            ("run", "small", "--goal", "g", "--command", "true", "--yes"),
            "nobody is known here who could own the outcome",
            "`remit init` makes your identity; or give a --contract",
        ),
        (("run", "small", "--goal", "g", "--workspace", "nowhere"), "there is no workspace `nowhere`", "give an existing folder to --workspace"),
        (("status",), "there are no chains yet", "`remit chain run` begins one"),
        (("resume", "r1"), "there are no runs yet", "`remit run` starts one"),
        (("validate", "--workspace", "."), "which chain is to be validated?", "name a blueprint or a chain file beside --workspace"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_clear_error_with_what_to_do(words: tuple[str, ...], said: str, hint: str) -> None:
    more = () if words[0] in ("status", "resume") else ("--library", "library")
    assert refused(*words, *more) == (said, hint)


def test_names_that_mean_no_skill_are_all_said_at_once_with_what_comes_near() -> None:
    said, hint = refused("plan", "shop", "--library", "library")
    assert said.splitlines()[0] == "this chain cannot be carried out as it stands:"
    assert "lay-flor is the name of no skill here. The nearest: lay-floor." in said
    assert hint == "`--instead NAME=OTHER` takes another skill for a name, `--leave NAME` does without"


def test_a_library_that_is_not_there_and_a_word_that_is_no_subcommand_are_said() -> None:
    assert refused("list", "--library", "nowhere")[0] == "there is no folder `nowhere`"
    assert "no such subcommand `lst`; did you mean `list`?" in remit("lst").output


def test_nothing_that_only_looks_writes_anything() -> None:
    before = sorted(map(str, Path().rglob("*")))
    for words in (("list",), ("show", "shop"), ("plan", "small", "--goal", "g")):
        assert remit(*words, "--library", "library").exit_code == 0
    assert sorted(map(str, Path().rglob("*"))) == before


def test_the_verb_itself_imports_nothing_heavy() -> None:
    said = "import sys, remit.cli.main, remit.cli.chain; print([n for n in ('rich', 'anyio', 'yaml', 'remit.engine') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.skipif("REMIT_SKILL_REPO" not in os.environ, reason="$REMIT_SKILL_REPO does not name a checkout of real skills")
def test_every_blueprint_of_the_real_repository_is_listed_and_planned_or_refused_with_reasons() -> None:
    place = os.environ["REMIT_SKILL_REPO"]
    rows = json.loads(remit("list", "--library", place, "--json").stdout)["chains"]
    assert {"dashboard", "crud-api", "rag-pipeline"} <= {row["name"] for row in rows}
    for row in rows:
        if row["kind"] != "blueprint":
            continue
        assert remit("show", row["name"], "--library", place).exit_code == 0
        done = remit("plan", row["name"], "--library", place, "--json")
        told = json.loads(done.stdout) if done.exit_code == 0 else {}
        assert told.get("plan") or "is the name of no skill here" in str(done.exception), row["name"]
    found = json.loads(remit("plan", "--goal", "Build a RAG pipeline over our documents", "--library", place, "--json").stdout)
    assert (found["plan"]["name"], found["advice"]["mode"], bool(found["why"])) == ("rag-pipeline", "delegated", True)
