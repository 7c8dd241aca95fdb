"""A plan from a blueprint or a list of skills: order, alternatives, answers, what is owed, and that no name is ever guessed."""

import os
from pathlib import Path
from typing import Any

import pytest

from remit.adapters.library import read_library
from remit.contract.deliverable import Deliverable
from remit.plan.blueprint import Blueprint, Choice, Order, Pattern, Question, Slot, Wanted
from remit.plan.graph import waves
from remit.plan.library import Library
from remit.plan.making import make_plan
from remit.plan.skill import Depends, Noted, Output, Skill
from remit.plan.step import Plan


def skill(name: str, **more: object) -> Skill:
    return Skill(name=name, folder=f"/s/{name}", invocation=f"shop:{name}", digest=f"sha256:{name}", **more)  # type: ignore[arg-type]


LIBRARY = Library(
    skills=(
        skill("choosing-colours", domain="front", group=1, priority=1, tier="base", outputs=(Output(path="colours.css"),)),
        skill("drawing-pages", domain="front", group=2, priority=5, tier="part", depends=Depends(hard=("choosing-colours",))),
        skill("drawing-charts", domain="front", group=2, priority=4, tier="part", depends=Depends(hard=("colours",))),
        skill("joining-parts", domain="front", group=9, priority=99, tier="whole", depends=Depends(hard=("*",), last=True)),
        skill("keeping-records", domain="back", group=1, priority=10),
        skill("guarding-doors", domain="back", group=3, priority=20, depends=Depends(soft=("keeping-records",))),
        skill("shipping-north"),
        skill("shipping-south"),
    ),
    aliases=(
        ("colours", ("choosing-colours",)),
        ("shipping", ("shipping-north", "shipping-south")),
        ("records", ("keeping-records",)),
        ("nothing", ()),
    ),
    tiers=(("base", 1), ("part", 2), ("whole", 4)),
)
SLOTS = (
    Slot(name="colours"), Slot(name="drawing-pages"), Slot(name="drawing-charts", optional=True), Slot(name="records"),
    Slot(name="shipping-north", instead=("shipping-south",)), Slot(name="guarding-doors", optional=True), Slot(name="joining-parts"),
)  # fmt: skip
SHOP = Blueprint(
    name="shop",
    title="A small shop",
    patterns=(Pattern(name="whole", slots=SLOTS, default=True), Pattern(name="records only", slots=(Slot(name="records"),))),
    questions=(Question(id="Q1", text="Where to?", choices=(Choice(letter="A", text="North"), Choice(letter="B", text="South")), default="A"),),
    settings=(("colours", "scheme: blue"),),
    wanted=(
        Wanted(deliverable=Deliverable(name="Colours", by="colours", files=("colours.css",))),
        Wanted(deliverable=Deliverable(name="Pages", by="drawing-pages", files=("pages/",))),
        Wanted(deliverable=Deliverable(name="Charts", by="drawing-charts", files=("pages/chart.html",)), maturity=("advanced",)),
    ),
)  # fmt: skip


def codes(noted: tuple[Noted, ...]) -> list[tuple[str, str]]:
    return [(each.severity, each.code) for each in noted]


def made(blueprint: Blueprint | None = SHOP, **more: object) -> Plan:
    plan, noted = make_plan(LIBRARY, goal="A shop", blueprint=blueprint, **more)  # type: ignore[arg-type]
    assert plan is not None, noted
    return plan


def refused(blueprint: Blueprint | None = SHOP, **more: object) -> tuple[Noted, ...]:
    plan, noted = make_plan(LIBRARY, goal="A shop", blueprint=blueprint, **more)  # type: ignore[arg-type]
    assert plan is None
    return tuple(each for each in noted if each.severity == "error")


