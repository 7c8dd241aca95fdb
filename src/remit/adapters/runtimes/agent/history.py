"""What the light agent remembers between processes: the conversation, and which of its calls may have run.

The messages are the library's own JSON, one a line, kept as they are; nothing here reads them.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from remit.value import Value

CONVERSATION = "conversation.jsonl"
CALLS = "calls.jsonl"
KEPT = 64 * 1024
"""characters of a result that are kept until the model has read it"""

Stage = Literal["begun", "waiting", "ended"]


class Call(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How far a tool call got. `digest` is of the tool and exactly its arguments; `question` what a person is, or was, asked."""

    id: str
    digest: str
    stage: Stage
    question: str = ""
    result: str = ""


class Conversation:
    """The messages of one run on disk. Lines are appended as they come; what a line holds is opaque."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / CONVERSATION
        self.count = 0

    def read(self) -> list[bytes]:
        """The lines that are whole; a line that a crash cut off is dropped."""
        try:
            whole = self._path.read_bytes()
        except FileNotFoundError:
            return []
        lines = whole.split(b"\n")[:-1]
        kept = b"".join(line + b"\n" for line in lines)
        if kept != whole:
            replaced(self._path, kept)
        self.count = len(lines)
        return lines

    def append(self, lines: Sequence[bytes]) -> None:
        """Keep further messages."""
        text = b"".join(line + b"\n" for line in lines)
        with self._path.open("ab") as file:
            file.write(text)
        self.count += len(lines)

    def rewrite(self, lines: Sequence[bytes]) -> None:
        """Keep these messages and no others."""
        text = b"".join(line + b"\n" for line in lines)
        replaced(self._path, text)
        self.count = len(lines)


class Book:
    """Calls of the model's last answer that may have an effect: what is about to run is on disk before it does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / CALLS
        self._calls = {call.id: call for call in self._read()}

    def _read(self) -> list[Call]:
        try:
            lines = self._path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        return [msgspec.json.decode(line, type=Call) for line in lines]

    def of(self, call: str) -> Call | None:
        """How far a call got, by its id."""
        return self._calls.get(call)

    @property
    def asked(self) -> bool:
        """Whether the last turn ended with a question to a person: then the conversation is taken up, whatever came after."""
        return any(call.question for call in self._calls.values())

    def begin(self, call: str, digest: str) -> None:
        """It is about to run. Written before this returns: what must outlive the machine itself is in the ledger."""
        known = self._calls.get(call)
        self._note(Call(id=call, digest=digest, stage="begun", question=known.question if known else ""))

    def wait(self, call: str, digest: str, question: str) -> None:
        """A person is asked about exactly this; it has not run."""
        self._note(Call(id=call, digest=digest, stage="waiting", question=question))

    def end(self, call: str, result: str) -> None:
        """It ran, and this is what the model will be told."""
        known = self._calls.get(call)
        if known is not None:
            self._note(msgspec.structs.replace(known, stage="ended", result=result[:KEPT]))

    def clear(self) -> None:
        """The model has been told how everything ended."""
        if self._calls:
            self._calls.clear()
            self._path.write_bytes(b"")

    def _note(self, call: Call) -> None:
        self._calls[call.id] = call
        with self._path.open("ab", buffering=0) as file:
            file.write(msgspec.json.encode(call) + b"\n")


def replaced(path: Path, text: bytes) -> None:
    """Put a file in the place of another, whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def compact(value: Any) -> str:
    """JSON text for the model."""
    return json.dumps(value, ensure_ascii=False, default=str)
