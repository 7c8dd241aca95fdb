"""The chains of a blueprint: numbered lines in a fence, or a numbered list in bold, with options, alternatives and patterns."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from remit.plan.blueprint import Pattern, Slot
from remit.plan.blueprints.document import Line, Section, below
from remit.plan.blueprints.notes import Notes

ONLY = "default"
"""the name of a pattern that the file gives none"""
MOST_SLOTS = 500
"""lines of all chains of one file"""
_LONGEST = 500
"""characters of a line that are looked at"""
_NAME = r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*(?::[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*)?"
_MARK = r"(?P<{0}>\[\s*optional\s*\]|\(\s*optional\s*\))?"
_LINE = re.compile(
    rf"^\s*(?:(?P<number>\d{{1,4}})[.)]\s+|(?P<or>OR\b:?)\s*|[-*→]\s+(?P<or2>OR\b)?\s*)"
    rf"{_MARK.format('before')}\s*`?(?P<name>{_NAME})`?(?P<rest>(?:\s.*)?)$",
    re.IGNORECASE,
)
_BOLD = re.compile(rf"^\s*(?P<number>\d{{1,4}})[.)]\s+\*\*`?(?P<name>{_NAME})`?\*\*(?P<rest>.*)$")
_ALSO = re.compile(rf"^\s*(?:\bOR\b|\|)\s*`?(?P<name>{_NAME})`?(?P<rest>.*)$", re.IGNORECASE)
_SAID = re.compile(r"^\s*(?:#|//|--?|—|–)?\s*(?P<said>.*)$")
_PLUGIN = re.compile(rf"^\s*[-*]\s+(?:Plugin|Invocation)\s*:\s*`?(?P<name>{_NAME})`?\s*$", re.IGNORECASE)
_PRIORITY = re.compile(r"\bpriority\s*:\s*(\d{1,6})", re.IGNORECASE)
_DRAWN = re.compile("[\u2500-\u257f]")
_NUMBERED = re.compile(r"^\s*\d{1,4}[.)]\s")


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A run of slots whose numbers rise, and the heading it stands under."""

    title: str
    deep: bool
    slots: tuple[tuple[int, Slot], ...]


def is_chain(title: str) -> bool:
    """Whether a heading (lower case) announces a chain."""
    return "skill chain" in title or title in ("chain", "chain (pre-configured)", "skills", "skill sequence")


def read_chain(sections: tuple[Section, ...], notes: Notes) -> tuple[Pattern, ...]:
    """The patterns in the order of the file; exactly one is the default if there is any. Screens drawn in boxes are no chains."""
    found: list[_Found] = []
    for part in below(sections, is_chain):
        for section in part:
            rows = [*_of_fences(section, notes), *_of_list(section, notes)]
            found += _runs(section, rows[:MOST_SLOTS], deep=section is not part[0])
            if len(rows) > MOST_SLOTS or sum(len(each.slots) for each in found) > MOST_SLOTS:
                notes.add(
                    "CHAIN-LONG", "error", f"more than {MOST_SLOTS} lines of chains; the rest is not read", line=section.line
                )
                return _named(_joined(found), notes)
    found = _joined(found)
    if not found:
        notes.add("NO-CHAIN", "error", "no chain of skills was found", hint="number the skills below `## Skill Chain`")
        return ()
    return _named(found, notes)


def _of_fences(section: Section, notes: Notes) -> Iterator[tuple[int, Slot]]:
    """Numbered slots, 0 for one that may stand instead of the slot before it."""
    for fence in section.fences:
        if _DRAWN.search(fence.text):
            continue
        rows = fence.text.split("\n")
        if not any(_LINE.match(row) and _NUMBERED.match(row) for row in rows):
            continue
        for place, row in enumerate(rows):
            read = _LINE.match(row[:_LONGEST])
            if read and (read["number"] or read["or"] or read["or2"]):
                yield int(read["number"] or 0), _slot(read, fence.line + place, before=bool(read["before"]))
            elif row.strip() and _NUMBERED.match(row):
                notes.add("CHAIN-LINE", "warning", f"not understood as a skill: {row.strip()[:80]}", line=fence.line + place)


def _of_list(section: Section, notes: Notes) -> Iterator[tuple[int, Slot]]:
    """`1. **name** (Priority: 5)` with what is said of it in the lines below."""
    optional = "optional" in section.title.lower()
    last: tuple[int, Slot] | None = None
    for line in section.lines:
        if read := _BOLD.match(line.text[:_LONGEST]):
            if last:
                yield last
            slot = _slot(read, line.number, before=optional)
            last = int(read["number"]), slot
        elif last and (plugin := _PLUGIN.match(line.text)):
            last = last[0], msgspec.structs.replace(last[1], invocation=plugin["name"])
        elif _odd(line):
            notes.add("CHAIN-LINE", "warning", f"not understood as a skill: {line.text.strip()[:80]}", line=line.number)
    if last:
        yield last


