"""S3 to S8 through real runs: scripted sub-agents in real boxes, and what a person sees of them, byte for byte."""

import json
import textwrap
from pathlib import Path

from chain_desk import AGENT, OWNER, Desk
from inline_snapshot import snapshot

RAG = {
    "implementing-api-patterns": "write api/main.py\nwrite api/routes.py\nwrite api/models.py\nwrite api/errors.py",
    "using-vector-databases": "write vectors/store.py\nwrite vectors/search.py\nwrite vectors/setup.py",
    "ai-data-engineering": "make rag/chunks.py\nmake rag/embed.py\nmake rag/retrieve.py\nmake rag/rank.py",
    "model-serving": "make serving/model.py\nmake serving/load.py\nmake serving/warm.py",
    "building-ai-chat": "write chat/app.py\nwrite chat/stream.py\nwrite chat/cite.py\nwrite chat/theme.py",
}
CHAIN = """\
goal: RAG pipeline with chat interface
title: RAG Pipeline Blueprint
quality: false
parallel: 1
steps:
  - skill: implementing-api-patterns
  - skill: using-vector-databases
    after: [implementing-api-patterns]
  - skill: ai-data-engineering
    after: [using-vector-databases]
  - skill: model-serving
    after: [ai-data-engineering]
  - skill: building-ai-chat
    after: [model-serving]
deliverables:
  - {name: API endpoints, by: implementing-api-patterns, files: [api/main.py, api/routes.py, api/models.py, api/errors.py]}
  - name: Vector storage
    by: using-vector-databases
    files: [vectors/store.py, vectors/search.py, vectors/setup.py, rag/chunks.py, rag/embed.py, rag/retrieve.py, rag/rank.py]
  - name: Chat interface
    by: building-ai-chat
    files: [serving/model.py, serving/load.py, serving/warm.py, chat/app.py, chat/stream.py, chat/cite.py, chat/theme.py]
"""
TWO = """\
goal: A served model
quality: false
steps:
  - skill: using-vector-databases
  - skill: model-serving
    after: [using-vector-databases]
deliverables:
  - {name: Vector storage, by: using-vector-databases, files: [vectors/store.py]}
  - {name: observability dashboard, by: model-serving, files: [serving/dashboard.json]}
"""
STORE = {"using-vector-databases": "write vectors/store.py"}


def test_s4_the_whole_chain_is_confirmed_delegated_and_validated(tmp_path: Path) -> None:
    desk = Desk(tmp_path, RAG)
    answers = desk.answers(("mode", "delegated"), ("confirmation", "yes"))
    done = desk.run(desk.chain(CHAIN), "--answers", answers, yes=False)
    seen = desk.screens(done)
    assert seen[: seen.index("DELEGATING: using-vector")] == snapshot("""\
Delegated execution is recommended:
   - 5 skills: from 4 on, later ones are forgotten in one conversation
   - it is a RAG pipeline

Choose execution mode:

1. Standard Execution
   - Single conversation flow
   - Best for: Short chains (2-3 skills)

2. Delegated Execution (RECOMMENDED)
   - Fresh sub-agent per skill
   - Best for: Complex blueprints, long chains
   - Benefit: ~100% skill activation rate

Your choice (1/2): delegated

DELEGATED SKILL CHAIN EXECUTION

Goal: RAG pipeline with chat interface
Skills: 6 skills in sequence
Mode: Delegated (fresh context per skill)

EXECUTION PLAN:
1. [SKILL] implementing-api-patterns
2. [SKILL] using-vector-databases
3. [SKILL] ai-data-engineering
4. [SKILL] model-serving
5. [SKILL] building-ai-chat
6. [VALIDATION] Final validation

Proceed? (yes/modify/cancel) yes

  owner      chain-lead@example.com
  runtime    command

DELEGATING: implementing-api-patterns
Progress: 0/6 complete

Spawning sub-agent...

Skill complete: implementing-api-patterns
  Files created: 4
  Ready for next skill.

  Progress: [1/6] ████░░░░░░░░░░░░░░ 16%

""")
    assert seen[seen.index("DELEGATING: ai-data-engineering") : seen.index("DELEGATING: model-serving")] == snapshot("""\
DELEGATING: ai-data-engineering
Progress: 2/6 complete

Spawning sub-agent...

Skill complete: ai-data-engineering
  Files created: 4
  Ready for next skill.

  Progress: [3/6] ██████████░░░░░░░░ 50%

""")
    assert seen[seen.index("VALIDATION REPORT") :] == snapshot("""\
VALIDATION REPORT

FILES VERIFIED: 18/18
DELIVERABLES:
  - API endpoints - complete
  - Vector storage - complete
  - Chat interface - complete

COMPLETENESS: 100%
STATUS: PASS

Chain complete: 5 of 5 steps complete

  SUCCESS
""")
    assert len(desk.tree()) == 18
    told = desk.document()
    assert (told["advised"], told["mode"], told["confirmed"]) == ("delegated", "delegated", f"{OWNER}, beforehand")
    assert [step["files"] == [] for step in told["steps"]] == [False] * 5
    assert told["invoked"] == [f"kit:{name}" for name in RAG]
    (desk.work / "chat" / "cite.py").unlink()
    (desk.work / "api" / "main.py").write_text("")
    again = desk.remit("chain", "validate", told["run"], code=1).stdout
    assert "FILES VERIFIED: 16/18" in again
    assert "STATUS: PASS" not in again


