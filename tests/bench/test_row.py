"""Goals are computed from what was measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.bench.row import Goal, Row, amount, document, line
from remit.bench.turns import in_turn, medians

POSITIVE = st.floats(1e-6, 1e3)


@pytest.mark.parametrize(
    ("goal", "ours", "rival", "met"),
    [
        (Goal(kind="times", bound=1.5), 1.5, 1.0, True),
        (Goal(kind="times", bound=1.5), 1.51, 1.0, False),
        (Goal(kind="times", bound=0.1), 0.2, 1.0, False),
        (Goal(kind="at_most", bound=0.02), 0.02, 0.001, True),
        (Goal(kind="at_most", bound=0.02), 0.021, 9.0, False),
        (Goal(kind="more", bound=0.015), 0.025, 0.010, True),
        (Goal(kind="more", bound=0.015), 0.026, 0.010, False),
    ],
)
def test_a_goal_is_met_up_to_its_bound_and_missed_above(goal: Goal, ours: float, rival: float, met: bool) -> None:
    row = Row(name="n", against="r", goal=goal, ours=ours, rival=rival)
    assert row.met is met
    assert document(row)["met"] is met
    assert ("MISSED" in line(row)) is not met


@given(ours=POSITIVE, rival=POSITIVE, bound=POSITIVE, kind=st.sampled_from(["times", "at_most", "more"]))
def test_slower_never_meets_what_faster_missed(ours: float, rival: float, bound: float, kind: str) -> None:
    goal = Goal(kind=kind, bound=bound)  # type: ignore[arg-type]
    assert goal.met(ours, rival) or not goal.met(ours * 2, rival)


def test_what_could_not_be_measured_is_neither_met_nor_missed() -> None:
    row = Row(name="n", against="r", goal=Goal(kind="times", bound=0.1), ours=1.0, why="not installed")
    assert (row.met, row.ratio) == (None, None)
    assert "not installed" in line(row)
    assert "MISSED" not in line(row)


def test_amounts_are_read_in_their_unit() -> None:
    read = [amount(value, unit) for value, unit in ((1.5, "s"), (0.25, "s"), (2e-5, "s"), (8e7, "B"), (None, "s"))]
    assert read == ["1.5 s", "250 ms", "20 µs", "80.0 MB", "-"]


def test_contestants_take_turns() -> None:
    order: list[str] = []
    in_turn({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3)
    assert order == ["a", "b"] * 3
    assert list(medians([(1, 10), (9, 30), (2, 20)])) == [2, 20]
