"""Rot is measured from what was invoked: a skipped end, no validation, less than half, a plan that was left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from remit.plan.rot import rot, warned
from remit.plan.screens import rotted
from remit.plan.step import Pinned, Plan, Step

NAMES = (
    "implementing-api-patterns", "using-vector-databases", "ai-data-engineering",
    "model-serving", "building-ai-chat", "implementing-observability",
)  # fmt: skip
PLAN = Plan(
    name="rag-pipeline",
    title="RAG Pipeline Blueprint",
    goal="RAG pipeline",
    mode="standard",
    steps=tuple(Step(id=name, skill=Pinned(name=name, invocation=f"group:{name}")) for name in NAMES),
)


def test_half_of_the_skills_and_no_validation_is_the_example_of_the_source() -> None:
    found = rot(PLAN, NAMES[:3], validated=False)
    assert rotted(found.title, found.expected, found.invoked, found.validated) == snapshot("""\
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

Validation: Never executed\
""")
    assert (found.activation, found.symptoms, found.rotten) == (50, ("tail skipped", "no validation"), True)
    assert warned(found) == snapshot("""\
Warning: context rot
  - the end of the chain was skipped (3 of 6 skills)
  - validation was never executed
Recommended: delegated execution (fresh context per skill).\
""")


def test_all_invoked_and_validated_is_no_rot() -> None:
    found = rot(PLAN, [f"group:{name}" for name in NAMES], validated=True)
    assert (found.activation, found.symptoms, found.skipped, found.rotten, warned(found)) == (100, (), (), False, "")
    screen = rotted(found.title, found.expected, found.invoked, found.validated)
    assert "Actual: All 6/6 invoked (100% activation)" in screen
    assert screen.endswith("Validation: Executed")
    assert "SKIPPED" not in screen


@pytest.mark.parametrize(
    ("invoked", "symptoms"),
    [
        (NAMES[:2], ("tail skipped", "below half")),
        (NAMES[1:], ("skipped",)),
        ((*NAMES[1:], NAMES[0]), ("plan forgotten",)),
        ((*NAMES, "writing-poems"), ("plan forgotten",)),
        ((NAMES[0], *NAMES), ()),
        ((), ("tail skipped", "below half")),
    ],
)
def test_each_symptom_is_told_from_the_others(invoked: tuple[str, ...], symptoms: tuple[str, ...]) -> None:
    assert rot(PLAN, invoked, validated=True).symptoms == symptoms


def test_what_left_the_plan_is_named() -> None:
    found = rot(PLAN, (NAMES[1], NAMES[0], "writing-poems", *NAMES[2:]), validated=True)
    assert (found.strange, found.late) == (("writing-poems",), (NAMES[0],))
    assert "the plan was left: writing-poems, implementing-api-patterns" in warned(found)


def test_only_skills_count_and_those_of_a_chain_within_it_do() -> None:
    steps = (PLAN.steps[0], Step(id="build", kind="command", command=("make",)), Step(id="sub", kind="chain", chain=PLAN))
    found = rot(Plan(name="p", goal="g", steps=steps), NAMES, validated=True)
    assert len(found.expected) == 7
    assert (found.activation, found.skipped) == (85, (NAMES[0],))


def test_a_skill_planned_twice_must_be_invoked_twice() -> None:
    twice = Plan(name="p", goal="g", steps=(PLAN.steps[0], Step(id="again", skill=PLAN.steps[0].skill)))
    assert rot(twice, NAMES[:1], validated=True).activation == 50
    assert rot(twice, NAMES[:1] * 2, validated=True).activation == 100


@given(st.lists(st.sampled_from((*NAMES, "writing-poems")), max_size=12), st.booleans())
def test_what_was_invoked_and_what_was_skipped_is_the_plan(invoked: list[str], validated: bool) -> None:
    found = rot(PLAN, invoked, validated=validated)
    assert sorted((*found.invoked, *found.skipped)) == sorted(NAMES)
    assert found.activation == 100 * len(set(invoked) & set(NAMES)) // 6
    assert found.rotten == (set(NAMES) != set(invoked) or bool(found.late) or not validated)
