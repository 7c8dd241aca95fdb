"""The screens of a chain are those of the source, line by line; nothing they show can hide or move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from remit.plan.reported import Issue, Validation, Verified
from remit.plan.screens import (
    bar,
    completed,
    confirmation,
    delegating,
    detailed,
    gaps,
    mode,
    now_running,
    parallel,
    rotted,
    status,
    trouble,
    validated,
)
from remit.plan.step import Pinned, Plan, Step

NAMES = ("implementing-api-patterns", "using-vector-databases", "ai-data-engineering", "model-serving", "building-ai-chat")


def plan(*names: str, **changes: object) -> Plan:
    steps = tuple(Step(id=name, skill=Pinned(name=name, invocation=f"group:{name}")) for name in names)
    fields: dict[str, object] = {"name": "rag-pipeline", "goal": "RAG pipeline with chat interface", "steps": steps}
    return Plan(**(fields | changes))  # type: ignore[arg-type]


def test_the_choice_of_mode() -> None:
    assert mode("delegated") == snapshot("""\
Choose execution mode:

1. Standard Execution
   - Single conversation flow
   - Best for: Short chains (2-3 skills)

2. Delegated Execution (RECOMMENDED)
   - Fresh sub-agent per skill
   - Best for: Complex blueprints, long chains
   - Benefit: ~100% skill activation rate

Your choice (1/2):\
""")


def test_what_is_recommended_moves_with_the_advice_and_says_why() -> None:
    screen = mode("standard", ["2 skills: short enough for one conversation"])
    assert screen.startswith("Standard execution is recommended:\n   - 2 skills: short enough for one conversation\n\nChoose")
    assert "1. Standard Execution (RECOMMENDED)\n" in screen
    assert "2. Delegated Execution\n" in screen
    assert "(RECOMMENDED)" not in mode("")


def test_the_confirmation_of_a_delegated_chain() -> None:
    assert confirmation(plan(*NAMES)) == snapshot("""\
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

Proceed? (yes/modify/cancel)\
""")


def test_six_skills_and_validation_are_seven_items() -> None:
    screen = confirmation(plan(*NAMES, "implementing-observability"))
    assert "Skills: 7 skills in sequence" in screen
    assert "6. [SKILL] implementing-observability\n7. [VALIDATION] Final validation\n" in screen


def test_the_confirmation_of_one_conversation_and_of_other_steps() -> None:
    steps = (
        Step(id="extract", kind="prompt", title="Extract fields"),
        Step(id="build", kind="command", may_skip=True),
        Step(id="sign", kind="person"),
        Step(id="serve", skill=Pinned(name="model-serving", invocation="ai:model-serving")),
    )
    assert confirmation(plan(steps=steps, mode="standard", goal="")) == snapshot("""\
STANDARD SKILL CHAIN EXECUTION

Goal: None
Steps: 5 steps in sequence
Mode: Standard (single conversation)

EXECUTION PLAN:
1. [PROMPT] extract - Extract fields
2. [COMMAND] build (optional)
3. [PERSON] sign
4. [SKILL] model-serving (serve)
5. [VALIDATION] Final validation

Proceed? (yes/modify/cancel)\
""")


def test_a_step_is_handed_over() -> None:
    assert delegating("ai-data-engineering", 2, 6) == snapshot("""\
DELEGATING: ai-data-engineering
Progress: 2/6 complete

Spawning sub-agent...\
""")


def test_a_step_comes_back() -> None:
    assert completed("ai-data-engineering", 4, 3, 6) == snapshot("""\
Skill complete: ai-data-engineering
  Files created: 4
  Ready for next skill.

  Progress: [3/6] ██████████░░░░░░░░ 50%\
""")
    assert "  Ready for final validation.\n" in completed("building-ai-chat", 4, 5, 6)


def test_a_bar_of_six_shows_the_cell_that_is_being_filled() -> None:
    assert [bar(done, 6) for done in range(7)] == snapshot(
        [
            "[0/6] ░░░░░░░░░░░░░░░░░░ 0%",
            "[1/6] ████░░░░░░░░░░░░░░ 16%",
            "[2/6] ███████░░░░░░░░░░░ 33%",
            "[3/6] ██████████░░░░░░░░ 50%",
            "[4/6] █████████████░░░░░ 66%",
            "[5/6] ████████████████░░ 83%",
            "[6/6] ██████████████████ 100%",
        ]
    )


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_bar_is_full_at_the_end_and_never_before(done: int, total: int) -> None:
    _, cells, percent = bar(done, total).split(" ")
    assert len(cells) == 18
    assert ("░" not in cells) == (percent == "100%") == (done >= total)
    assert cells.count("█") <= bar(done + 1, total).split(" ")[1].count("█")


def test_several_steps_begin_at_once() -> None:
    assert parallel([("skill-a", ()), ("skill-b", ())]) == snapshot("""\
