"""A process that appends until it is killed: HOME, how many (0: for ever), then where to crash (`before:3`)."""

import os
import resource
import signal
import sys
from pathlib import Path

import anyio

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.errors import Broken
from remit.ports import Job
from remit.run.event import Notified

HOME, COUNT, CRASH = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""


def hook(when: str, kind: str) -> None:
    side, _, number = CRASH.partition(":")
    if side == when and kind == "notified":
        hook.left = getattr(hook, "left", int(number)) - 1  # type: ignore[attr-defined]
        if hook.left < 0:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    ledger = open_ledger(HOME, clock=SystemClock(), on_append=hook)
    if CRASH.startswith("file:"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(CRASH[5:]), int(CRASH[5:])))
    number = 0
    while not COUNT or number < COUNT:
        try:
            async with ledger.transaction() as transaction:
                # Two events and a job belong together: half of them is the fault to look for.
                first = transaction.append(Notified(run="r1", who="a", how=str(os.getpid()), what="x" * 200))
                transaction.append(Notified(run="r1", who="b", how=str(os.getpid()), what=str(first.seq)))
                transaction.submit(Job(id=f"{first.seq}", run="r1"))
        except Broken as error:
            print(f"BROKEN {error}", flush=True)
            return
        number += 1
        print(first.seq, flush=True)


if __name__ == "__main__":
    anyio.run(main)
