"""The four-heading text people write first: only ever a draft, and what it lacks is said line by line."""

import re

from remit.contract.contract import Finding, Mark
from remit.contract.parse import Draft, Parsed
from remit.contract.rituals import paths_in
from remit.contract.text import HIDDEN, MOST_BYTES, Source
from remit.value import Value

PARTS = ("goal", "constraints", "success", "recovery")
_HEADING = re.compile(
    r"^\s*(?:#{1,6}\s*)?\**(goal|constraints?|success(?: condition| criteria)?|recovery(?: path)?)"
    r"\**\s*(?:[:—–]|-(?= )|$)\**\s*(.*)$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•]|[0-9]+[.)])\s+")


class Prose(Value, frozen=True, kw_only=True):
    """The text by its headings: for each part its lines, with the line of the file each begins at (from 1)."""

    goal: tuple[tuple[int, str], ...] = ()
    constraints: tuple[tuple[int, str], ...] = ()
    success: tuple[tuple[int, str], ...] = ()
    recovery: tuple[tuple[int, str], ...] = ()

    def said(self, part: str) -> str:
        """One part as running text."""
        return " ".join(line for _, line in getattr(self, part))


def read_prose(text: str) -> Prose:
    """Splits at `Goal:`, `Constraints:`, `Success:`, `Recovery:`; a text without any heading is all goal."""
    parts: dict[str, list[tuple[int, str]]] = {part: [] for part in PARTS}
    current, bullet = "goal", True
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        heading = _HEADING.match(line)
        if heading:
            current = _part(heading[1])
            bullet, line = True, heading[2]
        if not line.strip():
            continue
        begins = bullet or bool(_BULLET.match(line))
        words = _BULLET.sub("", line).strip()
        lines = parts[current]
        if begins or not lines:
            lines.append((number, words))
        else:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} {words}")
        bullet = False
    return Prose(**{part: tuple(lines) for part, lines in parts.items()})


def parse_prose(text: str, *, file: str) -> Parsed:
    """A draft from prose: never a contract. Success and recovery in words are errors, constraints are `unenforced`."""
    source = Source(text.removeprefix("\ufeff"), file)
    if len(text) > MOST_BYTES or HIDDEN.search(source.text):
        what = "the text is larger than 256 KiB" if len(text) > MOST_BYTES else "the text has characters that cannot be seen"
        code = "TOO-LARGE" if len(text) > MOST_BYTES else "HIDDEN-CHARACTER"
        finding = Finding(code=code, severity="error", where="", message=what, mark=source.mark(0, 0))
        return Parsed(draft=Draft(), contract=None, findings=(finding,), marks={}, file=file)
    prose = read_prose(source.text)
    marks = {part: _mark(source, lines[0][0]) for part in PARTS if (lines := getattr(prose, part))}
    marks |= {f"unenforced[{at}]": _mark(source, number) for at, (number, _) in enumerate(prose.constraints)}
    draft = Draft(
        goal=prose.said("goal"),
        unenforced=tuple(line for _, line in prose.constraints),
        written=frozenset(part for part in PARTS if getattr(prose, part)),
    )
    return Parsed(draft=draft, contract=None, findings=_findings(source, prose), marks=marks, text=source.text, file=file)


def _part(word: str) -> str:
    return next(part for part in PARTS if part.startswith(word.lower()[:4]))


def _mark(source: Source, number: int) -> Mark:
    line = source.lines[number - 1]
    return source.mark(number - 1, len(line) - len(line.lstrip()))


def _findings(source: Source, prose: Prose) -> tuple[Finding, ...]:
    found = []
    for number, line in prose.success:
        hint = "write a check: `run:` a program, or `file:` with `matches:`"
        found.append(_finding(source, number, "NOT-TESTABLE", "success", f"no machine can check `{line}`", hint))
    for number, line in prose.recovery:
        hint = "write rungs: `- when: CHECK fails`, `do: continue`, `listed in: FILE`"
        found.append(_finding(source, number, "NOT-A-RUNG", "recovery", f"nothing can follow `{line}`", hint))
    found.extend(_outside(source, prose))
    return tuple(found)


def _outside(source: Source, prose: Prose) -> list[Finding]:
    """T1 in prose: recovery names a file that the constraints do not."""
    inside = [path for _, line in prose.constraints if "only" in line.lower() for path in paths_in(line)]
    named = [(number, path) for number, line in prose.recovery for path in paths_in(line)]
    hint = "grant it to the recovery alone, or put the file inside"
    return [
        _finding(
            source, number, "RECOVERY-OUTSIDE", "recovery", f"recovery names `{path}`, which lies outside the constraints", hint
        )
        for number, path in dict.fromkeys(named)
        if inside and not any(path == other or path.startswith(other.removesuffix("**")) for other in inside)
    ]


def _finding(source: Source, number: int, code: str, where: str, message: str, hint: str) -> Finding:
    mark = _mark(source, number)
    excerpt = source.excerpt(mark)
    return Finding(code=code, severity="error", where=where, message=message, hint=hint, mark=mark, excerpt=excerpt)