def names(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def test_the_steps_of_a_blueprint_are_its_lines_under_the_names_of_the_skills() -> None:
    plan = made()
    assert names(plan) == ["choosing-colours", "drawing-pages", "keeping-records", "shipping-north", "joining-parts"]
    first = plan.step("choosing-colours")
    assert first.skill is not None and first.skill.invocation == "shop:choosing-colours"
    assert first.settings == "scheme: blue" and first.writes == ("colours.css",)
    assert plan.name == "shop" and plan.title == "A small shop" and plan.maturity == "starter"


def test_needs_are_those_that_files_declare_then_layers_then_position() -> None:
    plan = made(take_optional=("drawing-charts", "guarding-doors"))
    needs = {step.id: (step.after, step.soft) for step in plan.steps}
    assert needs["drawing-charts"] == (("choosing-colours",), ())
    assert needs["guarding-doors"] == ((), ("keeping-records",))
    assert needs["shipping-north"] == ((), ("keeping-records",))
    assert needs["keeping-records"] == ((), ())
    assert plan.step("joining-parts").last


def test_deliverables_stand_under_the_steps_that_owe_them() -> None:
    plan = made(maturity="production")
    assert plan.maturity == "advanced"
    assert [(each.name, each.by) for each in plan.deliverables][:2] == [
        ("Colours", "choosing-colours"),
        ("Pages", "drawing-pages"),
    ]


def test_an_optional_line_is_taken_where_something_wanted_is_owed_by_it() -> None:
    assert "drawing-charts" in names(made(maturity="advanced"))
    assert made(maturity="advanced").step("drawing-charts").may_skip
    assert "drawing-charts" not in names(made(maturity="starter"))


def test_what_a_line_that_is_not_taken_owes_is_left_and_said() -> None:
    plan = made(maturity="advanced", take_optional=())
    assert "drawing-charts" not in names(plan) and "Charts" not in {each.name for each in plan.deliverables}
    assert "Charts" in {each.name for each in plan.left}


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({}, "shipping-north"),
        ({"answers": {"Q1": "B"}}, "shipping-south"),
        ({"answers": {"Q1": "b"}}, "shipping-south"),
        ({"alternatives": {"shipping-north": "shipping-south"}}, "shipping-south"),
    ],
)
def test_of_alternatives_the_caller_or_an_answer_chooses(more: dict[str, Any], taken: str) -> None:
    assert [name for name in names(made(**more)) if name.startswith("shipping")] == [taken]


def test_the_goal_names_an_alternative_and_without_a_word_the_first_is_taken_and_said() -> None:
    plain = Blueprint(name="b", patterns=(Pattern(name="p", slots=(SLOTS[4],)),))
    plan, _ = make_plan(LIBRARY, goal="Ship it South", blueprint=plain)
    assert plan is not None and names(plan) == ["shipping-south"]
    plan, noted = make_plan(LIBRARY, goal="Ship it", blueprint=plain)
    assert plan is not None and names(plan) == ["shipping-north"] and codes(noted) == [("note", "ALTERNATIVE")]


def test_answers_are_kept_and_unknown_ones_refused() -> None:
    assert made().answers == (("Q1", "A"),)
    assert codes(refused(answers={"Q1": "C", "Q9": "A"})) == [("error", "UNKNOWN-QUESTION"), ("error", "UNKNOWN-ANSWER")]


def test_another_chain_of_the_blueprint_is_taken_by_name_and_an_unknown_one_refused() -> None:
    assert "keeping-records" in names(made(pattern="records only"))
    (found,) = refused(pattern="other")
    assert found.code == "PATTERN" and "whole, records only" in found.hint


def test_an_unknown_level_of_maturity_is_refused() -> None:
    assert codes(refused(maturity="perfect")) == [("error", "MATURITY")]


def test_a_skill_that_owes_something_and_stands_in_no_line_is_added_and_said() -> None:
    plan, noted = make_plan(LIBRARY, goal="A shop", blueprint=SHOP, pattern="records only")
    assert plan is not None and {"choosing-colours", "drawing-pages"} <= {*names(plan)}
    assert ("note", "ADDED") in codes(noted)
    plan, _ = make_plan(LIBRARY, goal="A shop", blueprint=SHOP, pattern="records only", leave_out=("colours", "drawing-pages"))
    assert plan is not None and names(plan) == ["keeping-records"] and {each.name for each in plan.left} >= {"Colours", "Pages"}


def test_the_orders_of_a_blueprint_stand_over_what_files_say() -> None:
    orders = (
        Order(skill="records", before=("colours",)), Order(skill="joining-parts", requires=("drawing-pages",), last=True),
        Order(skill="drawing-pages", uses=("shipping-north",)),
    )  # fmt: skip
    plan = made(Blueprint(name="b", patterns=(Pattern(name="p", slots=SLOTS),), orders=orders))
    assert plan.step("choosing-colours").after == ("keeping-records",)
    assert plan.step("joining-parts").after == ("drawing-pages",) and plan.step("drawing-pages").optional == ("shipping-north",)
    assert names(plan)[-1] == "joining-parts"
    order = [name for wave in waves(plan) for name in wave]
    assert order.index("keeping-records") < order.index("choosing-colours")


