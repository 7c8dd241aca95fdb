"""S3 to S8 end to end: what stands in the records, the state files and the workspace when a chain goes well, badly, or is killed."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from chains_at_work import OBEYING, Chains, shown
from inline_snapshot import snapshot
from worlds import OWNER

MADE = {
    "implementing-api-patterns": ("api/main.txt", "api/routes.txt", "api/models.txt", "api/errors.txt"),
    "using-vector-databases": ("vectors/store.txt", "vectors/search.txt", "vectors/setup.txt"),
    "ai-data-engineering": ("rag/chunks.txt", "rag/embed.txt", "rag/retrieve.txt", "rag/rank.txt"),
    "model-serving": ("serving/model.txt", "serving/load.txt", "serving/warm.txt"),
    "building-ai-chat": ("chat/app.txt", "chat/stream.txt", "chat/cite.txt", "chat/theme.txt"),
}
DUE = {
    "API endpoints": MADE["implementing-api-patterns"],
    "Vector storage": (*MADE["using-vector-databases"], *MADE["ai-data-engineering"]),
    "Chat interface": (*MADE["model-serving"], *MADE["building-ai-chat"]),
}
OWED_BY = {
    "API endpoints": "implementing-api-patterns",
    "Vector storage": "ai-data-engineering",
    "Chat interface": "building-ai-chat",
}


def texts(**more: str) -> dict[str, str]:
    """The skills of the pipeline; `more` is what one of them does besides."""
    made = {name: "\n".join(f"make {path}" for path in paths) for name, paths in MADE.items()}
    return {name.replace("-", "_"): f"{text}\n{more.get(name.replace('-', '_'), '')}" for name, text in made.items()}


def pipeline(world: Chains, *, more: tuple[str, ...] = (), time_: str = "") -> str:
    """One skill after another, and eighteen files that are due at the end."""
    steps, before = [], ""
    for name in (*MADE, *more):
        steps.append(
            f"  - skill: {name}\n" + (f"    after: [{before}]\n" if before else "") + (f"    time: {time_}\n" if time_ else "")
        )
        before = name
    due = "".join(f"  - {{name: {name}, by: {OWED_BY[name]}, files: [{', '.join(files)}]}}\n" for name, files in DUE.items())
    head = "goal: RAG pipeline with chat interface\ntitle: RAG Pipeline Blueprint\nquality: false\nsteps:\n"
    return world.file(head + "".join(steps) + "deliverables:\n" + due)


def until(known: Callable[[], bool], what: str, seconds: float = 40) -> None:
    """Poll, up to a deadline."""
    ending = time.monotonic() + seconds
    while not known():
        assert time.monotonic() < ending, f"never: {what}"
        time.sleep(0.05)


def statuses(world: Chains) -> dict[str, str]:
    return {step["step"]: step["status"] for step in world.status()["steps"]}


@pytest.fixture
def world(tmp_path: Path) -> Chains:
    return Chains(tmp_path)


def validated(world: Chains) -> str:
    """What a fresh validation of the workspace says, from its first line."""
    done = world.quick("chain", "validate", "last", code=1)
    return done.stdout[done.stdout.index("VALIDATION REPORT") :]


def test_s4_what_is_deleted_emptied_or_left_as_a_placeholder_afterwards_is_found(world: Chains) -> None:
    world.skills(**texts())
    done = world.chain(pipeline(world), agent=OBEYING)
    assert shown(done, "VALIDATION REPORT", "Chain complete") == snapshot("""\
VALIDATION REPORT

FILES VERIFIED: 18/18
DELIVERABLES:
  - API endpoints - complete
  - Vector storage - complete
  - Chat interface - complete

COMPLETENESS: 100%
STATUS: PASS
""")
    kept = {path: (world.work / path).read_text() for paths in MADE.values() for path in paths}
    assert len(kept) == 18 and sorted(world.tree()) == sorted(kept)
    (world.work / "chat/cite.txt").unlink()
    assert validated(world) == snapshot("""\
VALIDATION REPORT

FILES VERIFIED: 17/18
DELIVERABLES:
  - API endpoints - complete
  - Vector storage - complete
  - Chat interface - partial

ISSUES:
  ✗ chat/cite.txt - is not there - owed by building-ai-chat

COMPLETENESS: 66%
STATUS: FAIL
""")
    (world.work / "chat/cite.txt").write_text(kept["chat/cite.txt"])
    (world.work / "api/main.txt").write_text("")
    assert validated(world) == snapshot("""\
VALIDATION REPORT

FILES VERIFIED: 17/18
DELIVERABLES:
  - API endpoints - partial
  - Vector storage - complete
  - Chat interface - complete

ISSUES:
  ✗ api/main.txt - is empty - owed by implementing-api-patterns

COMPLETENESS: 66%
STATUS: FAIL
""")
    (world.work / "api/main.txt").write_text("TODO: the rest\n")
    assert validated(world) == snapshot("""\
