"""A runtime at work on this machine: its driver, a scripted model behind a meter that only passes on, and a seat without a box."""

import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from remit.adapters.sandboxes import argv
from remit.contract.takes import takes
from remit.plan.skill_call import skill_tool
from remit.ports import Native, Ruling, Runtime, Seat, Task
from remit.testing.models import ModelServer, Script, serving
from remit.testing.seat import Act, Rule, TestSeat, allowed, done, passing, seated

PATIENCE = 60.0
ROOT = Path(__file__).parents[3]
PACKAGES = {
    "claude": "@anthropic-ai/claude-code@2.1.197",
    "codex": "@openai/codex@0.169.0",
    "gemini": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
}


def program(name: str) -> Path:
    """The executable of a runtime; without it the test is skipped, with the command that installs it."""
    place = Path(os.environ.get("REMIT_RUNTIMES") or ROOT / ".runtimes") / name
    found = place / "node_modules" / ".bin" / name
    if not found.exists():
        pytest.skip(f"{name} is not installed: npm i --prefix {place} {PACKAGES[name]}")
    return found


def named(name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, and the drivers find it."""
    found = program(name)
    monkeypatch.setenv(f"REMIT_{name.upper()}", str(found))
    return found


class Worked:
    """What there is to look at afterwards."""

    def __init__(self, seat: TestSeat, server: ModelServer, connections: int) -> None:
        self.seat = seat
        self.server = server
        self.connections = connections

    @property
    def asked(self) -> list[tuple[str, list[str], bool]]:
        """Tool, actions and ruling, in the order they were ruled on."""
        return [(native.tool, [action.said() for action in native.actions], ruling.allowed) for native, ruling in self.seat.ruled]


def task(folder: Path, meter: str, text: str, **more: Any) -> Task:
    """A task in `folder`."""
    given: dict[str, Any] = {
        "run": "run-1",
        "attempt": 1,
        "cwd": str(folder),
        "state": folder.parent / "state",
        "token": "run-token",
    }
    return Task(**(given | {"text": text, "meter": meter} | more))


async def work(
    runtime: Runtime,
    folder: Path,
    *scripts: Script,
    rule: Rule = allowed,
    act: Act = done,
    instead: Mapping[str, str] | None = None,
    beside: Callable[[Runtime, TestSeat, ModelServer], Awaitable[None]] | None = None,
    **more: Any,
) -> Worked:
    """Drive a runtime through the first of the scripts until its driver returns. `beside` happens meanwhile."""
    async with serving(scripts) as server, passing(server.url) as meter:
        told = task(folder, meter.url, **({"text": f"Do it. [[script: {scripts[0].name}]]"} | more))
        outfit = await runtime.outfit(told)
        async with seated(outfit, folder, rule=rule, act=act, instead=instead) as seat:
            with anyio.fail_after(PATIENCE):
                async with anyio.create_task_group() as group:
                    if beside is not None:
                        group.start_soon(beside, runtime, seat, server)
                    await runtime.drive(seat, told)
                    group.cancel_scope.cancel()
            return Worked(seat, server, meter.connections)


def refusing(*tools: str, why: str = "not in this contract; write docs/ instead") -> Rule:
    """No to these tools, yes to every other."""

    async def rule(native: Native) -> Ruling:
        return Ruling(allowed=False, why=why) if native.tool in tools else Ruling(allowed=True)

    return rule


async def breaking(_: Native) -> Ruling:
    """A gate that fails."""
    raise RuntimeError("the ledger is gone")


class ScriptedSeat:
    """A seat whose program is a list of things it prints, and that puts down what it is told."""

    def __init__(self, prints: Iterable[bytes], rule: Rule = allowed) -> None:
        self.prints = iter(prints)
        self.said: list[bytes] = []
        self.ruled: list[Native] = []
        self.closed = False
        self.reports: list[str] = []
        self.returned: list[str] = []
        self._rule = rule

    async def read(self) -> bytes | None:
        """The next thing; None after the last."""
        await anyio.lowlevel.checkpoint()
        return next(self.prints, None)

    async def say(self, data: bytes) -> None:
        """Put down."""
        self.said.append(data)

    async def close(self) -> None:
        """Put down."""
        self.closed = True

    async def rule(self, native: Native, *, wait: float = 0.0) -> Ruling:
        """By the rule given."""
        self.ruled.append(native)
        return await self._rule(native)

    async def loaded(self, what: str, content: bytes) -> None:
        """Nothing to put down."""

    async def report(self, text: str) -> None:
        """Put down."""
        self.reports.append(text)

    async def used(self, native: str) -> None:
        """Put down."""
        self.returned.append(native)


TOOLS = json.dumps([{"name": "Skill", "description": "Invoke a skill.", "inputSchema": takes(skill_tool())}])


@asynccontextmanager
async def doored(place: Path) -> AsyncIterator[tuple[Path, list[TestSeat]]]:
    """remit's own server of tools, as a program of this machine; its door is that of the seat that is put into the list."""
    seats: list[TestSeat] = []
    place.mkdir(parents=True, exist_ok=True)
    sock, program = place / "door", place / "remit-mcp"
    inside = Path(argv.__file__).parent / "inside" / "mcp.py"
    words = {"REMIT_DOOR": str(sock), "REMIT_TOOLS": TOOLS}
    given = " ".join(f"{name}={shlex.quote(text)}" for name, text in words.items())
    program.write_text(f"#!/bin/sh\n{given} exec {sys.executable} -IS {inside}\n")
    program.chmod(0o755)

    async def visit(stream: SocketStream) -> None:
        async with stream:
            message = json.loads(await BufferedByteReceiveStream(stream).receive_until(b"\n", 1 << 20))
            await stream.send(json.dumps(await seats[-1].act(message)).encode() + b"\n")

    async with await anyio.create_unix_listener(str(sock)) as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, visit)
        yield program, seats
        group.cancel_scope.cancel()


@asynccontextmanager
async def ended_within(seconds: float) -> AsyncIterator[None]:
    """Fails when what is inside takes longer."""
    with anyio.fail_after(seconds):
        yield


def seat_of(seat: ScriptedSeat) -> Seat:
    """As the driver wants it."""
    return seat  # type: ignore[return-value]
