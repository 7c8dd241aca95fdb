"""A gateway on the pipes of whoever started it: one host, one server, one run."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from remit.mcp.gateway.lines import Pen, lines
from remit.mcp.gateway.messages import MOST, Id
from remit.mcp.gateway.passing import polled
from remit.mcp.gateway.server import Pipe, Server
from remit.mcp.gateway.session import Session
from remit.mcp.gateway.shelf import Shelf

GRACE = 1.0
"""seconds in which what is under way may still be answered once its host is gone"""
PATIENCE = 10.0
"""seconds in which the host is still told what became of it once its server is gone"""


async def serve(shelf: Shelf, pipe: Pipe, log: Callable[[str], None], *, name: str, into: int = 0, out: int = 1) -> None:
    """Relay until the host closes its end, or somebody ends the gateway."""
    pen = Pen(out)

    async def send(message: bytes, about: Id | None) -> None:  # noqa: ARG001 - a pipe has one direction
        try:
            await pen.write(message)
        except OSError:
            log("the host does not listen any more")

    async with anyio.create_task_group() as group:
        session = Session(shelf, send, log, group)
        session.server = Server(pipe, session.heard, log, name)
        shelf.desk.behind(session.server)
        group.start_soon(session.server.attend)
        await _until_over(session, into)
        await drained(session)
        await shelf.desk.quiet()
        group.cancel_scope.cancel()


async def drained(session: Session) -> None:
    """What is under way gets a moment, then it is given up: what was begun and not answered is in doubt, and recorded so."""
    here = session.server.gone.is_set()
    if here:
        session.leave(silent=False)
    with anyio.move_on_after(PATIENCE if here else GRACE):
        await polled(lambda: not session.busy)
    session.leave(silent=True)


async def _until_over(session: Session, into: int) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(_ended, group)
        group.start_soon(_gone, session, group)
        async for line in lines(into, MOST):
            await session.receive(line)
        group.cancel_scope.cancel()


async def _ended(group: TaskGroup) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            group.cancel_scope.cancel()
            return


async def _gone(session: Session, group: TaskGroup) -> None:
    await session.server.gone.wait()
    session.log(f"{session.server.name} has ended")
    group.cancel_scope.cancel()


@asynccontextmanager
async def own_output() -> AsyncIterator[int]:
    """A descriptor for the messages: whatever else prints to stdout ends on stderr instead."""
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        yield out
    finally:
        os.dup2(out, 1)
        os.close(out)
