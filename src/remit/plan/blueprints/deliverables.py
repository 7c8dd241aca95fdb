"""The manifest of a blueprint: which files it must leave, what must stand in them, at which maturity, on what condition."""

import posixpath
import re
import warnings
from typing import Any

from remit.contract.deliverable import Content, Deliverable
from remit.plan.blueprint import LEVELS, Question, Wanted
from remit.plan.blueprints.alternatives import grouped
from remit.plan.blueprints.conditions import read_condition
from remit.plan.blueprints.notes import Notes, items, table, text, texts

DOUBLED = re.compile(r"\\\\[sSdDwWbBAZ.()\[\]{}*+?^$|/]")
"""a backslash, escaped, before what would have been an escape: it asks for a backslash in the text"""
_LEVEL = {"production": "advanced", "enterprise": "advanced", "beginner": "starter"}
_IN_NAME = re.compile(r"\((?:if|when|only)\b[^)]*\)", re.IGNORECASE)
_KNOWN = ("primary_skill", "required_files", "content_checks", "maturity_required", "conditional", "condition")


def level_of(said: str) -> str:
    """The level of maturity a word means (`production` is `advanced`), empty if it is none."""
    low = said.strip().lower()
    low = _LEVEL.get(low, low)
    return low if low in LEVELS else ""


def read_wanted(found: Any, questions: tuple[Question, ...], lines: dict[str, int], notes: Notes) -> tuple[Wanted, ...]:
    """The deliverables in order; `found` is what the YAML below `deliverables:` gave, `lines` where each name stands."""
    if isinstance(found, list):
        found = {text(table(each).get("name")): each for each in found}
    wanted = []
    for name, entry in table(found).items():
        line = lines.get(name, 0)
        if not name or not isinstance(entry, dict):
            notes.add("DELIVERABLE", "error", f"the deliverable {name!r} has no fields; it is left out", line=line)
            continue
        wanted.append(_wanted(name, entry, questions, line, notes))
    if not wanted:
        notes.add("NO-DELIVERABLES", "warning", "a manifest is announced, yet it names no deliverable")
    return (*wanted,)


def _wanted(name: str, entry: dict[str, Any], questions: tuple[Question, ...], line: int, notes: Notes) -> Wanted:
    files = _files(name, entry, line, notes)
    plain, either = grouped(files)
    for group in either:
        said = f"{name}: {' and '.join(group)} belong to different languages; one of them is enough"
        notes.add("LANGUAGES", "warning", said, line=line)
    deliverable = Deliverable(
        name=name, by=text(entry.get("primary_skill")), files=plain, either=either, contains=_contents(name, entry, line, notes)
    )
    if not deliverable.by:
        notes.add("NO-SKILL", "warning", f"{name}: no primary_skill, so nobody owes it", line=line)
    if not files and not deliverable.contains:
        notes.add("NO-FILES", "warning", f"{name}: it asks for no file and no content, so it can never be missing", line=line)
    condition = _condition(name, entry, questions, line, notes)
    if condition is None and (only := _IN_NAME.search(name[:300])):
        notes.add("CONDITION-IN-NAME", "warning", f"{name}: {only[0]} is only in its name, so it is always asked for", line=line)
    for key in sorted(set(entry) - set(_KNOWN)):
        notes.add("UNKNOWN-KEY", "note", f"{name}: {key} is not a key of a deliverable", line=line)
    return Wanted(deliverable=deliverable, maturity=_maturity(name, entry, line, notes), condition=condition, line=line)


def _files(name: str, entry: dict[str, Any], line: int, notes: Notes) -> tuple[str, ...]:
    return paths(texts(entry.get("required_files")), name, line, notes)


def paths(said: tuple[str, ...], about: str, line: int, notes: Notes) -> tuple[str, ...]:
    """Paths inside the project, `/` kept at the end of folders; any other is noted and left out."""
    kept: dict[str, None] = {}
    for each in said:
        path = posixpath.normpath(each.replace("\\", "/"))
        if path.startswith(("/", "../")) or path in ("..", ".") or re.match(r"^[A-Za-z]:", path) or "\0" in path:
            notes.add("PATH-OUTSIDE", "error", f"{about}: {each} does not lie inside the project; it is left out", line=line)
            continue
        kept[f"{path}/" if each.endswith(("/", "\\")) else path] = None
    return (*kept,)


def _contents(name: str, entry: dict[str, Any], line: int, notes: Notes) -> tuple[Content, ...]:
    found = []
    for check in items(entry.get("content_checks")):
        pattern = table(check).get("pattern")
        places = paths(texts(table(check).get("in")), name, line, notes)
        if not isinstance(pattern, str) or not pattern or not places:
            notes.add("CONTENT-CHECK", "error", f"{name}: a content check without `pattern` and `in`; it is left out", line=line)
            continue
        if _usable(name, pattern, line, notes):
            found += [Content(pattern=pattern, place=place) for place in places]
    return (*found,)


def _usable(name: str, pattern: str, line: int, notes: Notes) -> bool:
    """Whether a pattern is one; a doubled backslash is noted, because what it asks for is hardly ever there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        notes.add("PATTERN", "error", f"{name}: {pattern[:80]!r} is not a regular expression; the check is left out", line=line)
        return False
    if doubled := DOUBLED.search(pattern):
        said = f"{name}: {doubled[0]} in {pattern[:80]} asks for a backslash in the file, so it can hardly ever match"
        notes.add("DOUBLED-BACKSLASH", "warning", said, line=line, hint="in single quotes, YAML wants one backslash")
    return True


def _maturity(name: str, entry: dict[str, Any], line: int, notes: Notes) -> tuple[str, ...]:
    """The levels at which it is required, in order; all of them where none is said."""
    said = texts(entry.get("maturity_required"))
    known = {level for each in said if (level := level_of(each))}
    for each in said:
        if not level_of(each):
            notes.add("LEVEL", "warning", f"{name}: {each} is not a level of maturity ({', '.join(LEVELS)})", line=line)
    return tuple(level for level in LEVELS if level in known) or LEVELS


def _condition(name: str, entry: dict[str, Any], questions: tuple[Question, ...], line: int, notes: Notes) -> Any:
    said = [text(entry[key]) for key in ("conditional", "condition") if text(entry.get(key))]
    if len(said) > 1:
        notes.add("CONDITIONS", "warning", f"{name}: both `conditional` and `condition`; the first is taken", line=line)
    return read_condition(said[0], questions, notes, about=name, line=line) if said else None
