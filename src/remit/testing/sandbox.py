"""Boxes that are none: the programs are Python functions of this very process, free to do anything."""

import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.abc

from remit.contract.contract import Level
from remit.errors import Conflict, Unavailable
from remit.ports import Box, BoxPlan, Containment, Exec, Exit, Part, Watcher
from remit.testing.trees import copy, reach


class Inside:
    """What a script has of its box: the folder, and the ways to be seen, to ask and to be told."""

    def __init__(self, plan: BoxPlan, folder: Path, watcher: Watcher, box: "ScriptedBox") -> None:
        self.argv = plan.argv
        self.environment = plan.environment
        self.folder = folder
        self._plan = plan
        self._watcher = watcher
        self._box = box
        self._held = b""

    async def act(self, verb: str, object_: str | list[str] = "", **more: Any) -> dict[str, Any]:
        """Ask at the door, as `remit act` does; further fields of the line by name. Raises Conflict where there is no door."""
        told = await self.send({"schema": "remit.act/1", "verb": verb, "object": object_, **more})
        if told.get("draft") and told.get("state") in {"done", "refused"}:
            await self.send({"schema": "remit.act/1", "verb": "got", "object": told["draft"]})
        return told

    async def send(self, message: dict[str, Any]) -> dict[str, Any]:
        """Any line at the door."""
        if not self._plan.door:
            raise Conflict("this box has no door")
        return await self._watcher.request(message)

    async def say(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Print."""
        await self._box.printed(text.encode(), stream)

    async def starts(self, *argv: str) -> bool:
        """Tell that a program is about to start; whether it may."""
        return await self._watcher.exec(Exec(pid=0, path=argv[0], argv=argv)) if self._plan.observe else True

    async def connects(self, host: str, port: int) -> bool:
        """Whether this host may be reached: never, where the box has no network."""
        return self._plan.network and await self._watcher.connect(host, port)

    async def hears(self) -> bytes:
        """The next of what is said to its standard input; nothing at its end, and always where the box does not talk."""
        return await self._box.heard()

    async def hears_line(self) -> bytes:
        """The next line with its end; what is left without one at the end, then nothing."""
        while b"\n" not in self._held and (more := await self.hears()):
            self._held += more
        end = self._held.find(b"\n") + 1 or len(self._held)
        line, self._held = self._held[:end], self._held[end:]
        return line

    async def calls_model(self) -> socket.socket:
        """A connection to the meter, non-blocking; whoever calls closes it. Raises ConnectionRefusedError where there is none."""
        if not self._plan.meter:
            raise ConnectionRefusedError("this box has no meter")
        return await self._box.metered()

    async def stays(self) -> None:
        """Work until stopped."""
        await anyio.sleep_forever()


Script = Callable[[Inside], Awaitable[int | None]]
"""A program: gives its exit status, None for 0. What it raises is the fault of its author and comes out of `Box.wait`."""


PIPE = 16
"""sayings a script may be behind before whoever speaks waits"""


class ScriptedBox:
    """See `remit.ports.Box`."""

    pid = 0
    """no process of its own, so nobody can be killed by this number"""

    def __init__(self, plan: BoxPlan, folder: Path, watcher: Watcher, tasks: anyio.abc.TaskGroup) -> None:
        self._plan = plan
        self._folder = folder
        self._watcher = watcher
        self._tasks = tasks
        self._speech, self._ear = anyio.create_memory_object_stream[bytes](PIPE)
        if not plan.talks:
            self._speech.close()
        self._scope = anyio.CancelScope()
        self._serving: list[anyio.CancelScope] = []
        self._ended = anyio.Event()
        self._exit = Exit(status=None, why="stopped")
        self._why: tuple[Literal["limit", "stopped"], str] | None = None
        self._failure: BaseException | None = None
        self._count = 0

    async def run(self, script: Script | None) -> None:
        """Let the script run until it ends or is stopped."""
        status: int | None = None
        try:
            with self._scope, anyio.move_on_after(self._plan.limits.time) as timed:
                status = await self._called(script)
            if timed.cancelled_caught:
                self._why = self._why or ("limit", "time")
        finally:  # cancelled from without, it has ended too, and somebody waits for that
            self._speech.close()
            self._ear.close()
            for each in self._serving:
                each.cancel()
            why, limit = self._why or ("ended", "")
            receipt = "the script has returned: its box is empty"
            self._exit = Exit(status=status if why == "ended" else None, why=why, limit=limit, receipt=receipt)
            self._ended.set()

    async def _called(self, script: Script | None) -> int | None:
        if not await self._watcher.exec(Exec(pid=0, path=self._plan.argv[0], argv=self._plan.argv)) and self._plan.observe:
            return 126
        if script is None:
            await self.printed(f"`{self._plan.argv[0]}` is no script\n".encode(), "stderr")
            return 127
        try:
            return await script(Inside(self._plan, self._folder, self._watcher, self)) or 0
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            self._failure = error
            return None

    async def wait(self) -> Exit:
        """Until the script has ended. Raises what the script raised."""
        await self._ended.wait()
        if self._failure is not None:
            raise self._failure
        return self._exit

    async def stop(self, why: Literal["limit", "stopped"], limit: str = "") -> None:
        """End the script where it waits; the first reason stands."""
        if not self._ended.is_set():
            self._why = self._why or (why, limit)
            self._scope.cancel()

    async def say(self, data: bytes) -> None:
        """To the script; nothing happens when it does not listen (any more)."""
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            await self._speech.send(bytes(data))

    async def close(self) -> None:
        """End what is said."""
        self._speech.close()

    async def heard(self) -> bytes:
        """What the script hears next, nothing at the end."""
        try:
            return await self._ear.receive()
        except anyio.EndOfStream:
            return b""

    async def metered(self) -> socket.socket:
        """A connection of loopback, as a real box has it; its other end is with the watcher until the script ends."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            near = socket.create_connection(listener.getsockname())
            far, _ = listener.accept()
        near.setblocking(False)
        far.setblocking(False)
        scope = anyio.CancelScope()
        self._serving.append(scope)
        self._tasks.start_soon(self._served, far, scope)
        return near

    async def _served(self, far: socket.socket, scope: anyio.CancelScope) -> None:
        with far, scope, suppress(Exception):
            await self._watcher.model(far)

    async def ended(self) -> None:
        """Until nothing runs."""
        await self._ended.wait()

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a workspace file. Raises Conflict when a link, or the box's end, is in the way."""
        at = self._reach(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        if at.is_symlink() or at.is_dir():
            raise Conflict(f"`{path}` is no file")
        at.write_bytes(data)
        at.chmod(mode)

    async def remove(self, path: str) -> None:
        """Delete a workspace file; one that is not there is removed already."""
        self._reach(path).unlink(missing_ok=True)

    async def printed(self, data: bytes, stream: Literal["stdout", "stderr"]) -> None:
        """Hand on what was printed, up to the limit."""
        cap = self._plan.limits.output
        room = len(data) if cap is None else max(0, cap - self._count)
        self._count += len(data)
        if room:
            await self._watcher.output(stream, data[:room])
        if room < len(data):
            await self.stop("limit", "output")
            await anyio.lowlevel.checkpoint()

    def _reach(self, path: str) -> Path:
        if not self._plan.mount.writable or self._ended.is_set():
            raise Conflict(f"`{path}` cannot be changed: the box is read-only or has ended")
        return reach(self._folder, path)


class UnconfinedScripts:
    """See `remit.ports.Sandbox`. NO ISOLATION WHATSOEVER: for tests of what stands around a box, never for an agent.

    `programs` are found by the first word of the argv; `level` is what it claims to contain, honestly `L0`. It has no proxy and
    no kernel that could see anything: a script tells what it does, or nobody knows.
    """

    def __init__(self, programs: Mapping[str, Script] | None = None, *, level: Level = "L0") -> None:
        self.programs: dict[str, Script] = dict(programs or {})
        self.plans: list[BoxPlan] = []
        """every box that was asked for, in order"""
        self._level: Level = level

    async def probe(self, *, fresh: bool = False) -> Containment:
        """Nothing is contained, and that is said."""
        part = Part(name="isolation", ok=False, detail="scripts run unconfined in this process", cure="use a real sandbox")
        return Containment(level=self._level, parts=(part,))

    @asynccontextmanager
    async def open(self, plan: BoxPlan, watcher: Watcher) -> AsyncIterator[Box]:
        """A started script; leaving the context ends it. Raises Unavailable for a mount that only a kernel can make."""
        if plan.mount.kind != "bind":
            raise Unavailable(f"scripts have no `{plan.mount.kind}` mount", hint="use PlainWorkspace")
        self.plans.append(plan)
        with ExitStack() as held:
            folder = Path(plan.mount.lower[0])
            if not plan.mount.writable:  # what is written to it goes nowhere
                spare = Path(held.enter_context(tempfile.TemporaryDirectory())) / "tree"
                copy(folder, spare)
                folder = spare
            failure: BaseException | None = None
            async with anyio.create_task_group() as tasks:
                box = ScriptedBox(plan, folder, watcher, tasks)
                tasks.start_soon(box.run, self.programs.get(plan.argv[0]))
                try:
                    yield box
                except BaseException as error:  # noqa: BLE001 - raised again below, not wrapped into a group
                    failure = error
                finally:
                    with anyio.CancelScope(shield=True):
                        await box.stop("stopped")
                        await box.ended()
            if failure is not None:
                raise failure
