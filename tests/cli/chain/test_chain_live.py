"""A chain on a terminal: the tree, its bars, and a person who answers its menus."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chain_desk import Desk

from remit.cli.chained import Teller
from remit.cli.live import Row, filled, rows, shown
from remit.contract.limits import Spend
from remit.plan.step import Pinned, Plan, Step
from remit.run import chained as c
from remit.run.chain import Chain, fold
from remit.run.state import Run

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
PLAN = Plan(
    name="garden", goal="A garden", time=100,
    steps=(
        Step(id="a", skill=Pinned(name="draw-plan", invocation="kit:draw-plan")),
        Step(id="b"),
        Step(id="c", after=("a",)),
    ),
)  # fmt: skip


class Told:
    """Facts one after another, and what is said of each."""

    def __init__(self, *, asking: str = "") -> None:
        self.chain: Chain | None = fold(None, c.PlanPinned(run="r", plan=PLAN), NOW)
        self.teller = Teller(asking=asking)
        self.at = NOW

    def says(self, fact: c.Chained) -> list[str]:
        self.at += timedelta(seconds=10)
        self.chain = fold(self.chain, fact, self.at)
        return self.teller.lines(fact, Run(id="r", chain=self.chain)) or []


def begun(step: str, number: int = 1, **more: str) -> c.StepStarted:
    return c.StepStarted(run="r", step=step, number=number, child=f"r.{step}{number}", **more)


def over(step: str, outcome: c.Outcome = "complete", **more: object) -> c.StepEnded:
    return c.StepEnded(run="r", step=step, number=1, child=f"r.{step}1", outcome=outcome, **more)  # type: ignore[arg-type]


def test_steps_that_begin_together_are_said_once_and_what_runs_after_them_when_all_have_ended() -> None:
    told = Told()
    assert told.says(begun("a"))[:3] == ["", "Parallel execution detected:", "  - draw-plan (no deps)"]
    assert "Parallel execution detected:" not in told.says(begun("b"))
    assert "Both complete, now running:" not in told.says(over("a"))
    assert "Both complete, now running:" not in told.says(begun("c")), "b is still at work"
    assert told.says(over("b"))[-2:] == ["Both complete, now running:", "  - c (depends on draw-plan)"]


def test_one_that_failed_is_not_called_complete() -> None:
    told = Told()
    for fact in (begun("a"), begun("b"), over("a"), over("b", "failed", why="no")):
        told.says(fact)
    assert "1 of 2 complete, now running:" in told.says(begun("c"))


def test_a_claim_without_a_file_and_a_further_try_are_said() -> None:
    told = Told()
    told.says(begun("a"))
    said = told.says(over("a", files=("x",), flagged=("y\x1b[2J",)))
    assert said[-1] == "Flagged: y\\x1b[2J was claimed, and is not there"
    assert told.says(begun("a", 2, because="Q1 was answered: retry"))[-1] == "Try 2: Q1 was answered: retry"


def test_an_end_says_what_stays() -> None:
    told = Told()
    told.says(begun("a"))
    told.says(over("a"))
    assert told.says(c.PlanEnded(run="r", how="aborted", why="enough")) == [
        "",
        "Chain aborted: enough",
        "Complete, and kept: draw-plan",
    ]
    skipped = told.says(c.StepSkipped(run="r", step="b", person="lead@example.com", question="Q1", why="failed"))
    assert skipped == ["", "Skipped: b, with the consent of lead@example.com: failed"]
    ended = told.says(c.PlanEnded(run="r", how="partial"))
    assert ended == ["", "Chain partial: 1 of 3 steps complete; skipped by consent: b"]


def test_the_tree_shows_waves_time_spend_and_tries() -> None:
    told = Told()
    told.says(begun("a"))
    told.says(over("a", "failed"))
    told.says(begun("a", 2))
    assert told.chain is not None
    children = {"r.a1": Run(id="r.a1", spend=Spend(tokens=5, usd=10)), "r.a2": Run(id="r.a2", spend=Spend(tokens=7, usd=20))}
    drawn = rows(told.chain, children, told.at + timedelta(seconds=25))
    assert [[row.name for row in wave] for wave in drawn] == [["draw-plan", "b"], ["c"]]
    first = drawn[0][0]
    assert first == Row(step="a", name="draw-plan", state="in_progress", share=0.25, seconds=25.0, tokens=12, usd=30, tries=2)
    assert first.said == "in progress · 25.0 s · 12 tokens · 0.0000 usd · try 2"
    assert drawn[1][0].said == "pending"


@pytest.mark.parametrize(("share", "cells"), [(0.0, 0), (0.5, 10), (0.999, 19), (1.0, 20)])
def test_a_bar_is_full_when_it_is_done_and_never_before(share: float, cells: int) -> None:
    assert filled(share) == "█" * cells + "░" * (20 - cells)


def test_what_the_tree_shows_needs_no_line_and_what_it_does_not_has_one() -> None:
    assert (shown(begun("a")), shown(over("a")), shown(over("a", "failed"))) == (True, True, False)


TROUBLED = """\
goal: A shop
quality: false
steps:
  - skill: draw-plan
  - skill: lay-floor
    after: [draw-plan]
  - skill: hang-sign
deliverables:
  - {name: Plan, by: draw-plan, files: [plan.md]}
  - {name: Floor, by: lay-floor, files: [floor.md]}
"""


def test_at_a_terminal_the_plan_is_changed_confirmed_drawn_and_its_menus_answered(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"draw-plan": "write plan.md", "lay-floor": "fail", "hang-sign": "write sign.md"})
    said = (
        ("Your choice (1/2):", "2"), ("Proceed?", "modify"), ("Change", "remove 3"), ("Change", "done"), ("Proceed?", "yes"),
        ("Your choice:", "9"), ("Your choice:", "skip"), ("Your choice:", "3"), ("Your choice:", "2"),
    )  # fmt: skip
    code, seen = desk.at_terminal(desk.chain(TROUBLED), said=said)
    assert code == 0, seen[-3000:]
    assert "one of 1 retry, 2 skip, 3 abort, or later" in seen
    assert seen.count("DETAILED VALIDATION REPORT") == 1
    assert "[1/3] ███████" in seen
    assert "DELEGATING" not in seen, "the tree says so"
    told = desk.document()
    assert [(step["step"], step["status"]) for step in told["steps"]] == [("draw-plan", "complete"), ("lay-floor", "skipped")]
    assert told["confirmed"] == told["accepted"]["by"]
    assert desk.tree() == ["plan.md"]


def test_at_a_terminal_an_abort_offers_the_way_back_and_the_plain_view_has_lines(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"draw-plan": "write plan.md", "lay-floor": "fail", "hang-sign": "write sign.md"})
    said = (("Your choice:", "abort"), ("Roll back?", "y"))
    code, seen = desk.at_terminal(desk.chain(TROUBLED), "--yes", "--plain", "--mode", "delegated", said=said)
    assert (code, "rolled back" in seen, "DELEGATING: draw-plan" in seen, "\x1b[2K" in seen) == (1, True, True, False)
    assert "(undone)" in desk.remit("show", "last").stdout
