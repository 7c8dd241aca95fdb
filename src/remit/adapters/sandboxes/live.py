"""A live box: reads what it prints, waits for its end, kills it, and proves that nothing is left."""

import os
import select
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import anyio
import anyio.to_thread

from remit.adapters.sandboxes import control
from remit.adapters.sandboxes.inhabitants import inhabitants
from remit.adapters.sandboxes.reach import Reach
from remit.adapters.sandboxes.settle import settle
from remit.adapters.sandboxes.speech import Speech
from remit.errors import Broken, Conflict
from remit.ports import BoxPlan, Exit, Watcher
from remit.value import Value

CHUNK = 65536
Service = Callable[[], Coroutine[Any, Any, None]]
PATIENCE = 5.0
"""seconds for handing on what a dead box had printed"""
END = "the end of the box, which killed it"


class Held(Value, frozen=True, kw_only=True):
    """What the supervisor holds of a box: processes by pid and pidfd, pipes, the live mount, the upper in memory."""

    bwrap: int
    bwrap_fd: int
    init: int
    init_fd: int
    namespace: int
    stdout: int
    stderr: int
    merged: int | None
    upper: int | None
    control: socket.socket
    """where the first process says at its end what the command left running"""
    speech: Speech | None


class Live:
    """Satisfies `Box`."""

    def __init__(self, plan: BoxPlan, watcher: Watcher, held: Held) -> None:
        self.pid = held.init
        self._plan = plan
        self._watcher = watcher
        self._held = held
        self._why: tuple[Literal["limit", "stopped"], str] | None = None
        self._dead = anyio.Event()
        self._ended = anyio.Event()
        self._printed = 0
        self._exit: Exit | None = None
        self._killed: tuple[str, ...] = ()
        self._error: Exception | None = None

    async def wait(self) -> Exit:
        """Until nothing of it is left, and what it wrote stands on disk."""
        await self._ended.wait()
        if self._exit is None or self._error is not None:
            raise Broken(f"watching the box failed: {self._error}; it was killed") from self._error
        return self._exit

    async def stop(self, why: Literal["limit", "stopped"], limit: str = "") -> None:
        """Kill everything inside at once; the first reason stands."""
        if self._dead.is_set():
            return
        self._why = self._why or (why, limit)
        if not self._killed:
            with suppress(OSError):
                self._killed = inhabitants(self._held.namespace)
        kill(self._held.init_fd)

    async def say(self, data: bytes) -> None:
        """To the standard input of the command; nothing happens when it does not read it (any more)."""
        if self._held.speech is not None:
            await self._held.speech.say(data)

    async def close(self) -> None:
        """End its standard input."""
        if self._held.speech is not None:
            await self._held.speech.close()

    async def write(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Write a workspace file through the live mount. Raises Conflict when a link, or the box's end, is in the way."""
        await anyio.to_thread.run_sync(partial(self._reach(path).write, path, data, mode))

    async def remove(self, path: str) -> None:
        """Delete a workspace file through the live mount; one that is not there is removed already."""
        await anyio.to_thread.run_sync(self._reach(path).remove, path)

    def _reach(self, path: str) -> Reach:
        if self._held.merged is None or not self._plan.mount.writable or self._dead.is_set():
            raise Conflict(f"`{path}` cannot be changed: the box is read-only or has ended")
        return Reach(self._held.merged, self._plan.uid, self._plan.gid)

    async def run(self, services: Sequence[Service]) -> None:
        """Serve the box until it is dead, then drain, settle and tell. Cancelling does not leave it half ended."""
        with anyio.CancelScope(shield=True):
            try:
                await self._serve(services)
            except Exception as error:  # noqa: BLE001 - whoever waits is told; the box must die first
                while isinstance(error, ExceptionGroup):
                    error = error.exceptions[0]
                self._error = error
            kill(self._held.init_fd)
            await readable(self._held.init_fd)
            self._dead.set()
            await self._finish(datetime.now(UTC))
            self._ended.set()

    async def _serve(self, services: Sequence[Service]) -> None:
        async with anyio.create_task_group() as serving:
            for each in services:
                serving.start_soon(each)
            async with anyio.create_task_group() as readers:
                readers.start_soon(self._read, self._held.stdout, "stdout")
                readers.start_soon(self._read, self._held.stderr, "stderr")
                await readable(self._held.init_fd)
                self._dead.set()
                readers.cancel_scope.deadline = anyio.current_time() + PATIENCE
            serving.cancel_scope.cancel()

    async def _finish(self, at: datetime) -> None:
        await readable(self._held.bwrap_fd)
        _, ending = os.waitpid(self._held.bwrap, 0)  # noqa: ASYNC222 - it is dead, as its pidfd says
        status = os.waitstatus_to_exitcode(ending)
        await self._tell_end()
        upper, place = self._held.upper, self._plan.mount.upper
        if upper is not None and place is not None:
            if os.fstatvfs(upper).f_bavail == 0:
                self._why = self._why or ("limit", "disk")
            try:
                await anyio.to_thread.run_sync(settle, upper, place)
            except OSError as error:
                self._error = self._error or error
        receipt = (
            f"pid namespace {self._held.namespace} is empty: init {self.pid} reaped at {at.isoformat(timespec='milliseconds')}"
        )
        why, limit = self._why or ("ended", "")
        code = (status if status >= 0 else 128 - status) if why == "ended" else None
        self._exit = Exit(status=code, why=why, limit=limit, receipt=receipt, killed=self._killed)

    async def tell(self, what: str, object_: str, by: str) -> None:
        """Tell the watcher that something was stopped. A watcher that breaks breaks the box, as with anything it is told."""
        try:
            await self._watcher.blocked(what, object_, by)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._error = self._error or error

    async def _tell_end(self) -> None:
        """What the first process saw when the command had ended; nobody holds the other end of its line any more."""
        heard = await control.hear(self._held.control)
        if heard is None or not isinstance(left := heard.message.get("left"), int):
            return
        named = heard.message.get("named")
        rows = [each for each in named if isinstance(each, dict)] if isinstance(named, list) else []
        for each in rows:
            await self.tell("left running", f"{each.get('name')} (pid {each.get('pid')} inside)", END)
        if left > len(rows):
            await self.tell("left running", f"{left - len(rows)} more", END)
        memory, most = self._plan.limits.memory, heard.message.get("largest")
        if memory is not None and isinstance(most, int) and most:
            await self.tell("memory", f"a process had taken {most >> 20} of {memory >> 20} MiB", "the memory limit")

    async def _read(self, pipe: int, stream: Literal["stdout", "stderr"]) -> None:
        cap = self._plan.limits.output
        while True:
            await readable(pipe)
            data = os.read(pipe, CHUNK)
            if not data:
                return
            room = len(data) if cap is None else max(0, cap - self._printed)
            self._printed += len(data)
            if room:
                await self._watcher.output(stream, data[:room])
            if room < len(data):
                await self.stop("limit", "output")

    @property
    def dead(self) -> anyio.Event:
        """Set once the namespace is empty."""
        return self._dead

    @property
    def ended(self) -> anyio.Event:
        """Set once `wait` has its answer."""
        return self._ended


def kill(pidfd: int, number: int = signal.SIGKILL) -> None:
    """Signal exactly this process, never another that took its number."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, number)


async def readable(descriptor: int) -> None:
    """Until the descriptor has something to say."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(0):
        await anyio.wait_readable(descriptor)
