"""opencode, the real one: everything is asked, in the wire format of the model, and what cannot be asked about is not offered."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from acp_rig import working
from at_work import Worked, refusing, task
from msgspec.structs import replace

from remit.adapters.runtimes.opencode import MASKS, Opencode, wire
from remit.errors import BadInput, Unavailable
from remit.testing.models import Edit, Read, Shell, Tool, Write

MODEL = "gpt-5.1"


def ran(folder: Path, *steps: Any, runtime: Opencode | None = None, **more: Any) -> Worked:
    return anyio.run(lambda: working(runtime or Opencode(), folder, *steps, **({"model": MODEL} | more)))


def test_every_tool_call_is_decided(opencode: Path, folder: Path) -> None:
    (folder / "AGENTS.md").write_text("Mind the canary.\n")
    (folder / "old.md").write_text("old\n")
    patch = "*** Begin Patch\n*** Add File: added.md\n+a\n*** Delete File: old.md\n*** End Patch"
    steps = (
        Write(path="docs/new.md", text="new\n"),
        Edit(path="notes.md", old="# notes\n", new="# more\n"),
        Tool(name="apply_patch", arguments={"patchText": patch}),
        Shell(command="git status"),
        Read(path="notes.md"),
        Tool(name="webfetch", arguments={"url": "https://example.invalid/x", "format": "text"}),
        Tool(name="task", arguments={"description": "d", "prompt": "p", "subagent_type": "general"}),
        Tool(name="todowrite", arguments={"todos": []}),
    )
    worked = ran(folder, *steps)
    assert [(actions, yes) for _, actions, yes in worked.asked] == [
        (["write docs/new.md"], True),
        (["write notes.md"], True),
        (["delete old.md", "write added.md"], True),
        (["run git status"], True),
        (["read notes.md"], True),
        (["fetch https://example.invalid/x"], True),
    ]
    assert worked.seat.ruled[0][0].content == b"new\n"
    assert sorted(path.name for path in folder.iterdir()) == ["AGENTS.md", "added.md", "docs", "notes.md"]
    seen = worked.server.work
    assert [native.id for native, _ in worked.seat.ruled[:1]] == [worked.seat.returned[0]]
    assert "Mind the canary." not in json.dumps(seen[0].asked), "nothing is loaded without a decision"
    assert "If the workspace has an AGENTS.md" in json.dumps(seen[0].asked)
    assert not {tool for each in seen for tool in each.tools} & {"task", "skill", "question"}
    assert {each.key for each in worked.server.journal} == {"run-token"}


def test_a_refusal_reaches_the_model_with_its_reason_and_it_goes_on(opencode: Path, folder: Path) -> None:
    script = (Write(path="new.md", text="new\n"), Shell(command="touch allowed"))
    worked = ran(folder, *script, rule=refusing("apply_patch", "write"))
    assert [yes for _, _, yes in worked.asked] == [False, True]
    assert sorted(path.name for path in folder.iterdir()) == ["allowed", "notes.md"]
    assert "not in this contract; write docs/ instead" in json.dumps(worked.server.work[-1].asked["messages"])


def test_tools_of_our_own_server_are_there_and_left_to_it(opencode: Path, folder: Path, server: Path) -> None:
    runtime = Opencode()
    runtime.manner = replace(runtime.manner, servers=(("remit", (str(server),)),))
    worked = ran(folder, Tool(name="remit_ask", arguments={"question": "may I?"}), runtime=runtime, model="claude-sonnet-4-5")
    assert [(native.tool, native.actions) for native, _ in worked.seat.ruled] == [("remit_ask", ())]
    assert "the owner says yes" in json.dumps(worked.server.work[-1].asked["messages"])
    assert {each.dialect for each in worked.server.work} == {"anthropic"}


def test_its_outfit_is_closed(opencode: Path, folder: Path) -> None:
    outfit = anyio.run(Opencode().outfit, task(folder, "http://127.0.0.1:8100", "x", model=MODEL, most_output=1234))
    configuration = json.loads(outfit.environment["OPENCODE_CONFIG_CONTENT"])
    assert outfit.version == "1.18.33"
    assert list(configuration["provider"]) == configuration["enabled_providers"] == ["remit"]
    assert configuration["provider"]["remit"]["options"] == {"baseURL": "http://127.0.0.1:8100/v1", "apiKey": "{env:REMIT_TOKEN}"}
    assert configuration["provider"]["remit"]["models"][MODEL]["limit"]["output"] == 1234
    assert json.loads(outfit.environment["OPENCODE_PERMISSION"])["*"] == "ask"
    assert outfit.masks == MASKS and {"opencode.json", "opencode.jsonc", ".opencode/**"} <= set(MASKS)


def test_each_model_is_spoken_to_in_its_own_wire_format() -> None:
    assert wire("claude-opus-4-8", "http://m") == ("@ai-sdk/anthropic", "http://m/v1")
    assert wire("gemini-2.5-pro", "http://m") == ("@ai-sdk/google", "http://m/v1beta")
    assert wire("gpt-5.1", "http://m") == ("@ai-sdk/openai-compatible", "http://m/v1")


def test_without_a_model_or_without_itself_it_says_so(
    opencode: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="no model of its own"):
        anyio.run(Opencode().outfit, task(folder, "", "x"))
    monkeypatch.delenv("REMIT_OPENCODE")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as missing:
        anyio.run(Opencode().outfit, task(folder, "", "x", model=MODEL))
    assert "npm i -g opencode-ai@1.18.33" in missing.value.hint
