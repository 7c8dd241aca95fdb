"""Markdown with front matter, as people really write it: no fence, an open fence, broken YAML, BOM, CRLF."""

import re
from typing import Any

from remit.plan.lenient import plain_text, read_yaml
from remit.plan.skill import Noted

_FENCE = re.compile(r"---[ \t]*")
_CLOSE = re.compile(r"(?:---|\.\.\.)[ \t]*")
_KEY = re.compile(r"[A-Za-z_][\w-]*[ \t]*:(?:[ \t]|$)")


def read_front(text: str, *, file: str) -> tuple[dict[str, Any], str, tuple[Noted, ...]]:
    """The keys, the text below them, and what was odd. Nothing is fatal: what cannot be read is left out and said. Never raises.

    The body has `\\n` line ends whatever the file has. Keys are always texts.
    """
    plain, noted = plain_text(text, file=file)
    lines = plain.split("\n")
    at = next((row for row, line in enumerate(lines) if line.strip()), None)
    if at is None or not _FENCE.fullmatch(lines[at]):
        missing = _noted(
            "FRONT-MISSING", "error", file, "there is no front matter", "begin with `---`, `name:`, `description:`, `---`"
        )
        return {}, plain, (*noted, missing)
    if at:
        noted = (*noted, _noted("FRONT-LATE", "warning", file, "front matter begins below empty lines", "begin with `---`", 1))
    end = next((row for row in range(at + 1, len(lines)) if _CLOSE.fullmatch(lines[row])), None)
    begins = end + 1 if end is not None else len(lines)
    if end is None:
        end = begins = _guessed_end(lines, at + 1)
        said = _noted("FRONT-OPEN", "error", file, "the front matter is never closed", "put `---` below its last key", at + 1)
        noted = (*noted, said)
    found, more = read_yaml("\n".join(lines[at + 1 : end]), file=file, line=at + 1)
    body = "\n".join(lines[begins:])
    if found is None:
        found = {}
    if not isinstance(found, dict):
        wrong = _noted("FRONT-NOT-KEYS", "error", file, "the front matter is not a set of keys", "write `name: …`", at + 2)
        return {}, body, (*noted, *more, wrong)
    return found, body, (*noted, *more)


def _guessed_end(lines: list[str], first: int) -> int:
    """Where an open front matter stops looking like one: at an empty line, a heading, or prose."""
    for row in range(first, len(lines)):
        line = lines[row]
        if not line.strip() or line.startswith("#") or not (line[:1] in " \t-" or _KEY.match(line)):
            return row
    return len(lines)


def _noted(code: str, severity: Any, file: str, message: str, hint: str = "", line: int = 1) -> Noted:
    return Noted(code=code, severity=severity, file=file, message=message, hint=hint, line=line)
