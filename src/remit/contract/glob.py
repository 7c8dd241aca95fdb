"""remit's own glob over paths: `**`, `*`, `?`, with one documented meaning and no exponential case.

`**` as a whole segment is any number of segments (none included), except at the end, where it is at least one: `docs/**` is
everything below `docs`, not `docs` itself, and `**` alone is everything. `*` is any run of characters within a segment, `?` is
one character within a segment; both match leading dots. Everything else stands for itself, in NFC and in its own case.
A leading `/` of a pattern means the root of the workspace, which every pattern begins at anyway. There are no braces or classes.
"""

import unicodedata
from collections.abc import Callable, Sequence

LONGEST = 4096
"""characters of a pattern or path; longer ones match nothing"""


def compile_glob(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches `pattern`, in at most length of pattern times length of text steps."""
    if len(pattern) > LONGEST:
        return _nothing
    segments = _segments(pattern)
    if segments == ("**",):
        return _everything
    if not wild(pattern):
        exact = "/".join(segments)
        return lambda text: text == exact
    if segments[-1] == "**" and not any(wild(segment) for segment in segments[:-1]):
        start = "/".join(segments[:-1]) + "/"
        return lambda text: text.startswith(start) and len(text) > len(start)
    if len(segments) == 1:
        only = segments[0]
        return lambda text: len(text) <= LONGEST and "/" not in text and _segment_matches(only, text)
    return lambda text: len(text) <= LONGEST and _matches(segments, text.split("/"))


def covers(outer: str, inner: str) -> bool:
    """Whether every path that `inner` matches is matched by `outer`; a yes is always right, a no may be cautious."""
    if outer == inner:
        return True
    if len(outer) > LONGEST or len(inner) > LONGEST:
        return False
    if not wild(inner):
        return compile_glob(outer)("/".join(_segments(inner)))
    return _covers(_segments(outer), _segments(inner))


def wild(pattern: str) -> bool:
    """Whether the pattern is more than one literal path."""
    return "*" in pattern or "?" in pattern


def normal_path(text: str) -> str | None:
    """The workspace-relative path in NFC, or None where no honest path looks like this.

    Refused: absolute, empty, `.` or `..` or empty segments, backslash, control characters, lone surrogates.
    """
    if not text or len(text) > LONGEST:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable() and any(unicodedata.category(mark) in _UNUSABLE for mark in text):
        return None
    if "\\" in text or any(segment in _STEPS for segment in text.split("/")):
        return None
    return text


# ---------------------------------------------------------------------------------------------------------------------

_STEPS = frozenset({"", ".", ".."})
_UNUSABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def _everything(_: str) -> bool:
    return True


def _nothing(_: str) -> bool:
    return False


def _segments(pattern: str) -> tuple[str, ...]:
    """The segments of a pattern, neighbouring `**` folded into one, so that `**/**/**` costs what `**` costs."""
    kept: list[str] = []
    for segment in unicodedata.normalize("NFC", pattern).removeprefix("/").split("/"):
        if segment == "**" and kept and kept[-1] == "**":
            continue
        kept.append(segment)
    return tuple(kept)


def _matches(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Two pointers over segments. Going back only to the last `**` is enough: the earliest fit leaves most to the rest."""
    at = seen = 0
    back, resume = -1, 0
    while seen < len(path):
        if at < len(pattern) and pattern[at] == "**":
            if at == len(pattern) - 1:
                return True
            back, resume = at, seen
            at += 1
        elif at < len(pattern) and _segment_matches(pattern[at], path[seen]):
            at += 1
            seen += 1
        elif back >= 0:
            resume += 1
            at, seen = back + 1, resume
        else:
            return False
    return at == len(pattern)


def _segment_matches(pattern: str, text: str) -> bool:
    """Two pointers over characters; a `*` takes as little as it can and gives more only when the rest does not fit."""
    at = seen = 0
    back, resume = -1, 0
    while seen < len(text):
        if at < len(pattern) and pattern[at] == "*":
            back, resume = at, seen
            at += 1
        elif at < len(pattern) and (pattern[at] == "?" or pattern[at] == text[seen]):
            at += 1
            seen += 1
        elif back >= 0:
            resume += 1
            at, seen = back + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


def _covers(outer: Sequence[str], inner: Sequence[str]) -> bool:
    """A table over both: row o, column i says whether outer[o:] covers inner[i:]."""
    below = [False] * len(inner) + [True]
    for place in range(len(outer) - 1, -1, -1):
        mine, last = outer[place], place == len(outer) - 1
        row = [False] * (len(inner) + 1)
        for i in range(len(inner), -1, -1):
            if mine == "**":
                row[i] = i < len(inner) if last else below[i] or (i < len(inner) and row[i + 1])
            elif i < len(inner) and inner[i] != "**":
                row[i] = below[i + 1] and _segment_covers(mine, inner[i])
        below = row
    return below[0]


def _segment_covers(outer: str, inner: str) -> bool:
    """The same table over characters: a `*` of outer takes any part of inner, its wildcards included."""
    if outer in ("*", inner):
        return True
    below = [False] * len(inner) + [True]
    for mine in reversed(outer):
        row = [False] * (len(inner) + 1)
        for i in range(len(inner), -1, -1):
            if mine == "*":
                row[i] = below[i] or (i < len(inner) and row[i + 1])
            elif i < len(inner) and inner[i] != "*":
                row[i] = below[i + 1] and (mine == "?" or mine == inner[i] != "?")
        below = row
    return below[0]
