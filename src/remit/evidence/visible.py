"""Text that somebody else wrote, so that nothing in it hides and nothing reads other than it is."""

from typing import Final

_JOINING = (0x34F, 0x17B4, 0x17B5, *range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0") | frozenset(map(chr, _JOINING))
"""letters, signs and marks that count as printable and are drawn as nothing"""


def visible(text: str) -> str:
    """The text with every character that cannot be seen written out by its number; line ends and tabs stay."""
    return text if _plain(text) else "".join(mark if _seen(mark) else _written(ord(mark)) for mark in text)


def _plain(text: str) -> bool:
    return text.isprintable() and BLANK.isdisjoint(text)


def _seen(mark: str) -> bool:
    return (mark.isprintable() and mark not in BLANK) or mark in "\n\t"


def _written(code: int) -> str:
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
