"""Order: what may begin when, that every plan that can finish does, and that no two steps write one path at once."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.overlap import overlap
from remit.plan.claims import claims, clash
from remit.plan.graph import conflicts, needs, ready, stranded, waves, wrong
from remit.plan.step import Plan, Step


def plan(*steps: Step, parallel: int = 4) -> Plan:
    return Plan(name="p", goal="g", steps=steps, parallel=parallel)


def step(name: str, **more: object) -> Step:
    return Step(id=name, **more)  # type: ignore[arg-type]


def test_independent_steps_begin_together_and_a_dependent_one_after_its_need() -> None:
    it = plan(step("a"), step("b"), step("c", after=("a",)))
    assert ready(it, {}) == ("a", "b")
    assert ready(it, {"a": "in_progress", "b": "in_progress"}) == ()
    assert ready(it, {"a": "complete", "b": "failed"}) == ("c",)
    assert waves(it) == (("a", "b"), ("c",))


@pytest.mark.parametrize(
    ("state", "hard", "soft"),
    [
        ("pending", False, False),
        ("in_progress", False, False),
        ("complete", True, True),
        ("skipped", True, True),
        ("failed", False, True),
    ],
)
def test_a_hard_need_is_met_by_success_or_consent_and_a_soft_one_by_any_end(state: str, hard: bool, soft: bool) -> None:
    it = plan(step("a"), step("h", after=("a",)), step("s", soft=("a",)), step("o", optional=("a",)))
    now = ready(it, {"a": state})
    assert ("h" in now, "s" in now, "o" in now) == (hard, soft, soft)


def test_an_optional_or_soft_need_that_is_not_in_the_plan_asks_for_nothing() -> None:
    it = plan(step("a", optional=("gone",), soft=("gone",)))
    assert wrong(it) == () and ready(it, {}) == ("a",)


@pytest.mark.parametrize(
    ("states", "begins"),
    [
        (("pending", "pending"), False), (("complete", "pending"), True), (("failed", "pending"), False), (("failed", "complete"), True),
        (("skipped", "pending"), False), (("skipped", "skipped"), True), (("failed", "skipped"), False), (("in_progress", "complete"), True),
    ],
)  # fmt: skip
def test_of_a_group_one_must_be_complete_or_all_skipped_by_consent(states: tuple[str, str], begins: bool) -> None:
    it = plan(step("a"), step("b"), step("c", any_of=(("a", "b"),)))
    assert ("c" in ready(it, dict(zip("ab", states, strict=True)))) is begins


def test_a_last_step_comes_after_all_others_wherever_it_stands() -> None:
    it = plan(step("z", last=True), step("a"), step("b", after=("a",)))
    assert waves(it) == (("a",), ("b",), ("z",))
    assert stranded(it, {"a": "complete", "b": "failed"}) == ("z",)


def test_what_follows_a_last_step_is_not_waited_for_by_another_last_one() -> None:
    it = plan(step("y", last=True), step("z", last=True), step("a", after=("y",)), step("b", after=("z",)), step("c"))
    assert wrong(it) == ()
    assert waves(it) == (("c",), ("y", "z"), ("a", "b"))


def test_never_more_steps_run_than_the_plan_allows() -> None:
    it = plan(*(step(f"s{n}") for n in range(6)), parallel=2)
    assert ready(it, {}) == ("s0", "s1")
    assert ready(it, {"s0": "in_progress"}) == ("s1",)
    assert ready(it, {"s0": "in_progress", "s1": "in_progress"}) == ()
    assert waves(it) == (("s0", "s1"), ("s2", "s3"), ("s4", "s5"))


def test_two_steps_that_claim_one_path_run_one_after_the_other_and_are_reported() -> None:
    it = plan(step("a", writes=("src/",)), step("b", writes=("src/*/main.py",)), step("c", writes=("docs/**",)))
    assert conflicts(it) == (("a", "b", "src/**"),)
    assert ready(it, {}) == ("a", "c")
    assert ready(it, {"a": "in_progress"}) == ("c",)
    assert ready(it, {"a": "failed", "c": "complete"}) == ("b",)
    assert waves(it) == (("a", "c"), ("b",))


def test_steps_that_a_dependency_orders_are_no_conflict_but_a_free_choice_orders_nothing() -> None:
    assert conflicts(plan(step("a", writes=("x",)), step("b"), step("c", after=("b",), writes=("x",)))) == (("a", "c", "x"),)
    assert conflicts(plan(step("a", writes=("x",)), step("b", after=("a",)), step("c", soft=("b",), writes=("x",)))) == ()
    either = plan(step("a", writes=("x",)), step("b"), step("c", any_of=(("a", "b"),), writes=("x",)))
    assert conflicts(either) == (("a", "c", "x"),)
    assert ready(either, {"a": "in_progress", "b": "complete"}) == ()


def test_a_chain_inside_a_chain_claims_what_its_steps_claim() -> None:
    inner = step("in", kind="chain", chain=plan(step("x", writes=("api/",))))
    assert claims(inner) == ("api/**",)
    assert clash(inner, step("y", writes=("api/v1.py",))) == "api/**"


def test_what_waits_for_a_failed_step_is_stranded_and_nothing_else() -> None:
    it = plan(
        step("a"), step("b", after=("a",)), step("c", after=("b",)), step("d"), step("e", soft=("a",)), step("f", soft=("b",)),
        step("g", any_of=(("a", "d"),)),
    )  # fmt: skip
    assert stranded(it, {"a": "failed"}) == ("b", "c", "f")
    assert stranded(it, {"a": "failed", "d": "failed"}) == ("b", "c", "f", "g")
    assert stranded(it, {"a": "skipped"}) == ()


def test_a_circle_is_refused_and_named() -> None:
    found = wrong(plan(step("a", after=("c",)), step("b", soft=("a",)), step("c", optional=("b",)), step("d", after=("a",))))
    assert [each.code for each in found] == ["CYCLE"]
    assert found[0].message == "Steps wait for each other: a, which waits for c, which waits for b, which waits for a."


def test_a_step_that_waits_for_itself_is_a_circle() -> None:
    (found,) = wrong(plan(step("a", after=("a",))))
    assert found.message == "Steps wait for each other: a, which waits for a."


def test_a_group_with_a_way_out_is_no_circle() -> None:
    assert wrong(plan(step("a", any_of=(("b", "c"),)), step("b", after=("a",)), step("c"))) == ()


def test_everything_else_that_is_wrong_is_said_at_once() -> None:
    inner = step("in", kind="chain", chain=Plan(name="inner", goal="g", steps=()))
    found = wrong(plan(step("a"), step("a"), step("b", after=("x",), any_of=(("y", "z"),)), inner))
    assert sorted(each.code for each in found) == ["DUPLICATE-STEP", "EMPTY-PLAN", "UNKNOWN-NEED", "UNKNOWN-NEED"]


NAMES = [f"s{n}" for n in range(9)]
GLOBS = ("a/x", "a/*", "b/", "b/**", "c/*.py", "**/z.md")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Acyclic: each step needs only some that stand before it in a hidden order, shown in another."""
    count = draw(st.integers(1, len(NAMES)))
    steps: list[Step] = []
    for at in range(count):
        before = NAMES[:at]
        some = st.lists(st.sampled_from(before), unique=True, max_size=3).map(tuple) if before else st.just(())
        group = st.lists(st.sampled_from(before), unique=True, min_size=1, max_size=3).map(tuple) if before else st.nothing()
        steps.append(
            Step(
                id=NAMES[at],
                after=draw(some),
                soft=draw(some),
                optional=draw(some),
                any_of=tuple(draw(st.lists(group, max_size=2))) if before else (),
                last=draw(st.integers(0, 6)) == 0,
                writes=tuple(draw(st.lists(st.sampled_from(GLOBS), max_size=2))),
            )
        )
    return Plan(name="p", goal="g", steps=tuple(draw(st.permutations(steps))), parallel=draw(st.integers(1, 5)))


