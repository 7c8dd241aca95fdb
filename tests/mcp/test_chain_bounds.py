"""What a plan lets a host have done is looked at step by step, chains within it too; what a host hears of a chain is bounded."""

import json
from pathlib import Path
from typing import Any

import pytest

from remit.adapters.library import read_library
from remit.contract.rule import Rule
from remit.errors import BadInput
from remit.mcp.server.chain_mandate import beyond_plan, beyond_programs_of, startable
from remit.mcp.server.chain_planning import Planned, Shelf, chosen, planned
from remit.mcp.server.chain_told import blueprint_told, listed, plan_told, validation_told
from remit.mcp.server.chain_wanted import Wished
from remit.plan.contracting import chain_contract
from remit.plan.mode import Advice
from remit.plan.reported import Issue, Validation, Verified
from remit.plan.step import Pinned, Plan, Step

BLUEPRINTS = Path(__file__).parent.parent / "plan" / "blueprints" / "files"
SHOUT = "<script>\u202ealert(1)</script>" + "x" * 2000


def skill(name: str, **more: Any) -> Step:
    return Step(id=name, skill=Pinned(name=name, invocation=f"kit:{name}"), **more)


def plan(*steps: Step, **more: Any) -> Plan:
    return Plan(name="p", goal="It is done", steps=steps, **{"command": ("good", "one"), **more})


def may(verb: Any, *objects: str, effect: Any = "may") -> Rule:
    return Rule(id=f"{effect}-{verb}-x", effect=effect, verb=verb, objects=objects)


