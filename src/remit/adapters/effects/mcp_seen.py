"""Whether a read gave something else the last time: whoever holds the earlier answer, in a prompt too, holds a stale one."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from remit.adapters.effects.arguments import json_text
from remit.contract.binding import McpTool


def changed_since(home: Path | None, binding: McpTool, given: Mapping[str, Any], key: str, mark: str) -> str:
    """The read that last gave another answer than `mark`, and its hash; empty when none did. This one is remembered.

    It is a courtesy beside the ledger, which has every read: a file that is missing or torn only means that nothing is said.
    """
    if home is None:
        return ""
    server = binding.server
    asked = json_text([server.name, list(server.run), server.url, binding.what, binding.name, dict(given)])
    place = home / "reads" / f"{hashlib.sha256(asked.encode()).hexdigest()[:40]}.json"
    earlier = _read(place)
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = place.with_suffix(f".{secrets.token_hex(4)}")
        fresh.write_text(json.dumps({"at": key, "answer": mark}))
        fresh.replace(place)
    at, answer = earlier.get("at"), earlier.get("answer")
    return f"it was sha256:{answer} at {at}" if answer and at and answer != mark else ""


def _read(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
