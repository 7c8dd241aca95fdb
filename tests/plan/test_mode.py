"""Which mode is recommended, and that one chain has one (MODE-01 to MODE-03, MODE-08)."""

import pytest

from remit.plan.mode import advise, mixed, one_mode
from remit.plan.skill import Noted
from remit.plan.step import Plan, Step


def plan(count: int, name: str = "tidy-up", goal: str = "Tidy up", **more: object) -> Plan:
    return Plan(name=name, goal=goal, steps=tuple(Step(id=f"s{n}") for n in range(count)), **more)  # type: ignore[arg-type]


ONE, TWO = ("frontend",), ("frontend", "backend")


@pytest.mark.parametrize(
    ("it", "options", "mode"),
    [
        (plan(1), {}, "standard"),
        (plan(2), {}, "standard"),
        (plan(3), {}, "standard"),
        (plan(4), {}, "delegated"),
        (plan(9), {}, "delegated"),
        (plan(3), {"domains": ONE}, "standard"),
        (plan(3), {"domains": TWO}, "delegated"),
        (plan(3), {"category": "fullstack"}, "delegated"),
        (plan(3), {"category": "multi-domain"}, "delegated"),
        (plan(2), {"prototype": True}, "standard"),
        (plan(3), {"prototype": True, "domains": TWO}, "standard"),
        (plan(6), {"prototype": True}, "delegated"),
        (plan(2), {"critical": True}, "delegated"),
        (plan(2), {"critical": True, "prototype": True, "domains": ONE}, "delegated"),
        (plan(2, name="dashboard"), {}, "delegated"),
        (plan(2, name="rag-pipeline"), {}, "delegated"),
        (plan(2, goal="A RAG pipeline with chat interface"), {}, "delegated"),
        (plan(2, goal="Retrieval-augmented answers"), {}, "delegated"),
        (plan(2, name="drag-and-drop", goal="Drag cards about"), {}, "standard"),
        (plan(2, name="crud-api"), {"domains": ("backend",)}, "standard"),
    ],
)
def test_the_recommendation_follows_the_table_and_gives_its_reasons(it: Plan, options: dict[str, object], mode: str) -> None:
    found = advise(it, **options)  # type: ignore[arg-type]
    assert found.mode == mode and found.reasons


def test_every_reason_is_said_and_what_speaks_for_the_other_mode_too() -> None:
    found = advise(plan(6, name="rag-pipeline"), domains=TWO, critical=True, prototype=True)
    assert found.reasons == (
        "6 skills: from 4 on, later ones are forgotten in one conversation", "rag-pipeline is a complex blueprint",
        "it is a RAG pipeline", "validation is critical here", "it crosses domains (backend, frontend)",
    )  # fmt: skip
    assert found.against == ("a quick prototype",)


def test_steps_that_no_agent_carries_do_not_count_and_those_of_inner_chains_do() -> None:
    hands = tuple(Step(id=f"h{n}", kind="person") for n in range(5))
    found = advise(Plan(name="p", goal="g", steps=(*hands, Step(id="a"))))
    assert (found.mode, found.reasons) == (
        "delegated", ("step h0 is no skill, and one conversation has nothing but skills",),
    )  # fmt: skip
    assert advise(Plan(name="p", goal="g", steps=(Step(id="in", kind="chain", chain=plan(4)),))).mode == "delegated"


@pytest.mark.parametrize(
    ("asked", "mode"),
    [(("1",), "standard"), (("2",), "delegated"), (("Standard ",), "standard"), (("delegated", "2"), "delegated")],
)
def test_a_mode_is_chosen_by_its_number_or_its_name(asked: tuple[str, ...], mode: str) -> None:
    assert one_mode(*asked) == mode


@pytest.mark.parametrize("asked", [("standard", "delegated"), ("1", "2"), ("hybrid",), ("mixed",), ("both",)])
def test_a_mixture_of_modes_is_refused_and_says_what_to_do_instead(asked: tuple[str, ...]) -> None:
    found = one_mode(*asked)
    assert isinstance(found, Noted) and found.code == "MIXED-MODE" and "two chains" in found.hint


@pytest.mark.parametrize("asked", [(), ("",), ("3",), ("fast",)])
def test_a_word_that_is_no_mode_is_said_to_be_none(asked: tuple[str, ...]) -> None:
    found = one_mode(*asked)
    assert isinstance(found, Noted) and found.code in {"MODE", "MIXED-MODE"}


def test_a_chain_inside_another_cannot_have_another_mode() -> None:
    inner = plan(2, name="inner", mode="standard")
    (found,) = mixed(Plan(name="p", goal="g", steps=(Step(id="in", kind="chain", chain=inner),)))
    assert found.code == "MIXED-MODE" and "in is a standard chain inside a delegated one" in found.message
    assert mixed(Plan(name="p", goal="g", mode="standard", steps=(Step(id="in", kind="chain", chain=inner),))) == ()