def running(it: Plan, standing: dict[str, str]) -> Sequence[Step]:
    return [each for each in it.steps if standing.get(each.id) == "in_progress"]


@given(plans(), st.data())
def test_every_plan_without_a_circle_finishes_in_order_without_conflict_and_within_its_width(
    it: Plan, data: st.DataObject
) -> None:
    assert wrong(it) == ()
    found, standing = needs(it), dict.fromkeys((each.id for each in it.steps), "pending")
    while any(state != "complete" for state in standing.values()):
        for name in (now := ready(it, standing)):
            mine = found[name]
            assert all(standing[each] == "complete" for each in (*mine.over, *mine.ended))
            assert all(any(standing[each] == "complete" for each in group) for group in mine.groups)
        assert list(now) == [each.id for each in it.steps if each.id in now]
        standing.update(dict.fromkeys(now, "in_progress"))
        busy = running(it, standing)
        assert busy and len(busy) <= it.parallel
        for at, one in enumerate(busy):
            for other in busy[at + 1 :]:
                assert not any(overlap(mine, yours) for mine in claims(one) for yours in claims(other))
        standing[data.draw(st.sampled_from(busy)).id] = "complete"
    assert ready(it, standing) == () and stranded(it, standing) == ()


@given(plans(), st.data())
def test_whatever_fails_every_step_is_ready_running_over_or_known_to_be_stranded(it: Plan, data: st.DataObject) -> None:
    standing: dict[str, str] = {}
    while now := ready(it, standing):
        name = data.draw(st.sampled_from(now))
        standing[name] = data.draw(st.sampled_from(("complete", "failed", "skipped")))
    left = [each.id for each in it.steps if each.id not in standing]
    assert list(stranded(it, standing)) == left
    standing.update({name: "skipped" for name, state in standing.items() if state == "failed"})
    assert stranded(it, standing) == () and (not left or ready(it, standing))


@given(plans())
def test_waves_hold_every_step_once(it: Plan) -> None:
    assert sorted(name for wave in waves(it) for name in wave) == sorted(each.id for each in it.steps)


@given(
    st.lists(
        st.builds(Step, id=st.sampled_from(NAMES[:4]), after=st.lists(st.sampled_from(NAMES[:5]), max_size=2).map(tuple)),
        max_size=5,
    ),
    st.dictionaries(
        st.sampled_from(NAMES[:5]), st.sampled_from(("pending", "in_progress", "complete", "failed", "skipped", "odd"))
    ),
)
def test_nothing_here_raises_on_a_plan_that_is_wrong(steps: list[Step], standing: dict[str, str]) -> None:
    it = plan(*steps)
    wrong(it), waves(it), conflicts(it), ready(it, standing), stranded(it, standing)
