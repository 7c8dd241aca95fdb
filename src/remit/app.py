"""The wiring: settings in, a ready engine out. What is heavy is imported by the function that hands it out."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import SqliteLedger, open_ledger

if TYPE_CHECKING:
    from remit.adapters.signers.local import LocalSigner
    from remit.adapters.signers.ssh import SshSigner
    from remit.engine.hands import Asker
    from remit.engine.supervisor import Supervisor
    from remit.ports import Performer

Found = TypeVar("Found")


def crash_hook() -> Callable[[str, str], None] | None:
    """For crash tests: `REMIT_TEST_CRASH=before:7` kills this process before its 8th append, `agent-after:7` what it started.

    It can only ever hurt the process that was started with it, so it is no way around anything.
    """
    who, _, number = os.environ.get("REMIT_TEST_CRASH", "").partition(":")
    side = who.removeprefix("agent-")
    if side not in {"before", "after"} or not number.isdigit():
        return None
    left = int(number)

    def hook(when: str, _: str) -> None:
        nonlocal left
        if when != side:
            return
        left -= 1
        if left == -1:
            for pid in started() if who != side else [os.getpid()]:
                os.kill(pid, signal.SIGKILL)

    return hook


def started() -> list[int]:
    """The processes this one has started and that are still there."""
    me = os.getpid()
    return [int(pid) for pid in Path(f"/proc/{me}/task/{me}/children").read_text().split()]


@asynccontextmanager
async def records(home: Path) -> AsyncIterator[SqliteLedger]:
    """The ledger of this home, made when it is not there yet. Raises Broken when the disk will not have it."""
    with closing(open_ledger(home, clock=SystemClock(), on_append=crash_hook())) as ledger:
        yield ledger


def consult(home: Path, look: Callable[[SqliteLedger], Coroutine[Any, Any, Found]]) -> Found:
    """What `look` finds in the records of this home. It may only read. Raises Broken when the disk will not have it."""
    # A read of SQLite never waits, and to start an event loop for it would take longer than to read a thousand questions.
    with closing(open_ledger(home, clock=SystemClock())) as ledger, closing(look(ledger)) as reading:
        try:
            reading.send(None)
        except StopIteration as found:
            answer: Found = found.value
            return answer
        raise RuntimeError("whoever only reads the ledger never waits")


@asynccontextmanager
async def engine(
    home: Path, *, asker: "Asker | None" = None, tools: "Mapping[str, Performer] | None" = None
) -> "AsyncIterator[Supervisor]":
    """A ready engine over this home. `tools` are what the caller's own process carries out, by name."""
    from remit.adapters.effects.bound import BoundTools
    from remit.adapters.lease import FileLeases
    from remit.adapters.models.late import LateModelDoor
    from remit.adapters.models.prices import GenaiPrices
    from remit.adapters.notifiers.channel import channel
    from remit.adapters.runtimes import KnownRuntimes
    from remit.adapters.sandboxes.bubblewrap import Bubblewrap
    from remit.adapters.signers.local import load
    from remit.adapters.workspaces.staged import StagedWorkspace
    from remit.engine.hands import Hands
    from remit.engine.supervisor import Supervisor

    async with records(home) as ledger:
        yield Supervisor(
            Hands(
                ledger=ledger,
                clock=SystemClock(),
                leases=FileLeases(home / "leases"),
                workspace=StagedWorkspace(),
                sandbox=Bubblewrap(home / "cache"),
                home=home,
                signer=load(home),
                asker=asker,
                tools=BoundTools(os.environ, tools or {}, home=home),
                runtimes=KnownRuntimes(),
                models=LateModelDoor(os.environ),
                prices=GenaiPrices(),
                channel=lambda contact, organisation: channel(contact, organisation, os.environ),
            )
        )


def identity(home: Path) -> "LocalSigner | None":
    """Who sits here, as `remit init` wrote it; None before that."""
    from remit.adapters.signers.local import load

    return load(home)


def signer_of(person: str, key: Path) -> "SshSigner":
    """A person who signs with an SSH key of their own. Raises BadInput."""
    from remit.adapters.signers.ssh import load_ssh

    return load_ssh(person, key)
