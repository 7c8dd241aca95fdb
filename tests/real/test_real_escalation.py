"""S19: a light agent hands heavy work up to a real runtime, and nothing else; it comes back with its limits kept, and can be undone."""

import json
import subprocess
from pathlib import Path
from typing import Any

from real_worlds import MODELS, PRODUCTS, Scene, eventually, executable, real, stopped
from worlds import Told

from remit.testing.models import Final, Loop, Script, Shell, Tool

PARENT = """\
goal: {goal}
owner: release-lead@example.com
may:
  - read: "**"
  - write: [src/**, docs/**]
  - run: sed -i * ...
  - run: python3 checks/run.py ...
  - delegate: codex
limits: {{turns: 60, time: 5m, tokens: 2M, usd: 20}}
success:
  - id: renamed
    file: src/part_12.py
    matches: new_name
recovery:
  - when: failed
    do: undo
"""
CHILD = """\
goal: {goal}
owner: release-lead@example.com
may:
  - read: "**"
  - write: src/**
  - run: sed -i * ...
  - run: python3 checks/run.py ...
model: gpt-5.1-codex
limits: {{turns: {turns}, time: 2m, tokens: 500k, usd: 5}}
success:
  - id: renamed
    file: src/part_12.py
    matches: new_name
recovery:
  - when: failed
    do: undo
"""
TASK = "Rename a symbol across 12 files and run the tests"
WHY = "it changes twelve files and has to run the tests in a terminal"
RENAME = "sed -i 's/old_name/new_name/g' " + " ".join(f"src/part_{number}.py" for number in range(1, 13))
CHECKS = """\
import pathlib, sys, time
if sys.argv[1:]:
    time.sleep(600)
assert not [path for path in pathlib.Path("src").glob("part_*.py") if "old_name" in path.read_text()]
print("12 pass")
"""
GOES_UP = Script(name="first", steps=(Shell(command=RENAME), Shell(command="python3 checks/run.py"), Final(text="renamed")))
FOR_EVER = Script(name="second", steps=(Loop(step=Shell(command="python3 checks/run.py")),))


def project(scene: Scene) -> str:
    """Twelve files with a symbol, and their tests. The hash of the tree."""
    for number in range(1, 13):
        path = scene.work / "src" / f"part_{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def old_name_{number}():\n    return old_name\n")
    (scene.work / "checks").mkdir()
    (scene.work / "checks" / "run.py").write_text(CHECKS)
    scene.git("add", "--all")
    scene.git("-c", "user.name=Nobody", "-c", "user.email=nobody@example.com", "commit", "-qm", "feat: twelve parts")
    return tree_hash(scene)


def tree_hash(scene: Scene) -> str:
    """What git calls everything that lies in the folder now, committed or not."""
    index = {"GIT_INDEX_FILE": str(scene.folder / "index-of-the-test")}
    for words in (["add", "--all"], ["write-tree"]):
        done = subprocess.run(
            ["git", "-C", str(scene.work), *words], check=True, capture_output=True, text=True, env={**scene.env, **index}
        )
    return done.stdout.strip()


def going_up(scene: Scene, script: str, *, goal: str = TASK, turns: int = 20) -> str:
    """A contract under which the light agent hands a task up, whose runtime then plays this script."""
    marked = f"{goal} [[script: {script}]]" if script else goal
    child = CHILD.format(goal=json.dumps(marked), turns=turns)
    hands_up = Tool(name="delegate", arguments={"runtime": "codex", "why": WHY, "contract": child})
    scene.server.add(Script(name="light", steps=(hands_up, Final(text="handed up, and looked at"))))
    return scene.contract(PARENT.format(goal=json.dumps("[[script: light]] See to it that the symbol is renamed")))


def only(told: Told, kind: str) -> dict[str, Any]:
    (found,) = [fact for fact in told.events if fact["kind"] == kind]
    return found


