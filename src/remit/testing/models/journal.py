"""What was asked of a scripted model and what it answered, in order."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from remit.value import Value

HEADERS = (
    *("authorization", "x-api-key", "x-goog-api-key", "api-key", "anthropic-version", "anthropic-beta", "openai-beta"),
    *("user-agent", "accept", "accept-encoding", "content-encoding", "content-type", "host", "transfer-encoding"),
)


class Seen(Value, frozen=True, kw_only=True):
    """One request. `ended`: its answer arrived whole, is under way, was cut or hung by script, or the caller left before."""

    number: int
    method: str
    path: str
    query: str = ""
    dialect: str = "none"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    model: str = ""
    tools: tuple[str, ...] = ()
    hosted: tuple[str, ...] = ()
    stream: bool = False
    max_output: int | None = None
    script: str | None = None
    step: int = 0
    side: bool = False
    status: int = 0
    answered: tuple[str, ...] = ()  # names of the tools called, or the first words of what was said
    input: int = 0
    output: int = 0
    ended: Literal["underway", "whole", "cut", "hung", "gone"] = "underway"
    body: bytes = b""

    @property
    def key(self) -> str:
        """The secret that was shown, in whichever header."""
        shown = (self.headers.get(name, "") for name in ("x-api-key", "x-goog-api-key", "api-key", "authorization"))
        return next((value for value in shown if value), "").removeprefix("Bearer ")

    @property
    def asked(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body) if self.body else None


def noted(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that matter, as they were given."""
    return {name: headers[name] for name in HEADERS if name in headers}


class Journal:
    """The requests so far; an entry is replaced as more becomes known of it."""

    def __init__(self) -> None:
        self._seen: dict[int, Seen] = {}
        self._count = 0
        self.failures: dict[tuple[str, int], int] = {}

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Every request since the journal was cleared, in the order they arrived."""
        return tuple(self._seen.values())

    def add(self, **known: Any) -> int:
        """Enter a request, and give its number."""
        self._count += 1
        self._seen[self._count] = Seen(number=self._count, **known)
        return self._count

    def know(self, number: int, **more: Any) -> None:
        """Say more of a request, unless it was cleared away."""
        if number in self._seen:
            self._seen[number] = msgspec.structs.replace(self._seen[number], **more)

    def clear(self) -> None:
        """Forget everything but the numbers, which go on."""
        self._seen.clear()
        self.failures.clear()
