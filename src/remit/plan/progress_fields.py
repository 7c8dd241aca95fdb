"""The fields of one JSON object, taken by the shape they must have; whatever else is there is told apart and kept."""

from typing import Any, get_args

from remit.plan.blueprints.notes import Notes


class Fields:
    """The fields of one object, taken by the shape they must have; what is left over is of a later schema."""

    def __init__(self, found: dict[str, Any], at: str, notes: Notes) -> None:
        self.found, self.at, self.notes = dict(found), at, notes

    def text(self, name: str, default: str = "") -> str:
        """A text; `default` where there is none."""
        return str(self._take(name, str, default))

    def maybe(self, name: str) -> str | None:
        """A text, or None."""
        found = self._take(name, str, None)
        return None if found is None else str(found)

    def number(self, name: str) -> int:
        """A whole number; 0 where there is none."""
        return int(self._take(name, int, 0))

    def rate(self, name: str) -> float:
        """A number that a decimal can hold."""
        found = self._take(name, (int, float), 0.0)
        if isinstance(found, float) or abs(found) <= 2**53:
            return float(found)
        self._wrong(name)
        return 0.0

    def list(self, name: str) -> list[Any]:
        """A list; empty where there is none."""
        found: list[Any] = self._take(name, list, [])
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; other items are left out and noted."""
        found = self.list(name)
        if any(not isinstance(each, str) for each in found):
            self._wrong(name)
        return tuple(each for each in found if isinstance(each, str))

    def table(self, name: str) -> dict[str, Any] | None:
        """An object, or None."""
        found: dict[str, Any] | None = self._take(name, dict, None)
        return found

    def one_of(self, name: str, kind: Any, default: Any) -> Any:
        """One of the words of a Literal; another is noted and taken as the default."""
        found = self.text(name, default)
        if found in get_args(kind):
            return found
        self.notes.add(
            "VALUE", "warning", f"{self.at}{name}: {found[:40]!r} is none of {', '.join(get_args(kind))}; taken as {default}"
        )
        return default

    def rest(self) -> dict[str, Any]:
        """What nobody took, noted as kept."""
        for name in self.found:
            self.notes.add("UNKNOWN-KEY", "note", f"{self.at}{name} is not of schema 1.0; it is kept")
        return self.found

    def _take(self, name: str, kind: Any, default: Any) -> Any:
        found = self.found.pop(name, None)
        if found is None:
            return default
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            self._wrong(name)
            return default
        return found

    def _wrong(self, name: str) -> None:
        self.notes.add("SHAPE", "warning", f"{self.at}{name} has not the shape it should have; that part is left out")