@pytest.mark.parametrize(
    ("rule", "beyond"),
    [
        (may("write", "docs/**"), 0), (may("run", "make"), 0), (may("push", "main"), 1), (may("call", "send"), 1),
        (may("call", "Skill"), 1), (may("delegate", "codex"), 1), (may("fetch", "example.com:443"), 1), (may("push", "main", effect="ask"), 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("deep", [False, True])
def test_what_a_step_may_beyond_its_chain_is_for_a_person_to_give(rule: Rule, beyond: int, deep: bool) -> None:
    step = skill("a", rules=(rule,))
    made = plan(Step(id="inner", kind="chain", chain=plan(step))) if deep else plan(step, skill("b"))
    found = list(beyond_plan(chain_contract(made, owner="o@example.com"), None, (), made))
    assert len(found) == beyond
    assert all(each.startswith("step `a`: ") for each in found)


@pytest.mark.parametrize(
    ("made", "beyond"),
    [
        (plan(skill("a")), []), (plan(skill("a"), command=("evil",)), ["a"]), (plan(skill("a", command=("evil",))), ["a"]),
        (plan(Step(id="m", kind="command", command=("make",))), ["m"]), (plan(skill("a", runtime="acp", command=("evil",))), ["a"]),
        (plan(skill("a", runtime="codex", command=("--fast",))), []), (plan(skill("a"), validate_by="acp", validate_command=("evil",)), ["validation"]),
        (plan(Step(id="i", kind="chain", chain=plan(skill("deep"), command=("evil",)))), ["deep"]), (plan(Step(id="w", kind="person", person="o")), []),
    ],
)  # fmt: skip
def test_no_step_starts_a_program_that_no_person_named(made: Plan, beyond: list[str]) -> None:
    found = list(beyond_programs_of(made, (("good", "one"),), given=(), kept=False))
    assert [each.split("`")[1] for each in found] == beyond
    assert all("--allow-program" in each for each in found)
    assert list(beyond_programs_of(made, (), given=(), kept=True)) == [], "a person's file names its own"


def test_words_of_the_host_are_no_persons_even_for_a_persons_file() -> None:
    made = plan(skill("a"), command=("evil", "words"))
    assert len(list(beyond_programs_of(made, (), given=("evil", "words"), kept=True))) == 1


def test_a_plan_that_nobody_would_carry_out_is_not_begun() -> None:
    startable(plan(skill("a")))
    for made in (plan(skill("a"), command=()), plan(Step(id="i", kind="chain", chain=plan(skill("a"), command=())))):
        with pytest.raises(BadInput, match="nobody is named who does `a`"):
            startable(made)


def test_a_plan_of_many_steps_with_hostile_names_is_told_within_bounds() -> None:
    steps = [skill(f"{at}{SHOUT}", after=(f"{at - 1}{SHOUT}",) if at else ()) for at in range(230)]
    found = Planned(
        plan=plan(*steps, title=SHOUT), noted=(), advice=Advice(mode="delegated", reasons=(SHOUT,)), why=(), kept=False
    )
    told = plan_told(found, SHOUT * 100)
    text = json.dumps(told, ensure_ascii=False)
    assert (len(told["steps"]), told["steps_left_out"]) == (200, 30)
    assert "\u202e" not in text
    assert len(text) < 400_000


def test_a_long_validation_is_told_within_bounds() -> None:
    found = Validation(
        status="FAIL", completeness=1, verified=1, expected=900, missing=(SHOUT,) * 900, warnings=(SHOUT,) * 900,
        deliverables=(Verified(name=SHOUT, status="missing", by=SHOUT, details=(SHOUT,) * 900),) * 900,
        issues=(Issue(path=SHOUT, what=SHOUT),) * 900,
    )  # fmt: skip
    told = validation_told(found)
    assert (len(told["deliverables"]), told["deliverables_left_out"], len(told["issues"]), len(told["missing"])) == (
        200,
        700,
        60,
        60,
    )
    text = json.dumps(told, ensure_ascii=False)
    assert "\u202e" not in text
    assert len(text) < 500_000


@pytest.fixture
def here(tmp_path: Path) -> Shelf:
    (tmp_path / "blueprints").mkdir()
    for path in BLUEPRINTS.glob("*.md"):
        (tmp_path / "blueprints" / path.name).write_text(path.read_text())
    return Shelf(library=read_library([tmp_path]), files={}, kept=frozenset())


def test_blueprints_are_listed_and_shown_with_the_names_that_mean_no_skill(here: Shelf) -> None:
    rows = {row["name"]: row for row in listed(here)["chains"]}
    assert {"ferry-bookings", "mountain-hut", "museum-guide"} <= set(rows)
    for name, row in rows.items():
        found = chosen(name, here)
        assert not isinstance(found, Path)
        told = blueprint_told(found, here.library)
        assert sum(len(each["slots"]) for each in told["patterns"]) == sum(each["skills"] for each in row["chains"])
        assert row["findings_in_all"] >= len(told["findings"]) > 0
        assert "is the name of no skill here" in " ".join(told["findings"])


def test_a_plan_with_names_that_mean_nothing_is_refused_with_each_of_them(here: Shelf) -> None:
    with pytest.raises(BadInput, match="cannot be carried out as it stands") as refused:
        planned(Wished(workspace="/w", name="ferry-bookings"), here)
    assert "`instead`" in refused.value.hint
    with pytest.raises(BadInput, match="what is it for"):
        planned(Wished(workspace="/w", skills=("a",)), here)
    with pytest.raises(BadInput, match="is called `ferry`"):
        planned(Wished(workspace="/w", name="ferry"), here)


@pytest.mark.parametrize(
    ("data", "wrong"), [(b"\xff\xfe", "is not UTF-8"), (b"x" * (1024 * 1024 + 1), "too large"), (None, "cannot be read")]
)
def test_a_chain_file_that_cannot_be_read_is_said_to_be(tmp_path: Path, data: bytes | None, wrong: str) -> None:
    path = tmp_path / "odd.chain.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BadInput, match=wrong):
        planned(
            Wished(workspace="/w", name="odd", goal="x"), Shelf(library=read_library([]), files={"odd": path}, kept=frozenset())
        )
