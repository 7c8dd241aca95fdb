"""The light agent and skills: one tool for those of its run, their text as it is, and its last words on record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from agent_rig import Gate, Place, Script, use
from pydantic_ai.messages import TextPart, ToolCallPart

from remit.adapters.runtimes.agent.tools import chosen
from remit.contract.party import Tool
from remit.plan.skill_call import skill_tool
from remit.plan.step import Pinned
from remit.ports.models import NoCall
from remit.testing.checks_runtime import GIVEN, LAST, SKILL, door
from remit.testing.seat import AllowingAccount

MINE = (Pinned(name="greeting", invocation=SKILL, folder="/skills/greeting"),)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_skill_is_invoked_by_the_tool_skill_and_its_text_comes_as_it_is(place: Place) -> None:
    script = Script([use("Skill", skill=SKILL)], "done")
    seat, _ = anyio.run(lambda: place.run(script, skills=MINE, tools=(skill_tool(),), act=door))
    assert seat.acted[0] == {"schema": "remit.act/1", "verb": "call", "object": "Skill", "arguments": {"skill": SKILL}, "wait": 0}
    assert script.told() == [("Skill", "success", GIVEN)]
    [listed] = [each for each in script.infos[0].function_tools if each.name == "Skill"]
    assert f"`{SKILL}`" in str(listed.description) and list(listed.parameters_json_schema["properties"]) == ["skill"]


def test_another_skill_is_refused_and_the_model_hears_why(place: Place) -> None:
    async def only(message: Mapping[str, Any]) -> dict[str, Any]:
        why = {"code": "AUTHORITY", "why": f"this run is for `{SKILL}` only", "instead": f"invoke `{SKILL}`"}
        return {"schema": "remit.act/1", "decision": "refuse", "reasons": [why], "done": False}

    script = Script([use("Skill", skill="words:other")], "done")
    anyio.run(lambda: place.run(script, skills=MINE, act=only))
    [(tool, outcome, words)] = script.told()
    assert (tool, outcome) == ("Skill", "denied") and f"this run is for `{SKILL}` only" in words


def test_skill_is_one_tool_however_it_is_declared_and_none_where_there_is_no_skill() -> None:
    assert list(chosen(["read_file"], (skill_tool(),), MINE)) == ["read_file", "ask_owner", "done", "Skill"]
    assert "Skill" not in chosen([], (), ())
    assert chosen([], (Tool(name="Skill"),), ())["Skill"].calls == "Skill"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (LAST, LAST),
        ([TextPart(LAST), use("done", message="all is well")], f"{LAST}\n\nall is well"),
        ([use("done", message=LAST)], f"first I look\n\n{LAST}"),
        ([TextPart(LAST), use("done", message=LAST)], LAST),
        ([TextPart(LAST), ToolCallPart("done", "{}")], LAST),
    ],
)
def test_its_last_words_are_reported_whichever_way_it_ends(place: Place, step: Any, said: str) -> None:
    seat, agent = anyio.run(place.run, Script([TextPart("first I look"), use("list_files")], step))
    assert seat.reports == [said] and agent.words == said


def test_what_it_said_before_it_only_called_done_is_its_last_word(place: Place) -> None:
    seat, _ = anyio.run(place.run, Script([TextPart(LAST), use("list_files")], [ToolCallPart("done", "{}")]))
    assert seat.reports == [LAST]


def test_where_no_model_call_may_be_made_nothing_is_reported(place: Place) -> None:
    class Empty(AllowingAccount):
        async def reserve(self, call: Any) -> Any:
            return NoCall(code="LIMIT", why="the limit `usd` is used up")

    seat, agent = anyio.run(lambda: place.run(Script(LAST), account=Empty()))
    assert seat.reports == [] and agent.words == "the limit `usd` is used up"


def test_the_gate_decides_a_skill_like_any_call(place: Place) -> None:
    gate = Gate(
        f"tools: {{Skill: {{tier: read-only, effect: read, arguments: {{skill: {{type: text, required: true}}}}}}}}\nmay:\n  - call: Skill\n    where: {{skill: '{SKILL}'}}\n"
    )
    script = Script([use("Skill", skill=SKILL), use("Skill", skill="words:other")], "done")
    anyio.run(lambda: place.run(script, skills=MINE, act=gate.act))
    assert [outcome for _, outcome, _ in script.told()] == ["success", "denied"]