def test_a_circle_that_files_declare_is_refused_and_named() -> None:
    orders = (Order(skill="drawing-pages", before=("colours",)),)
    (found,) = refused(Blueprint(name="b", patterns=(Pattern(name="p", slots=SLOTS),), orders=orders))
    assert found.code == "CYCLE" and "choosing-colours" in found.message and "drawing-pages" in found.message


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("keeping-record", "The nearest: keeping-records"),
        ("shipping", "Choose one of shipping-north, shipping-south"),
        ("nothing", "Nothing here is like it"),
    ],
)
def test_a_name_that_means_no_skill_is_reported_with_the_nearest_and_there_is_no_plan(name: str, hint: str) -> None:
    broken = Blueprint(name="b", patterns=(Pattern(name="p", slots=(Slot(name=name, line=7), Slot(name="records"))),))
    (found,) = refused(broken)
    assert (found.code, found.line) == ("UNRESOLVED", 7) and hint in found.hint
    assert names(made(broken, leave_out=(name,))) == ["keeping-records"]


def test_what_a_name_could_mean_is_chosen_by_the_caller_and_an_optional_unknown_is_left_with_a_warning() -> None:
    slots = (Slot(name="shipping"), Slot(name="nothing", optional=True))
    plan, noted = make_plan(
        LIBRARY,
        goal="g",
        blueprint=Blueprint(name="b", patterns=(Pattern(name="p", slots=slots),)),
        alternatives={"shipping": "shipping-south"},
    )
    assert plan is not None and names(plan) == ["shipping-south"] and codes(noted) == [("warning", "UNRESOLVED")]


def test_two_lines_that_mean_one_skill_are_one_step() -> None:
    twice = Blueprint(
        name="b", patterns=(Pattern(name="p", slots=(Slot(name="records"), Slot(name="keeping-records"), Slot(name="colours"))),)
    )
    plan, noted = make_plan(LIBRARY, goal="g", blueprint=twice)
    assert plan is not None and names(plan) == ["keeping-records", "choosing-colours"]
    assert codes(noted) == [("note", "SAME-SKILL")]


def test_an_optional_skill_that_is_none_is_refused() -> None:
    assert codes(refused(take_optional=("flying",))) == [("error", "UNKNOWN-OPTIONAL")]


def test_a_list_of_skills_gains_what_they_depend_on_and_is_ordered_by_layer_and_priority() -> None:
    plan, noted = make_plan(LIBRARY, goal="g", skills=("joining-parts", "drawing-pages", "drawing-charts", "guarding-doors"))
    assert plan is not None and ("note", "ADDED") in codes(noted)
    assert names(plan) == ["choosing-colours", "drawing-charts", "drawing-pages", "guarding-doors", "joining-parts"]
    assert waves(plan) == (("choosing-colours", "guarding-doors"), ("drawing-charts", "drawing-pages"), ("joining-parts",))


def test_two_steps_that_claim_one_path_are_said_to_run_one_after_the_other() -> None:
    plan, noted = make_plan(LIBRARY, goal="A shop", blueprint=SHOP, maturity="advanced")
    assert plan is not None
    said = [each.message for each in noted if each.code == "SHARED-PATH"]
    assert said == ["drawing-pages and drawing-charts both claim pages/**: they run one after the other."]


def test_no_skills_at_all_are_no_plan() -> None:
    assert codes(refused(None)) == [("error", "EMPTY-PLAN")]
    assert codes(refused(None, skills=("flying",))) == [("error", "UNRESOLVED")]


@pytest.mark.skipif("REMIT_SKILL_REPO" not in os.environ, reason="REMIT_SKILL_REPO names no folder of real skills")
def test_every_real_blueprint_is_a_plan_once_its_unresolved_names_are_decided() -> None:
    library = read_library([Path(each) for each in os.environ["REMIT_SKILL_REPO"].split(os.pathsep)])
    assert library.blueprints
    for blueprint in library.blueprints:
        plan, noted = make_plan(library, goal="g", blueprint=blueprint)
        if plan is None:
            assert {each.code for each in noted if each.severity == "error"} == {"UNRESOLVED"}
            left = [each.message.split()[0] for each in noted if each.code == "UNRESOLVED" and each.severity == "error"]
            plan, noted = make_plan(library, goal="g", blueprint=blueprint, leave_out=left)
        assert plan is not None, (blueprint.name, noted)
        assert sum(map(len, waves(plan))) == len(plan.steps)
        assert {each.by for each in plan.deliverables} <= {step.id for step in plan.steps} | {""}