VALIDATION REPORT

FILES VERIFIED: 17/18
DELIVERABLES:
  - API endpoints - partial
  - Vector storage - complete
  - Chat interface - complete

ISSUES:
  ✗ api/main.txt:1 - holds the placeholder `TODO` - owed by implementing-api-patterns

COMPLETENESS: 66%
STATUS: FAIL
""")
    (world.work / "api/main.txt").write_text(kept["api/main.txt"])
    assert "STATUS: PASS" in world.quick("chain", "validate", "last").stdout


def test_s4_the_state_of_a_coordinator_is_what_the_sources_show_while_the_second_step_runs(world: Chains) -> None:
    world.skills(**texts(using_vector_databases="do sleep 300"))
    with world.begin(pipeline(world), agent=OBEYING) as running:
        until(lambda: world.quick("runs", code=None).stdout.count("using-vector") > 0, "the second step begins")
        until(lambda: statuses(world).get("using-vector-databases") == "in_progress", "the second step runs")
        state = world.quick("chain", "status", "last", "--state").stdout
        progress = json.loads(world.quick("chain", "status", "last", "--progress").stdout)
        world.quick("stop", "last", code=None)
        running.process.wait(timeout=30)
    assert state == snapshot("""\
execution:
  - skill: implementing-api-patterns
    status: complete
    outputs: {files: [api/main.txt, api/routes.txt, api/models.txt, api/errors.txt], decisions: ["manner: as implementing-api-patterns says"]}
  - skill: using-vector-databases
    status: in_progress
    outputs: null
  - skill: ai-data-engineering
    status: pending
    outputs: null
  - skill: model-serving
    status: pending
    outputs: null
  - skill: building-ai-chat
    status: pending
    outputs: null
""")
    assert progress["version"] == "1.0"
    assert [each["status"] for each in progress["skills"]] == ["complete", "in_progress", "pending", "pending", "pending"]
    made = [str(world.work / path) for path in sorted(MADE["implementing-api-patterns"])]
    assert progress["skills"][0]["outputs"]["files_created"] == made
    assert progress["skills"][0]["agent_id"] != progress["skills"][1]["agent_id"]


def test_s4_six_skills_and_the_validation_are_seven_steps(world: Chains) -> None:
    world.skills(**texts(), implementing_observability="make watch/dashboard.txt")
    done = world.chain(pipeline(world, more=("implementing-observability",)), "--answers",
                       world.answers(("mode", "delegated"), ("confirmation", "yes")), agent=OBEYING, yes=False)  # fmt: skip
    assert shown(done, "EXECUTION PLAN", "Proceed?") == snapshot("""\
EXECUTION PLAN:
1. [SKILL] implementing-api-patterns
2. [SKILL] using-vector-databases
3. [SKILL] ai-data-engineering
4. [SKILL] model-serving
5. [SKILL] building-ai-chat
6. [SKILL] implementing-observability
7. [VALIDATION] Final validation
""")
    assert "Progress: [6/7] ████████████████░░ 85%" in done.stderr
    told = world.status()
    assert (len(told["invoked"]), told["validation"]["status"], told["rounds"]) == (6, "PASS", 1)


def test_s3_the_agent_that_forgets_half_of_a_long_chain_forgets_nothing_when_each_skill_is_delegated(world: Chains) -> None:
    world.skills(**texts(), implementing_observability="make watch/dashboard.txt")
    chain = pipeline(world, more=("implementing-observability",))
    done = world.chain(chain, agent=OBEYING, mode="standard", code=None)
    assert "Actual: Only 3/6 invoked (50% activation)" in done.stderr
    assert done.returncode != 0
    assert world.status()["rot"]["activation"] == 50
    assert world.tree() == {}, "what is not whole is not published"
    done = world.chain(chain, agent=OBEYING)
    told = world.status()
    assert (len(told["invoked"]), told["validation"]["status"]) == (6, "PASS")
    assert told["rot"] is None or told["rot"]["activation"] == 100


def test_s6_a_step_that_fails_holds_up_only_what_depends_on_it(world: Chains) -> None:
    world.skills(skill_a="make a.txt\ndo sleep 0.5", skill_b="do sleep 0.2; exit 1", skill_c="make c.txt", skill_d="make d.txt")
    text = "goal: g\nquality: false\nsteps:\n  - skill: skill-a\n  - skill: skill-b\n  - skill: skill-c\n    after: [skill-a]\n  - skill: skill-d\n    after: [skill-b]\n"
    done = world.chain(world.file(text), agent=OBEYING, code=4)
    assert statuses(world) == {"skill-a": "complete", "skill-b": "failed", "skill-c": "complete", "skill-d": "pending"}
    assert (
        "Parallel execution detected:\n  - skill-a (no deps)\n  - skill-b (no deps)\n\n[Task 1: skill-a] [Task 2: skill-b]"
        in done.stderr
    )
    a, b, c, _ = world.status()["steps"]
    assert max(a["began"], b["began"]) < min(a["ended"], b["ended"]) and c["began"] >= a["ended"]
    world.skills(skill_b="make b.txt")
    done = world.quick("answer", "last", "Q1", "retry")
    assert set(statuses(world).values()) == {"complete"}
    assert sorted(world.tree()) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert [step["tries"] for step in world.status()["steps"]] == [1, 2, 1, 1]


def test_s7_an_owner_may_take_less_and_it_stays_partial(world: Chains) -> None:
    world.skills(**texts(building_ai_chat="do rm chat/cite.txt"))
    done = world.chain(pipeline(world), "--answers", world.answers(("gaps", "accept")), agent=OBEYING)
    assert shown(done, "Validation found gaps") == snapshot("""\
