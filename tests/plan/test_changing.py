"""The answer `modify`: a step taken out, the steps in another order, and what is refused."""

import pytest

from remit.contract.deliverable import Deliverable
from remit.plan.changing import reordered, without
from remit.plan.graph import ready, wrong
from remit.plan.skill import Noted
from remit.plan.step import Left, Plan, Step

PLAN = Plan(
    name="p",
    goal="g",
    steps=(Step(id="a"), Step(id="b", after=("a",)), Step(id="c", after=("b",), soft=("a",)), Step(id="d", any_of=(("b", "a"),))),
    deliverables=(
        Deliverable(name="Schema", by="b", files=("schema.sql",)),
        Deliverable(name="Page", by="c", files=("page.html",)),
    ),
)


def test_who_came_after_a_step_that_is_taken_out_comes_after_what_it_came_after() -> None:
    it = without(PLAN, "b")
    assert [each.id for each in it.steps] == ["a", "c", "d"]
    assert it.step("c").after == ("a",) and it.step("d").any_of == (("a",),)
    assert wrong(it) == () and ready(it, {}) == ("a",)


def test_what_only_the_missing_step_owes_is_no_longer_asked_for_and_said_to_be_left() -> None:
    it = without(PLAN, "b")
    assert [each.name for each in it.deliverables] == ["Page"]
    assert it.left == (Left(name="Schema", why="b was taken out of the plan"),)


def test_a_step_that_is_not_there_cannot_be_taken_out() -> None:
    with pytest.raises(KeyError):
        without(PLAN, "x")


def test_another_order_that_keeps_the_dependencies_stands() -> None:
    it = reordered(PLAN, ("a", "d", "b", "c"))
    assert isinstance(it, Plan) and [each.id for each in it.steps] == ["a", "d", "b", "c"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (("b", "a", "c", "d"), "b stands before a, which it needs."),
        (("d", "a", "b", "c"), "d stands before all of b, a, one of which it needs."),
        (("a", "b", "c"), "The new order leaves out d."),
        (("a", "b", "c", "d", "x"), "The new order names unknown x."),
        (("a", "b", "c", "c"), "The new order leaves out d and names more than once c."),
    ],
)
def test_an_order_that_breaks_a_dependency_or_is_not_one_is_refused_with_what_to_do(order: tuple[str, ...], said: str) -> None:
    found = reordered(PLAN, order)
    assert isinstance(found, Noted) and found.message == said and found.hint and found.severity == "error"


def test_a_last_step_cannot_be_put_before_another() -> None:
    it = Plan(name="p", goal="g", steps=(Step(id="a"), Step(id="z", last=True)))
    assert isinstance(reordered(it, ("z", "a")), Noted)
