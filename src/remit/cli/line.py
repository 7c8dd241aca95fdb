"""Texts and times cut to one line."""

from datetime import datetime

from remit.cli.say import clean


def one_line(text: str) -> str:
    """A value on one line, cut where it is long."""
    shown = clean(text).replace("\n", "\\n")
    return shown if len(shown) <= 400 else f"{shown[:400]}… ({len(shown)} characters)"


def left(moment: datetime, now: datetime) -> str:
    """How long until then."""
    seconds = int((moment - now).total_seconds())
    if seconds < 0:
        return "over"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} left"
    return f"{seconds} s left"
