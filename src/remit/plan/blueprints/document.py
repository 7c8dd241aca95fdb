"""Markdown cut into sections and fences, so far as a blueprint needs it. Any text at all can be cut."""

import re
from collections.abc import Callable, Iterator

from remit.value import Value

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+)$")
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([^`]*)$")
_NESTING = ("markdown", "md", "mdx")


class Line(Value, frozen=True, kw_only=True):
    """A line outside fences and its 1-based number."""

    number: int
    text: str


class Fence(Value, frozen=True, kw_only=True):
    """A code fence: the word behind its ticks, its text without indentation of the fence itself, the line of its first row."""

    info: str
    text: str
    line: int
    closed: bool = True


class Section(Value, frozen=True, kw_only=True):
    """A heading and what stands below it up to the next one. The text before any heading has level 0 and no title."""

    level: int
    title: str
    line: int
    lines: tuple[Line, ...] = ()
    fences: tuple[Fence, ...] = ()


def cut(text: str) -> tuple[Section, ...]:
    """The sections of a Markdown text in order. A fence of Markdown may hold fences; one never closed ends with the text."""
    sections: list[Section] = []
    level, title, line = 0, "", 1
    lines: list[Line] = []
    fences: list[Fence] = []
    rows = [row.rstrip() for row in text.split("\n")]
    at = 0
    while at < len(rows):
        row = rows[at]
        if opened := _FENCE.match(row):
            fence, at = _fence(rows, at, opened)
            fences.append(fence)
        elif heading := _HEADING.match(row):
            sections.append(Section(level=level, title=title, line=line, lines=(*lines,), fences=(*fences,)))
            level, title, line = len(heading[1]), heading[2].rstrip("#").rstrip() or heading[2], at + 1
            lines, fences = [], []
        else:
            lines.append(Line(number=at + 1, text=row))
        at += 1
    sections.append(Section(level=level, title=title, line=line, lines=(*lines,), fences=(*fences,)))
    return (*sections,)


def below(sections: tuple[Section, ...], of: Callable[[str], bool]) -> Iterator[tuple[Section, ...]]:
    """Each section whose title `of` accepts, with all that is deeper than it. Nested matches belong to the outer one."""
    at = 0
    while at < len(sections):
        head = sections[at]
        end = at + 1
        if head.level and of(head.title.lower()):
            while end < len(sections) and sections[end].level > head.level:
                end += 1
            yield sections[at:end]
        at = end


def _fence(rows: list[str], at: int, opened: re.Match[str]) -> tuple[Fence, int]:
    """The fence that begins at row `at`, and the row of its end."""
    ticks, info = opened[1], opened[2].strip().lower()
    indent = len(rows[at]) - len(rows[at].lstrip())
    nests = info.split(" ")[0] in _NESTING
    depth, end, inside = 1, at + 1, []
    while end < len(rows):
        mark = _FENCE.match(rows[end])
        if mark and mark[1][0] == ticks[0]:
            if not mark[2].strip():
                depth -= len(mark[1]) >= len(ticks)
            elif nests:
                depth += 1
            if not depth:
                break
        inside.append(_dedent(rows[end], indent))
        end += 1
    return Fence(info=info, text="\n".join(inside), line=at + 2, closed=not depth), end


def _dedent(row: str, indent: int) -> str:
    return row[indent:] if not row[:indent].strip() else row.lstrip()
