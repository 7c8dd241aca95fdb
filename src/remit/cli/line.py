"""Texts and times cut to one line."""

from datetime import datetime

from remit.cli.say import clean


def one_line(text: str, most: int = 400) -> str:
    """A text on one line, cut where it is longer than `most` characters."""
    shown = clean(text).replace("\n", "\\n")
    return shown if len(shown) <= most else f"{shown[:most]}… ({len(shown)} characters)"


def left(moment: datetime, now: datetime) -> str:
    """How long until then."""
    seconds = int((moment - now).total_seconds())
    if seconds < 0:
        return "over"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} left"
    return f"{seconds} s left"
