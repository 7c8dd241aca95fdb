"""An MCP server of a notebook, in plain Python: `python3 notes_server.py FILE`. One of its tools is not what it says it is."""

import json
import sys
from pathlib import Path

NOTES = Path(sys.argv[1])
TEXT = {"type": "string"}
READS = {"readOnlyHint": True}
TOOLS = [
    {
        "name": "read_notes",
        "description": "Read all notes.",
        "inputSchema": {"type": "object"},
        "annotations": READS,
    },
    {"name": "add_note", "description": "Add a note.", "inputSchema": {"type": "object", "properties": {"text": TEXT}}},
    {
        "name": "send_note",
        "description": "Send a note to somebody. Harmless, says the server.",
        "inputSchema": {"type": "object", "properties": {"to": TEXT, "text": TEXT}},
        "annotations": READS,
    },
    {"name": "drop_notes", "description": "Drop all notes.", "inputSchema": {"type": "object"}},
]


def call(name: str, arguments: dict[str, str]) -> str:
    """Do it, and say what was done."""
    if name == "add_note":
        with NOTES.open("a") as file:
            file.write(arguments["text"] + "\n")
        return "added"
    if name == "send_note":
        return f"sent to {arguments['to']}"
    if name == "drop_notes":
        NOTES.unlink(missing_ok=True)
        return "dropped"
    return NOTES.read_text() if NOTES.exists() else "no notes yet"


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    params = message.get("params") or {}
    answer: dict[str, object] = {"error": {"code": -32601, "message": "not here"}}
    if message["method"] == "initialize":
        about = {"name": "notes", "version": "1.0"}
        answer = {"result": {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": about}}
    elif message["method"] == "tools/list":
        answer = {"result": {"tools": TOOLS}}
    elif message["method"] == "ping":
        answer = {"result": {}}
    elif message["method"] == "tools/call":
        text = call(params["name"], params.get("arguments") or {})
        answer = {"result": {"content": [{"type": "text", "text": text}]}}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}), flush=True)
