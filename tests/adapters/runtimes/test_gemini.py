"""Gemini CLI, the real one: asked about every tool, writing through us, and steered by nothing that a workspace brings."""

import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from acp_rig import working
from at_work import Worked, refusing, task
from msgspec.structs import replace

from remit.adapters.runtimes.gemini import MASKS, POLICY_FILE, SETTINGS, SETTINGS_FILE, Gemini
from remit.errors import Unavailable
from remit.testing.models import Edit, Read, Shell, Tool, Write

MODEL = "gemini-2.5-pro"


def ran(folder: Path, *steps: Any, runtime: Gemini | None = None, **more: Any) -> Worked:
    return anyio.run(lambda: working(runtime or Gemini(), folder, *steps, **({"model": MODEL} | more)))


def test_every_tool_is_decided_also_reading_and_commands_it_thinks_harmless(gemini: Path, folder: Path) -> None:
    (folder / "GEMINI.md").write_text("Mind the canary.\n")
    steps = (
        Shell(command="git status"),
        Read(path="notes.md"),
        Tool(name="glob", arguments={"pattern": "*"}),
        Write(path="docs/new.md", text="new\n"),
        Edit(path="notes.md", old="# notes\n", new="# more\n"),
        Tool(name="run_shell_command", arguments={"command": "ls", "dir_path": "docs"}),
        Tool(name="update_topic", arguments={"strategic_intent": "docs"}),
    )
    worked = ran(folder, *steps)
    assert worked.asked == [
        ("run_shell_command", ["run git status"], True),
        ("read_file", ["read notes.md"], True),
        ("glob", ["read **"], True),
        ("write_file", ["write docs/new.md"], True),
        ("replace", ["write notes.md"], True),
        ("run_shell_command", ["run cd docs", "run ls"], True),
    ]
    assert [native.content for native, _ in worked.seat.ruled[3:5]] == [b"new\n", b"# more\n"]
    assert ((folder / "docs" / "new.md").read_text(), (folder / "notes.md").read_text()) == ("new\n", "# more\n")
    assert "Mind the canary." in json.dumps(worked.server.work[0].asked)
    called = [name for seen in worked.server.work for name in seen.answered]
    assert called[:3] == ["run_shell_command", "read_file", "glob"]
    assert {seen.key for seen in worked.server.journal} == {"run-token"}
    assert {seen.model for seen in worked.server.journal} == {MODEL}
    assert not {tool for seen in worked.server.work for tool in seen.tools} & {
        "google_web_search",
        "web_fetch",
        "invoke_agent",
        "activate_skill",
        "save_memory",
    }


def test_a_refusal_reaches_the_model_with_its_reason(gemini: Path, folder: Path) -> None:
    worked = ran(folder, Write(path="new.md", text="new\n"), rule=refusing("write_file"))
    assert worked.asked == [("write_file", ["write new.md"], False)]
    assert not (folder / "new.md").exists()
    assert "not in this contract; write docs/ instead" in json.dumps(worked.server.work[-1].asked["contents"])


def test_tools_of_our_own_server_are_there_and_left_to_it(gemini: Path, folder: Path, server: Path) -> None:
    runtime = Gemini()
    runtime.manner = replace(runtime.manner, servers=(("remit", (str(server),)),))
    worked = ran(folder, Tool(name="mcp_remit_ask", arguments={"question": "may I?"}), runtime=runtime)
    assert [(native.tool, native.actions) for native, _ in worked.seat.ruled] == [("mcp_remit_ask", ())]
    assert "the owner says yes" in json.dumps(worked.server.work[-1].asked["contents"])


def test_its_outfit_is_closed(gemini: Path, folder: Path) -> None:
    outfit = anyio.run(Gemini().outfit, task(folder, "http://127.0.0.1:8100", "x", model=MODEL))
    assert outfit.version == "0.61.0"
    assert outfit.environment["GOOGLE_GEMINI_BASE_URL"] == "http://127.0.0.1:8100"
    assert outfit.masks == MASKS and ".gemini/**" in MASKS
    assert json.loads(outfit.files[SETTINGS_FILE]) == SETTINGS
    assert outfit.argv[outfit.argv.index("--admin-policy") + 1] == POLICY_FILE
    assert not any(word in outfit.argv for word in ("--yolo", "--allowed-tools"))
    assert all("node_modules/" in each or os.path.basename(each) == "node" for each in outfit.visible)


def test_without_it_there_is_the_command_that_installs_it(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("REMIT_GEMINI", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as missing:
        anyio.run(Gemini().outfit, task(folder, "", "x"))
    assert "npm i -g @google/gemini-cli@0.61.0" in missing.value.hint
