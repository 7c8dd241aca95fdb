"""Work handed on: a child run of a narrowed contract, inside its parent's limits, stage, stop and account."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from worlds import World, small

PARENT = """\
goal: The docs say hello
owner: release-lead@example.com
may:
  - read: "**"
  - write: [docs/**, notes/**]
  - delegate: command
never:
  - write: docs/secret.md
limits: {turns: 10, time: 60s}
success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: stuck
    do: ask owner
  - when: failed
    do: undo
"""

CHILD = """\
goal: The greeting is written
owner: release-lead@example.com
may:
  - read: "**"
  - write: docs/**
limits: {turns: 4, time: 30s}
success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: failed
    do: undo
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return small(tmp_path)


def delegating(child: str, command: str, then: str = "") -> str:
    """A parent agent that hands the work on and prints the answer."""
    asked = json.dumps({"contract": child, "command": ["sh", "-c", command]})
    return f"""
import json, subprocess
asked = {asked!r}
done = subprocess.run(["remit", "act", "delegate", "command", "--args", asked], capture_output=True, text=True)
print("ANSWER", done.stdout, done.stderr, flush=True)
{then}
"""


def said(world: World, run: str) -> str:
    """What the agent of a run printed."""
    return (world.home / "runs" / run / "attempts" / "1.log").read_text()


def test_a_child_works_in_a_fork_of_the_stage_and_its_outcome_lands_in_its_parents(world: World) -> None:
    then = "print('SEEN', open('docs/hello.md').read(), flush=True)"
    agent = delegating(CHILD, "cat notes/n.md; echo hello > docs/hello.md; mkdir -p notes; echo x > notes/no.md", then)
    script = f"import os\nos.makedirs('notes'); open('notes/n.md','w').write('note')\n{agent}"
    told = world.run(world.contract(PARENT), "python", "-c", script)
    assert told.end["verdict"] == "success"
    assert world.tree() == {"README.md": "read me\n", "docs/hello.md": "hello\n", "notes/n.md": "note"}
    assert "child_started" in told.kinds()
    assert "child_ended" in told.kinds()
    assert "SEEN hello" in said(world, told.end["run"])
    child = next(event["child"] for event in told.events if event["kind"] == "child_started")
    refused = world.account(child)["refused"]
    assert [row["object"] for row in refused] == ["notes/no.md"]
    assert json.loads(world.remit("runs", "--json").stdout)["runs"][1]["run"] == child
    world.remit("verify")


def test_a_child_that_asks_for_more_than_its_parent_has_is_refused_with_the_line(world: World) -> None:
    wide = CHILD.replace("docs/**", "src/**").replace("turns: 4", "turns: 40")
    agent = delegating(wide, "true", "open('docs/hello.md','w').write('hello')")
    told = world.run(world.contract(PARENT), "python", "-c", agent)
    log = said(world, told.end["run"])
    assert '"decision": "refuse"' in log
    assert "wider than yours" in log
    assert "child.remit.yaml:5" in log
    assert "child_started" not in told.kinds()


def test_what_the_parent_may_never_do_its_child_may_not_do_either(world: World) -> None:
    agent = delegating(CHILD, "echo hello > docs/hello.md; echo x > docs/secret.md")
    told = world.run(world.contract(PARENT), "python", "-c", agent)
    assert told.end["verdict"] == "success"
    assert "docs/secret.md" not in world.tree()
    child = next(event["child"] for event in told.events if event["kind"] == "child_started")
    assert [row["object"] for row in world.account(child)["refused"]] == ["docs/secret.md"]


def test_limits_are_reserved_while_a_child_works_and_given_back_afterwards(world: World) -> None:
    agent = delegating(CHILD, "remit act read a; echo hello > docs/hello.md")
    told = world.run(world.contract(PARENT), "python", "-c", agent)
    started = next(event for event in told.events if event["kind"] == "child_started")
    ended = next(event for event in told.events if event["kind"] == "child_ended")
    assert started["reserved"]["turns"] == 4
    assert ended["spend"]["turns"] == 1
    assert told.end["spend"]["turns"] == 2


def test_stopping_the_parent_stops_the_child_and_proves_both(world: World) -> None:
    agent = delegating(CHILD, "sleep 60")
    words = [
        sys.executable,
        "-m",
        "remit.cli.main",
        "run",
        world.contract(PARENT),
        "--workspace",
        str(world.work),
        "--json",
        "--",
    ]
    with subprocess.Popen([*words, "python", "-c", agent], stdout=subprocess.PIPE, text=True, env=world.env) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if json.loads(line)["kind"] == "child_started":
                break
        begun = time.monotonic()
        world.remit("stop", json.loads(line)["run"])
        assert time.monotonic() - begun < 5
        running.stdout.read()
        assert running.wait(10) == 6
    rows = json.loads(world.remit("runs", "--json").stdout)["runs"]
    assert [row["verdict"] for row in rows] == ["stopped", "stopped"]
    world.remit("verify")


def test_a_child_that_fails_leaves_its_parents_stage_alone(world: World) -> None:
    agent = delegating(CHILD, "echo goodbye > docs/hello.md", "open('docs/hello.md','w').write('hello from the parent')")
    told = world.run(world.contract(PARENT), "python", "-c", agent)
    assert told.end["verdict"] == "success"
    assert world.tree()["docs/hello.md"] == "hello from the parent"
    assert '"verdict": "failed"' in said(world, told.end["run"])


def test_a_child_gets_nothing_of_the_environment_that_its_parent_does_not_have(world: World) -> None:
    greedy = CHILD + "environment: [HOST_SECRET, PATH]\n"
    agent = delegating(greedy, "echo hello > docs/hello.md; env >> docs/hello.md", "open('docs/hello.md','a').write('hello')")
    told = world.run(world.contract(PARENT), "python", "-c", agent, HOST_SECRET="s3cr3t")
    assert "s3cr3t" not in str(world.tree())
    assert "which the parent does not have" in said(world, told.end["run"])


def test_a_child_is_held_to_the_tightest_box_of_its_lineage(world: World) -> None:
    hungry = "python -c \"x = bytearray(600 * 1024 * 1024); print('GOT', len(x))\"; echo hello > docs/hello.md"
    text = PARENT.replace("limits: {turns: 10, time: 60s}", "limits: {turns: 10, time: 60s, memory: 256M}")
    told = world.run(world.contract(text), "python", "-c", delegating(CHILD, hungry), code=None)
    child = next(event["child"] for event in told.events if event["kind"] == "child_started")
    assert "GOT" not in said(world, child)


def test_a_childs_question_holds_its_parent_until_somebody_answers(world: World) -> None:
    asking = CHILD.replace("limits:", "ask:\n  - write: notes/**\nlimits:")
    agent = delegating(asking, "echo hello > docs/hello.md; mkdir -p notes; echo 1 > notes/a")
    told = world.run(world.contract(PARENT), "python", "-c", agent, code=4)
    child = next(event["child"] for event in told.events if event["kind"] == "child_started")
    assert world.tree() == {"README.md": "read me\n"}
    world.remit("answer", child, "Q1", "yes")
    assert world.tree() == {"README.md": "read me\n", "docs/hello.md": "hello\n", "notes/a": "1\n"}
    world.remit("verify")
