"""What is asked and what is answered, in no dialect's words."""

import re
from typing import Any, Literal

import msgspec

from remit.testing.models.script import Usage
from remit.value import Value

_MARK = re.compile(r"\[\[script:\s*([^\]\s]+)\s*\]\]")


class Declared(Value, frozen=True, kw_only=True):
    """A tool that the caller offers: `function` by a schema, `custom` by free text, `local` a shell without a schema.

    One that stands in a namespace has it as its `space`, and before its name with `__` between.
    """

    name: str
    space: str = ""
    kind: Literal["function", "custom", "local"] = "function"
    schema: dict[str, Any] = msgspec.field(default_factory=dict)


class Entry(Value, frozen=True, kw_only=True):
    """A piece of the conversation; results name the call they answer, and calls of one answer share all before the last `_`."""

    kind: Literal["user", "assistant", "call", "result"]
    text: str = ""
    call: str = ""


class Asked(Value, frozen=True, kw_only=True):
    """One request to a model."""

    model: str
    stream: bool
    tools: tuple[Declared, ...] = ()
    hosted: tuple[str, ...] = ()  # tools that would run at the vendor
    entries: tuple[Entry, ...] = ()
    system: str = ""
    max_output: int | None = None
    shape: dict[str, Any] | None = None  # the schema that the answer must have
    wants_usage: bool = True  # of a stream; one dialect has to be asked
    size: int = 0


class Call(Value, frozen=True, kw_only=True):
    """A tool call of the model; a `custom` one has only a text."""

    name: str
    kind: Literal["function", "custom", "local"] = "function"
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)
    text: str = ""
    id: str = ""


class Turn(Value, frozen=True, kw_only=True):
    """What the model answers."""

    usage: Usage
    pieces: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    cut_short: bool = False
    id: str = "0"

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Place(Value, frozen=True, kw_only=True):
    """Where a conversation stands: the script it names, None when it names none, and how many answers of it were given."""

    script: str | None
    step: int


def place(asked: Asked) -> Place:
    """The script that the newest marked message names, and the rounds of results and the finished turns since then."""
    name: str | None = None
    start = 0
    for index, entry in enumerate(asked.entries):
        if entry.kind == "user" and (found := _MARK.findall(entry.text)):
            name, start = found[-1], index
    if name is None and (found := _MARK.findall(asked.system)):
        name = found[-1]
    rounds: set[str] = set()
    turns, before = 0, ""
    for entry in asked.entries[start + 1 :]:
        if entry.kind == "result":
            rounds.add(entry.call.rpartition("_")[0] or entry.call)
        if entry.kind == "user" and before == "assistant":
            turns += 1
        before = entry.kind
    return Place(script=name, step=len(rounds) + turns)


def plain(content: object) -> str:
    """The text of a message, which dialects write as a string or as parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return plain(content.get("text", content.get("parts", content.get("content", ""))))
    if isinstance(content, list):
        return "\n".join(text for part in content if (text := plain(part)))
    return ""


def schema_of(found: object) -> dict[str, Any]:
    """A JSON Schema as it was declared, empty when none was."""
    return found if isinstance(found, dict) else {}


def encoded(value: object) -> bytes:
    """Plain JSON, in the order it was made."""
    return msgspec.json.encode(value)


def event(value: dict[str, Any], name: str | None = None) -> bytes:
    """One server-sent event."""
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + encoded(value) + b"\n\n"


def slices(text: str, size: int = 40) -> list[str]:
    """A text in pieces, as a stream carries it; an empty one is one empty piece."""
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]
