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


class Lines:
    """A file of lines that only grows, or is replaced whole. Closed at the end."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._file: int | None = None

    def read(self) -> list[bytes]:
        """The lines that are whole; a line that a crash cut off is dropped."""
        try:
            whole = self._path.read_bytes()
        except FileNotFoundError:
            return []
        *lines, cut = whole.split(b"\n")
        if cut:
            self.replace(lines)
        return lines

    def append(self, lines: Sequence[bytes], *, sure: bool = False) -> None:
        """Add lines; `sure` waits for the disk."""
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        left = memoryview(b"".join(line + b"\n" for line in lines))
        while left:
            left = left[os.write(self._file, left) :]
        if sure:
            os.fsync(self._file)

    def replace(self, lines: Sequence[bytes]) -> None:
        """These lines and no others, whole or not at all."""
        fresh = self._path.with_name(f".{self._path.name}.new")
        with fresh.open("wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self.close()

    def empty(self) -> None:
        """No lines any more."""
        os.truncate(self._path if self._file is None else self._file, 0)

    def close(self) -> None:
        """Give the file back; a further line opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Conversation:
    """The messages of one run on disk. Lines are appended as they come; what a line holds is opaque."""

    def __init__(self, folder: Path) -> None:
        self._lines = Lines(folder / CONVERSATION)
        self.count = 0

    def read(self) -> list[bytes]:
        """All of them."""
        lines = self._lines.read()
        self.count = len(lines)
        return lines

    def append(self, lines: Sequence[bytes]) -> None:
        """Keep further messages."""
        self._lines.append(lines)
        self.count += len(lines)

    def rewrite(self, lines: Sequence[bytes]) -> None:
        """Keep these messages and no others."""
        self._lines.replace(lines)
        self.count = len(lines)

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()


class Book:
    """Calls of the model's last answer that may have an effect: what is about to run is written before it does."""

    def __init__(self, folder: Path) -> None:
        self._lines = Lines(folder / CALLS)
        read = [msgspec.json.decode(line, type=Call) for line in self._lines.read()]
        self._calls = {call.id: call for call in read}

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
        self._note(Call(id=call, digest=digest, stage="waiting", question=question), sure=True)

    def end(self, call: str, result: str) -> None:
        """It ran, and this is what the model will be told."""
        known = self._calls.get(call)
        if known is not None:
            self._note(msgspec.structs.replace(known, stage="ended", result=result[:KEPT]))

    def clear(self) -> None:
        """The model has been told how everything ended."""
        if self._calls:
            self._calls.clear()
            self._lines.empty()

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()

    def _note(self, call: Call, *, sure: bool = False) -> None:
        self._calls[call.id] = call
        self._lines.append([msgspec.json.encode(call)], sure=sure)


def compact(value: Any) -> str:
    """JSON text for the model."""
    return json.dumps(value, ensure_ascii=False, default=str)