def test_s5_a_step_in_trouble_is_skipped_by_consent_and_what_it_owes_is_missing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {**STORE, "model-serving": "fail"})
    answers = desk.answers(("step model-serving", "skip"), ("gaps", "report"), ("gaps", "accept"))
    seen = desk.screens(desk.run(desk.chain(TWO), "--answers", answers))
    assert seen[seen.index("Sub-agent of") : seen.index("VALIDATION REPORT")] == snapshot("""\
Sub-agent of model-serving came back: failed: check `invoked`, `ended` fails

Sub-agent issue: model-serving

Options:
1. Retry with fresh sub-agent
2. Skip this skill (with consent)
3. Abort execution

Your choice:

Skipped: model-serving, with the consent of chain-lead@example.com: failed: check `invoked`, `ended` fails

""")
    menu = "Validation found gaps:\n\nMISSING:\n- observability dashboard\n"
    assert seen.count(menu) == 2, "the report returns to the menu"
    assert "DETAILED VALIDATION REPORT" in seen[seen.index(menu) : seen.rindex(menu)]
    [stood] = [step for step in desk.document()["steps"] if step["step"] == "model-serving"]
    assert (stood["status"], stood["skipped_by"]) == ("skipped", OWNER)
    assert desk.document()["accepted"] == {"missing": ["observability dashboard"], "by": OWNER}
    assert desk.document()["validation"]["status"] != "PASS"


def test_s5_an_abort_ends_it_keeps_what_is_complete_and_offers_the_way_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {**STORE, "model-serving": "fail"})
    done = desk.run(desk.chain(TWO), "--answers", desk.answers(("step*", "abort")), code=1)
    assert (
        "Chain aborted: step `model-serving` failed; Q1 was answered: abort\nComplete, and kept: using-vector-databases"
        in desk.screens(done)
    )
    assert "drops what the complete steps made; nothing of it was published" in done.stderr
    assert desk.tree() == []
    desk.remit("undo", "last")
    assert "(undone)" in desk.remit("show", "last").stdout


def test_s5_a_retry_is_a_new_sub_agent_and_the_number_of_the_menu_answers_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {**STORE, "model-serving": "fail"})
    done = desk.run(desk.chain(TWO), code=4)
    assert " Q1 retry|skip|abort" in done.stderr
    refused = desk.remit("answer", "last", "Q1", "accept", code=2).stderr
    assert "one of retry, skip, abort" in refused
    desk.skill("model-serving", "write serving/dashboard.json")
    seen = desk.remit("answer", "last", "Q1", "1").stderr
    assert "Q1 answered retry by" in seen
    assert "\nTry 2" in seen
    assert "STATUS: PASS" in seen
    [stood] = [step for step in desk.document()["steps"] if step["step"] == "model-serving"]
    assert (stood["tries"], len(set(stood["runs"]))) == (2, 2)


