"""A sub-agent's report, read leniently from its last words: every shape real agents give it, in one pass, never a failure."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from remit.plan.reported import Exported, Report
from remit.plan.screens.line import line, shown

MOST_TEXT: Final = 256 * 1024
"""marks of a text that are read: the last ones, since a report stands at the end"""
MOST_FILES: Final = 2000
MOST_ITEMS: Final = 200
"""decisions, outputs, warnings; of oddities a quarter of it"""

_TITLES: Final = {
    "skill complete": "skill", "skill completed": "skill", "step complete": "skill",
    "files created": "files", "files modified": "files", "files changed": "files", "files updated": "files", "files": "files",
    "created files": "files", "files created modified": "files", "files created and modified": "files",
    "files created or modified": "files", "key decisions": "decisions", "key decision": "decisions", "decisions": "decisions",
    "decisions made": "decisions", "outputs for next skill": "outputs", "outputs for the next skill": "outputs",
    "output for next skill": "outputs", "outputs for next skills": "outputs", "outputs for next step": "outputs",
    "outputs": "outputs", "warnings": "warnings", "warning": "warnings",
    "needs input": "needs_input", "need input": "needs_input", "input needed": "needs_input",
}  # fmt: skip
_SECTIONS: Final = {"files": "FILES CREATED", "decisions": "KEY DECISIONS", "outputs": "OUTPUTS FOR NEXT SKILL"}
_BULLET: Final = re.compile(
    r"(?:[-*•‣◦·–—+]|\d{1,3}[.)]|[├└│][├└│─ ]*)(?:\s+|$)(?:\[[ xX✓]?\]\s+)?|[✓✗✔☑]\s*|(?:✅|❌)\s*|[├└][─ ]+"
)
_HEAD: Final = re.compile(
    r"[^\w`/{<]*+(?:\d{1,2}[.)]\s*+[*_]*+)?(?P<title>[A-Za-z][A-Za-z_ /&-]{2,40}?)[^\w:：({/]*+"
    r"(?:\(\d{1,6}(?: \w{1,10})?\)[^\w:：({/]*+)?(?:(?P<colon>[:：])[*_\s]*+|$)"
)
_SHOUTED: Final = re.compile(r"[^\w`/{<]*+(?:SKILL|STEP) COMPLETED?\b[^\w`]*")
_NOTHING: Final = re.compile(
    r"[\W_]*(?:(?:none|n/?a|nil|nothing|empty|no (?:new )?(?:files|decisions|outputs|warnings|key decisions|input))"
    r"(?: (?:were |was )?(?:needed|created|made|required|reported|yet|identified|applicable|to report|at all))?"
    r"(?: ?\([^()]{0,200}\))?)?[\W_]*",
    re.I,
)
_ECHO: Final = re.compile(r"\{[a-z_]{2,20}\d?\}|<[a-z_ ]{2,20}\d?>")
_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
_PAIR: Final = re.compile(r"(?P<key>[^:=→]{1,80}?)\s*(?::(?=\s|$)|=|→|->)\s*(?P<value>.*)")
_LINK: Final = re.compile(r"!?\[[^\]]{0,300}\]\((?P<path>[^()\s]{1,1000})\)")
_QUOTED: Final = re.compile(r"(?P<mark>`{1,3}|\*\*|[\"'])(?P<path>[^`\"'*]{1,1000})(?P=mark)")
_VERB: Final = re.compile(
    r"(?:created?|modified|updated|added|new(?: file)?|wrote|edited|changed)(?:\s*:\s*|\s+(?=[`\"*/.]|\S+$))", re.I
)
_REST: Final = re.compile(
    r"\s+(?:[-–—#|]|//|->|→|=>|\(|\[)(?:\s|(?<=[(\[])).*|\s*:\s.*|\s*[:,;]$|\s*\([^)]{0,40}$|\s+\((?=[^/]*\)$).*"
)
_LINES: Final = re.compile(r":\d{1,6}(?:-\d{1,6})?$")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")


def read_report(text: str, *, skill: str, project: str) -> Report:
    """The report of `skill` in somebody's last words (SUB-06, SUB-07); the last that fits where there are several.

    Files below `project` are relative to it, in the order they were named; others are kept as they are and noted in `odd`, like
    everything that is missing or could not be read. Outputs carry `skill` and the digest of the whole text. Never raises.
    """
    tail = text if len(text) <= MOST_TEXT else text[-MOST_TEXT:]
    blocks = _blocks(shown(tail))
    fitting = [each for each in blocks if each.title and _same(each.title, skill)]
    chosen = (fitting or [each for each in blocks if each.seen] or [_Block()])[-1]
    odd: list[str] = [] if tail is text else [f"only the last {MOST_TEXT} marks were read"]
    if chosen.seen.keys() == {"skill"} and len(blocks) > 1 and chosen is blocks[1] and blocks[0].seen:
        chosen.seen |= blocks[0].seen
        odd.append("its sections stand before the SKILL COMPLETE line")
    if not chosen.seen:
        odd.append("there is no report")
    elif not chosen.title:
        odd.append("there is no SKILL COMPLETE line")
    elif not fitting:
        odd.append(f"it reports {line(chosen.title, 120)}, not {line(skill, 120)}")
    odd += [f"there is no {name} section" for key, name in _SECTIONS.items() if chosen.reports and key not in chosen.seen]
    mark = "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Report(
        skill=skill if fitting or not chosen.title else line(chosen.title, 200),
        found=bool(chosen.seen),
        files=_files(chosen.rows("files"), project, odd),
        decisions=_texts(chosen.rows("decisions"), odd),
        outputs=tuple(_outputs(chosen.rows("outputs"), skill, mark, odd)),
        warnings=_texts(chosen.rows("warnings"), odd),
        needs_input=" ".join(_texts(chosen.rows("needs_input"), odd))[:2000],
        odd=tuple(dict.fromkeys(odd))[: MOST_ITEMS // 4],
    )


def render_report(report: Report, *, project: str = "", invocation: str = "", purpose: str = "") -> str:
    """A report in the required format, as a well-behaved executor writes it: what `read_report` reads back.

    With `project` its files are absolute; with `invocation` the announcement stands before it. Empty sections say `None`.
    """
    announced = (
        [f"Now invoking skill: {report.skill}", f"Purpose: {purpose or 'None'}", f"Skill: {invocation}", ""] if invocation else []
    )
    root = project.rstrip("/") + "/" if project else ""
    files = [each if each.startswith("/") else root + each for each in report.files]
    outputs = [f"{each.key}: {each.value}" if each.key else each.value for each in report.outputs]
    asked = ["", f"NEEDS INPUT: {report.needs_input}"] if report.needs_input else []
    return "\n".join(
        (
            *announced, f"SKILL COMPLETE: {report.skill}", "",
            "FILES CREATED:", *_listed(files), "",
            "KEY DECISIONS:", *_listed(report.decisions), "",
            "OUTPUTS FOR NEXT SKILL:", *_listed(outputs), "",
            "WARNINGS:", *_listed(report.warnings), *asked,
        )
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------


class _Row(msgspec.Struct, frozen=True):
    """One item: how far it is indented, its text."""

    indent: int
    text: str


class _Block:
    """One report of perhaps several: the skill it names, and the items of each section that it has."""

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.seen: dict[str, list[_Row]] = {"skill": []} if title else {}

    @property
    def reports(self) -> bool:
        return bool(self.seen.keys() - {"needs_input"})

    def rows(self, section: str) -> list[_Row]:
        return self.seen.get(section, [])


def _blocks(text: str) -> list[_Block]:
    """The reports in the text, in one pass over its lines; before a title there may be sections of none."""
    blocks = [_Block()]
    section, loose, gap = "", True, False
    for raw in text.splitlines():
        row = raw[:4000].expandtabs(2)
        if not row.strip() or _FENCE.match(row):
            gap = gap or not row.strip()
            continue
        head = _heading(row)
        if head is not None:
            section, beside = head
            if section == "skill":
                blocks.append(_Block(_title(beside)))
                section = ""
            elif section:
                items = blocks[-1].seen.setdefault(section, [])
                items += [_Row(0, beside)] if beside else []
            loose, gap = True, False
        elif section:
            loose = _item(blocks[-1].seen[section], row, loose, gap)
            gap = False
    return blocks


def _item(items: list[_Row], row: str, loose: bool, gap: bool) -> bool:
    """Takes a line into a section; whether lines without a bullet may still be items of it."""
    stripped = row.strip().lstrip(">").strip()
    indent = len(row) - len(row.lstrip())
    if stripped.startswith("|") and stripped.count("|") > 1:
        return _cells(items, indent, stripped)
    bullet = _BULLET.match(stripped)
    if bullet:
        items.append(_Row(indent, stripped[bullet.end() :]))
        return False
    if stripped.startswith("**") and stripped.endswith((":**", "**:")):
        return loose
    if loose and not (gap and items):
        items.append(_Row(indent, stripped))
        return True
    if items and not gap and indent > items[-1].indent and len(items[-1].text) < 4000:
        items[-1] = _Row(items[-1].indent, f"{items[-1].text} {stripped}")
    return loose and not gap


def _cells(items: list[_Row], indent: int, row: str) -> bool:
    """A row of a table is an item, its further cells described by the first; the heads of its columns are none."""
    first, *more = (cell.strip() for cell in row.strip("|").split("|"))
    if set(row) <= set("|-: "):
        del items[-1:]
    else:
        items.append(_Row(indent, f"{first}: {', '.join(more)}" if any(more) else first))
    return False


def _heading(row: str) -> tuple[str, str] | None:
    """The section that begins with this line and what stands beside its title; `("", "")` for a heading of something else."""
    row = " ".join(row.split())
    shouted = _SHOUTED.match(row)
    if shouted is not None:
        return "skill", row[shouted.end() :]
    head = _HEAD.match(row[:200])
    if head is None:
        return None
    title, colon = head["title"], head["colon"]
    decorated = row.lstrip("> ").startswith(("#", "**", "__")) or "**" in head.group()
    loud = title.isupper()
    known = _TITLES.get(" ".join(re.split(r"[\s_/&-]+", title.casefold().strip("_ /&-"))))
    beside = row[head.end() :].strip()
    listed = _BULLET.match(row) is not None
    alone = not beside and (colon or decorated or loud)
    certain = loud or decorated or (not listed and (not beside or set(" _") & set(title.strip(" _"))))
    if known and (colon or alone) and certain:
        return known, beside.strip("*_ ")
    foreign = not listed and not beside and ((loud and colon) or row.startswith("#"))
    return ("", "") if foreign and known is None else None


def _title(text: str) -> str:
    """The name of a skill beside its title, without marks around it and words after it."""
    bare = text.strip("*_`\"' #✅.")
    return bare.split(" ")[0].strip("*_`\"',.;") if bare else ""


def _same(said: str, skill: str) -> bool:
    """Whether two spellings name one skill: case, marks, `_` for `-` and the plugin before a colon do not matter."""
    return _spelt(said) == _spelt(skill)


def _spelt(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.rpartition(":")[2].casefold()).strip("-")


def _kept(rows: list[_Row], odd: list[str], most: int = MOST_ITEMS) -> Iterator[_Row]:
    """The rows that say something: `None` and what only repeats the template are left out, at most so many."""
    for number, row in enumerate(rows):
        if number >= most:
            odd.append(f"only the first {most} of {len(rows)} items were read")
            return
        if not any(map(str.isalnum, row.text)) or _NOTHING.fullmatch(row.text):
            continue
        if _ECHO.fullmatch(row.text.strip()):
            odd.append(f"{line(row.text, 60)} is the template's own word")
            continue
        yield row


def _texts(rows: list[_Row], odd: list[str]) -> tuple[str, ...]:
    return tuple(filter(None, (line(row.text.replace("**", "").replace("`", ""), 400) for row in _kept(rows, odd))))


def _outputs(rows: list[_Row], source: str, mark: str, odd: list[str]) -> Iterator[Exported]:
    """`key: value` each; items below a key without a value are its value."""
    pending: tuple[int, str, list[str]] | None = None
    for row in _kept(rows, odd):
        text = line(row.text.replace("**", "").replace("`", ""), 500)
        if pending is not None and row.indent > pending[0]:
            pending[2].append(text)
            continue
        if pending is not None:
            yield Exported(key=pending[1], value=line(", ".join(pending[2]), 400), source=source, digest=mark)
            pending = None
        pair = _PAIR.fullmatch(text)
        if pair is None:
            odd.append(f"an output has no key: {line(text, 60)}")
            yield Exported(key="", value=line(text, 400), source=source, digest=mark)
        elif pair["value"]:
            yield Exported(key=line(pair["key"], 120), value=line(pair["value"], 400), source=source, digest=mark)
        else:
            pending = (row.indent, line(pair["key"], 120), [])
    if pending is not None:
        yield Exported(key=pending[1], value=line(", ".join(pending[2]), 400), source=source, digest=mark)


def _files(rows: list[_Row], project: str, odd: list[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for row in _kept(rows, odd, MOST_FILES):
        several = row.text.split(", ") if "," in row.text and " " not in row.text.replace(", ", "") else [row.text]
        for each in several:
            path = _path(each)
            name = _below(path, project.rstrip("/")) if path else ""
            if not name:
                odd.append(f"a file could not be read: {line(each, 80)}")
                continue
            if name.startswith(("/", "../", "~", "$")) or _DRIVE.match(name) or name == "..":
                odd.append(f"a file outside the project: {line(name, 120)}")
            found[name] = None
    return tuple(found)


def _path(text: str) -> str:
    """The path in an item: quoted or linked, else up to where a description begins."""
    bare = _VERB.sub("", line(text, 1000), count=1)
    quoted = _LINK.match(bare) or _QUOTED.match(bare)
    path = quoted["path"] if quoted else _REST.sub("", bare, count=1)
    path = line(path.strip("`*\"' "), 1000).removeprefix("file://")
    if "\\" in path and "/" not in path and not _DRIVE.match(path):
        path = path.replace("\\", "/")
    path = _LINES.sub("", path)
    path = path[:-1] if path.endswith(".") and not path.endswith("..") else path
    return "" if " " in path and "/" not in path and "." not in path else path


def _below(path: str, project: str) -> str:
    """The path relative to the project, `.` and `..` resolved; absolute, or with `..` in front, where it is elsewhere."""
    if _DRIVE.match(path) or path.startswith(("~", "$")):
        return path
    whole = _resolved(path)
    root = _resolved(project) if project else ""
    if root.startswith("/") and whole.startswith("/"):
        whole = "" if whole == root else whole.removeprefix(root.rstrip("/") + "/")
    return whole + "/" if path.endswith("/") and whole and not whole.endswith("/") else whole


def _resolved(path: str) -> str:
    kept: list[str] = []
    rooted = path.startswith("/")
    for part in path.split("/"):
        if part == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif part == ".." and rooted:
            continue
        elif part not in ("", "."):
            kept.append(part)
    return ("/" if rooted else "") + "/".join(kept)


def _listed(items: list[str] | tuple[str, ...]) -> list[str]:
    return [f"- {each}" for each in items] or ["None"]
