"""The gateway in front of a server at an address, and as an address that hosts come to; each era in each."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from gateway_story import MODERN
from mcp.client.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from test_gateway_sdk import LATEST, gateway, text, yes

from remit.errors import BadInput
from remit.mcp.gateway.remote import address, headers

SERVER = Path(__file__).with_name("sdk_server.py")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def served(argv: list[str], port: int, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(argv, env={**os.environ, **environment}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(1000):
            with socket.socket() as sock:
                if process.poll() is not None or sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            anyio.run(anyio.sleep, 0.02)
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def listening(folder: Path, *options: str, **environment: str) -> Iterator[str]:
    port = free_port()
    found = gateway(folder, "--listen", f"127.0.0.1:{port}", *options)
    with served([found.command, *found.args], port, REMIT_HOME=str(folder / "home"), **environment):
        yield f"http://127.0.0.1:{port}/mcp"


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    port = free_port()
    with served([sys.executable, str(SERVER), "http", str(port)], port):
        yield f"http://127.0.0.1:{port}/mcp"


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_server_at_an_address_is_guarded_like_any_other(tmp_path: Path, remote: str, mode: str) -> None:
    async def tell() -> None:
        found = gateway(tmp_path, "--person-at-host", "--http", remote)
        found.args = found.args[: found.args.index("--")]
        with anyio.fail_after(60):
            async with Client(stdio_client(found), mode=mode, elicitation_callback=yes) as client:
                assert client.protocol_version == LATEST[mode]
                assert [tool.name for tool in (await client.list_tools()).tools] == ["asks", "look_up", "save_note", "slow"]
                assert text(await client.call_tool("look_up", {"order": "A-1"})) == "order A-1"
                assert (await client.call_tool("drop_all", {})).is_error
                assert text(await client.call_tool("save_note", {"text": "PAY 100"})) == "kept PAY 100"
                seen: list[Any] = []

                async def progress(progress: float, total: float | None, message: str | None) -> None:
                    seen.append(message)

                assert text(await client.call_tool("slow", {"order": "A-2"}, progress_callback=progress)) == "slowly A-2"
                assert seen == ["half of it"]

    anyio.run(tell)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_hosts_come_to_an_address_of_the_gateway(tmp_path: Path, mode: str) -> None:
    async def tell(url: str) -> None:
        shown = {"authorization": "Bearer mine alone"}
        with anyio.fail_after(60):
            async with httpx2.AsyncClient(headers=shown, trust_env=False, timeout=60) as http:
                line = streamable_http_client(url, http_client=http)
                async with Client(line, mode=mode, elicitation_callback=yes) as client:
                    assert client.protocol_version == LATEST[mode]
                    assert [tool.name for tool in (await client.list_tools()).tools] == ["asks", "look_up", "save_note", "slow"]
                    assert text(await client.call_tool("look_up", {"order": "A-1"})) == "order A-1"
                    assert (await client.call_tool("drop_all", {})).is_error
                    assert text(await client.call_tool("save_note", {"text": "PAY 100"})) == "kept PAY 100"
                    seen: list[Any] = []

                    async def progress(progress: float, total: float | None, message: str | None) -> None:
                        seen.append(message)

                    assert text(await client.call_tool("slow", {"order": "A-2"}, progress_callback=progress)) == "slowly A-2"
                    assert seen == ["half of it"]

    with listening(tmp_path, "--person-at-host", "--bearer", "SHOWN", SHOWN="mine alone") as url:
        anyio.run(tell, url)


def test_an_open_port_has_no_person_at_it(tmp_path: Path) -> None:
    """Any process of the machine could answer in that person's name."""
    found = gateway(tmp_path, "--listen", f"127.0.0.1:{free_port()}", "--person-at-host")
    done = subprocess.run(
        [found.command, *found.args],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "REMIT_HOME": str(tmp_path / "home")},
    )
    assert done.returncode == 2 and "whoever reaches the port would answer" in done.stderr


def test_headers_are_never_trusted_over_the_body_and_browsers_stay_out(tmp_path: Path) -> None:
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "drop_all", "arguments": {}, "_meta": MODERN},
    }  # fmt: skip
    usual = {"accept": "application/json", "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}
    with listening(tmp_path, "--bearer", "SHOWN", SHOWN="let me in") as url, httpx2.Client(trust_env=False) as client:

        def post(**more: str) -> tuple[int, dict[str, Any]]:
            said = client.post(url, json=body, headers={**usual, "authorization": "Bearer let me in", **more}, timeout=30)
            return said.status_code, said.json() if said.content else {}

        assert post(authorization="Bearer no")[0] == 401
        assert post(origin="https://evil.example.com")[0] == 403
        assert post(host="evil.example.com")[0] == 403
        assert post(**{"mcp-name": "look_up"}) == (
            400, {"jsonrpc": "2.0", "id": 1, "error": {"code": -32020, "message": "the header Mcp-Name says something else than the body"}},
        )  # fmt: skip
        assert post(**{"mcp-method": "tools/list"})[1]["error"]["code"] == -32020
        status, said = post(**{"mcp-name": "drop_all"})
        assert (status, said["id"], said["result"]["isError"]) == (200, 1, True)
        assert client.post(url, content=b"x" * 4_100_000, headers={"authorization": "Bearer let me in"}).status_code == 400
        session = {**usual, "authorization": "Bearer let me in", "mcp-session-id": "made-up"}
        assert client.post(url, json={"jsonrpc": "2.0", "id": 2, "method": "ping"}, headers=session).status_code == 404


def test_credentials_go_over_encrypted_lines_and_come_from_our_environment() -> None:
    assert headers(("Authorization: Bearer $TOKEN",), {"TOKEN": "t"}) == {"authorization": "Bearer t"}
    for wrong in ("Authorization", "Mcp-Method: x", "Bad Name: x", "A: $MISSING"):
        with pytest.raises(BadInput):
            headers((wrong,), {})
    for url in ("http://example.com/mcp", "https://a:b@example.com/", "ftp://example.com", "example.com"):
        with pytest.raises(BadInput):
            address(url)
    assert address("https://example.com/mcp") and address("http://127.0.0.1:8000/mcp")


def test_nobody_listens_for_the_whole_network_without_a_token(tmp_path: Path) -> None:
    found = gateway(tmp_path, "--listen", "0.0.0.0:0")
    said = subprocess.run(
        [found.command, *found.args], env={**os.environ, "REMIT_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert (said.returncode, "can be reached from elsewhere" in said.stderr) == (2, True)
