"""Whatever a plan looks like, whatever comes back and whatever people say: a chain ends or waits, and never gets ahead of itself."""

from random import Random
from typing import Any

from chain_tales import ENDED, OVER, OWNER, Tale
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.contract.outcome import Recovery
from remit.plan.graph import wrong
from remit.plan.step import Plan, Step
from remit.run.chained import PlanEnded, StepEnded, StepSkipped, StepStarted, Validated

NAMES = ("a", "b", "c", "d", "e", "f")
PATHS = ("one.md", "two.md", "three.md")
MANY = max(400, settings().max_examples)


@st.composite
def plans(draw: st.DrawFn, *, persons: bool = True) -> Plan:
    """Up to six steps; what a step needs stands before it, so nothing waits for itself."""
    steps: list[Step] = []
    for name in NAMES[: draw(st.integers(1, len(NAMES)))]:
        known = [step.id for step in steps if not step.last]
        some = st.lists(st.sampled_from(known), max_size=2, unique=True).map(tuple) if known else st.just(())
        group: Any = draw(some)
        kind: Any = draw(st.sampled_from(["prompt", "prompt", "prompt", "person"])) if persons else "prompt"
        writes = draw(st.lists(st.sampled_from(PATHS), max_size=1).map(tuple)) if kind != "person" else ()
        steps.append(
            Step(
                id=name, kind=kind, after=draw(some), soft=draw(some), optional=draw(some), any_of=(group,) if group else (),
                last=draw(st.sampled_from([False] * 5 + [True])), writes=writes,
            )
        )  # fmt: skip
    plan = Plan(
        name="p", goal="g", steps=tuple(steps), parallel=draw(st.integers(1, 4)), retries=draw(st.sampled_from([0, 0, 1, 2]))
    )  # fmt: skip
    assert not wrong(plan)
    return plan


def ladders() -> st.SearchStrategy[tuple[Recovery, ...]]:
    """What a contract may say of a step that fails, and of something that is missing."""
    fails = st.sampled_from([("ask owner", 1), ("ask owner", 1), ("retry", 1), ("retry", 2), ("continue", 1), ("stop", 1), None])
    gaps = st.sampled_from([("ask owner", 1), ("retry", 1), ("retry", 2), ("stop", 1), None, None])

    def rungs(pair: tuple[Any, Any]) -> tuple[Recovery, ...]:
        named = zip(("step fails", "deliverables fails"), pair, strict=True)
        return tuple(Recovery(when=when, do=said[0], times=said[1]) for when, said in named if said is not None)

    return st.tuples(fails, gaps).map(rungs)


@settings(max_examples=MANY)
@given(plans(), ladders(), st.booleans(), st.integers(0, 2**32), st.sampled_from([0, 25, 60]), st.sampled_from([1, 0]))
def test_a_chain_ends_or_waits_for_somebody_and_keeps_every_promise_on_the_way(
    plan: Plan, recovery: tuple[Recovery, ...], unattended: bool, seed: int, calm: int, ticks: int
) -> None:
    tale = Tale(plan=plan, recovery=recovery, unattended=unattended, random=Random(seed), calm=calm, ticks=ticks).begin()
    most = calm + 60 + 40 * len(plan.steps)
    while tale.goes_on():
        assert tale.drawn < most, f"it goes on for ever: {tale.standing}"
    ended_as_promised(tale)


def ended_as_promised(tale: Tale) -> None:
    """What must hold of every chain that is over."""
    chain = tale.state.chain
    assert chain is not None
    [over] = tale.facts(PlanEnded)
    last = [type(fact) for fact in tale.facts(StepEnded, StepSkipped, Validated)]
    if over.how == "aborted":
        assert "failed" in tale.standing.values() or over.why.endswith("nobody is there")
        assert over.why
    else:
        assert last[-1] is Validated, "what is validated is what there is at the end"
        assert {*tale.standing.values()} <= OVER
        done = {name for name, stood in chain.steps.items() if stood.status == "complete"}
        consented = {each.step for each in tale.facts(StepSkipped)}
        assert done | consented >= {*tale.standing}
    if over.how == "complete":
        assert chain.validation is not None and chain.validation.status == "PASS" and not chain.validation.missing
    for skipped in tale.facts(StepSkipped):
        by_contract = any(rung.when == "step fails" and rung.do == "continue" for rung in tale.recovery)
        said = tale.state.questions[skipped.question].said if skipped.question else ""
        assert skipped.person == (OWNER if skipped.question else "")
        assert said == "skip" if skipped.question else by_contract
    for name in tale.standing:
        tries = [fact.number for fact in tale.facts(StepStarted) if fact.step == name]
        assert tries == sorted(set(tries)), f"`{name}` was taken up twice under one number"
    asked = [each.question for each in tale.state.questions.values() if each.question.options and each.question.about == "step"]
    failures = [fact for fact in tale.facts(StepEnded) if fact.outcome != "complete"]
    assert len(asked) <= len(failures), "one failure is put before the owner once"
    assert {*tale.standing.values()} <= {*ENDED, "pending", "in_progress"}
