"""From a wish to a plan: what is meant is found, what a chain file says is not said twice, and every surface refuses in its own words."""

from collections.abc import Sequence

import pytest

from remit.errors import BadInput
from remit.plan.blueprint import Blueprint, Pattern, Slot
from remit.plan.library import Library
from remit.plan.planning import ChainFile, Planned, Wish, Words, named, planned
from remit.plan.planning_findings import Unresolved, unresolved
from remit.plan.skill import Skill


def skill(name: str) -> Skill:
    return Skill(name=name, folder=f"/s/{name}", invocation=f"shop:{name}", digest=f"sha256:{name}")


SLOTS = (Slot(name="draw-plan"), Slot(name="paint-wall", optional=True), Slot(name="paint-wall", optional=True))
SHOP = Blueprint(name="shop", title="A shop", patterns=(Pattern(name="", slots=SLOTS),))
LIBRARY = Library(skills=(skill("draw-plan"), skill("lay-floor")), blueprints=(SHOP,))
FILE = ChainFile(
    file="floor.chain.yaml", shown="the file",
    text=lambda: "goal: A floor\nsteps:\n  - skill: draw-plan\n  - skill: lay-floor\n    after: [draw-plan]\n",
)  # fmt: skip
WORDS = Words(
    which="WHICH", purpose="PURPOSE", nothing_fits="FITS", mend="MEND", call=", ".join,
    lines=lambda noted: [f"* {each.message}" for each in noted],
)  # fmt: skip


def plan(wish: Wish) -> Planned:
    return planned(wish, LIBRARY, lambda name: FILE if name == "floor" else SHOP, WORDS)


def test_a_chain_file_is_planned_without_what_is_left_and_done_by_whom_was_named() -> None:
    found = plan(Wish(name="floor", leave=("lay-floor",), command=("true",)))
    assert [step.id for step in found.plan.steps] == ["draw-plan"]
    assert (found.plan.goal, found.plan.runtime, found.plan.command, found.source) == ("A floor", "command", ("true",), FILE)
    assert plan(Wish(name="floor", runtime="agent")).plan.runtime == "agent"


@pytest.mark.parametrize(
    ("wish", "message", "hint"),
    [
        (Wish(), "which chain?", "WHICH"),
        (Wish(skills=("draw-plan",)), "what is it for?", "PURPOSE"),
        (
            Wish(name="floor", skills=("x",), pattern="y"),
            "skills, pattern means nothing for a chain file",
            "the file says all of that itself",
        ),
        (Wish(name="floor", leave=("roof",)), "there is no step `roof` to leave out", "steps: draw-plan, lay-floor"),
    ],
)
def test_a_wish_that_means_nothing_is_refused_in_the_words_of_the_surface(wish: Wish, message: str, hint: str) -> None:
    with pytest.raises(BadInput) as refused:
        plan(wish)
    assert (str(refused.value), refused.value.hint) == (message, hint)


def test_a_plan_with_a_name_that_means_no_skill_is_refused_with_the_reason() -> None:
    with pytest.raises(BadInput, match=r"(?s)as it stands:\n\* .*no-such-thing") as refused:
        plan(Wish(skills=("no-such-thing",), goal="x"))
    assert refused.value.hint == "MEND"


def test_a_name_is_a_blueprint_or_a_file_and_else_refused_with_what_comes_near() -> None:
    def near(close: Sequence[str], names: Sequence[str]) -> str:
        return f"{close} of {names}"

    assert named("shop", LIBRARY, ["floor"], near) == SHOP
    assert named("floor", LIBRARY, ["floor"], near) is None
    with pytest.raises(BadInput, match="is called `flor`") as refused:
        named("flor", LIBRARY, ["floor"], near)
    assert refused.value.hint == "['floor'] of ['shop', 'floor']"


def test_a_name_that_means_no_skill_is_told_once() -> None:
    assert list(unresolved(SHOP, LIBRARY)) == [Unresolved(name="paint-wall", near=(), optional=True, line=0)]
