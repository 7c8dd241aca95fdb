"""Real hosts before the gateway of the documents: they are configured with a command, and nothing in them knows of remit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remit.adapters.runtimes.claude.outfit import PRODUCT as CLAUDE
from remit.adapters.runtimes.codex.outfit import PRODUCT as CODEX
from remit.adapters.runtimes.finding import located
from remit.app import consult
from remit.testing.models import Final, Script, Tool, served

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "gateway"
PACKAGES = {"claude": "@anthropic-ai/claude-code@2.1.197", "codex": "@openai/codex@0.169.0"}
SAID: tuple[tuple[str, dict[str, str]], ...] = (
    ("add_note", {"text": "frozen"}),
    ("send_note", {"to": "team", "text": "frozen"}),
    ("drop_notes", {}),
)


def program(name: str) -> list[str]:
    """The real program of an installed host: npm's own wrapper needs scripts that are not run when it is installed for tests."""
    place = Path(os.environ.get("REMIT_RUNTIMES") or ROOT / ".runtimes") / name
    found = place / "node_modules" / ".bin" / name
    if not found.exists():
        pytest.skip(f"{name} is not installed: npm i --prefix {place} {PACKAGES[name]}")
    product = {"claude": CLAUDE, "codex": CODEX}[name]
    return list(located(product, {**os.environ, product.variable: str(found)}).argv)


def gateway(folder: Path) -> list[str]:
    """The command of the documents, with this interpreter."""
    (folder / "work").mkdir()
    (folder / "work" / "notes.txt").write_text("")
    given = ["--contract", str(EXAMPLE / "notes.remit.yaml"), "--workspace", str(folder / "work")]
    server = [sys.executable, str(EXAMPLE / "notes_server.py"), str(folder / "work" / "notes.txt")]
    remit = [sys.executable, "-m", "remit.cli.main"]
    subprocess.run(
        [*remit, "init", "--person", "release-lead@example.com"], env=environment(folder), check=True, capture_output=True
    )
    return [*remit, "mcp", "gateway", *given, "--", *server]


def environment(folder: Path, **more: str) -> dict[str, str]:
    (folder / "user").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    return {**kept, "HOME": str(folder / "user"), "REMIT_HOME": str(folder / "home"), **more}


def decided(folder: Path) -> list[tuple[str, str]]:
    (run,) = [path.name for path in (folder / "home" / "leases").iterdir() if path.name.startswith("r")] or [""]
    name = run.partition(".")[0]
    rows = consult(folder / "home", lambda ledger: ledger.events(name))
    return [(str(each.event.action.object), each.event.decision) for each in rows if each.kind == "decided"]  # type: ignore[union-attr]


def test_claude_code_works_through_the_gateway_and_is_held_by_it(tmp_path: Path) -> None:
    claude, command = program("claude"), gateway(tmp_path)
    config = {
        "mcpServers": {"notes": {"command": command[0], "args": command[1:], "env": {"REMIT_HOME": str(tmp_path / "home")}}}
    }
    (tmp_path / "mcp.json").write_text(json.dumps(config))
    steps = tuple(Tool(name=f"mcp__notes__{name}", arguments=arguments) for name, arguments in SAID)
    with served([Script(name="notes", steps=(*steps, Final(text="that was it")))]) as model:
        env = environment(
            tmp_path, ANTHROPIC_BASE_URL=model.url, ANTHROPIC_API_KEY="k", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
            DISABLE_TELEMETRY="1", MCP_CONNECTION_NONBLOCKING="false",
        )  # fmt: skip
        said = subprocess.run(
            [*claude, "-p", "[[script: notes]]", "--mcp-config", str(tmp_path / "mcp.json"), "--strict-mcp-config",
             "--setting-sources=", "--allowedTools", "mcp__notes"],
            env=env, cwd=tmp_path / "work", capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        tools = {tool for seen in model.journal for tool in seen.tools if tool.startswith("mcp__notes__")}
    assert "that was it" in said.stdout, said
    assert tools == {"mcp__notes__add_note", "mcp__notes__read_notes", "mcp__notes__send_note"}
    assert (tmp_path / "work" / "notes.txt").read_text() == "frozen\n"
    assert decided(tmp_path)[:2] == [("add_note", "allow"), ("send_note", "ask")]


def test_codex_works_through_the_gateway_with_the_same_command(tmp_path: Path) -> None:
    codex, command = program("codex"), gateway(tmp_path)
    env = environment(tmp_path, OPENAI_API_KEY="k", CODEX_HOME=str(tmp_path / "codex"))
    (tmp_path / "codex").mkdir()
    added = subprocess.run(
        [*codex, "mcp", "add", "notes", "--env", f"REMIT_HOME={tmp_path / 'home'}", "--", *command],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert added.returncode == 0, added
    settings = tmp_path / "codex" / "config.toml"
    steps = tuple(Tool(name=f"mcp__notes__{name}", arguments=arguments) for name, arguments in SAID)
    with served([Script(name="notes", steps=(*steps, Final(text="that was it")))]) as model:
        provider = f'[model_providers.story]\nname = "story"\nbase_url = "{model.url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\nsupports_websockets = false\n'
        top = 'model = "gpt-5.1-codex"\nmodel_provider = "story"\ncheck_for_update_on_startup = false\nanalytics = { enabled = false }\n'
        settings.write_text(f"{top}{settings.read_text()}\n{provider}")
        said = subprocess.run(
            [*codex, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "[[script: notes]]"],
            env=env, cwd=tmp_path / "work", capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    assert "that was it" in said.stdout, said
    assert (tmp_path / "work" / "notes.txt").read_text() == "frozen\n", said
    assert decided(tmp_path)[:2] == [("add_note", "allow"), ("send_note", "ask")]
