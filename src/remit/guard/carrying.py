"""Carrying a run while its loop works: pages go out, deadlines pass, what people approved is released; once over, it ends."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime

import anyio

from remit.engine.delivery import deliver
from remit.engine.errands import run_errand
from remit.engine.hosted import seal
from remit.engine.outbox import beyond
from remit.engine.supervisor import Supervisor
from remit.errors import Busy
from remit.ports import Leases
from remit.run.errand import errand, next_moment
from remit.run.state import Run

POLL = 0.05
PATIENCE = 1.0
"""seconds to wait for a process that has the run in its hands"""


class Held:
    """The lease of one run, held by this process from now on; what it holds already it need not take again."""

    def __init__(self, run: str, leases: Leases) -> None:
        self._run, self._leases = run, leases

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """See `remit.ports.Leases`. Raises Busy when another process has it."""
        if name == self._run:
            yield
            return
        with self._leases.hold(name):
            yield


class Carrier:
    """The one that carries this run in this process. `busy` counts the calls that are being decided or carried out."""

    def __init__(self, supervisor: Supervisor, run_id: str, lease: "Lease") -> None:
        self.hands = replace(supervisor.hands, leases=Held(run_id, supervisor.hands.leases))
        self.supervisor = Supervisor(self.hands)
        self.gate = self.supervisor.gate
        self.run_id = run_id
        self.busy = 0
        self._quiet = anyio.Event()
        self._stale = True
        self._lease = lease
        self._known = Run(id=run_id)
        self._turn = anyio.Lock()
        self._moment: datetime | None = None

    async def state(self) -> Run:
        """Where the run stands; only what is new is folded."""
        self._known = await self.hands.replay(self.run_id, self._known)
        return self._known

    def begun(self) -> None:
        """One more call is under way."""
        self.busy += 1

    def ended(self) -> None:
        """One less. A stop waits for the last one."""
        self.busy -= 1
        if not self.busy:
            self._stale, self._quiet = True, self._told()

    def _told(self) -> anyio.Event:
        self._quiet.set()
        return anyio.Event()

    async def until(self, holds: Callable[[Run], bool]) -> Run:
        """The run, as soon as this holds."""
        while True:
            run = await self.state()
            if holds(run):
                return run
            await anyio.sleep(POLL)

    async def attend(self) -> None:
        """Until it is cancelled: a look whenever anybody recorded something, and when a deadline comes."""
        seen = -1
        while True:
            version = await self.hands.ledger.version()
            if version != seen or self._stale or (self._moment is not None and self.hands.clock.now() >= self._moment):
                seen, self._stale = version, False
                try:
                    await self._look()
                except Busy:  # another process is writing just now
                    self._stale = True
            await anyio.sleep(POLL)

    async def _look(self) -> None:
        async with self._turn:
            if not self._lease.held:
                return
            run = await self.state()
            if run.phase != "working" or (run.stop and not self.busy):
                await self._drive()
                return
            jobs = [job for job in await self.hands.ledger.jobs() if job.run == self.run_id]
            await self._errands()
            for job in jobs:
                if job.id != f"{self.run_id}:start":  # it stays open while the loop works, for whoever comes after a crash
                    await self.hands.ledger.finish(job)

    async def _errands(self) -> None:
        while True:
            run = await self.state()
            # What is being published is at work in this process: leftovers of another one were settled at the opening.
            move = errand(run, self.hands.clock.now(), alive=True, beyond=frozenset(await beyond(self.hands, run)))
            if move is None:
                self._moment = next_moment(run)
                return
            await run_errand(self.hands, self.gate, run, move)

    async def _drive(self) -> Run:
        """Every move there is. What has ended needs nobody here any more."""
        run = await deliver(self.supervisor, self.run_id)
        self._moment = next_moment(run)
        if run.verdict is not None:
            self._lease.let_go()
        return run

    async def end(self) -> Run:
        """The loop is over: seal what there is, check it, and go as far as it goes without a person."""
        while self.busy:
            await self._quiet.wait()
        async with self._turn:
            run = await self.state()
            if not self._lease.held:
                return run
            if run.phase == "working" and not run.stop:
                await seal(self.hands, run)
            return await self._drive()


class Lease:
    """Who may carry the run: this process, until it lets go."""

    def __init__(self, leases: Leases, run: str) -> None:
        self._leases, self._run = leases, run
        self._context: AbstractContextManager[None] | None = None

    @property
    def held(self) -> bool:
        """Whether this process carries the run."""
        return self._context is not None

    async def take(self) -> None:
        """Raises Busy when another process keeps it: one that only looks at the run has it for a moment."""
        until = anyio.current_time() + PATIENCE
        while True:
            context = self._leases.hold(self._run)
            try:
                context.__enter__()
            except Busy:
                if anyio.current_time() >= until:
                    raise
            else:
                self._context = context
                return
            await anyio.sleep(POLL)

    def let_go(self) -> None:
        """Now another process may."""
        if self._context is not None:
            self._context.__exit__(None, None, None)
            self._context = None
