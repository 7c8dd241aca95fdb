"""From YAML events to plain values, on a stack of our own: bounded in depth and in number, references included."""

from collections.abc import Iterator
from typing import Any

import yaml

from remit.plan.skill import Noted, Severity

MOST_DEPTH = 40
MOST_VALUES = 100_000
_DIGITS = 18
_TRUTH = {"true": True, "false": False}


class Stop(Exception):
    """A place at which the reading of a file ends."""

    def __init__(self, noted: Noted) -> None:
        super().__init__(noted.message)
        self.noted = noted


class _Open:
    """A list or mapping that is not closed yet. `size` counts what is inside, what references stand for included."""

    def __init__(self, keyed: bool, anchor: str | None) -> None:
        self.keyed, self.anchor = keyed, anchor
        self.items: list[Any] = []
        self.pairs: dict[str, Any] = {}
        self.key: str | None = None
        self.given: set[str] = set()
        self.size = 1


class Builder:
    """Events to values. `line` is how many lines of the file stand above the text; `total` how many values were made already."""

    def __init__(self, file: str, line: int, total: int = 0) -> None:
        self.file, self.line = file, line
        self.noted: list[Noted] = []
        self.stack: list[_Open] = []
        self.named: dict[str, tuple[Any, int]] = {}
        self.root: Any = None
        self.total = total

    def document(self, events: Iterator[Any]) -> Any:
        """The first document. Raises Stop where there is too much, and what the parser raises."""
        documents = 0
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    value = scalar(event.value) if event.implicit[0] else event.value
                    self.remember(event.anchor, value, 1)
                    self.place(value, 1, event)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    if len(self.stack) >= MOST_DEPTH:
                        raise self.stop("TOO-DEEP", f"more than {MOST_DEPTH} levels inside one another", event)
                    self.stack.append(_Open(isinstance(event, yaml.MappingStartEvent), event.anchor))
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    done = self.stack.pop()
                    value = done.pairs if done.keyed else done.items
                    self.remember(done.anchor, value, done.size)
                    self.place(value, done.size, event)
                case yaml.AliasEvent():
                    self.place(*self.recalled(event), event)
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        self.note("SECOND-DOCUMENT", "warning", "a second document begins here; only the first is read", event)
                        return self.root
        return self.root

    def remember(self, anchor: str | None, value: Any, size: int) -> None:
        """What a later reference of that name stands for."""
        if anchor is not None:
            self.named[anchor] = value, size

    def recalled(self, event: Any) -> tuple[Any, int]:
        """What a reference stands for; one to something that is not finished, or is nowhere, is the text it is."""
        if event.anchor not in self.named:
            self.note("NEEDS-QUOTES", "warning", f"`*{event.anchor}` is taken as a text; it needs quotes", event)
            return f"*{event.anchor}", 1
        return self.named[event.anchor]

    def place(self, value: Any, size: int, event: Any) -> None:
        """Puts a value where it belongs. Raises Stop when there are too many."""
        self.total += size if isinstance(event, yaml.AliasEvent) else 1
        if self.total > MOST_VALUES:
            raise self.stop("TOO-MANY", f"more than {MOST_VALUES} values in one file", event)
        if not self.stack:
            self.root = value
            return
        into = self.stack[-1]
        into.size += size
        if not into.keyed:
            into.items.append(value)
        elif into.key is None:
            into.key = event.value if isinstance(event, yaml.ScalarEvent) else self.odd_key(value, event)
        else:
            self.pair(into, into.key, value, event)
            into.key = None

    def pair(self, into: _Open, key: str, value: Any, event: Any) -> None:
        """One key with its value: merges are done, of two equal keys the last counts, as elsewhere."""
        if key == "<<" and (isinstance(value, dict) or _all_tables(value)):
            for table in [value] if isinstance(value, dict) else value:
                into.pairs.update({each: table[each] for each in table if each not in into.pairs})
            return
        if key in into.given:
            self.note("DUPLICATE-KEY", "warning", f"`{key}` is given twice; the last is taken", event)
        into.given.add(key)
        into.pairs[key] = value

    def odd_key(self, value: Any, event: Any) -> str:
        """A list, mapping or reference where a key should be, as a text."""
        if not isinstance(value, str):
            self.note("KEY", "warning", "a list or a mapping stands where a key should be; a glob in braces needs quotes", event)
        return str(value)[:200]

    def note(self, code: str, severity: Severity, message: str, event: Any) -> None:
        """One finding at this event."""
        if len(self.noted) < 100:
            self.noted.append(self.at(code, severity, message, event))

    def stop(self, code: str, message: str, event: Any) -> Stop:
        """The end of the reading, at this event."""
        return Stop(self.at(code, "error", f"{message}: it is not read", event))

    def at(self, code: str, severity: Severity, message: str, event: Any) -> Noted:
        """A finding with the line of the event."""
        line = self.line + event.start_mark.line + 1
        return Noted(code=code, severity=severity, file=self.file, message=message, line=line)


def _all_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def scalar(text: str) -> Any:
    """What a plain word means: nothing, truth, a whole number, a decimal; everything else is the text it is."""
    low = text.lower()
    if low in ("", "~", "null"):
        return None
    if low in _TRUTH:
        return _TRUTH[low]
    bare = text[1:] if text[0] in "+-" else text
    if len(bare) <= _DIGITS and bare.isascii():
        if bare.isdigit() and (bare == "0" or bare[0] != "0"):
            return int(text)
        whole, point, rest = bare.partition(".")
        if point and whole.isdigit() and rest.isdigit():
            return float(text)
    return text
