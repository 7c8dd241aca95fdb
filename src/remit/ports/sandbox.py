"""The sandbox: a box, what it is made of, and who watches it."""

import socket
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from remit.contract.contract import Level
from remit.ports.workspace import Mount
from remit.value import Value

METER = 8100
"""the port inside a box on which model calls are taken"""


class BoxLimits(Value, frozen=True, kw_only=True):
    """What the box may use: seconds, bytes, counts."""

    time: float | None = None
    memory: int | None = None
    processes: int | None = 512
    file: int | None = None
    disk: int | None = None
    output: int | None = 64 * 1024 * 1024


class BoxPlan(Value, frozen=True, kw_only=True):
    """Everything the box is made of. What is not named here is not there."""

    argv: tuple[str, ...]
    mount: Mount
    cwd: str
    environment: Mapping[str, str] = {}
    visible: tuple[str, ...] = ()
    """further host folders, read-only (interpreters)"""
    files: Mapping[str, str] = {}
    """small read-only files laid in: path in the box to text"""
    network: bool = False
    """True: an egress proxy listens inside; every connection is asked of the watcher. False: no route at all"""
    meter: bool = False
    """True: model calls are taken on a port of their own inside; each connection goes to the watcher"""
    talks: bool = False
    """True: its standard input is a pipe that the box writes to; False: it is empty"""
    observe: bool = True
    door: bool = True
    limits: BoxLimits = BoxLimits()
    uid: int | None = None
    gid: int | None = None
    level: Level = "L3"


class Exec(Value, frozen=True, kw_only=True):
    """A program the box is about to start, as the observer read it."""

    pid: int
    path: str
    argv: tuple[str, ...]


class Exit(Value, frozen=True, kw_only=True):
    """How the box ended: exit status, or why it was ended; and the receipt that nothing is left."""

    status: int | None
    why: Literal["ended", "limit", "stopped"]
    limit: str = ""
    receipt: str = ""
    killed: tuple[str, ...] = ()
    """processes that were alive when everything was killed, as `name (pid inside)`; the last one says how many more"""


class Watcher(Protocol):
    """Who the box asks and tells while it lives. Implemented by the engine: this is the only way in."""

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """One line from the door, answered by one line."""
        ...

    async def exec(self, program: Exec) -> bool:
        """May this program start? False makes it fail with EPERM."""
        ...

    async def connect(self, host: str, port: int) -> bool:
        """May the box reach this host and port?"""
        ...

    async def model(self, connection: socket.socket) -> None:
        """A program inside opened a connection to the meter's port: serve it until it ends."""
        ...

    async def blocked(self, what: str, object_: str, by: str) -> None:
        """The box or the kernel stopped something."""
        ...

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """The program printed this."""
        ...


class Part(Value, frozen=True, kw_only=True):
    """One mechanism of containment as probed by doing it."""

    name: str
    ok: bool
    detail: str = ""
    cure: str = ""
    required: bool = True


class Containment(Value, frozen=True, kw_only=True):
    """What this machine can do: the level and every part of it."""

    level: Level
    parts: tuple[Part, ...]


class Box(Protocol):
    """A live box."""

    pid: int
    """the pid namespace's first process, as the host sees it"""

    async def wait(self) -> Exit:
        """Until nothing of it is left."""
        ...

    async def stop(self, why: Literal["limit", "stopped"], limit: str = "") -> None:
        """Kill everything inside at once; `wait` then returns."""
        ...

    async def say(self, data: bytes) -> None:
        """To the standard input of the command. Nothing happens when it is gone, or has closed it."""
        ...

    async def close(self) -> None:
        """End its standard input."""
        ...

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a workspace file through the live mount, never following links. Raises Conflict when a link is in the way."""
        ...

    async def remove(self, path: str) -> None:
        """Delete a workspace file through the live mount, never following links."""
        ...


class Sandbox(Protocol):
    """Makes boxes."""

    async def probe(self, *, fresh: bool = False) -> Containment:
        """What this machine can do, found by doing it; cached per boot and binary."""
        ...

    def open(self, plan: BoxPlan, watcher: Watcher) -> AbstractAsyncContextManager[Box]:
        """A started box; leaving the context kills what is left. Raises Unavailable when it cannot be made."""
        ...
