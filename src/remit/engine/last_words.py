"""The last words of a plain command: the end of what it printed, for a report to be read from."""

import os
import re
from pathlib import Path

DRAWN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""colours, titles and movements of a terminal: they say nothing"""
WIDEST = 4
"""bytes a character has at most"""


def last_words(log: Path, most: int) -> str:
    """The last `most` characters of an attempt's log, without what only a terminal draws; empty where there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 2 * WIDEST * most))
            data = file.read(2 * WIDEST * most)
    except OSError:
        return ""
    text = DRAWN.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")
    return text[-most:] if most > 0 else ""
