"""A runtime that speaks ACP at work on this machine, until nothing of what it printed is left."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from at_work import Worked, task

from remit.ports import Runtime
from remit.testing.models import Final, Script, serving
from remit.testing.seat import Rule, TestSeat, allowed, seated

PATIENCE = 90.0


async def drained(seat: TestSeat) -> None:
    """The program is killed, and what it printed is read to its end."""
    with suppress(ProcessLookupError):
        os.killpg(seat.process.pid, signal.SIGKILL)
    with anyio.fail_after(10):
        while await seat.read() is not None:
            pass


async def working(runtime: Runtime, folder: Path, *steps: Any, rule: Rule = allowed, **more: Any) -> Worked:
    """Drive it through these steps of its model until its driver returns."""
    job = Script(name="job", steps=(*steps, Final(text="all done")))
    async with serving([job]) as server:
        told = task(folder, server.url, "Do it. [[script: job]]", **more)
        async with seated(await runtime.outfit(told), folder, rule=rule) as seat:
            with anyio.fail_after(PATIENCE):
                await runtime.drive(seat, told)
            await drained(seat)
            return Worked(seat, server, 0)
