"""A blueprint carried out end to end: every deliverable judged, what is due counted from maturity, answers and flags."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from chains_at_work import AGENT, LIBRARY, RAG, Chains, place_of, python
from owing import OWING
from worlds import CLEAN

from remit.cli.chain.planning import Planned, planned
from remit.cli.chain.wish import Wish
from remit.errors import BadInput
from remit.plan.graph import waves

LEVELS = ("starter", "intermediate", "advanced")
OWN = {
    # answers and flags: how many deliverables are due at each level
    (): (7, 9, 10),
    ("Q2=A",): (8, 10, 11),
    ("Q3=B",): (7, 10, 11),
    ("watched=false",): (6, 8, 9),
    ("watched=true",): (7, 9, 10),
    ("Q2=A", "Q3=B", "watched=true"): (8, 11, 12),
}
REAL = {(): (14, 20, 21), ("Q3=A",): (15, 22, 23), ("Q4=C",): (14, 21, 22), ("Q3=A", "Q4=C"): (15, 23, 24)}
KINDS: dict[str, dict[str, object]] = {
    # every blueprint of the repository, and what a person has to say before it can be planned
    "api-first": {}, "ci-cd": {}, "cloud": {"leave": ("assembling-infrastructure",)}, "cost": {"instead": {"tagging-resources": "resource-tagging"}}, "crud-api": {}, "dashboard": {},
    "data-pipeline": {}, "k8s": {"leave": ("assembling-infrastructure",)}, "ml-pipeline": {}, "observability": {}, "rag-pipeline": {}, "security": {"instead": {"configuring-networking": "architecting-networks"}},
}  # fmt: skip


def wished(name: str, *said: str, maturity: str = "", library: tuple[Path, ...] = (LIBRARY,), **more: object) -> Planned:
    answers = dict(each.split("=") for each in said if each.startswith("Q"))
    flags = {key: value == "true" for key, value in (each.split("=") for each in said if not each.startswith("Q"))}
    given = {"answers": answers, "flags": flags, "instead": {}, "command": ("true",), **more}
    return planned(Wish(name=name, goal="Answers from papers", maturity=maturity, library=library, **given))  # type: ignore[arg-type]


def options(said: tuple[str, ...]) -> list[str]:
    return [word for each in said for word in ("--answer" if each.startswith("Q") else "--set", each)]


@pytest.mark.parametrize("said", OWN, ids=lambda said: " ".join(said) or "as it is")
def test_what_is_due_follows_from_maturity_answers_and_flags(said: tuple[str, ...]) -> None:
    found = [wished("paper-answers", *said, maturity=level).plan for level in LEVELS]
    assert tuple(len(plan.deliverables) for plan in found) == OWN[said]
    for plan in found:
        assert {each.by for each in plan.deliverables} <= {step.id for step in plan.steps}
        assert ("chat-window" in [step.id for step in plan.steps]) == ("Q2=A" in said)
        assert ("host-model" in [step.id for step in plan.steps]) == ("Q3=B" in said and plan.maturity != "starter")
        assert plan.steps[-1].id == "pack-together"
        assert all(each.why for each in plan.left)


@pytest.mark.parametrize(
    ("level", "said", "due", "verified"),
    [
        ("starter", (), 7, "8/8"),
        ("intermediate", ("Q2=A", "watched=false"), 9, "10/10"),
        ("advanced", ("Q2=A", "Q3=B", "watched=true"), 12, "13/13"),
    ],
)
def test_a_blueprint_is_carried_out_and_everything_that_is_due_is_there(
    tmp_path: Path, level: str, said: tuple[str, ...], due: int, verified: str
) -> None:
    world = Chains(tmp_path)
    done = world.chain("paper-answers", "--goal", "Answers from our papers", "--maturity", level, *options(said))
    assert f"FILES VERIFIED: {verified}" in done.stderr
    told = world.status()
    judged = told["validation"]
    assert (judged["status"], judged["completeness"], len(judged["deliverables"])) == ("PASS", 100, due)
    assert {each["status"] for each in judged["deliverables"]} == {"complete"}
    assert {step["status"] for step in told["steps"]} == {"complete"}
    assert {step["tries"] for step in told["steps"]} == {1}
    asked = json.loads(python("src/answer.py", "papers", "When does it close on Saturdays?", at=world.work))
    assert asked["sources"] == ["opening-hours.md"], "what the chain made works"
    if level == "advanced":
        assert any("doubled backslashes" in each for each in judged["warnings"])
        assert python("scripts/measure.py", at=world.work) == "recall: 2/2\n"


def test_each_sub_agent_was_told_its_own_skill_and_got_no_other(tmp_path: Path) -> None:
    """One that asks for the skill of its neighbour first is refused that one, and nothing else of it changes."""
    world = Chains(tmp_path)
    nosy = AGENT[2].replace(
        "def main() -> None:",
        'OTHER = subprocess.run(["remit", "skill", "talking:pack-together"], capture_output=True, text=True)\n\n\ndef main() -> None:',
    )
    assert nosy != AGENT[2]
    world.chain(
        "paper-answers", "--goal", "g", "--leave", "pack-together", "--maturity", "starter", agent=("python3", "-c", nosy)
    )
    told = world.status()
    assert told["invoked"] == ["reading:gather-papers", "reading:index-passages", "talking:answer-questions"]
    for step in told["steps"]:
        [run] = step["runs"]
        assert len(world.account(run)["refused"]) == 1


def test_names_that_mean_nothing_are_all_said_with_the_nearest_and_settled_by_a_word(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as told:
        wished("paper-alerts")
    assert "send-lettres is the name of no skill here. The nearest: send-letters." in str(told.value)
    assert "ring-bells is the name of no skill here. Nothing here is like it" in str(told.value)
    found = wished("paper-alerts", instead={"send-lettres": "send-letters"}, leave=("ring-bells",))
    assert [step.id for step in found.plan.steps] == ["gather-papers", "send-letters"]
    sounded = wished("paper-answers", instead={"index-passages": "index-by-sound"})
    assert "index-by-sound" in [step.id for step in sounded.plan.steps]


def later() -> tuple[Path, ...]:
    """The later blueprints, and the skills they speak of."""
    return place_of("REMIT_SKILL_LATER"), place_of("REMIT_SKILL_REPO")


@pytest.mark.parametrize("said", REAL, ids=lambda said: " ".join(said) or "as it is")
def test_what_the_real_blueprint_wants_is_counted_from_its_own_rules(said: tuple[str, ...]) -> None:
    found = [wished("rag-pipeline", *said, maturity=level, library=later()).plan for level in LEVELS]
    assert tuple(len(plan.deliverables) for plan in found) == REAL[said]


@pytest.mark.parametrize("said", REAL, ids=lambda said: " ".join(said) or "as it is")
@pytest.mark.parametrize("level", LEVELS)
def test_the_real_blueprint_is_carried_out_and_every_deliverable_is_complete(
    tmp_path: Path, level: str, said: tuple[str, ...]
) -> None:
    world = Chains(tmp_path, *later())
    plan = wished("rag-pipeline", *said, maturity=level, library=world.places).plan
    owed = [
        {"by": each.by, "files": each.files, "contains": [[one.pattern, one.place] for one in each.contains]}
        for each in plan.deliverables
    ]
    wish = ("rag-pipeline", "--goal", "RAG pipeline with chat interface", "--maturity", level, *options(said))
    done = world.chain(*wish, agent=("python3", "-c", OWING, json.dumps(owed)), code=None)
    judged = world.status()["validation"]
    files = len({file for each in plan.deliverables for file in each.files})
    assert (judged["status"], judged["completeness"], judged["verified"], len(judged["deliverables"])) == (
        "PASS", 100, files, REAL[said][LEVELS.index(level)],
    ), done.stderr[-3000:]  # fmt: skip
    assert done.returncode == 0
    assert {each["status"] for each in judged["deliverables"]} == {"complete"}
    assert [step["tries"] for step in world.status()["steps"]] == [1] * len(plan.steps)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_of_real_blueprint_is_planned_once_what_it_leaves_open_is_settled(name: str) -> None:
    found = wished(name, library=later(), **KINDS[name])  # type: ignore[arg-type]
    assert not [each for each in found.noted if each.severity == "error"]
    placed = [step for wave in waves(found.plan) for step in wave]
    assert sorted(placed) == sorted(step.id for step in found.plan.steps)
    assert all(step.skill is not None and Path(step.skill.folder, "SKILL.md").is_file() for step in found.plan.steps)


def test_the_walk_through_shows_what_it_promises(tmp_path: Path) -> None:
    """As anybody runs it, but for making the environment ready, which whoever runs the tests has done."""
    scene = tmp_path / "examples" / "rag"
    shutil.copytree(RAG, scene, ignore=shutil.ignore_patterns("__pycache__"))
    ready = tmp_path / "tools" / "ready"
    ready.parent.mkdir()
    ready.write_text("#!/bin/sh\n")
    ready.chmod(0o755)
    env = {**CLEAN, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    ended = subprocess.run(["sh", str(scene / "run")], env=env, capture_output=True, text=True, check=False, timeout=120)
    told = ended.stdout + ended.stderr
    assert ended.returncode == 0, told[-3000:]
    for promised in (
        "8 of 8 skills are valid",
        "The nearest: send-letters",
        "DELEGATING: gather-papers",
        "FILES VERIFIED: 10/10",
        "STATUS: PASS",
        '"sources": ["opening-hours.md"]',
        "execution:\n  - skill: gather-papers\n    status: complete",
        "web/window.js - is not there - owed by chat-window",
        "are what was recorded",
    ):
        assert promised in told, promised
    assert "Traceback" not in told
