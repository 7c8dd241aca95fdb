"""The real runtimes, where they are installed: `$REMIT_RUNTIMES/NAME`, by default `.runtimes/NAME` of the repository."""

from pathlib import Path

import pytest
from at_work import named


@pytest.fixture
def claude(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Claude Code."""
    return named("claude", monkeypatch)


@pytest.fixture
def codex(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Codex."""
    return named("codex", monkeypatch)


@pytest.fixture
def gemini(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gemini CLI."""
    return named("gemini", monkeypatch)


@pytest.fixture
def opencode(monkeypatch: pytest.MonkeyPatch) -> Path:
    """opencode."""
    return named("opencode", monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small workspace."""
    place = tmp_path / "work"
    place.mkdir()
    (place / "notes.md").write_text("# notes\n")
    return place


SERVER = """#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    match asked.get("method"):
        case "initialize":
            said = {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "remit", "version": "1"}}
        case "tools/list":
            schema = {"type": "object", "properties": {"question": {"type": "string"}}, "required": ["question"]}
            said = {"tools": [{"name": "ask", "description": "Ask the owner", "inputSchema": schema}]}
        case "tools/call":
            said = {"content": [{"type": "text", "text": "the owner says yes"}]}
        case _:
            said = {}
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": said}), flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A small server of tools, in the place of remit's own."""
    place = tmp_path / "remit-mcp"
    place.write_text(SERVER)
    place.chmod(0o755)
    return place
