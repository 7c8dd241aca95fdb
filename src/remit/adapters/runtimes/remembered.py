"""What a runtime did in earlier attempts, in plain words: its own transcript is gone with its box.

Kept in the run's state folder on the host, which no box sees; given to the next attempt in front of its task, where it keeps.
"""

import os
from pathlib import Path

from remit.ports import Native, Ruling, Task

FILE = "earlier.txt"
MOST = 24_000
"""characters that are given again; the newest are kept"""
LINE = 400
WORD = 4000


class Memory:
    """The memory of one attempt, written as it goes. `before` is the text that belongs in front of the task, or empty."""

    def __init__(self, task: Task) -> None:
        self._file = task.state / FILE
        self._file.parent.mkdir(parents=True, exist_ok=True)
        earlier = _read(self._file) if task.keeps else ""
        self.before = ""
        if earlier:
            why = f"\nThere is a further attempt because: {task.because}" if task.because else ""
            self.before = (
                f"You worked on this before, in an attempt that has ended. What was done, the oldest first:\n{earlier}{why}\n"
                "What you changed is only there if you find it. The task, as before:\n\n"
            )
        self._add(f"Attempt {task.attempt}:\n", anew=not earlier)

    def called(self, native: Native, ruling: Ruling) -> None:
        """A tool call and what came of asking for it."""
        shown = _one_line(native.text or " ".join(action.said() for action in native.actions))
        end = "allowed" if ruling.allowed else f"refused: {_one_line(ruling.why)}"
        self._add(f"- {native.tool}: {shown} ({end})\n")

    def said(self, text: str) -> None:
        """The last word of the attempt."""
        if text.strip():
            self._add(f"Your last word: {text.strip()[:WORD]}\n")

    def _add(self, text: str, *, anew: bool = False) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if anew else os.O_APPEND)
        with os.fdopen(os.open(self._file, flags, 0o600), "ab") as file:
            file.write(text.encode(errors="replace"))


def _read(path: Path) -> str:
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
    return text if len(text) <= MOST else "…" + text[-MOST:]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:LINE]
