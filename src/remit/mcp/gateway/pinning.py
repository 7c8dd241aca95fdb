"""Definitions of tools pinned by their hash: what was seen first stands, until a person pins what there is now."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remit.adapters.effects.arguments import json_text
from remit.authority.wire import read_json
from remit.errors import BadInput

NAME = re.compile(r"[A-Za-z0-9_.\-/]{1,128}")
SCHEMA = "remit.mcp-pins/1"
MOST_BYTES = 1_000_000
ASIDE = frozenset({"_meta", "icons"})
"""members of a definition that say nothing about what the tool is"""


def fingerprint(definition: Mapping[str, Any]) -> str:
    """`sha256:` over the whole definition: name, description, schemas, annotations."""
    said = {name: value for name, value in definition.items() if name not in ASIDE}
    return f"sha256:{hashlib.sha256(json_text(said).encode()).hexdigest()}"


@dataclass(kw_only=True)
class Pins:
    """What each tool was when it was first seen. `strict`: a person pinned them, so that a tool which is new is refused too."""

    known: dict[str, str] = field(default_factory=dict)
    strict: bool = False
    there: dict[str, str] = field(default_factory=dict)

    def see(self, definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Look at what the server has now; what was seen for the first time, by its hash."""
        self.there = {name: fingerprint(each) for name, each in definitions.items()}
        new = {} if self.strict else {name: mark for name, mark in self.there.items() if name not in self.known}
        self.known |= new
        return new

    def objection(self, name: str) -> str:
        """Why this tool is not to be called as it stands now; empty when nothing is against it."""
        if name not in self.there:
            return f"the server has no tool `{name}` now"
        if name not in self.known:
            return f"`{name}` is a tool that nobody has pinned"
        if self.known[name] != self.there[name]:
            return f"the definition of `{name}` is not the one that was pinned: {self.there[name]}, not {self.known[name]}"
        return ""


def usable_name(name: object) -> bool:
    """Whether a tool may be called so: plain letters, so that no two names look alike."""
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def read_pins(path: Path) -> Pins | None:
    """The pins of a file; None where there is none. Raises BadInput."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode()
        document = read_json(text) if len(text) <= MOST_BYTES else None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, BadInput) as error:
        raise BadInput(f"`{path}` cannot be read: {error}", hint="give a file that `--pin` has written") from None
    tools = document.get("tools") if isinstance(document, dict) and document.get("schema") == SCHEMA else None
    if not isinstance(tools, dict) or not all(isinstance(each, str) for each in tools.values()):
        raise BadInput(f"`{path}` holds no pins", hint="give a file that `--pin` has written")
    return Pins(known=tools, strict=True)


def write_pins(path: Path, known: Mapping[str, str]) -> None:
    """Write them for a person to read and keep. Raises BadInput."""
    try:
        path.write_text(json.dumps({"schema": SCHEMA, "tools": dict(sorted(known.items()))}, indent=2) + "\n")
    except OSError as error:
        raise BadInput(f"`{path}` cannot be written: {error.strerror}") from None
