"""Exceptions by list: what a failed check leaves to be listed, and what of it a list does not hold."""

import re
from collections.abc import Iterator, Sequence

MOST = 2000
"""items one check may leave; nobody reads a longer list before taking it"""
LONGEST = 2 * 1024 * 1024
"""bytes of a line that can still be an item"""

_BULLET = re.compile(r"(?:[-*+]|[0-9]{1,9}\.)\s+")
_FENCE = re.compile(r"(`{3,})[^`]*|(~{3,}).*")


def items(*texts: str) -> tuple[str, ...]:
    """Every line that is not blank, without the space around it: a crash's own lines are items too."""
    return tuple(line.strip() for text in texts for line in text.split("\n") if line.strip())


def unlisted(wanted: Sequence[str], listing: bytes) -> tuple[str, ...]:
    """The items, in their order, that no line of the list is equal to.

    A line counts as it stands, without one list bullet (`-`, `*`, `+`, `1.`), and without one pair of backticks besides; a line
    in a code fence only as it stands. Part of a line never counts. Bytes that are no UTF-8 are read as `\\xNN`.
    """
    missing = set(wanted)
    for line in _entries(listing):
        missing.discard(line)
        if not missing:
            return ()
    return tuple(item for item in wanted if item in missing)


def text(data: bytes) -> str:
    """Bytes as the text both sides are compared in: two that differ stay different."""
    return data.decode("utf-8", "backslashreplace")


def _entries(listing: bytes) -> Iterator[str]:
    """What the lines say, one at a time: a long list is never held as lines."""
    fence = ""
    for line in _lines(listing):
        found = _FENCE.fullmatch(line)
        mark = (found[1] or found[2]) if found else ""
        if fence:
            if mark == line and mark.startswith(fence):
                fence = ""
            else:
                yield line
        elif mark:
            fence = mark
        else:
            yield line
            bare = _BULLET.sub("", line, count=1) if _BULLET.match(line) else line
            yield bare
            if len(bare) > 2 and bare[0] == bare[-1] == "`":
                yield bare[1:-1].strip()


def _lines(data: bytes) -> Iterator[str]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        if end - start <= LONGEST:
            yield text(data[start:end]).strip()
        start = end + 1