Validation found gaps:

MISSING:
- Chat interface

Options:
1. Generate missing components
2. Accept partial completion
3. View detailed report

Your choice:

Partial completion accepted by release-lead@example.com; still missing:
- Chat interface

Chain partial: 5 of 5 steps complete; release-lead@example.com accepted without Chat interface

  SUCCESS_WITH_EXCEPTIONS (1)
    exception  deliverables: Chat interface
""")
    told = world.status()
    assert (told["accepted"], told["validation"]["status"]) == ({"missing": ["Chat interface"], "by": OWNER}, "PARTIAL")
    assert "chat/cite.txt" in told["steps"][-1]["flagged"]
    progress = json.loads(world.quick("chain", "status", "last", "--progress").stdout)
    assert progress["validation"]["status"] != "PASS"
    assert progress["validation"]["missing"] == ["Chat interface"]
    account = world.account()
    assert OWNER in json.dumps(account["approved"])


def test_s8_what_hangs_is_killed_with_everything_it_started_and_tried_again_as_the_contract_says(world: Chains) -> None:
    mark = f"{os.getpid()}.75"
    world.skills(**texts(model_serving=f"do sleep 3{mark} & sleep 3{mark}"))
    chain = world.file("goal: g\nquality: false\nsteps:\n  - {skill: model-serving, time: 1s}\n")
    contract = world.quick("chain", "plan", chain, *world.words(yes=False), "--", *OBEYING).stdout.split("\ncontract:\n")[1]
    contract = "\n".join(line.removeprefix("  ") for line in contract.splitlines())
    promised = world.contract(contract.replace("do: ask owner", "do: retry 1") + "\n")
    begun = time.monotonic()
    done = world.chain(chain, "--contract", promised, "--unattended", agent=OBEYING, code=1)
    assert time.monotonic() - begun < 30
    assert "Your choice" not in done.stderr
    [step] = world.status()["steps"]
    assert (step["outcome"], step["tries"], len(set(step["runs"]))) == ("hung", 2, 2)
    assert not alive(mark)


def alive(mark: str) -> list[str]:
    """Programs of this machine that were started with this word."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = each.read_bytes().decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if line.startswith("sleep") and mark in line:
            found.append(line)
    return found


def test_killed_twice_in_the_middle_it_is_carried_on_and_nothing_complete_is_done_again(world: Chains) -> None:
    world.skills(**texts(using_vector_databases="do sleep 0.8", model_serving="do sleep 0.8"))
    chain = pipeline(world)
    with world.begin(chain, agent=OBEYING) as running:
        until(lambda: world.quick("runs", code=None).stdout.count("\n") > 0, "it begins")
        until(lambda: statuses(world)["using-vector-databases"] == "in_progress", "the second step runs")
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(timeout=30)
    assert statuses(world)["implementing-api-patterns"] == "complete"
    with world.start("chain", "resume", "last") as running:
        until(lambda: statuses(world)["model-serving"] == "in_progress", "the fourth step runs")
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(timeout=30)
    before = {step["step"]: step for step in world.status()["steps"]}
    done = world.quick("chain", "resume", "last")
    told = world.status()
    for step in told["steps"]:
        if before[step["step"]]["status"] == "complete":
            assert step == before[step["step"]], "what was complete is as it was"
    assert told["validation"]["status"] == "PASS" and sorted(world.tree()) == sorted(
        path for paths in MADE.values() for path in paths
    )
    assert "DELEGATING: implementing-api-patterns" not in done.stderr
    lines = [json.loads(line) for line in world.quick("export", "--all").stdout.splitlines()]
    invoked = [json.loads(each["entry"]) for each in lines if "entry" in each]
    belongs = {run: step["step"] for step in told["steps"] for run in step["runs"]}
    counted = [belongs[each["run"]] for each in invoked if each["kind"] == "skill_invoked"]
    again = {name for name, step in before.items() if step["status"] != "complete"} | {"using-vector-databases"}
    assert all(counted.count(name) == 1 for name in MADE if name not in again), counted
    assert len(counted) <= 5 + 2, "at most once more for each kill"
    assert world.quick("verify").returncode == 0
