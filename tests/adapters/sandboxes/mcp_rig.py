"""A door for the MCP server of the box to ask, and the tools it is told of."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from remit.adapters.sandboxes import inside

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


def environment(door: Door) -> dict[str, str]:
    return {"REMIT_DOOR": door.path, "REMIT_TOOLS": json.dumps(TOOLS)}
