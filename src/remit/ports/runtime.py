"""Who does the work: what a runtime needs in its box, and what it meets while it works."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from remit.authority.action import Action
from remit.contract.party import Tool
from remit.plan.step import Pinned
from remit.ports.models import Account
from remit.value import Value


class Task(Value, frozen=True, kw_only=True):
    """What a runtime is told. `text` is the whole task in words: goal, boundary, success, how to ask.

    `identity` says for whom it acts (SOUL.md). `model` is a name, empty for the runtime's own choice. `cwd` is the workspace
    in the box. `keeps` says whether the conversation of earlier attempts is loaded; `because` why there is a further attempt.
    `state` is a folder of this run on the host that outlives attempts; the box never sees it.
    """

    run: str
    attempt: int
    text: str
    identity: str = ""
    model: str = ""
    command: tuple[str, ...] = ()
    cwd: str
    state: Path
    because: str = ""
    keeps: bool = False
    token: str
    """what to show the meter instead of a key"""
    meter: str = ""
    """where the meter listens inside the box: `http://127.0.0.1:PORT`"""
    most_output: int | None = None
    """tokens an answer may have"""
    tools: tuple[Tool, ...] = ()
    """registered tools that are declared for this run"""
    skills: tuple[Pinned, ...] = ()
    """those it may invoke, by the tool `Skill`; their folders as the box has them, empty where it has none"""


class Outfit(Value, frozen=True, kw_only=True):
    """What the box is furnished with. `masks` are globs of workspace paths that a hostile repository could steer it with:
    they are not there. `talks`: it is spoken with over its standard input and output. `version` is recorded.
    """

    argv: tuple[str, ...]
    version: str
    environment: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    visible: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    talks: bool = False
    meter: bool = True


class Native(Value, frozen=True, kw_only=True):
    """A tool call a runtime is about to make: its own id and name of it, and what it amounts to.

    No actions: it stays inside the runtime (a to-do list, a plan), or only touches what the box alone decides.
    """

    id: str
    tool: str
    actions: tuple[Action, ...]
    text: str = ""
    """what it is, for a person: the shell line, the path"""
    content: bytes | None = None
    """what a single `write` would leave behind, where the runtime shows it: a yes is then bound to these bytes"""


class Ruling(Value, frozen=True, kw_only=True):
    """What the gate says to a tool call. `why` is for the model: the reason, and what to do instead."""

    allowed: bool
    why: str = ""
    question: str = ""


class Seat(Protocol):
    """What a runtime has of its attempt while it works. Everything it wants passes here."""

    @property
    def account(self) -> Account:
        """Where its model calls are kept account of, for a loop that makes them itself."""
        ...

    async def read(self) -> bytes | None:
        """The next bytes the program in the box printed; None when it is gone or has closed its output."""
        ...

    async def say(self, data: bytes) -> None:
        """To the standard input of the program in the box; nothing happens when it is gone."""
        ...

    async def close(self) -> None:
        """End its standard input."""
        ...

    async def rule(self, native: Native, *, wait: float = 0.0) -> Ruling:
        """Decide a tool call before it is made, each of its actions; the strictest stands. `wait` seconds for a person."""
        ...

    async def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """One `remit.act/1` request, decided, recorded and carried out as if it came through the door."""
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Write a workspace file on the stage, once its `write` was granted. Raises Conflict when a link is in the way."""
        ...

    async def remove(self, path: str) -> None:
        """Delete a workspace file on the stage, once its `delete` was granted."""
        ...

    async def loaded(self, what: str, content: bytes) -> None:
        """Put on record which context was loaded, by its hash (PRIM-10)."""
        ...

    async def report(self, text: str) -> None:
        """Put on record the runtime's last words, in full: what it says it did. They are claims."""
        ...

    async def used(self, native: str) -> None:
        """Put on record that a tool call came back with a result."""
        ...


class Runtime(Protocol):
    """One runtime at work on one attempt; made anew for each."""

    name: str
    shows: bool
    """whether it shows every tool call that acts before it makes it"""

    async def outfit(self, task: Task) -> Outfit:
        """What it needs in the box. Raises Unavailable, with the command that installs it, when it is not there."""
        ...

    async def drive(self, seat: Seat, task: Task) -> None:
        """Work until the task is done as far as the runtime is concerned. Its word on that proves nothing."""
        ...

    async def cancel(self) -> None:
        """Ask it to leave off, in its own protocol; the box is killed soon after. Never raises."""
        ...


class Runtimes(Protocol):
    """Finds who can do the work."""

    def find(self, name: str) -> Runtime:
        """A fresh one. Raises BadInput for a name nobody knows."""
        ...