def _odd(line: Line) -> bool:
    return bool(re.match(r"^\d{1,4}[.)]\s+\*\*", line.text))


def _slot(read: re.Match[str], line: int, *, before: bool) -> Slot:
    """One slot from a line that was read: alternatives beside it, its comment, its marks."""
    name, rest, instead = read["name"], read["rest"], []
    while also := _ALSO.match(rest):
        instead.append(also["name"])
        rest = also["rest"]
    said = _SAID.match(rest)
    comment = said["said"] if said else ""
    if comment.startswith("(") and comment.endswith(")") and comment.count("(") == comment.count(")") == 1:
        comment = comment[1:-1].strip()
    priority = _PRIORITY.search(comment)
    return Slot(
        name=name.rpartition(":")[2],
        invocation=name if ":" in name else "",
        instead=tuple(instead),
        optional=before or _optional(comment),
        comment=comment,
        priority=int(priority[1]) if priority else 0,
        line=line,
    )


def _optional(comment: str) -> bool:
    """Whether a comment says so itself: a part of it begins with the word, or it is marked in brackets."""
    low = comment.lower()
    if "[optional]" in low or "(optional)" in low:
        return True
    return any(part.strip().lstrip("(#").strip().startswith("optional") for part in re.split(r"[,;]|\s[-–—]\s", low))


def _runs(section: Section, rows: list[tuple[int, Slot]], *, deep: bool) -> list[_Found]:
    """The slots of one section, cut where the numbers begin again; alternatives go to the slot before them."""
    runs: list[list[tuple[int, Slot]]] = []
    for number, slot in rows:
        if not number:
            if runs:
                at, first = runs[-1][-1]
                runs[-1][-1] = at, msgspec.structs.replace(first, instead=(*first.instead, slot.name, *slot.instead))
        elif runs and number > runs[-1][-1][0]:
            runs[-1].append((number, slot))
        else:
            runs.append([(number, slot)])
    return [_Found(title=section.title, deep=deep, slots=(*run,)) for run in runs]


def _joined(found: list[_Found]) -> list[_Found]:
    """Lists whose numbers go on under the next heading are one chain."""
    joined: list[_Found] = []
    for each in found:
        if joined and each.slots[0][0] == joined[-1].slots[-1][0] + 1 and each.slots[0][0] > 1:
            joined[-1] = _Found(title="", deep=False, slots=(*joined[-1].slots, *each.slots))
        else:
            joined.append(each)
    return joined


def _named(found: list[_Found], notes: Notes) -> tuple[Pattern, ...]:
    """The patterns with their names; the one whose heading says default, else the first, is it."""
    marked = [at for at, each in enumerate(found) if "default" in each.title.lower() and each.deep]
    chosen = marked[0] if marked else 0
    if len(found) > 1 and len(marked) != 1:
        said = "more than one pattern is" if marked else "no pattern is"
        notes.add(
            "DEFAULT-PATTERN", "warning", f"{said} marked as the default; the first is taken", line=found[chosen].slots[0][1].line
        )
    patterns: list[Pattern] = []
    for at, each in enumerate(found):
        name = _title(each.title) if each.deep and len(found) > 1 else ""
        name = name or (ONLY if at == 0 else f"pattern {at + 1}")
        if any(name == one.name for one in patterns):
            name = f"{name} {at + 1}"
        slots = tuple(slot for _, slot in each.slots)
        _say_gaps(each, notes)
        patterns.append(Pattern(name=name, slots=slots, default=at == chosen))
    return (*patterns,)


def _title(title: str) -> str:
    """`Pure Backend Pattern (Default)` is called `Pure Backend`."""
    bare = re.sub(r"\([^)]*\)", "", title).strip()
    return re.sub(r"\s+(pattern|chain|variant)$", "", bare, flags=re.IGNORECASE).strip()


def _say_gaps(found: _Found, notes: Notes) -> None:
    numbers = [number for number, _ in found.slots]
    if numbers[0] != 1 or any(after != before + 1 for before, after in pairwise(numbers)):
        notes.add(
            "CHAIN-NUMBERS", "note", f"the numbers of the chain are {', '.join(map(str, numbers))}", line=found.slots[0][1].line
        )
    names = Counter(slot.name for _, slot in found.slots)
    for name in sorted(name for name, times in names.items() if times > 1):
        notes.add("CHAIN-TWICE", "warning", f"{name} stands in one chain more than once", line=found.slots[0][1].line)
