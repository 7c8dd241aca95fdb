"""Remit's door as an MCP server inside the box: against the client of the official SDK, by hand, and in a real box."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from box_rig import Ground, Witness
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from remit.adapters.sandboxes import argv, inside

PROGRAM = Path(inside.__file__).parent / "mcp.py"
TOOLS = [
    {
        "name": "shop.refund",
        "description": "Give money back.",
        "inputSchema": {
            "type": "object",
            "properties": {"order": {"type": "string"}, "amount": {"type": "number"}},
            "required": ["order"],
        },
    },
    {"name": "pause", "inputSchema": {"type": "object", "properties": {"wait": {"type": "integer"}}}},
    {"name": "call", "description": "Hidden by the server's own."},
]
REASON = {"code": "NEVER", "rule": "no-refund", "contract": "c", "why": "refunds are never yours", "instead": "ask the owner"}


class Door:
    """A door that remembers what it is asked, and answers as it is told."""

    def __init__(self, place: Path) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"decision": "allow", "done": True, "reasons": []}
        self.path = str(place / "door")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.visit, args=(connection,), daemon=True).start()

    def visit(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rwb") as lines:
            message = json.loads(lines.readline())
            self.asked.append(message)
            lines.write(json.dumps({"schema": "remit.act/1", **self.answer(message)}).encode() + b"\n")

    def end(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    there = Door(tmp_path)
    yield there
    there.end()


def environment(door: Door) -> dict[str, str]:
    return {"REMIT_DOOR": door.path, "REMIT_TOOLS": json.dumps(TOOLS)}


def client(door: Door, mode: str) -> Client:
    server = StdioServerParameters(command=sys.executable, args=["-IS", str(PROGRAM)], env=environment(door))
    return Client(server, mode=mode, read_timeout_seconds=20)


def words(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


MODES = pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])


# ---------------------------------------------------------------- with the official client


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


# ---------------------------------------------------------------- by hand


def spoken(door: Door, *lines: bytes, tools: str = json.dumps(TOOLS), answers: int | None = None) -> list[dict[str, Any]]:
    server = subprocess.Popen(
        [sys.executable, "-IS", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"REMIT_DOOR": door.path, "REMIT_TOOLS": tools},
    )
    assert server.stdin is not None and server.stdout is not None
    with server, server.stdin, server.stdout:
        for line in lines:
            server.stdin.write(line + b"\n")
        server.stdin.flush()
        return [json.loads(server.stdout.readline()) for _ in range(len(lines) if answers is None else answers)]


def request(method: str, number: object = 1, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        (7, "2025-11-25"),
    ],
)
def test_the_handshake_agrees_on_a_version(door: Door, asked: object, given: str) -> None:
    (told,) = spoken(
        door, request("initialize", protocolVersion=asked, capabilities={}, clientInfo={"name": "x", "version": "1"})
    )
    assert told["result"]["protocolVersion"] == given
    assert told["result"]["instructions"]


def test_a_version_of_the_stateless_era_that_is_not_spoken_is_refused_with_those_that_are(door: Door) -> None:
    (told,) = spoken(door, request("tools/list", _meta={"io.modelcontextprotocol/protocolVersion": "2031-01-01"}))
    assert told["error"]["code"] == -32022
    assert told["error"]["data"] == {"supported": ["2026-07-28"], "requested": "2031-01-01"}


def test_nonsense_is_an_error_and_survived(door: Door) -> None:
    lines = [
        b"nonsense", b"[]", b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', b"{}", b'{"id": 1}', b'{"id": 1, "method": 7}', b"\xff",
        b"[" * 100_000, b'{"id": 1, "id": 2, "method": "ping"}', b'{"id": {}, "method": "ping"}', b'{"id": null, "method": "ping"}',
        request("nothing/such"), request("tools/call"), request("tools/call", name="no_such"), request("tools/call", name=["x"]),
    ]  # fmt: skip
    told = spoken(door, *lines, request("ping", 77))
    assert [each["error"]["code"] for each in told if "error" in each] == [-32700, -32600, -32600, -32600, -32600, -32600, *[-32700] * 3, -32600, -32600, -32601, *[-32602] * 3]  # fmt: skip
    assert [each["id"] for each in told if "result" in each] == [77]


def test_messages_that_want_no_answer_get_none(door: Door) -> None:
    lines = (
        b'{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        b'{"jsonrpc": "2.0", "id": 3, "result": {}}',
        b"",
        request("ping", "last"),
    )
    assert spoken(door, *lines, answers=1) == [{"jsonrpc": "2.0", "id": "last", "result": {}}]


def test_a_call_that_was_given_up_is_not_answered_and_not_acknowledged(door: Door) -> None:
    go = threading.Event()

    def answer(message: dict[str, Any]) -> dict[str, Any]:
        go.wait(10)
        return {"decision": "allow", "done": True, "state": "done", "draft": "key-1"}

    door.answer = answer
    server = subprocess.Popen(
        [sys.executable, "-IS", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(door)
    )
    assert server.stdin is not None and server.stdout is not None
    with server, server.stdin, server.stdout:
        server.stdin.write(request("tools/call", 5, name="pause", arguments={"wait": 1}) + b"\n")
        server.stdin.write(
            b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}\n' + request("ping", 6) + b"\n"
        )
        server.stdin.flush()
        assert json.loads(server.stdout.readline())["id"] == 6
        go.set()
        time.sleep(0.2)
        server.stdin.write(request("ping", 7) + b"\n")
        server.stdin.flush()
        assert json.loads(server.stdout.readline())["id"] == 7
    assert [each["verb"] for each in door.asked] == ["call"]


@pytest.mark.parametrize(
    "tools",
    ["nonsense", "{}", "[1, {}]", '[{"name": "x", "inputSchema": {"properties": [1]}}]', '[{"name": "a.b"}, {"name": "a b"}]'],
)
def test_a_list_of_tools_in_any_state_starts_a_server(door: Door, tools: str) -> None:
    (told,) = spoken(door, request("tools/list"), tools=tools)
    assert {"ask_owner", "call", "delegate"} <= {each["name"] for each in told["result"]["tools"]}


# ---------------------------------------------------------------- in a box


def test_in_a_box_it_reaches_the_door_and_reads_its_tools_from_a_file(ground: Ground) -> None:
    lines = [
        request("initialize", protocolVersion="2025-06-18"),
        request("tools/list", 2),
        request("tools/call", 3, name="shop_refund", arguments={"order": "7"}),
    ]
    witness = Witness()
    witness.answer = lambda message: {"decision": "refuse", "reasons": [REASON]}

    async def talk(box: Any) -> None:
        await box.say(b"\n".join(lines) + b"\n")
        with anyio.fail_after(20):
            while witness.stdout.count(b"\n") < 3:
                await anyio.sleep(0.01)
        await box.close()

    plan = ground.plan(argv.MCP, talks=True, files={"/run/remit/tools.json": json.dumps(TOOLS)})
    assert ground.run(plan, witness, talk).status == 0
    told = {answer["id"]: answer["result"] for answer in map(json.loads, witness.stdout.splitlines())}
    assert [each["name"] for each in told[2]["tools"]][3:] == ["shop_refund", "pause"]
    assert told[3] == {
        "content": [{"type": "text", "text": "Refused.\nrefunds are never yours\nInstead: ask the owner"}],
        "isError": True,
    }
    assert [(each["verb"], each["object"]) for each in witness.requests] == [("call", "shop.refund")]


def test_it_is_found_by_name_and_needs_nothing_of_the_environment(ground: Ground) -> None:
    witness = Witness()
    code = (
        "env -i /run/remit/bin/remit-mcp < /dev/null && echo ended; for name in remit-mcp hands remit; do command -v $name; done"
    )
    ground.run(ground.plan("sh", "-c", code), witness)
    assert witness.printed.split() == ["ended", *(f"/run/remit/bin/{name}" for name in ("remit-mcp", "hands", "remit"))]
