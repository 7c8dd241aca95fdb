"""Files in which every pattern that is wanted of them is found."""

from collections.abc import Iterable, Sequence
from typing import Any

from remit.contract.deliverable import Deliverable

MARK = {"tsx": "//", "ts": "//", "js": "//", "md": ""}
BODY = {
    "tsx": "export const value = 1;",
    "ts": "export const value = 1;",
    "yml": "made: true",
    "yaml": "made: true",
    "md": "made",
}


def fitting(owed: Iterable[Deliverable]) -> dict[str, str]:
    """The texts of all files of these deliverables, by path."""
    wanted: dict[str, list[str]] = {}
    for each in owed:
        for file in each.files:
            wanted.setdefault(file, [])
        for check in each.contains:
            target = (
                check.place if check.place in each.files else next(file for file in each.files if file.startswith(check.place))
            )
            wanted[target].append(check.pattern)
    return {path: text(path, patterns) for path, patterns in wanted.items()}


def text(path: str, patterns: Sequence[str]) -> str:
    """A text of this kind of file in which all of the patterns are found, in comments."""
    end = path.rpartition(".")[2]
    lines = [f"{MARK.get(end, '#')} {example(pattern)}".strip() for pattern in patterns]
    return "\n".join((BODY.get(end, "MADE = 1"), *lines)) + "\n"


def example(pattern: str) -> str:
    """A text that a pattern finds: of every choice the first, of every repetition the fewest, but one at least."""
    parser: Any = __import__("re._parser", fromlist=["parse"])
    return _text(parser.parse(pattern))


def _text(parsed: Any) -> str:
    return "".join(_one(str(kind), value) for kind, value in parsed)


def _one(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return chr(int(value))
        case "IN":
            inner, what = value[0]
            kept = {"LITERAL": [what], "RANGE": what}.get(str(inner), [32])
            return chr(int(kept[0]))
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _text(value[2]) * max(1, int(value[0]))
        case "SUBPATTERN":
            return _text(value[3])
        case "BRANCH":
            return _text(value[1][0])
        case "ANY":
            return " "
    return ""
