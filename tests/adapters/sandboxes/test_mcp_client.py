"""Remit's door as an MCP server, against the client of the official SDK in both eras."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp_rig import PROGRAM, REASON, Door, environment


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    there = Door(tmp_path)
    yield there
    there.end()


def client(door: Door, mode: str) -> Client:
    server = StdioServerParameters(command=sys.executable, args=["-IS", str(PROGRAM)], env=environment(door))
    return Client(server, mode=mode, read_timeout_seconds=20)


def words(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


MODES = pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])


@MODES
def test_both_eras_find_the_same_tools(door: Door, mode: str) -> None:
    async def story() -> None:
        async with client(door, mode) as remit:
            tools = {tool.name: tool for tool in (await remit.list_tools()).tools}
            assert list(tools) == ["ask_owner", "call", "delegate", "shop_refund", "pause"]
            assert set(tools["shop_refund"].input_schema["properties"]) == {"order", "amount", "wait"}
            assert tools["pause"].input_schema["properties"]["wait"] == {"type": "integer"}
            assert (await remit.list_resources()).resources == []
            assert (await remit.list_prompts()).prompts == []
            assert (await remit.list_resource_templates()).resource_templates == []
            if mode != "2026-07-28":  # pinned, it asks nobody what there is
                assert remit.session.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
                assert remit.session.server_info is not None and remit.session.server_info.name == "remit"

    anyio.run(story)
    assert door.asked == []


@MODES
def test_each_tool_is_one_line_at_the_door(door: Door, mode: str) -> None:
    async def story() -> None:
        async with client(door, mode) as remit:
            for name, given in (
                ("ask_owner", {"text": "which version?", "wait": 2}),
                ("call", {"name": "shop.refund", "arguments": {"order": "7", "amount": 20.50}}),
                ("shop_refund", {"order": "7", "amount": 20, "wait": 1.5}),
                ("pause", {"wait": 3}),
                ("delegate", {"runtime": "codex", "why": "a terminal", "contract": "goal: x", "command": ["run", "it"]}),
            ):
                result = await remit.call_tool(name, given)
                assert words(result) == "Done." and not result.is_error

    anyio.run(story)
    assert [(each["verb"], each["object"], each["arguments"], each["wait"]) for each in door.asked] == [
        ("ask", "which version?", {}, 2),
        ("call", "shop.refund", {"order": "7", "amount": 20.5}, 0),
        ("call", "shop.refund", {"order": "7", "amount": 20}, 1.5),
        ("call", "pause", {"wait": 3}, 0),
        ("delegate", "codex", {"why": "a terminal", "contract": "goal: x", "command": ["run", "it"]}, 0),
    ]
    assert all(each["schema"] == "remit.act/1" for each in door.asked)


@MODES
def test_a_refusal_says_why_and_what_to_do_instead(door: Door, mode: str) -> None:
    door.answer = lambda _: {"decision": "refuse", "reasons": [REASON], "done": False}

    async def story() -> None:
        async with client(door, mode) as remit:
            result = await remit.call_tool("shop_refund", {"order": "7"})
            assert result.is_error
            assert words(result) == "Refused.\nrefunds are never yours\nInstead: ask the owner"

    anyio.run(story)


@pytest.mark.parametrize(
    ("said", "error", "parts"),
    [
        ({"decision": "ask", "question": "q-1", "reasons": []}, False, ["Not done: it waits for a person", '"question": "q-1"']),
        ({"decision": "allow", "done": True, "answer": "yes", "note": "version 2"}, False, ["The answer: yes\nversion 2"]),
        ({"decision": "allow", "done": False, "note": "remit itself performs no `fetch` here"}, False, ["Allowed, but not done yet.", "performs no"]),
        ({"decision": "allow", "done": True, "state": "done", "draft": "k", "receipt": "r-9", "output": {"id": 4}}, False, ["Done.", '"receipt": "r-9"', '{"id": 4}']),
        ({"decision": "allow", "done": True, "child": "r.1", "verdict": "succeeded"}, False, ['"verdict": "succeeded"']),
        ({"nonsense": 1}, True, ["Refused."]),
    ],
)  # fmt: skip
def test_what_the_door_says_is_said_in_words(door: Door, said: dict[str, Any], error: bool, parts: list[str]) -> None:
    door.answer = lambda message: said if message["verb"] != "got" else {"decision": "allow"}

    async def story() -> None:
        async with client(door, "auto") as remit:
            result = await remit.call_tool("call", {"name": "x"})
            assert result.is_error is error
            for part in parts:
                assert part in words(result)

    anyio.run(story)


def test_the_end_of_an_effect_is_acknowledged_once_it_was_told(door: Door) -> None:
    door.answer = lambda message: {"decision": "allow", "done": True, "state": "done", "draft": "key-1"}

    async def story() -> None:
        async with client(door, "auto") as remit:
            await remit.call_tool("shop_refund", {"order": "7"})

    anyio.run(story)
    assert (door.asked[1]["verb"], door.asked[1]["object"]) == ("got", "key-1")


def test_while_one_call_waits_for_a_person_others_are_served(door: Door) -> None:
    go = threading.Event()

    def answer(message: dict[str, Any]) -> dict[str, Any]:
        if message["verb"] == "ask":
            go.wait(10)
        return {"decision": "allow", "done": True, "reasons": []}

    door.answer = answer

    async def story() -> None:
        async with client(door, "auto") as remit, anyio.create_task_group() as tasks:
            tasks.start_soon(remit.call_tool, "ask_owner", {"text": "?", "wait": 60})
            for _ in range(20):
                await remit.call_tool("pause", {"wait": 1})
            await remit.list_tools()
            go.set()

    anyio.run(story)
    assert len(door.asked) == 21


def test_arguments_that_cannot_be_sent_are_told_to_the_model(door: Door) -> None:
    async def story() -> None:
        async with client(door, "legacy") as remit:
            for name, given in (
                ("ask_owner", {}), ("ask_owner", {"text": 1.5}), ("ask_owner", {"text": "x", "wait": "long"}), ("call", {"arguments": {}}),
                ("call", {"name": "x", "arguments": [1]}), ("delegate", {"runtime": "codex"}), ("call", {"name": "x" * (1 << 20)}),
            ):  # fmt: skip
                result = await remit.call_tool(name, given)
                assert result.is_error and words(result).startswith("Not sent"), given

    anyio.run(story)
    assert door.asked == []


def test_without_a_door_a_call_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        server = StdioServerParameters(
            command=sys.executable, args=["-IS", str(PROGRAM)], env={"REMIT_DOOR": str(tmp_path / "none")}
        )
        async with Client(server) as remit:
            assert [tool.name for tool in (await remit.list_tools()).tools] == ["ask_owner", "call", "delegate"]
            result = await remit.call_tool("ask_owner", {"text": "?"})
            assert result.is_error and words(result).startswith("No answer at the door")

    anyio.run(story)