def test_a_rename_across_twelve_files_goes_up_comes_back_and_can_be_undone(tmp_path: Path) -> None:
    with real(tmp_path, "agent", scripts=[GOES_UP]) as scene:
        codex(scene)
        before = project(scene)
        told = scene.hand_over(going_up(scene, "first"))
        up, back = only(told, "escalated"), only(told, "deescalated")
        assert (up["runtime"], up["needs"], up["why"]) == ("codex", ["multi-file", "terminal"], WHY)
        assert up["caps"] == {"turns": "20", "tokens": "500k", "usd": "5.00", "time": "2m"}
        assert up["child"] in up["way_back"]
        assert told.events.index(up) < told.events.index(back)
        assert (back["verdict"], back["runtime"]) == ("success", "codex")
        assert sorted(back["paths"]) == sorted(f"src/part_{number}.py" for number in range(1, 13))
        assert back["cost"]["turns"] == "3" and float(back["cost"]["usd"]) > 0
        assert told.end["verdict"] == "success" and told.end["published"] is True
        assert told.end["spend"]["turns"] >= 5, "the child's turns are the parent's, too"
        assert tree_hash(scene) != before
        assert "old_name" not in "".join(text for path, text in scene.tree().items() if path.startswith("src/part"))
        models = {seen.model for seen in scene.server.work}
        assert models == {MODELS["codex"], MODELS["agent"].partition(":")[2]}
        scene.quick("undo")
        assert tree_hash(scene) == before
        scene.quick("verify")


def codex(scene: Scene) -> None:
    """The heavier runtime is on this machine, too."""
    scene.env[PRODUCTS["codex"].variable] = str(executable("codex"))


def test_a_question_about_a_job_stays_where_it_is(tmp_path: Path) -> None:
    with real(tmp_path, "agent", scripts=[GOES_UP]) as scene:
        codex(scene)
        before = project(scene)
        told = scene.hand_over(going_up(scene, "", goal="What is the status of job 7?"), code=1)
        assert not {"escalated", "child_started"} & set(told.kinds())
        (refused,) = [fact for fact in told.events if fact["kind"] == "decided" and fact["action"]["verb"] == "delegate"]
        assert refused["decision"] == "refuse"
        assert {reason["code"] for reason in refused["reasons"]} == {"NOT-JUSTIFIED"}
        assert "NOT-JUSTIFIED" in scene.results(), "the model is told why"
        assert tree_hash(scene) == before


def test_a_child_that_would_go_past_its_cap_ends_there(tmp_path: Path) -> None:
    with real(tmp_path, "agent", scripts=[FOR_EVER]) as scene:
        codex(scene)
        before = project(scene)
        told = scene.hand_over(going_up(scene, "second", turns=6), code=1)
        back = only(told, "deescalated")
        assert back["verdict"] == "exhausted"
        assert int(back["cost"]["turns"]) <= 6
        calls = [seen for seen in scene.server.journal if seen.script == "second"]
        assert len(calls) <= 6
        assert told.end["verdict"] == "failed"
        assert tree_hash(scene) == before


def test_a_stop_ends_the_light_agent_and_the_runtime_it_handed_up_to(tmp_path: Path) -> None:
    with real(tmp_path, "agent") as scene:
        codex(scene)
        before = project(scene)
        scene.server.add(Script(name="third", steps=(Shell(command=f"python3 checks/run.py {scene.nonce}", seconds=600),)))
        with scene.begin(going_up(scene, "third")) as begun:
            eventually(scene.alive, 90.0)
            receipt = stopped(scene)
            begun.end(code=6)
        assert receipt["verdict"] == "stopped"
        runs = json.loads(scene.quick("runs", "--json").stdout)["runs"]
        assert f"run {runs[1]['run']}" in receipt["ended"]
        assert [run["verdict"] for run in runs] == ["stopped", "stopped"], "what it handed up to is stopped, too"
        assert tree_hash(scene) == before
        scene.quick("verify")
