"""Delegation, a fixed prompt chain, or neither: with reasons (DEC-01, DEC-02, DEC-06, DEC-11)."""

import pytest

from remit.contract.limits import Limits
from remit.contract.outcome import FileCheck
from remit.plan.fits import Fit, Work, bounded, fits, fits_plan, fixed
from remit.plan.step import Plan, Step


@pytest.mark.parametrize(
    ("work", "choice"),
    [
        (Work(definable=False, adaptive=True, large=True, clear_stop=True), "delegate"),
        (Work(definable=False), "delegate"),
        (Work(adaptive=True), "delegate"),
        (Work(large=True), "delegate"),
        (Work(definable=True), "prompt chain"),
        (Work(definable=True, adaptive=True, large=True, clear_stop=True), "prompt chain"),
        (Work(high_volume=True), "prompt chain"),
        (Work(high_volume=True, adaptive=True), "delegate"),
        (Work(high_volume=True, large=True), "prompt chain"),
        (Work(), "neither"),
        (Work(clear_stop=True), "neither"),
        (Work(definable=False, clear_stop=False), "neither"),
    ],
)
def test_what_is_known_beforehand_is_a_chain_what_is_not_is_delegated_and_nothing_said_is_neither(
    work: Work, choice: str
) -> None:
    found = fits(work)
    assert found.choice == choice and found.reasons


def test_the_reasons_name_what_decided_and_what_speaks_against_it() -> None:
    assert fits(Work(definable=True, high_volume=True, large=True)) == Fit(
        choice="prompt chain",
        reasons=("every step can be written down beforehand", "it is the same predictable work many times over"),
        against=("it is larger than a person would watch step by step",),
    )


def test_regulated_work_is_numbered_and_coupled_code_is_warned_of_whatever_is_chosen() -> None:
    for work in (Work(definable=True, regulated=True, greenfield=False), Work(adaptive=True, regulated=True, greenfield=False)):
        found = fits(work)
        assert found.procedure and len(found.beware) == 2


BOUND = Step(
    id="a",
    kind="prompt",
    prompt="p",
    writes=("a.md",),
    limits=Limits(turns=5),
    checks=(FileCheck(id="c", file="a.md", exists=True),),
)


def test_a_bounded_prompt_lacks_nothing_and_commands_and_people_are_bounded_by_nature() -> None:
    assert bounded(BOUND) == () and bounded(Step(id="c", kind="command", command=("make",))) == ()
    assert bounded(Step(id="p", kind="person", person="lead@example.com")) == ()
    assert len(bounded(Step(id="x", kind="prompt", prompt="p"))) == 3 and len(bounded(Step(id="y"))) == 4


def test_a_plan_whose_every_step_is_bounded_fits_a_prompt_chain_and_another_one_says_what_it_lacks() -> None:
    whole = Plan(name="p", goal="g", steps=(BOUND,))
    assert fixed(whole) == () and fits_plan(whole).choice == "prompt chain"
    loose = Plan(name="p", goal="g", steps=(BOUND, Step(id="b")))
    found = fits_plan(loose)
    assert found.choice == "delegate" and found.against == ("to make it a fixed chain, bound b",)
