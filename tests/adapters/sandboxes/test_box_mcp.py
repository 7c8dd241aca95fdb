"""Remit's door as an MCP server: message by message, and in a real box."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from box_rig import Ground, Witness
from mcp_rig import PROGRAM, REASON, TOOLS, Door, environment

from remit.adapters.sandboxes import argv


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    there = Door(tmp_path)
    yield there
    there.end()


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
    ground.run(ground.plan("sh", "-c", code, talks=True), witness)
    assert witness.printed.split() == ["ended", *(f"/run/remit/bin/{name}" for name in ("remit-mcp", "hands", "remit"))]
