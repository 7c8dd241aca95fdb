"""A server as a process of its own: a clean environment, its messages on pipes, what it mutters on our stderr."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio

from remit.errors import BadInput, Unavailable
from remit.mcp.gateway.lines import Pen, lines
from remit.mcp.gateway.messages import MOST_BACK
from remit.mcp.gateway.passing import polled

USUAL = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")
"""variables that a program needs to find itself; every other one is named, or not there"""
PATIENCE = 2.0
"""seconds a server has to end by itself, and then again to end when told"""
MUTTERED = 4000


def environment(ours: Mapping[str, str], named: Sequence[str]) -> dict[str, str]:
    """The usual variables and those that are named. Raises BadInput for one that is not set here."""
    if missing := [name for name in named if name not in ours]:
        raise BadInput(f"{', '.join(f'${name}' for name in missing)} not set here", hint="set it where the gateway is started")
    return {name: ours[name] for name in (*USUAL, *named) if name in ours}


class ProcessPipe:
    """See `remit.mcp.gateway.server.Pipe`."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None and process.stdout is not None
        self._pen = Pen(process.stdin.fileno())
        self._out = process.stdout.fileno()

    async def send(self, message: bytes, *, method: str = "", params: Mapping[str, Any] = {}) -> None:
        """One line on its stdin."""
        await self._pen.write(message)

    def back(self) -> AsyncIterator[bytes | None]:
        """The lines of its stdout."""
        return lines(self._out, MOST_BACK)


@asynccontextmanager
async def started(
    argv: Sequence[str], variables: Mapping[str, str], log: Callable[[str], None], *, folder: Path | None = None
) -> AsyncIterator[ProcessPipe]:
    """The server while it lives; left, its stdin is closed and it is ended, with everything in its process group.

    Raises Unavailable when it cannot be started.
    """
    try:
        process = subprocess.Popen(  # noqa: ASYNC220 - its pipes are waited for without blocking
            list(argv), env=dict(variables), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise Unavailable(f"`{argv[0]}` cannot be started: {said}", hint="give the command as a shell would find it") from None
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_muttering, process.stderr.fileno(), log)
            yield ProcessPipe(process)
            with anyio.CancelScope(shield=True):
                process.stdin.close()
                await _ended(process)
            group.cancel_scope.cancel()
    finally:
        _killed(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


# ---------------------------------------------------------------------------------------------------------------------


async def _muttering(descriptor: int, log: Callable[[str], None]) -> None:
    async for line in lines(descriptor, MUTTERED):
        text = "a long line" if line is None else line.decode("utf-8", "replace")
        log("server: " + "".join(mark if mark.isprintable() or mark == "\t" else "\ufffd" for mark in text.rstrip("\r")))


async def _ended(process: "subprocess.Popen[bytes]") -> None:
    """A server ends when its stdin does; one that does not is told to, and then made to."""
    for told in (None, process.terminate):
        if told is not None:
            told()
        with anyio.move_on_after(PATIENCE):
            await polled(lambda: process.poll() is not None)
            return


def _killed(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
