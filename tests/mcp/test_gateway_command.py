"""`remit mcp gateway` as a host starts it: what it needs, what its server gets, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import anyio
import pytest
from click.testing import CliRunner
from gateway_story import SERVER
from mcp.client.client import Client
from mcp.client.stdio import stdio_client
from test_gateway_sdk import gateway, text

from remit.cli.main import VERBS
from remit.cli.mcp import SUBCOMMANDS, command
from remit.cli.mcp_gateway import command as gateway_command
from remit.errors import BadInput
from remit.mcp.gateway.process import environment

EXAMPLE = Path(__file__).parents[2] / "examples" / "gateway"


def started(folder: Path, *argv: str, **variables: str) -> "subprocess.Popen[str]":
    found = gateway(folder)
    found.args = [*found.args[: found.args.index("--")], *argv]
    return subprocess.Popen(
        [found.command, *found.args], env={**(found.env or {}), **variables}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None and process.stdout is not None
    return process.stdin, process.stdout


def ask(process: "subprocess.Popen[str]", method: str, **params: Any) -> dict[str, Any]:
    into, out = pipes(process)
    into.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
    into.flush()
    said: dict[str, Any] = json.loads(out.readline())
    return said


def test_the_verb_lists_its_subcommands_without_importing_them() -> None:
    said = CliRunner().invoke(command, ["--help"])
    assert said.exit_code == 0
    assert all(name in said.output for name in SUBCOMMANDS)
    assert "mcp" in VERBS


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["--", "server"], "needs a contract"),
        (["--contract", "c.remit.yaml"], "which server"),
        (["--contract", "c.remit.yaml", "--http", "https://example.com", "--", "server"], "which server"),
        (["--contract", "c.remit.yaml", "--env", "NOT_SET_ANYWHERE", "--", "server"], "not set here"),
    ],
)
def test_what_it_needs_is_said_in_words(argv: list[str], why: str) -> None:
    said = CliRunner().invoke(gateway_command, argv)
    assert isinstance(said.exception, BadInput)
    assert why in str(said.exception)


def test_a_server_that_cannot_be_started_is_said_so(tmp_path: Path) -> None:
    process = started(tmp_path, "--", "no-such-server-anywhere")
    _, said = process.communicate("", timeout=60)
    assert "`no-such-server-anywhere` cannot be started" in said
    assert process.returncode != 0


def test_a_server_gets_a_clean_environment_and_what_is_named() -> None:
    ours = {"PATH": "/bin", "HOME": "/home/me", "TOKEN": "t", "ANTHROPIC_API_KEY": "k", "REMIT_HOME": "/x"}
    assert environment(ours, []) == {"HOME": "/home/me", "PATH": "/bin"}
    assert environment(ours, ["TOKEN"]) == {"HOME": "/home/me", "PATH": "/bin", "TOKEN": "t"}


def test_what_a_server_mutters_is_shown_as_its_own(tmp_path: Path) -> None:
    mutter = "import sys; print('\\x1b[2Jhello', file=sys.stderr); sys.stdin.read()"
    process = started(tmp_path, "--", sys.executable, "-c", mutter)
    assert process.stderr is not None
    assert process.stderr.readline() == "remit: server: \ufffd[2Jhello\n"
    process.communicate("", timeout=30)
    assert process.returncode == 0


def test_ending_it_by_a_signal_ends_the_run_in_order_and_the_server_with_it(tmp_path: Path) -> None:
    process = started(tmp_path, "--", sys.executable, str(SERVER), "stays", str(tmp_path / "did"))
    ask(process, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "x", "version": "1"})
    assert ask(process, "tools/list")["result"]["tools"]
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGTERM)
    before = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert ": success" in said
    assert time.monotonic() - before < 15
    assert children and not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_a_host_that_never_called_anything_leaves_no_run(tmp_path: Path) -> None:
    process = started(tmp_path, "--", sys.executable, str(SERVER), "plain", str(tmp_path / "did"))
    _, said = process.communicate("", timeout=60)
    assert (process.returncode, "run r" in said) == (0, False)


def test_a_client_of_the_new_era_before_a_server_of_the_old_one_finds_their_common_version(tmp_path: Path) -> None:
    async def tell() -> None:
        found = gateway(tmp_path)
        found.args = [*found.args[: found.args.index("--")], "--", sys.executable, str(SERVER), "plain", str(tmp_path / "did")]
        with anyio.fail_after(60):
            async with Client(stdio_client(found), mode="auto") as client:
                assert client.protocol_version == "2025-11-25"
                assert text(await client.call_tool("look_up", {"order": "A-1"})) == 'look_up {"order": "A-1"}'

    anyio.run(tell)


def test_pins_do_not_lie_where_an_agent_could_write_them(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    found = gateway(tmp_path, "--pin", str(tmp_path / "work" / "pins.json"))
    said = subprocess.run(
        [found.command, *found.args], env={**os.environ, "REMIT_HOME": str(tmp_path / "home")}, capture_output=True, text=True, input="",
        timeout=60,
    )  # fmt: skip
    assert (said.returncode, "lies in the workspace" in said.stderr) == (2, True)


def test_the_example_of_the_documents_does_what_they_say(tmp_path: Path) -> None:
    found = gateway(tmp_path)
    found.args = [
        *(
            "-m",
            "remit.cli.main",
            "mcp",
            "gateway",
            "--contract",
            str(EXAMPLE / "notes.remit.yaml"),
            "--workspace",
            str(tmp_path),
        ),
        *("--unattended", "--", sys.executable, str(EXAMPLE / "notes_server.py"), str(tmp_path / "notes.txt")),
    ]
    process = subprocess.Popen(
        [found.command, *found.args], env={**(found.env or {}), "REMIT_HOME": str(tmp_path.parent / f"{tmp_path.name}-home")}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    ask(process, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "x", "version": "1"})
    assert [tool["name"] for tool in ask(process, "tools/list")["result"]["tools"]] == ["add_note", "read_notes", "send_note"]
    assert ask(process, "tools/call", name="add_note", arguments={"text": "frozen"})["result"]["content"][0]["text"] == "added"
    assert ask(process, "tools/call", name="read_notes", arguments={})["result"]["content"][0]["text"] == "frozen\n"
    for name, arguments in (("send_note", {"to": "team", "text": "frozen"}), ("drop_notes", {})):
        assert ask(process, "tools/call", name=name, arguments=arguments)["result"]["isError"]
    _, said = process.communicate(timeout=60)
    assert ": success" in said
