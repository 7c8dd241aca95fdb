"""The official client and the official server, with the gateway between them: both eras, as any host would start it."""

import os
import sys
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from gateway_story import CONTRACT, OWNER
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError

from remit.adapters.signers.local import create

SERVER = Path(__file__).with_name("sdk_server.py")
LATEST = {"legacy": "2025-11-25", "auto": "2026-07-28"}


def gateway(folder: Path, *options: str) -> StdioServerParameters:
    (folder / "work").mkdir(exist_ok=True)
    (folder / "work" / "README.md").write_text("# Here\n")
    (folder / "c.remit.yaml").write_text(CONTRACT)
    if not (folder / "home").exists():
        create(folder / "home", OWNER)
    given = ["--contract", str(folder / "c.remit.yaml"), "--workspace", str(folder / "work"), *options]
    argv = ["-m", "remit.cli.main", "mcp", "gateway", *given, "--", sys.executable, str(SERVER)]
    return StdioServerParameters(command=sys.executable, args=argv, env={**os.environ, "REMIT_HOME": str(folder / "home")})


def text(result: Any) -> str:
    assert isinstance(result.content[0], types.TextContent)
    return result.content[0].text


async def yes(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    assert params.message.startswith("remit asks desk-owner@example.com")
    return types.ElicitResult(action="accept", content={"answer": "yes"})


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_official_client_works_through_the_gateway_in_either_era(tmp_path: Path, mode: str) -> None:
    async def tell() -> None:
        seen: list[tuple[float, str | None]] = []

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            seen.append((progress, message))

        with anyio.fail_after(60):
            async with Client(
                stdio_client(gateway(tmp_path, "--person-at-host")), mode=mode, elicitation_callback=yes
            ) as client:  # fmt: skip
                assert client.protocol_version == LATEST[mode]
                listed = await client.list_tools()
                assert [tool.name for tool in listed.tools] == ["asks", "look_up", "save_note", "slow"]
                assert text(await client.call_tool("look_up", {"order": "A-1"})) == "order A-1"
                refused = await client.call_tool("drop_all", {})
                assert refused.is_error and text(refused).startswith("Refused: ")
                assert text(await client.call_tool("save_note", {"text": "PAY 100"})) == "kept PAY 100"
                assert text(await client.call_tool("slow", {"order": "A-2"}, progress_callback=progress)) == "slowly A-2"
                assert seen == [(1, "half of it")]
                read = await client.read_resource("file:///docs/a.md")
                assert isinstance(read.contents[0], types.TextResourceContents) and read.contents[0].text == "hello"
                with pytest.raises(MCPError, match="Refused: "):
                    await client.read_resource("file:///etc/secret")

    anyio.run(tell)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_client_that_cannot_ask_hears_that_a_person_is_awaited(tmp_path: Path, mode: str) -> None:
    async def tell() -> None:
        with anyio.fail_after(60):
            async with Client(stdio_client(gateway(tmp_path)), mode=mode) as client:
                said = await client.call_tool("save_note", {"text": "PAY 100"})
                assert said.is_error and "call again" in text(said)

    anyio.run(tell)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_question_of_the_server_reaches_the_person_as_the_servers(tmp_path: Path, mode: str) -> None:
    async def three(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert params.message == "[The server orders asks this, not remit] How many of A-1?"
        return types.ElicitResult(action="accept", content={"amount": 3})

    async def tell() -> None:
        with anyio.fail_after(60):
            async with Client(stdio_client(gateway(tmp_path)), mode=mode, elicitation_callback=three) as client:
                assert text(await client.call_tool("asks", {"order": "A-1"})) == "3 of A-1"

    anyio.run(tell)
