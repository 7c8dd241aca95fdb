"""What a loader met, gathered on the way; and values of unknown shape taken as the shape that is needed."""

from typing import Any

from remit.plan.skill import Noted, Severity

MOST = 500
"""findings kept of one file"""


class Notes:
    """The findings of one file. Equal ones are kept once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Noted, None] = {}

    def add(self, code: str, severity: Severity, message: str, *, line: int = 0, hint: str = "") -> None:
        """One more finding."""
        self.take((Noted(code=code, severity=severity, file=self.file, message=message, hint=hint, line=line),))

    def take(self, noted: tuple[Noted, ...]) -> None:
        """Findings of another reader."""
        for each in noted:
            if len(self._found) < MOST:
                self._found.setdefault(each)

    @property
    def found(self) -> tuple[Noted, ...]:
        """All of them, in the order in which they were met."""
        return (*self._found,)


def text(value: Any) -> str:
    """A single value as a text without space around it; nothing, tables and lists are empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def texts(value: Any) -> tuple[str, ...]:
    """A list of single values, or one single value, as texts; empty ones and what has a shape of its own are left out."""
    return tuple(each for each in map(text, items(value)) if each)


def items(value: Any) -> list[Any]:
    """The value as a list: a list itself, nothing as an empty one, anything else as one item."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def table(value: Any) -> dict[str, Any]:
    """The value if it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}
