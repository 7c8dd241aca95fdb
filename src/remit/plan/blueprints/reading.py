"""A whole blueprint, read leniently: what can be read is there, what cannot is noted, and nothing is guessed."""

import re
from typing import Any

from remit.plan.blueprint import Blueprint, Wanted
from remit.plan.blueprints.chain import read_chain
from remit.plan.blueprints.deliverables import read_wanted
from remit.plan.blueprints.document import Section, cut
from remit.plan.blueprints.maturity import read_profiles, say_clashes
from remit.plan.blueprints.notes import Notes
from remit.plan.blueprints.orders import read_orders, read_security
from remit.plan.blueprints.questions import read_questions
from remit.plan.blueprints.settings import read_confidence, read_fields, read_settings, read_tree
from remit.plan.blueprints.triggers import read_triggers
from remit.plan.lenient import plain_text, read_yaml
from remit.plan.skill import Noted

MOST_BYTES = 1024 * 1024
_TABLES = ("deliverables", "maturity_profiles", "cross_skill_dependencies", "security_checks")
_KEY = re.compile(rf"^(?P<key>{'|'.join(_TABLES)})\s*:", re.MULTILINE)
_ENTRY = re.compile(r"""^\s{1,8}(?:-\s+name\s*:\s*)?(?P<quote>["']?)(?P<name>[^"'\s#-][^"'\n]*?)(?P=quote)\s*:?\s*(?:#.*)?$""")
_LONGEST = 300
"""characters of a row that may hold the name of a deliverable"""


def read_blueprint(text: str, *, name: str, file: str) -> tuple[Blueprint, tuple[Noted, ...]]:
    """The blueprint a Markdown text describes, and what was met on the way. Never raises, whatever the text is."""
    notes = Notes(file)
    if len(text) > MOST_BYTES:
        notes.add("TOO-LARGE", "error", "larger than 1 MiB, so it is not read")
        return Blueprint(name=name, source=file), notes.found
    plain, odd = plain_text(text, file=file)
    notes.take(odd)
    sections = cut(plain)
    _say_open(sections, notes)
    fields = read_fields(sections)
    keywords, indicators = read_triggers(sections, notes)
    patterns = read_chain(sections, notes)
    questions = read_questions(sections, notes)
    tables, lines = _tables(sections, notes)
    wanted = read_wanted(tables["deliverables"], questions, lines, notes) if "deliverables" in tables else ()
    profiles = read_profiles(tables.get("maturity_profiles"), questions, notes)
    say_clashes(profiles, wanted, notes)
    tree = read_tree(sections)
    _say_tree(wanted, tree, notes)
    blueprint = Blueprint(
        name=name,
        title=_title(sections, notes),
        version=fields.get("version") or fields.get("blueprint version", ""),
        category=fields.get("category", ""),
        keywords=keywords,
        indicators=indicators,
        patterns=patterns,
        questions=questions,
        settings=read_settings(sections, notes),
        wanted=wanted,
        profiles=profiles,
        orders=read_orders(tables.get("cross_skill_dependencies"), notes),
        security=read_security(tables.get("security_checks"), notes),
        tree=tree,
        confidence=read_confidence(sections),
        time=fields.get("estimated time") or fields.get("total estimated time", ""),
        source=file,
    )
    return blueprint, notes.found


def _tables(sections: tuple[Section, ...], notes: Notes) -> tuple[dict[str, Any], dict[str, int]]:
    """What stands below each of the known keys in the fences of the file, and the lines of the deliverables."""
    tables: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for section in sections:
        for fence in section.fences:
            if (fence.info and not fence.info.startswith(("yaml", "yml"))) or not _KEY.search(fence.text):
                continue
            found, odd = read_yaml(fence.text, file=notes.file, line=fence.line - 1)
            notes.take(odd)
            for key in _TABLES:
                value = found.get(key) if isinstance(found, dict) else None
                if value is None:
                    continue
                if key in tables:
                    notes.add("TABLE-TWICE", "warning", f"{key}: is given more than once; the first is taken", line=fence.line)
                    continue
                tables[key] = value
                if key == "deliverables":
                    lines = _lines(fence.text, fence.line)
    return tables, lines


def _lines(text: str, first: int) -> dict[str, int]:
    """On which line of the file each key of a fence stands first."""
    found: dict[str, int] = {}
    for place, row in enumerate(text.split("\n")):
        if len(row) <= _LONGEST and (entry := _ENTRY.match(row)):
            found.setdefault(entry["name"].rstrip(":").strip(), first + place)
    return found


def _title(sections: tuple[Section, ...], notes: Notes) -> str:
    """The first heading of the first level."""
    title = next((each.title for each in sections if each.level == 1), "")
    if not title:
        notes.add("NO-TITLE", "note", "there is no heading of the first level")
    return title


def _say_open(sections: tuple[Section, ...], notes: Notes) -> None:
    for section in sections:
        for fence in section.fences:
            if not fence.closed:
                notes.add("FENCE-OPEN", "warning", "this code fence is never closed: all below it is inside", line=fence.line - 1)


def _say_tree(wanted: tuple[Wanted, ...], tree: tuple[str, ...], notes: Notes) -> None:
    """Notes that the files which are asked for are not those that are promised."""
    if not tree:
        return
    promised = {path.rstrip("/") for path in tree}
    folders = {path for path in tree if path.endswith("/")}
    asked = [file for each in wanted for group in (each.deliverable.files, *each.deliverable.either) for file in group]
    plain = [file for file in dict.fromkeys(asked) if not any(mark in file for mark in "*?[")]
    apart = [file for file in plain if file.rstrip("/") not in promised and not (file.endswith("/") and file in folders)]
    if apart:
        shown = ", ".join(apart[:3]) + (" …" if len(apart) > 3 else "")
        said = f"{len(apart)} of {len(plain)} required paths are not in the tree it promises ({shown}): the manifest counts"
        notes.add("TREE", "note", said)
