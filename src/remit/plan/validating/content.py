"""Whether a file says what it must: first line by line, then across lines, in linear time; which of them it was is recorded."""

from collections.abc import Callable
from typing import Any, Literal

from remit.contract.deliverable import Content
from remit.contract.search import MEMORY
from remit.plan.validating.tree import Looking, printable
from remit.value import Value

Mode = Literal["line mode", "multi-line mode"]
MOST_FILES = 20_000
"""files one pattern is looked for in"""
SEARCHED = 512 * 1024 * 1024
"""bytes all patterns together are looked for in"""


class Answer(Value, frozen=True, kw_only=True):
    """Whether the pattern was found; `said` says where and how, or why not, `warning` what is odd about the pattern."""

    ok: bool
    said: str
    warning: str = ""


class Searching:
    """Patterns over one tree, all of them together bounded in what they read."""

    def __init__(self, looking: Looking) -> None:
        self._looking = looking
        self._left = SEARCHED

    def look(self, content: Content) -> Answer:
        """Whether the place holds the pattern.

        Line mode is what `grep` does: no match goes beyond a line. A pattern with doubled backslashes, as a single-quoted YAML
        text keeps them, is tried as it stands and then with single ones, with a warning.
        """
        shown = f"`{printable(content.pattern)}` in `{printable(content.place)}`"
        paths = self._looking.files(content.place)
        if not paths:
            return Answer(ok=False, said=f"{shown}: there is no file to look in")
        tried = [content.pattern]
        if "\\\\" in content.pattern:
            tried.append(content.pattern.replace("\\\\", "\\"))
        problem = ""
        for number, pattern in enumerate(tried):
            try:
                found = self._find(pattern, paths)
            except ValueError as error:
                problem = problem or f"the pattern {shown} cannot be used: {error}; it counts as not found"
                continue
            if found is None:
                continue
            where = f"{shown}: {found[1]}, {printable(found[0])}"
            warning = f"{shown} has doubled backslashes and matches only with single ones" if number else ""
            return Answer(ok=True, said=where, warning=warning)
        if len(paths) > MOST_FILES or self._left <= 0:
            problem = problem or f"{shown}: too much to search; it counts as not found"
        return Answer(ok=False, said=f"{shown}: not found", warning=problem)

    def _find(self, pattern: str, paths: list[str]) -> tuple[str, Mode] | None:
        """The first file that matches line by line; else the first that does across lines. Raises ValueError."""
        modes: tuple[tuple[Mode, Callable[[bytes], Any]], ...] = (
            ("line mode", searcher(pattern, lines=True)),
            ("multi-line mode", searcher(pattern, lines=False)),
        )
        for mode, search in modes:
            for path in paths[:MOST_FILES]:
                data = self._looking.data(path)
                if data is None or self._left <= 0:
                    continue
                self._left -= len(data)
                if search(data.replace(b"\r\n", b"\n")) is not None:
                    return path, mode
        return None


def searcher(pattern: str, *, lines: bool) -> Callable[[bytes], Any]:
    """The search of a compiled pattern; `^` and `$` stand for lines, and with `lines` no match holds a line end.

    Raises ValueError for what does not run in linear time, or is too large.
    """
    import re2

    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.never_nl = lines
    try:
        compiled = re2.compile(f"(?m){pattern}".encode("utf-8", "replace"), options)
    except re2.error:
        raise ValueError("only what matches in linear time, without look-around and back-references") from None
    search: Callable[[bytes], Any] = compiled.search
    return search
