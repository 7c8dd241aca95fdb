"""Writes a source file."""

from pathlib import Path

from attempt import attempt


def write() -> str:
    Path("src/a").write_text("a\n", encoding="utf-8")
    return "written"


attempt(write)