Parallel execution detected:
  - skill-a (no deps)
  - skill-b (no deps)

[Task 1: skill-a] [Task 2: skill-b]\
""")
    assert now_running([("skill-c", ("skill-a",))]) == snapshot("""\
Both complete, now running:
  - skill-c (depends on skill-a)\
""")


def test_who_did_not_complete_is_not_called_complete() -> None:
    first = [now_running([("c", ())], complete=done, of=of).splitlines()[0] for done, of in ((1, 2), (0, 2), (1, 1), (3, 3))]
    assert first == snapshot(
        [
            "1 of 2 complete, now running:",
            "0 of 2 complete, now running:",
            "Complete, now running:",
            "All 3 complete, now running:",
        ]
    )


def test_a_sub_agent_in_trouble() -> None:
    assert trouble("model-serving") == snapshot("""\
Sub-agent issue: model-serving

Options:
1. Retry with fresh sub-agent
2. Skip this skill (with consent)
3. Abort execution

Your choice:\
""")
    assert trouble("model-serving", "it did not end in time (60 s)").splitlines()[1] == "  it did not end in time (60 s)"


def test_gaps_that_validation_found() -> None:
    assert gaps(["observability dashboard"]) == snapshot("""\
Validation found gaps:

MISSING:
- observability dashboard

Options:
1. Generate missing components
2. Accept partial completion
3. View detailed report

Your choice:\
""")


DONE = tuple(
    Verified(name=name, status="complete", files=6, found=6) for name in ("API endpoints", "Vector storage", "Chat interface")
)
WHOLE = Validation(status="PASS", completeness=100, verified=18, expected=18, deliverables=DONE)
GAPS = Validation(
    status="PARTIAL",
    completeness=75,
    verified=16,
    expected=18,
    deliverables=(
        Verified(
            name="API endpoints",
            status="complete",
            by="implementing-api-patterns",
            files=4,
            found=4,
            how=("`router` in src/api.py: line mode",),
        ),
        Verified(
            name="Chat interface",
            status="partial",
            by="building-ai-chat",
            files=4,
            found=3,
            details=("src/chat/Input.tsx is not there",),
        ),
        Verified(name="observability dashboard", status="missing", by="implementing-observability", files=1, found=0),
        Verified(name="Reranking", status="skipped", by="ai-data-engineering", details=("not at this maturity",)),
    ),
    issues=(
        Issue(path="src/api.py", what="TODO", line=12, by="implementing-api-patterns", tool="placeholders"),
        Issue(path="src/b.py", what="long line", severe=False),
    ),
    missing=("observability dashboard", "README"),
    warnings=("a pattern can never match",),
    tools=("python", "ruff"),
)


def test_everything_is_there() -> None:
    assert validated(WHOLE) == snapshot("""\
VALIDATION REPORT

FILES VERIFIED: 18/18
DELIVERABLES:
  - API endpoints - complete
  - Vector storage - complete
  - Chat interface - complete

COMPLETENESS: 100%
STATUS: PASS\
""")


def test_something_is_missing_or_flagged() -> None:
    assert validated(GAPS) == snapshot("""\
VALIDATION REPORT

FILES VERIFIED: 16/18
DELIVERABLES:
  - API endpoints - complete
  - Chat interface - partial
  - observability dashboard - missing
  - Reranking - skipped

ISSUES:
  ✗ src/api.py:12 - TODO (placeholders) - owed by implementing-api-patterns
  ⚠ src/b.py - long line

WARNINGS:
  - a pattern can never match

COMPLETENESS: 75%
STATUS: PARTIAL\
""")


def test_the_detailed_report_says_who_owes_what() -> None:
    assert detailed(GAPS) == snapshot("""\
DETAILED VALIDATION REPORT

DELIVERABLES:
  ✓ API endpoints - complete (4/4 files) - implementing-api-patterns
      `router` in src/api.py: line mode
  ⚠ Chat interface - partial (3/4 files) - building-ai-chat
      src/chat/Input.tsx is not there
  ✗ observability dashboard - missing (0/1 files) - implementing-observability
  ○ Reranking - skipped - ai-data-engineering
      not at this maturity

FILE COVERAGE:
  Expected: 18 files
  Found: 16 files (88%)

MISSING:
  ✗ Chat interface - owed by building-ai-chat
  ✗ observability dashboard - owed by implementing-observability
  ✗ README - owed by nobody named

ISSUES:
  ✗ src/api.py:12 - TODO (placeholders) - owed by implementing-api-patterns
  ⚠ src/b.py - long line

