"""Work that can be taken back asks nobody anything, and how often people are asked does not grow with the volume."""

import base64
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from remit.contract.condition import Anything
from remit.contract.party import Tool
from remit.contract.rule import Where
from remit.run.event import QuestionAsked
from remit.testing.sandbox import Inside

sys.path.append(str(Path(__file__).parent.parent / "engine"))
from engine_worlds import ORGANISATION, World, contract, rule

TASKS = ("draft copy", "summarise calls", "brainstorm", "extract bullets")
FREE = (Where(argument="text", condition=Anything()),)
BOUNDARIES = {"letters": "send_letter", "prices": "change_price"}
RULES = (
    rule("may", "call", "draft_letter", where=FREE),
    *(rule("ask", "call", tool, id=name) for name, tool in BOUNDARIES.items()),
)
COMPANY = replace(
    ORGANISATION,
    tools=(
        Tool(name="draft_letter", effect="draft"), Tool(name="send_letter", effect="send", tier="high-risk"),
        Tool(name="change_price", effect="execute", tier="high-risk"),
    ),
)  # fmt: skip


def worker(wants: list[str]) -> Any:
    """Does all four kinds of reversible work, and then wants what it was given to want."""

    async def agent(inside: Inside) -> None:
        (inside.folder / "docs" / "hello.md").write_text("hello\n")
        for task in TASKS:
            told = await inside.act("write", f"docs/{task}.md", content=base64.b64encode(task.encode()).decode())
            drafted = await inside.act("call", "draft_letter", arguments={"text": task})
            assert (told["decision"], drafted["decision"]) == ("allow", "allow")
        for tool in wants:
            assert (await inside.act("call", tool, arguments={"text": "dear customer"}))["decision"] == "ask"

    return agent


async def prompts(folder: Path, runs: int) -> list[list[QuestionAsked]]:
    """The questions of so many runs, of which every fifth wants to send a letter and every tenth to change a price too."""
    asked = []
    for number in range(runs):
        place = folder / str(number)
        place.mkdir()
        wants = [tool for tool, every in (("send_letter", 5), ("change_price", 10)) if number % every == 0]
        world = World(place, worker(wants))
        run = await world.start(contract(*RULES), COMPANY)
        assert (await world.drive(run)).verdict == "success"
        asked.append(await world.events(run, "question_asked"))
        assert len(asked[-1]) == len(wants), "reversible work asks nothing"
    return asked


def per_hundred(asked: list[list[QuestionAsked]]) -> float:
    """Prompts per hundred runs."""
    return sum(map(len, asked)) * 100 / len(asked)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[list[QuestionAsked]]:
    """Two hundred runs."""
    return anyio.run(prompts, tmp_path_factory.mktemp("many"), 200)


def test_every_prompt_of_a_hundred_runs_is_a_declared_boundary_and_reversible_drafts_have_none(
    many: list[list[QuestionAsked]],
) -> None:
    asked = [question for run in many[:100] for question in run]
    assert len(asked) == 20 + 10
    declared = {each.id for each in contract(*RULES).rules if each.effect == "ask"}
    assert declared == set(BOUNDARIES)
    for question in asked:
        named = {reason.rule for reason in question.reasons}
        assert named <= declared
        assert question.action is not None
        assert {question.action.object} == {BOUNDARIES[str(name)] for name in named}


def test_prompts_per_hundred_runs_are_the_same_for_ten_runs_and_for_two_hundred(
    tmp_path: Path, many: list[list[QuestionAsked]]
) -> None:
    assert per_hundred(anyio.run(prompts, tmp_path, 10)) == per_hundred(many) == 30


@pytest.mark.thorough
def test_prompts_per_hundred_runs_are_the_same_for_a_thousand(tmp_path: Path) -> None:
    assert per_hundred(anyio.run(prompts, tmp_path, 1000)) == 30