def test_s6_steps_without_dependencies_run_at_the_same_time_and_it_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"skill-a": "write a.txt\nwait", "skill-b": "write b.txt\nwait", "skill-c": "write c.txt"})
    text = "goal: g\nquality: false\nsteps:\n  - skill: skill-a\n  - skill: skill-b\n  - skill: skill-c\n    after: [skill-a]\n"
    seen = desk.screens(desk.run(desk.chain(text)))
    assert seen[seen.index("Parallel execution") : seen.index("DELEGATING")] == snapshot("""\
Parallel execution detected:
  - skill-a (no deps)
  - skill-b (no deps)

[Task 1: skill-a] [Task 2: skill-b]

""")
    assert seen[seen.index("Both complete") :].splitlines()[:2] == [
        "Both complete, now running:",
        "  - skill-c (depends on skill-a)",
    ]
    a, b, c = desk.document()["steps"]
    assert max(a["began"], b["began"]) < min(a["ended"], b["ended"])
    assert c["began"] >= a["ended"]


def test_s7_what_is_missing_is_generated_by_the_step_that_owes_it_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {**STORE, "model-serving": "claim serving/dashboard.json"})
    done = desk.run(desk.chain(TWO), code=4)
    seen = desk.screens(done)
    assert "Flagged: serving/dashboard.json was claimed, and is not there" in seen
    assert seen[seen.index("Validation found gaps") : seen.index("Your choice:")] == snapshot("""\
Validation found gaps:

MISSING:
- observability dashboard

Options:
1. Generate missing components
2. Accept partial completion
3. View detailed report

""")
    assert "DETAILED VALIDATION REPORT" in desk.remit("answer", "last", "Q1", "3").stdout
    desk.skill("model-serving", "write serving/dashboard.json")
    seen = desk.remit("answer", "last", "Q1", "generate").stderr
    assert ("DELEGATING: model-serving" in seen, "DELEGATING: using" in seen, "STATUS: PASS" in seen) == (True, False, True)
    assert [step["tries"] for step in desk.document()["steps"]] == [1, 2]


def test_s8_a_step_that_hangs_is_ended_in_time_and_asked_about_or_stopped_unattended(tmp_path: Path) -> None:
    text = "goal: g\nquality: false\nsteps:\n  - skill: model-serving\n    time: 1s\n"
    desk = Desk(tmp_path, {"model-serving": "hang"})
    seen = desk.screens(desk.run(desk.chain(text), "--answers", desk.answers(("step*", "abort")), code=1))
    assert "Sub-agent of model-serving came back: hung: it did not end in time (1 s)\n\nSub-agent issue: model-serving\n" in seen
    alone = desk.screens(desk.run(desk.chain(text), "--unattended", code=1))
    assert "Your choice:" not in alone
    assert "Chain aborted: step `model-serving` hung" in alone


def test_s3_one_conversation_that_forgets_its_plan_is_measured_and_warned_about(tmp_path: Path) -> None:
    names = [*list(RAG)[:3], "model-serving", "building-ai-chat", "implementing-observability"]
    desk = Desk(tmp_path, {name: f"write {name}.txt" for name in names})
    text = "goal: g\ntitle: RAG Pipeline Blueprint\nquality: false\nsteps:\n" + "".join(f"  - skill: {name}\n" for name in names)
    seen = desk.screens(desk.run(desk.chain(text), mode="standard", code=1))
    assert seen[seen.index("RAG Pipeline Blueprint (6 skills)") : seen.index("FAILED")] == snapshot("""\
RAG Pipeline Blueprint (6 skills)

Expected: All 6 skills invoked
Actual: Only 3/6 invoked (50% activation)

Skills executed:
  - implementing-api-patterns
  - using-vector-databases
  - ai-data-engineering
  - model-serving (SKIPPED - context rot)
  - building-ai-chat (SKIPPED - context rot)
  - implementing-observability (SKIPPED - context rot)

Validation: Never executed

Warning: context rot
  - the end of the chain was skipped (3 of 6 skills)
  - validation was never executed
Recommended: delegated execution (fresh context per skill).

  \
""")
    assert json.loads(desk.status("--json"))["rot"]["activation"] == 50