WARNINGS:
  ⚠ a pattern can never match

CHECKED BY: python, ruff

COMPLETENESS: 75%
STATUS: PARTIAL\
""")


def test_nothing_to_deliver_is_said_as_such() -> None:
    nothing = Validation(status="PASS", completeness=100, verified=0, expected=0)
    assert "DELIVERABLES:\n  None\n" in validated(nothing)
    assert "DELIVERABLES:\n  None\n" in detailed(nothing)


def test_how_far_a_chain_is() -> None:
    standing = {NAMES[0]: "complete", NAMES[1]: "failed", NAMES[2]: "skipped", NAMES[3]: "in_progress"}
    assert status(plan(*NAMES, title="RAG Pipeline"), standing) == snapshot("""\
RAG Pipeline (delegated)  [1/6] ████░░░░░░░░░░░░░░ 16%
├─ ✓ [SKILL] implementing-api-patterns
├─ ✗ [SKILL] using-vector-databases - failed
├─ ○ [SKILL] ai-data-engineering - skipped
├─ ▸ [SKILL] model-serving - in progress
├─ · [SKILL] building-ai-chat - pending
└─ · [VALIDATION] Final validation - pending\
""")
    assert "└─ ✓ [VALIDATION] Final validation" in status(plan(), {"validation": "complete"})


SEED = {
    "mode": "Choose execution mode:|1. Standard Execution|- Single conversation flow|- Best for: Short chains (2-3 skills)|2. Delegated Execution (RECOMMENDED)|- Fresh sub-agent per skill|- Best for: Complex blueprints, long chains|- Benefit: ~100% skill activation rate|Your choice (1/2):",
    "completed": "Skill complete: ai-data-engineering|Files created: 4|Ready for next skill.|Progress: [3/6] ██████████░░░░░░░░ 50%",
    "validated": "VALIDATION REPORT|FILES VERIFIED: 18/18|DELIVERABLES:|- API endpoints - complete|- Vector storage - complete|- Chat interface - complete|COMPLETENESS: 100%|STATUS: PASS",
    "rotted": "RAG Pipeline Blueprint (6 skills)|Expected: All 6 skills invoked|Actual: Only 3/6 invoked (50% activation)|Skills executed:|- implementing-api-patterns|- using-vector-databases|- ai-data-engineering|- model-serving (SKIPPED - context rot)|- building-ai-chat (SKIPPED - context rot)|- implementing-observability (SKIPPED - context rot)|Validation: Never executed",
    "gaps": "Validation found gaps:|MISSING:|- observability dashboard|Options:|1. Generate missing components|2. Accept partial completion|3. View detailed report|Your choice:",
}


@pytest.mark.parametrize("name", SEED)
def test_apart_from_indentation_the_lines_are_those_of_the_source(name: str) -> None:
    six = (*NAMES, "implementing-observability")
    screens = {
        "mode": mode("delegated"),
        "completed": completed("ai-data-engineering", 4, 3, 6),
        "validated": validated(WHOLE),
        "rotted": rotted("RAG Pipeline Blueprint", six, six[:3], False),
        "gaps": gaps(["observability dashboard"]),
    }
    assert [row.strip() for row in screens[name].splitlines() if row] == SEED[name].split("|")


@given(st.text(max_size=400))
def test_no_text_adds_a_line_or_moves_a_cursor(text: str) -> None:
    hostile = text + "\n1. Proceed\x1b[2J\u202e\r" + "x" * 500
    issue = Issue(path=hostile, what=hostile, tool=hostile, by=hostile)
    found = Validation(
        status="FAIL", completeness=0, verified=0, expected=1, issues=(issue,), missing=(hostile,), warnings=(hostile,), tools=(hostile,),
        deliverables=(Verified(name=hostile, status="missing", by=hostile, details=(hostile,)),),
    )  # fmt: skip
    one = plan(hostile, title=hostile, goal=hostile)
    drawn = (
        mode("delegated", [hostile]), confirmation(one), delegating(hostile, 0, 1), completed(hostile, 0, 0, 1),
        parallel([(hostile, (hostile,))]), now_running([(hostile, (hostile,))]), trouble(hostile, hostile), gaps([hostile]),
        rotted(hostile, [hostile], [], False), status(one, {hostile: hostile}), validated(found), detailed(found),
    )  # fmt: skip
    assert [len(screen.splitlines()) for screen in drawn] == [15, 11, 4, 5, 4, 2, 9, 11, 9, 3, 14, 23]
    for screen in drawn:
        assert screen == screen.strip()
        assert all(mark.isprintable() or mark == "\n" for mark in screen)
        assert max(map(len, screen.splitlines())) < 1100
