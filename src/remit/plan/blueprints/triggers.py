"""The words that speak for a blueprint: bullets under bold labels or headings, several to a bullet."""

import re

from remit.plan.blueprints.document import Section, below
from remit.plan.blueprints.notes import Notes
from remit.plan.skill import Keywords

_LABEL = re.compile(r"^\s*\*\*(?P<label>[^*]+?):?\*\*:?\s*(?P<rest>.*)$")
_BULLET = re.compile(r"^\s*[-*+]\s+(?P<said>.+)$")
_KINDS = {
    "primary": ("primary",),
    "secondary": ("secondary",),
    "exclusions": ("exclu", "negative", "not for", "avoid"),
    "requires_any": ("requires any", "require", "must contain"),
    "indicators": ("context", "indicator"),
}


def read_triggers(sections: tuple[Section, ...], notes: Notes) -> tuple[Keywords, tuple[str, ...]]:
    """The keywords and, apart from them, what speaks for it from the context."""
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for part in below(sections, lambda title: "trigger" in title or title == "keywords"):
        kind = ""
        for section in part:
            kind = _kind(section.title)
            for line in section.lines:
                if label := _LABEL.match(line.text):
                    kind = _kind(label["label"])
                    said = label["rest"]
                elif bullet := _BULLET.match(line.text):
                    said = bullet["said"]
                else:
                    continue
                if kind:
                    found[kind] += _words(said)
    once = {kind: tuple(dict.fromkeys(words)) for kind, words in found.items()}
    indicators = once.pop("indicators")
    if not once["primary"]:
        notes.add("NO-TRIGGERS", "note", "no primary trigger keywords were found: it is never proposed by itself")
    return Keywords(**once), indicators


def _kind(label: str) -> str:
    low = label.lower()
    return next((kind for kind, marks in _KINDS.items() if any(mark in low for mark in marks)), "")


def _words(said: str) -> list[str]:
    """The parts of a comma list without quotes; a quoted phrase is one, whatever is in it."""
    parts = re.findall(r'"[^"]*"|`[^`]*`|[^,]+', said)
    return [word for part in parts if (word := part.strip().strip("\"'`").strip())]
