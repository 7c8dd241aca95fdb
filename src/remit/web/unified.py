"""A unified diff as lines with a kind each, cut where it grows too long for a page."""

from collections.abc import Iterator

from remit.value import Value

MOST_LINES = 1200
MOST_LETTERS = 90_000


class DiffLine(Value, frozen=True, kw_only=True):
    """`kind` is file, note, hunk, add, cut or same."""

    kind: str
    text: str


def parts(diff: str, *, lines: int = MOST_LINES, letters: int = MOST_LETTERS) -> tuple[tuple[DiffLine, ...], int]:
    """The lines that fit, and how many were left out."""
    found: list[DiffLine] = []
    total, left = diff.removesuffix("\n").count("\n") + bool(diff), letters
    for line in _lines(diff):
        left -= len(line.text) + 1
        if len(found) >= lines or left < 0:
            break
        found.append(line)
    return tuple(found), total - len(found)


def _lines(diff: str) -> Iterator[DiffLine]:
    """A block begins with a line that no hunk can hold; `--- ` and `+++ ` are names only before its first hunk."""
    inside = False
    for text in diff.removesuffix("\n").split("\n") if diff else ():
        if text and text[0] not in " +-@":
            inside = False
            yield DiffLine(kind="file", text=text)
        elif text.startswith("@@"):
            inside = True
            yield DiffLine(kind="hunk", text=text)
        elif inside and text[:1] in {"+", "-"}:
            yield DiffLine(kind="add" if text[0] == "+" else "cut", text=text)
        else:
            yield DiffLine(kind="same" if inside else "note", text=text)
