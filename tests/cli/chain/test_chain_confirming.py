"""Before a chain begins: the mode, and whether to proceed; what can be changed and what cannot."""

from collections.abc import Callable
from pathlib import Path

import pytest

from remit.cli.chain.confirming import PROCEED, confirmed, mode_of
from remit.cli.chain.planning import Planned, in_mode, planned
from remit.cli.chain.wish import Wish
from remit.errors import BadInput

BLUEPRINT = """\
# Shop Blueprint

## Skill Chain (Pre-configured)

```
1. draw-plan
2. lay-floor
3. [OPTIONAL] paint-walls  # colour
4. hang-sign
```
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "library"
    (place / "blueprints").mkdir(parents=True)
    (place / "blueprints" / "shop.md").write_text(BLUEPRINT)
    for name in ("draw-plan", "lay-floor", "paint-walls", "hang-sign"):
        (place / "skills" / name).mkdir(parents=True)
        (place / "skills" / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: For a shop.\n---\n\n# {name}\n")
    return place


@pytest.fixture
def found(library: Path) -> Planned:
    text = "goal: A shop\nsteps:\n  - skill: draw-plan\n  - skill: lay-floor\n    after: [draw-plan]\n  - skill: hang-sign\n"
    Path("shop.chain.yaml").write_text(text)
    return planned(Wish(name="shop.chain.yaml", answers={}, flags={}, instead={}, library=(library,), command=("true",)))


def typed(*words: str) -> Callable[[str], str]:
    left = list(words)
    return lambda _: left.pop(0)


def steps(found: Planned | None) -> list[str]:
    assert found is not None
    return [step.id for step in found.plan.steps]


def test_yes_takes_the_plan_as_it_is_and_cancel_takes_none(found: Planned) -> None:
    assert steps(confirmed(found, found.plan, typed("yes"), str)) == ["draw-plan", "lay-floor", "hang-sign"]
    assert confirmed(found, found.plan, typed("cancel"), str) is None
    assert confirmed(found, found.plan, typed("what?", "no"), str) is None


def test_a_step_is_taken_out_and_put_elsewhere_and_the_plan_is_shown_again(found: Planned) -> None:
    seen: list[str] = []
    agreed = confirmed(found, found.plan, typed("modify", "move 3 1", "remove lay-floor", "done", "yes"), seen.append)
    assert steps(agreed) == ["hang-sign", "draw-plan"]
    assert seen.count("EXECUTION PLAN:") == 4
    assert "3. [VALIDATION] Final validation" in seen


def test_an_order_that_breaks_a_dependency_is_refused_and_changes_nothing(found: Planned) -> None:
    seen: list[str] = []
    agreed = confirmed(found, found.plan, typed("modify", "move 2 1", "done", "yes"), seen.append)
    assert steps(agreed) == ["draw-plan", "lay-floor", "hang-sign"]
    assert "lay-floor stands before draw-plan, which it needs. (Put draw-plan before lay-floor.)" in seen


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("remove 9", "there is no step `9` (1 to 3, or a name)"),
        ("remove 4", "validation always comes last (it can be neither removed nor moved)"),
        ("move 1 9", "there is no place 9 (1 to 3)"),
        ("add paint-walls", "there is no such optional step (no step is left out)"),
        ("shuffle", "no such change (remove N, move N PLACE, add NAME, or done)"),
    ],
)
def test_what_cannot_be_changed_is_said(found: Planned, said: str, answer: str) -> None:
    seen: list[str] = []
    assert steps(confirmed(found, found.plan, typed("modify", said, "", "yes"), seen.append)) == steps(found)
    assert answer in seen


def test_the_last_step_cannot_be_taken_out(found: Planned) -> None:
    seen: list[str] = []
    agreed = confirmed(found, found.plan, typed("m", "remove 3", "remove 2", "remove 1", "done", "y"), seen.append)
    assert steps(agreed) == ["draw-plan"]
    assert "it is the only step that is left (cancel instead)" in seen


def test_an_optional_step_is_taken_in_and_what_was_taken_out_stays_out(library: Path) -> None:
    found = planned(Wish(name="shop", goal="A shop", answers={}, flags={}, instead={}, library=(library,)))
    assert (steps(found), found.left_out) == (["draw-plan", "lay-floor", "hang-sign"], ["paint-walls"])
    agreed = confirmed(found, found.plan, typed("modify", "remove lay-floor", "add paint-walls", "done", "yes"), str)
    assert steps(agreed) == ["draw-plan", "paint-walls", "hang-sign"]


def test_the_mode_is_a_number_or_a_word_and_nothing_typed_takes_the_recommended_one(found: Planned) -> None:
    assert found.advice.mode == "standard"
    assert [mode_of(found, typed(said), str) for said in ("1", "2", "delegated", "")] == [
        "standard", "delegated", "delegated", "standard",
    ]  # fmt: skip
    seen: list[str] = []
    assert mode_of(found, typed("both", "3", "2"), seen.append) == "delegated"
    assert any("cannot be mixed" in line for line in seen)
    assert "1. Standard Execution (RECOMMENDED)" in seen


def test_the_screen_asks_in_the_words_of_the_sources(found: Planned) -> None:
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "yes"

    seen: list[str] = []
    confirmed(found, in_mode(found.plan, "delegated"), ask, seen.append)
    assert prompts == [PROCEED]
    assert seen[1:5] == ["DELEGATED SKILL CHAIN EXECUTION", "", "Goal: A shop", "Skills: 4 skills in sequence"]


def test_names_that_mean_no_skill_stop_it_with_what_comes_near(library: Path) -> None:
    with pytest.raises(BadInput) as told:
        planned(Wish(skills=("lay-floors", "draw-plan"), goal="g", answers={}, flags={}, instead={}, library=(library,)))
    assert "lay-floors is the name of no skill here. The nearest: lay-floor" in str(told.value)
