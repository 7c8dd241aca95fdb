"""What else a blueprint says: the default settings of its skills, the tree of files it promises, the lines in bold on top."""

import re

from remit.plan.blueprints.document import Section, below
from remit.plan.blueprints.notes import Notes
from remit.plan.lenient import read_yaml

_SKILL = re.compile(r"^(?:\d{1,4}[.)]\s*)?`?(?P<name>[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*)`?(?:\s*[(\[:–—-].*)?$")
_FIELD = re.compile(r"^\s*(?:[-*]\s+)?\*\*(?P<name>[^*:]{1,40}):?\*\*:?\s*(?P<value>.+)$")
_CONFIDENCE = re.compile(r"confidence\s*(?:>=|≥|of at least)\s*(\d{1,3})\s*%", re.IGNORECASE)
_ROW = re.compile("^(?P<before>[\\s\u2500-\u257f]*)(?P<name>[^\\s\u2500-\u257f].*)$")
_DRAWN = re.compile("[\u251c\u2514]")


def read_settings(sections: tuple[Section, ...], notes: Notes) -> tuple[tuple[str, str], ...]:
    """The default YAML texts by skill, as they stand: many are not YAML as a whole, so they are kept as words for the agent."""
    found: dict[str, list[str]] = {}
    for part in below(sections, lambda title: "default" in title and "skill chain" not in title and "metric" not in title):
        for section in part[1:]:
            name = _SKILL.match(section.title)
            if not name or not section.fences:
                continue
            for fence in section.fences:
                found.setdefault(name["name"], []).append(fence.text)
                if fence.info.startswith(("yaml", "yml")) and any(
                    each.severity == "error" for each in read_yaml(fence.text, file=notes.file, line=fence.line - 1)[1]
                ):
                    said = f"the settings of {name['name']} are not YAML as a whole; they are kept as the text they are"
                    notes.add("SETTINGS-TEXT", "note", said, line=fence.line)
    return tuple((name, "\n\n".join(each)) for name, each in found.items())


def read_fields(sections: tuple[Section, ...]) -> dict[str, str]:
    """`**Version:** 2.0.0` and its like, by lower-case name; the first of a name stands."""
    found: dict[str, str] = {}
    for section in sections:
        for line in section.lines:
            if read := _FIELD.match(line.text):
                found.setdefault(read["name"].strip().lower(), read["value"])
    return found


def read_confidence(sections: tuple[Section, ...]) -> float:
    """From which confidence it is proposed, as the file says it, between 0 and 1; 0.7 where it says nothing."""
    for section in sections:
        for line in section.lines:
            if (said := _CONFIDENCE.search(line.text)) and int(said[1]) <= 100:
                return int(said[1]) / 100
    return 0.7


def read_tree(sections: tuple[Section, ...]) -> tuple[str, ...]:
    """The files and folders (`/` at the end) of the drawn trees, below the project; the first root is the project itself."""
    found: dict[str, None] = {}
    project = ""
    for part in below(sections, lambda title: "output structure" in title or "file structure" in title):
        for section in part:
            for fence in section.fences:
                if not _DRAWN.search(fence.text):
                    continue
                root, paths = _tree(fence.text)
                project = project or root
                found.update(dict.fromkeys(path if root == project else root + path for path in paths))
    return (*found,)


def _tree(text: str) -> tuple[str, list[str]]:
    """The root of one drawn tree, and the paths below it."""
    root = ""
    paths: list[str] = []
    above: list[tuple[int, str]] = []
    for row in text.split("\n"):
        read = _ROW.match(row.partition("#")[0])
        if not read:
            continue
        drawn = _DRAWN.search(read["before"])
        name = read["name"].strip()
        if not drawn:
            if not paths and not root and name.endswith("/"):
                root = name
            continue
        depth = len(read["before"])
        while above and above[-1][0] >= depth:
            above.pop()
        path = "".join(each for _, each in above) + name
        if name.endswith("/"):
            above.append((depth, name))
        paths.append(path)
    return root, paths
