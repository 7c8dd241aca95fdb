"""YAML of other people, read as far as it can be: what is broken becomes a finding, the rest is still there. Bounded."""

import re
from typing import Any, NamedTuple

import yaml

from remit.plan.lenient_tree import Builder, Stop
from remit.plan.skill import Noted, Severity

MOST_BYTES = 1024 * 1024
MOST_NOTED = 200
MOST_PARTS = 5000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST_RECOVERY = 6
_BREAK = re.compile(r"\r\n|\r|\n|\x85|\u2028|\u2029")
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_KEY = re.compile(
    r"""("[^"\n]{1,200}"|'[^'\n]{1,200}'|[^\s#:'"\[\]{}&*!|>%@`,-][^\n]{0,200}?|-[^\s:][^\n]{0,200}?)[ ]{0,9}:(?:[ ]+(.*))?"""
)
_BLOCK = re.compile(r"[|>][-+0-9]*(?:[ ]+#.*)?")


def plain_text(text: str, *, file: str, line: int = 0) -> tuple[str, tuple[Noted, ...]]:
    """The text with `\\n` line ends, without a byte order mark, and with what nobody can see replaced; says what it did."""
    noted = []
    if text.startswith("\ufeff"):
        text = text[1:]
        noted.append(
            Noted(code="BOM", severity="note", file=file, line=line + 1, message="the file begins with a byte order mark")
        )
    text = _BREAK.sub("\n", text)
    hit = _UNPRINTABLE.search(text)
    if hit is not None:
        at = line + text.count("\n", 0, hit.start()) + 1
        said = f"the character U+{ord(hit.group()):04X} cannot be seen"
        noted.append(Noted(code="HIDDEN-CHARACTER", severity="warning", file=file, line=at, message=said, hint="take it out"))
        text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return text, tuple(noted)


def read_yaml(text: str, *, file: str, line: int = 0) -> tuple[Any, tuple[Noted, ...]]:
    """Mappings (keys are texts), lists, texts, whole numbers, decimals, booleans, None; and what was odd. Never raises.

    `line` is how many lines of the file stand above. `yes`, dates and `1:30` stay texts. Where the whole is not YAML, each of its
    parts is read by itself, and one that still is not becomes the text it is.
    """
    if len(text) > MOST_BYTES:
        size = Noted(code="TOO-LARGE", severity="error", file=file, line=line, message="larger than 1 MiB, so it is not read")
        return None, (size,)
    plain, noted = plain_text(text, file=file, line=line)
    reader = _Reader(file)
    found = reader.read(plain, line, 0)
    return found, (*noted, *reader.noted)


class _Reader:
    """One reading of one file, with what it noted on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.noted: list[Noted] = []
        self.budget = MOST_BYTES * 4
        self.total = 0

    def read(self, text: str, line: int, level: int) -> Any:
        """The value of this part, which stands below `line` lines of the file."""
        self.budget -= len(text)
        builder = Builder(self.file, line, self.total)
        try:
            found = builder.document(yaml.parse(text, Loader=_LOADER))
        except Stop as stop:
            self.noted += [*builder.noted, stop.noted]
            return None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            return self.recover(text, line, level, error)
        self.total = builder.total
        self.noted += builder.noted
        return found

    def recover(self, text: str, line: int, level: int, error: Exception) -> Any:
        """What is not YAML as a whole, part by part."""
        at = _line_of(error)
        said = str(getattr(error, "problem", None) or "not YAML").strip()
        parts = _parts(text)
        if level >= _DEEPEST_RECOVERY or self.budget < 0 or not parts:
            self.note("YAML", "warning", f"not YAML ({said}): kept as the text it is", line + at)
            return text.strip() or None
        if level == 0:
            self.note("YAML", "error", f"not YAML: {said}", line + at, "a text with `: ` or `#` in it needs quotes")
        if len(parts) > MOST_PARTS:
            self.note(
                "TOO-MANY", "error", f"more than {MOST_PARTS} parts in what is not YAML: the others are not read", line + at
            )
            parts = parts[:MOST_PARTS]
        keyed = [part for part in parts if part.key is not None]
        if not keyed:
            return [self.part(part, line, level) for part in parts]
        found: dict[str, Any] = {}
        for part in keyed:
            assert part.key is not None
            if part.key in found:
                self.note("DUPLICATE-KEY", "warning", f"`{part.key}` is given twice; the last is taken", line + part.line)
            found[part.key] = self.part(part, line, level)
        return found

    def part(self, part: "_Part", line: int, level: int) -> Any:
        """The value of one key or one list item: YAML if it is, recovered below if that can be, its text otherwise."""
        if part.below and not part.beside:
            return self.read("\n".join([*[""], *_dedented(part.below)]), line + part.line - 1, level + 1)
        whole = "\n".join([f"x: {part.beside}", *part.below])
        builder = Builder(self.file, line + part.line - 1, self.total)
        try:
            found = builder.document(yaml.parse(whole, Loader=_LOADER))
        except Stop as stop:
            self.noted.append(stop.noted)
            return None
        except (yaml.YAMLError, ValueError, RecursionError):
            beside = "" if _BLOCK.fullmatch(part.beside) else part.beside
            if part.key is None and _KEY.fullmatch(beside):
                return self.read("\n".join([beside, *_dedented(part.below)]), line + part.line - 1, level + 1)
            what = f"the value of `{part.key}`" if part.key is not None else "a list item"
            self.note(
                "NEEDS-QUOTES", "warning", f"{what} is not YAML: taken as the text it is", line + part.line, "put it in quotes"
            )
            return " ".join(word for word in (beside.strip(), *(each.strip() for each in part.below)) if word)
        self.total = builder.total
        self.noted += builder.noted
        return found.get("x") if isinstance(found, dict) else None

    def note(self, code: str, severity: Severity, message: str, line: int, hint: str = "") -> None:
        """One more finding of this file."""
        if len(self.noted) < MOST_NOTED:
            self.noted.append(Noted(code=code, severity=severity, file=self.file, message=message, hint=hint, line=line))


class _Part(NamedTuple):
    """One key or list item at the margin: its 1-based line, what stands beside it, the lines below it."""

    key: str | None
    line: int
    beside: str
    below: list[str]


def _parts(text: str) -> list[_Part]:
    """The text cut where a key or `- ` stands at the margin; empty where nothing does, so that there is nothing to cut."""
    parts: list[_Part] = []
    for row, line in enumerate(text.split("\n"), 1):
        key = _KEY.fullmatch(line.rstrip()) if line[:1] not in " \t-" else None
        if key is not None:
            parts.append(_Part(key.group(1).strip("\"'"), row, (key.group(2) or "").strip(), []))
        elif line.startswith("- ") and not any(part.key is not None for part in parts):
            parts.append(_Part(None, row, line[2:].strip(), []))
        elif parts and not line.lstrip().startswith("#"):
            parts[-1].below.append(line)
        elif parts:
            parts[-1].below.append("")
    return parts


def _dedented(lines: list[str]) -> list[str]:
    """Without the margin all of them share; tabs count as two blanks."""
    wide = [line.expandtabs(2) for line in lines]
    margin = min((len(line) - len(line.lstrip()) for line in wide if line.strip()), default=0)
    return [line[margin:] for line in wide]


def _line_of(error: Exception) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark is not None else 1
