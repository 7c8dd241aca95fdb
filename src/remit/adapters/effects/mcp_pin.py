"""What an MCP server says that a tool is, held to what it said before."""

import hashlib
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from remit.contract.binding import McpServer, McpTool
from remit.errors import Refused

SCHEMA = "remit.pin/1"


def fingerprint(definition: dict[str, Any]) -> str:
    """`sha256:` over what an agent or a person reads of it. The server's annotations are no part of it: nobody believes them."""
    said = {name: value for name, value in definition.items() if name in ("name", "description", "inputSchema", "arguments")}
    text = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def held(binding: McpTool, mark: str, home: Path | None) -> bool:
    """Hold the definition to its pin; whether it was seen for the first time. Raises Refused when it is another one.

    Two first uses at once agree: the file that stands first counts.
    """
    where = home / "pins" / f"{_key(binding)}.json" if home is not None else None
    if not binding.pin and where is None:
        raise Refused(f"nobody has pinned {_named(binding)}", hint=f"write `pin: {mark}` in the organisation file")
    first = not binding.pin and where is not None and _recorded(where, binding, mark)
    known = binding.pin or (_read(where) if where is not None else "")
    if known != mark:
        raise Refused(
            f"the definition of {_named(binding)} is not the one that was pinned: it is {mark}, and was {known or 'unreadable'}",
            hint=f"look at what the server says now; then `pin: {mark}` in the organisation file lets it be used",
        )
    return first


# ---------------------------------------------------------------------------------------------------------------------


def _named(binding: McpTool) -> str:
    return f"the {binding.what} `{binding.name}` of the server `{binding.server.name}`"


def _key(binding: McpTool) -> str:
    """One for each thing of a server; how the server is started is a part of it, so that another program begins anew."""
    server: McpServer = binding.server
    text = json.dumps([server.name, list(server.run), server.url, binding.what, binding.name])
    return f"{server.name}-{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def _recorded(where: Path, binding: McpTool, mark: str) -> bool:
    if where.exists():
        return False
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = where.with_suffix(f".{secrets.token_hex(4)}")
    said = {"schema": SCHEMA, "server": binding.server.name, "what": binding.what, "name": binding.name, "pin": mark}
    try:
        with fresh.open("x") as file:
            file.write(json.dumps(said, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, where)
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
    return True


def _read(where: Path) -> str:
    try:
        said = json.loads(where.read_bytes())
    except (OSError, ValueError):
        return ""
    return str(said.get("pin") or "") if isinstance(said, dict) else ""
