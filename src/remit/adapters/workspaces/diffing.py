"""The change set for a person: a unified diff in which nothing can hide."""

import difflib
import os
import unicodedata
from collections.abc import Iterable

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.changes import Found
from remit.adapters.workspaces.journal import Journal
from remit.errors import Conflict
from remit.run.change import Seen

LONGEST = 256 * 1024
"""Bytes of a file beyond which its lines are not shown."""
LINES = 2000
"""Lines of one file's diff."""


def unified(rows: Iterable[Found], *, base: int, tree: int, journal: Journal | None) -> str:
    """One block per path. After publishing, the old side is read from the pre-images of the journal."""
    images = _images(journal)
    return "".join(_block(row, base, tree, images) for row in rows)


def _images(journal: Journal | None) -> dict[str, str] | None:
    if journal is None:
        return None
    return {step.name: str(journal.pre / str(step.pre)) for step in journal.plan().steps if step.pre >= 0}


def _block(row: Found, base: int, tree: int, images: dict[str, str] | None) -> str:
    change, name = row.change, visible(row.change.path)
    head = [f"{_verb(change.before, change.after)} {name}"]
    if change.plant:
        head.append(f"  dangerous: {visible(change.plant)}")
    if change.before.type == change.after.type != "link" and change.before.mode != change.after.mode:
        head.append(f"  mode {change.before.mode:04o} -> {change.after.mode:04o}")
    for side, word in ((change.before, "was"), (change.after, "now")):
        if side.type == "link":
            head.append(f"  {word} a link to {visible(side.target)}")
    return "\n".join((*head, *_lines(row, base, tree, images))) + "\n"


def _verb(before: Seen, after: Seen) -> str:
    if before.type == "absent":
        return f"new {after.type}:" if after.type != "other" else "new special file:"
    if after.type == "absent":
        return f"deleted {before.type}:"
    return "changed:" if before.type == after.type else f"{before.type} became {after.type}:"


def _lines(row: Found, base: int, tree: int, images: dict[str, str] | None) -> list[str]:
    change = row.change
    if "file" not in (change.before.type, change.after.type) or change.before.sha256 == change.after.sha256 != "":
        return []
    if row.never or "secret" in change.plant:
        return ["  content not shown"]
    if max(change.before.size, change.after.size) > LONGEST:
        return [f"  too large to show: {change.before.size} -> {change.after.size} bytes"]
    old = _content(change.before, row.path, base, images)
    new = _content(change.after, row.path, tree, None)
    if old is None or new is None:
        return ["  content not readable now"]
    if b"\0" in old + new:
        return [f"  binary: {len(old)} -> {len(new)} bytes"]
    before, after = (text.decode("utf-8", "backslashreplace").split("\n") for text in (old, new))
    shown = visible(change.path)
    lines = [visible(line) for line in difflib.unified_diff(before, after, f"a/{shown}", f"b/{shown}", lineterm="")]
    return lines if len(lines) <= LINES else [*lines[:LINES], f"  … {len(lines) - LINES} more lines"]


def _content(side: Seen, path: str, at: int, images: dict[str, str] | None) -> bytes | None:
    if side.type != "file":
        return b""
    try:
        if images is not None:
            with os.fdopen(os.open(images[path], os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                return file.read()
        above, name = walk.split(path)
        with walk.beneath(at, above) as inner, os.fdopen(walk.open_file(inner, name, unlock=True), "rb") as file:
            return file.read()
    except (OSError, Conflict, KeyError):
        return None


def visible(text: str) -> str:
    """The text with every control, direction and invisible character spelled out; tabs stay."""
    if text.isprintable() or (text.isascii() and text.replace("\t", "").isprintable()):
        return text
    return "".join(
        char if char == "\t" or unicodedata.category(char)[0] not in "CZ" or char == " " else _spelled(char) for char in text
    )


def _spelled(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
