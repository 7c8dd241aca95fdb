"""The run behind a gateway: started when it is known what the server has, asked for every act, and ended in order."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
from anyio.abc import TaskGroup, TaskStatus
from msgspec.structs import replace

from remit.app import engine, identity
from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decision import Code
from remit.contract.party import Tool
from remit.engine import hosted
from remit.engine.start import start
from remit.engine.supervisor import Supervisor
from remit.errors import BadInput, Busy
from remit.guard import Done, Guard, Outcome, Refused, Waiting
from remit.guard.carrying import Carrier, Lease
from remit.guard.declaring import Declared
from remit.guard.guarding import outcome
from remit.guard.opening import Terms, home_of, terms
from remit.mcp.gateway.listing import undeclared
from remit.mcp.gateway.messages import Reply
from remit.mcp.gateway.methods import GATED
from remit.mcp.gateway.passing import UNDER_WAY, Asks, Passing, polled
from remit.mcp.gateway.performing import ServerPerformer
from remit.mcp.gateway.server import Lost, Server
from remit.ports import Performer, Signer
from remit.run.metered import ContextLoaded
from remit.run.outbox import ENDED
from remit.run.state import Run

TOOL = "mcp tool "
Result = Done | Refused | Waiting
MOST_KEPT = 4 * 1024 * 1024
"""bytes of answers that are kept for whoever asks again"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a gateway is started with. `person_here`: the local identity sits at the host, so what is said there is theirs.

    `carry_on`: a run in which people are awaited when the host leaves is left open, and goes on with the next gateway.
    """

    contract: Path
    org: str | None = None
    home: Path | None = None
    workspace: Path | None = None
    command: tuple[str, ...] = ()
    unattended: bool = False
    person_here: bool = False
    wait: float = 0
    carry_on: bool = False


class Performers(Mapping[str, Performer]):
    """What the server carries out, by the names it is called in rules; more may come to be known."""

    def __init__(self, desk: "Desk") -> None:
        self._desk, self._known = desk, dict[str, Performer]()

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Performer:
        if name not in self._known:
            if name not in GATED and name not in self._desk.offered:
                raise KeyError(name)
            method = name if name in GATED else "tools/call"
            self._known[name] = ServerPerformer(name, method, self._desk)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class Desk:
    """Everything a gateway asks of remit. One run, whoever and however many its hosts are."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.offered: set[str] = set()
        self.declared: frozenset[str] = frozenset()
        self.person = ""
        self.pinned: dict[str, str] = {}
        self.outcome: Outcome | None = None
        self.signer: Signer | None = None
        self._agreed: Terms
        self._guard: Guard | None = None
        self._carrier: Carrier | None = None
        self._servers: list[Server] = []
        self._held: dict[str, Passing] = {}
        self._said: OrderedDict[str, Reply] = OrderedDict()
        self._turn, self._over = anyio.Lock(), anyio.Event()

    @property
    def run(self) -> str:
        """The id of the run; empty before it has begun."""
        return self._guard.run if self._guard is not None else ""

    def behind(self, server: Server) -> None:
        """One more server that calls can be carried out by."""
        self._servers.append(server)

    def reach(self, key: str) -> tuple[Asks, Passing | None]:
        """Who carries out what was approved, and the request that still waits for it. Raises Lost."""
        passing = self._held.get(key)
        if passing is not None and not passing.left.is_set():
            return passing.server, passing
        for server in reversed(self._servers):
            if not server.gone.is_set():
                return server, None
        raise Lost("no server is there")

    def keep(self, key: str, reply: Reply) -> None:
        """What the server said to a call, for whoever asks for the same one while it is still the same act."""
        self._said[key] = reply
        while len(self._said) > 1 and sum(len(each.result) for each in self._said.values()) > MOST_KEPT:
            self._said.popitem(last=False)

    def said(self, key: str) -> Reply | None:
        """See `keep`."""
        return self._said.get(key)

    async def begin(self, names: Iterable[str]) -> None:
        """The run begins now when it has not. `names` are the tools of the server: a new one counts only where it is declared."""
        async with self._turn:
            self.offered |= set(names)
            if self._guard is None:
                tools = [undeclared(name) for name in sorted(self.offered - self.declared)]
                self._guard = await self._group.start(self._keep, tools)

    async def call(self, passing: Passing, name: str, arguments: Mapping[str, Any]) -> Result:
        """Have it decided, recorded and carried out; `passing.reply` is what the server said, when it was asked."""
        assert self._guard is not None
        token = UNDER_WAY.set(passing)
        try:
            return await self._guard.call(name, arguments)
        finally:
            UNDER_WAY.reset(token)

    async def wait(self, passing: Passing, waiting: Waiting, seconds: float) -> Result:
        """What became of it, or that it still waits; meanwhile what is approved is carried out for this very request."""
        assert self._guard is not None
        self._held[waiting.draft] = passing
        token = UNDER_WAY.set(passing)
        try:
            return await self._guard.wait(waiting, seconds)
        finally:
            UNDER_WAY.reset(token)
            self._held.pop(waiting.draft, None)

    async def refuse(self, name: str, arguments: Mapping[str, Any], why: str, instead: str) -> None:
        """Record that this was refused for a reason that no rule has to be asked about."""
        assert self._carrier is not None
        action = Action(verb="call", object=name, arguments=arguments)
        await hosted.refuse(self._carrier.gate, self.run, action, Code.AUTHORITY, why, instead)

    async def lineage(self) -> tuple[Authority, ...]:
        """The contracts that answer for the run."""
        assert self._carrier is not None
        gate = self._carrier.gate
        async with gate.transaction() as transaction:
            return gate.lineage(transaction, gate.fold(transaction, self.run))

    async def loaded(self, seen: Mapping[str, tuple[str, int]]) -> None:
        """Record what the host was given to read, by hash and size."""
        if self._carrier is not None and seen:
            facts = [ContextLoaded(run=self.run, what=what, digest=mark, bytes=size) for what, (mark, size) in seen.items()]
            await self._carrier.hands.record(*facts)

    @property
    def carrier(self) -> Carrier:
        """The one that carries the run."""
        assert self._carrier is not None
        return self._carrier

    # ------------------------------------------------------------ inside

    def look(self, supervisor: Supervisor, home: Path) -> None:
        """Look at the contract. Raises BadInput with everything that is wrong with it."""
        self._supervisor = supervisor
        self.signer = identity(home)
        if self.wanted.person_here and self.signer is None:
            raise BadInput("nobody is known here who could answer at the host", hint="`remit init` makes your identity")
        # Only what is declared is read of these; what carries it out is found by name when it is called.
        gated = {name: Declared(tool=tool, performer=cast(Any, None)) for name, tool in GATED.items()}
        self._agreed = agreed = terms(self.wanted.contract, self.wanted.org, home, gated, self.signer)
        known = (*agreed.contract.tools, *agreed.organisation.tools)
        self.declared = frozenset(tool.name for tool in known)
        self.person = self.signer.person if self.signer else agreed.contract.owner

    async def quiet(self) -> None:
        """Until no act is under way: what was given up is known to be in doubt by then."""
        if self._carrier is not None:
            await polled(lambda: not self.carrier.busy)

    def open(self, group: TaskGroup) -> None:
        """From here on the run may begin."""
        self._group = group

    def close(self) -> None:
        """No more acts."""
        self._over.set()

    async def _keep(self, tools: list[Tool], *, task_status: TaskStatus[Guard]) -> None:
        """The run, from its beginning to its end."""
        lease = await self._carried_on() or await self._started(tools)
        try:
            self._carrier = carrier = Carrier(self._supervisor, lease.run, lease.lease)
            run = await carrier.state()
            if not run.attempt:
                await hosted.begin(carrier.hands, run)
            else:  # what another process left half done is found out first
                await carrier.supervisor.drive(run.id)
            async with anyio.create_task_group() as group:
                guard = Guard(carrier, group, self.person)
                group.start_soon(carrier.attend)
                task_status.started(guard)
                await self._over.wait()
                stays = self.wanted.carry_on and unsettled(await carrier.state())
                self.outcome = outcome(await carrier.state()) if stays else await guard.finish()
                guard.leave()
                group.cancel_scope.cancel()
        finally:
            lease.lease.let_go()

    async def _started(self, tools: list[Tool]) -> "_Held":
        agreed, wanted = self._agreed, self.wanted
        known = replace(agreed.organisation, tools=(*agreed.organisation.tools, *tools))
        run_id = await start(
            self._supervisor.hands, agreed.contract, known, wanted.workspace or Path(), wanted.command,
            trigger=f"an MCP gateway of {self.person}", checklist=[(item.item, item.ok) for item in agreed.review.checklist],
            context=agreed.context, requester=self.person, unattended=wanted.unattended, hosted=True,
        )  # fmt: skip
        held = _Held(run_id, Lease(self._supervisor.hands.leases, run_id))
        await held.lease.take()
        return held

    async def _carried_on(self) -> "_Held | None":
        """The newest run that was left because people were awaited, under this contract and about this workspace."""
        if not self.wanted.carry_on:
            return None
        hands, here = self._supervisor.hands, str((self.wanted.workspace or Path()).resolve())
        for job in sorted(await hands.ledger.jobs(), key=lambda job: job.run, reverse=True):
            run = await hands.replay(job.run)
            begun = run.started
            if begun is None or begun.command != self.wanted.command or begun.workspace != here or not begun.hosted:
                continue
            if run.phase != "working" or run.stop or run.contract.hash() != self._agreed.contract.hash():
                continue
            held = _Held(run.id, Lease(hands.leases, run.id))
            try:
                await held.lease.take()
            except Busy:
                continue
            rows = [each.event for each in await hands.ledger.events(run.id)]
            seen = [each for each in rows if isinstance(each, ContextLoaded) and each.what.startswith(TOOL)]
            self.pinned = {each.what.removeprefix(TOOL): each.digest for each in seen}
            return held
        return None


@dataclass(frozen=True)
class _Held:
    run: str
    lease: Lease


def unsettled(run: Run) -> bool:
    """Whether people are awaited, or an effect is not over: leaving the run open keeps their answers worth something."""
    return (
        run.phase == "working"
        and not run.stop
        and bool(run.blocking or any(each.state not in ENDED for each in run.drafts.values()))
    )


@asynccontextmanager
async def opened(wanted: Wanted) -> AsyncIterator[Desk]:
    """A desk whose run ends when this is left. Raises BadInput when the contract is not fit to run."""
    desk = Desk(wanted)
    home = home_of(wanted.home)
    async with engine(home, tools=Performers(desk)) as supervisor:
        desk.look(supervisor, home)
        async with anyio.create_task_group() as group:
            desk.open(group)
            try:
                yield desk
            finally:
                desk.close()
