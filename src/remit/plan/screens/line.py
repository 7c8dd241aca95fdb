"""The one place where text of agents and of files becomes a line that a person or a model reads."""

import re
from typing import Final

from remit.contract.text import HIDDEN

LONGEST: Final = 240
"""marks of a line of a screen; more is cut and ends in `…`"""

_ESCAPE: Final = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,16}[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|[ -/]{0,16}[0-~])|\x9b[0-?]{0,64}[@-~]"
)
_BREAKS: Final = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN: Final = frozenset(
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10)))
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))


def line(text: str, most: int = LONGEST) -> str:
    """The text on one line of at most `most` marks: what a terminal acts on and what nobody can see is gone, every run of
    spaces, tabs and line ends is one space.
    """
    return cut(_BREAKS.sub(" ", shown(text[: 8 * most + 64])).strip(), most)


def lines(text: str, most: int = LONGEST, count: int = 400) -> list[str]:
    """The text as at most `count` lines of at most `most` marks each, indentation kept, without empty lines at either end."""
    rows = [cut(shown(row.replace("\t", "  ")).rstrip(), most) for row in text[: most * count].splitlines()[:count]]
    while rows and not rows[0].strip():
        rows.pop(0)
    while rows and not rows[-1].strip():
        rows.pop()
    return rows


def shown(text: str) -> str:
    """The text without terminal sequences and without marks that cannot be seen; line ends and tabs stay."""
    if text.isprintable() and _UNSEEN.isdisjoint(text):
        return text
    return "".join(mark for mark in _ESCAPE.sub("", text) if _seen(mark))


def cut(text: str, most: int) -> str:
    """At most `most` marks; what was longer ends in `…`."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _seen(mark: str) -> bool:
    return mark.isspace() or (mark.isprintable() and mark not in _UNSEEN and not HIDDEN.match(mark))