def test_a_cancelled_chain_writes_nothing_at_all(tmp_path: Path) -> None:
    desk = Desk(tmp_path, STORE)
    text = desk.chain("goal: g\nsteps:\n  - skill: using-vector-databases\n")
    answers = desk.answers(("mode", "delegated"), ("confirmation", "cancel"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    done = desk.run(text, "--answers", answers, yes=False)
    assert "cancelled: nothing was started, and nothing was written" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_without_a_terminal_nothing_is_asked_and_what_to_add_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path, STORE)
    text = desk.chain("goal: g\nsteps:\n  - skill: using-vector-databases\n")
    said = desk.run(text, yes=False, code=2).stderr
    assert "nobody can be asked here whether to proceed\n  add --yes, and --mode standard or delegated" in said
    assert "no chains yet" in desk.remit("chain", "status", code=2).stderr


def test_only_whoever_is_asked_can_consent_to_a_skip(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {**STORE, "model-serving": "fail"})
    desk.run(desk.chain(TWO), code=4)
    (desk.home / "identity").rename(tmp_path / "kept")
    assert "nobody is known here who could sign" in desk.remit("answer", "last", "Q1", "skip", code=2).stderr
    (tmp_path / "kept").rename(desk.home / "identity")
    wrong = "- {about: 'step*', person: somebody@example.com, answer: skip}\n"
    (tmp_path / "wrong.yaml").write_text(wrong)
    said = desk.remit("chain", "resume", "last", "--answers", str(tmp_path / "wrong.yaml"), code=4).stderr
    assert "skipped" not in said.lower().replace("0 skipped", "")


def test_a_chain_that_was_killed_is_resumed_and_what_is_complete_is_not_done_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {**STORE, "model-serving": "write serving/dashboard.json"})
    chain = desk.chain(TWO)
    words = ("chain", "run", chain, "--library", str(desk.library), "--workspace", str(desk.work), "--yes", "--mode", "delegated")
    agent = ("--", "sh", "-c", f"MOST=3\nLIBRARY={desk.library}\n{AGENT}")
    for after in range(60, 0, -1):
        killed = desk.remit(*words, *agent, code=None, REMIT_TEST_CRASH=f"after:{after}")
        steps = {step["step"]: step for step in desk.document()["steps"]}
        if killed.returncode < 0 and steps["using-vector-databases"]["status"] == "complete":
            break
    else:
        raise AssertionError("it was never killed between its steps")
    seen = desk.remit("chain", "resume").stderr
    assert "✓ [SKILL] using-vector-databases" in seen
    assert ("DELEGATING: using-vector-databases" in seen, "STATUS: PASS" in seen) == (False, True)
    assert [step["tries"] for step in desk.document()["steps"]] == [1, steps["model-serving"]["tries"] or 1]
    assert desk.tree() == ["serving/dashboard.json", "vectors/store.py"]


def test_as_json_the_last_line_holds_the_chain_and_nothing_is_asked(tmp_path: Path) -> None:
    desk = Desk(tmp_path, STORE)
    chain = desk.chain("goal: g\nquality: false\nsteps:\n  - skill: using-vector-databases\n")
    lines = [json.loads(line) for line in desk.run(chain, "--json").stdout.splitlines()]
    assert (lines[-1]["schema"], lines[-1]["chain"]["over"], lines[-1]["verdict"]) == ("remit.run/1", "complete", "success")
    assert {"plan_pinned", "step_started", "step_ended", "validated", "plan_ended"} - {"plan_pinned"} <= {
        line.get("kind") for line in lines
    }


def test_the_contract_that_a_plan_shows_can_be_kept_and_given_and_one_that_is_not_whole_starts_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, STORE)
    chain = desk.chain("goal: g\nquality: false\nsteps:\n  - skill: using-vector-databases\n")
    shown = desk.remit("chain", "plan", chain, "--library", str(desk.library)).stdout
    kept = tmp_path / "kept.remit.yaml"
    kept.write_text(textwrap.dedent(shown.split("\ncontract:\n")[1]))
    assert "STATUS: PASS" in desk.run(chain, "--contract", str(kept)).stderr
    kept.write_text(f"goal: g\nowner: {OWNER}\nmay:\n  - read: '**'\n")
    assert "this contract cannot run, so nothing was started" in desk.run(chain, "--contract", str(kept), code=2).stderr


def test_the_last_run_to_answer_is_the_last_that_waits(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {**STORE, "model-serving": "fail"})
    desk.run(desk.chain(TWO), code=4)
    desk.remit("chain", "validate", "last", code=1)
    assert "Q1 answered skip" in desk.remit("answer", "last", "Q1", "skip", code=None).stderr
