"""An engine over the shipped doubles: a temporary folder, a ledger in memory, a clock that jumps, agents that are functions."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio

from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.outcome import Check, FileCheck, Recovery
from remit.contract.party import Organisation, Person
from remit.contract.rule import Effect, Rule, Verb
from remit.engine.hands import Hands
from remit.engine.inbox import accept, answer, ask_stop
from remit.engine.start import start
from remit.engine.supervisor import Supervisor
from remit.run import next_move as m
from remit.run.event import Event, Recorded
from remit.run.state import Run
from remit.testing.clock import JumpingClock
from remit.testing.leases import MemoryLeases
from remit.testing.ledger import MemoryLedger
from remit.testing.sandbox import Inside, Script, UnconfinedScripts
from remit.testing.signer import PaperSigner
from remit.testing.workspace import PlainWorkspace

OWNER = "release-lead@example.com"
SOMEBODY = "intern@example.com"
LEGAL = "counsel@example.com"
ORGANISATION = Organisation(
    people=tuple(
        Person(id=name, keys=(PaperSigner(name).public,), roles=("legal",) if name == LEGAL else ())
        for name in (OWNER, SOMEBODY, LEGAL)
    ),
    assurance="scripted",
)
HELLO = FileCheck(id="hello", file="docs/hello.md", matches="hello")


def rule(effect: Effect, verb: Verb, *objects: str, **more: Any) -> Rule:
    return Rule(id=more.pop("id", f"{effect}-{verb}-{'-'.join(objects)}"), effect=effect, verb=verb, objects=objects, **more)


def rung(when: str, do: Any, **more: Any) -> Recovery:
    return Recovery(when=when, do=do, **more)


def contract(*rules: Rule, recovery: tuple[Recovery, ...] = (), success: tuple[Check, ...] = (HELLO,), **more: Any) -> Contract:
    """Reads everything and writes docs, beside what is given. Doubles contain nothing, so nothing more is asked of them."""
    given: dict[str, Any] = {"limits": Limits(time=600, turns=50), "containment": "L0", **more}
    always = (rule("may", "read", "**"), rule("may", "write", "docs/**"))
    return Contract(goal="g", owner=OWNER, rules=(*always, *rules), success=success, recovery=recovery, **given)


class World:
    """One engine's world. `agents` are called one after another, one per attempt; the last one stays."""

    def __init__(self, folder: Path, *agents: Script) -> None:
        self.work, self.home = folder / "work", folder / "home"
        (self.work / "docs").mkdir(parents=True)
        (self.work / "README.md").write_text("read me\n")
        self.home.mkdir()
        self.clock = JumpingClock()
        self.ledger = MemoryLedger(self.clock)
        self.sandbox = UnconfinedScripts({"agent": self._agent})
        self.agents = list(agents)
        self.moves: list[type[m.Move]] = []
        self.hands = Hands(
            ledger=self.ledger, clock=self.clock, leases=MemoryLeases(), workspace=PlainWorkspace(), sandbox=self.sandbox,
            home=self.home,
        )  # fmt: skip
        self.supervisor = Watched(self.hands, self.moves)

    async def _agent(self, inside: Inside) -> int | None:
        script = self.agents.pop(0) if len(self.agents) > 1 else self.agents[0]
        return await script(inside)

    async def start(self, contract: Contract, organisation: Organisation = ORGANISATION) -> str:
        return await start(self.hands, contract, organisation, self.work, ("agent",), trigger="a test")

    async def drive(self, run: str) -> Run:
        """Until it rests; and what is resting has nothing undone."""
        try:
            return await self.supervisor.drive(run)
        finally:
            await self.owed(run)

    async def begin(self, contract: Contract, organisation: Organisation = ORGANISATION) -> Run:
        return await self.drive(await self.start(contract, organisation))

    async def owed(self, run: str) -> None:
        """A move that can be made has a job that will make it, else nobody comes back to it after a crash."""
        state = await self.hands.replay(run)
        if not isinstance(m.next_move(state, self.clock.now()), m.Rest):
            assert run in [job.run for job in await self.ledger.jobs()], f"{run} could move on, and nothing will drive it"

    async def say(self, run: str, word: str, *, question: str = "", by: str = OWNER) -> Run:
        state = await self.hands.replay(run)
        name = question or state.open_questions[0].question
        await answer(self.hands, run, name, word, signer=PaperSigner(by), assurance="scripted")
        await self.owed(run)
        return await self.drive(run)

    async def take(self, run: str, *, decline: bool = False, by: str = OWNER) -> Run:
        await accept(self.hands, run, signer=PaperSigner(by), assurance="scripted", decline=decline)
        await self.owed(run)
        return await self.drive(run)

    async def stop(self, run: str) -> None:
        await ask_stop(self.hands, run, by=OWNER, why="enough")
        await self.owed(run)

    async def events(self, run: str, *kinds: str) -> list[Any]:
        return [record.event for record in await self.ledger.events(run) if not kinds or record.kind in kinds]

    async def kinds(self, run: str) -> list[str]:
        return [record.kind for record in await self.ledger.events(run)]

    async def records(self, run: str) -> list[Recorded]:
        return await self.ledger.events(run)

    async def tell(self, *events: Event) -> None:
        await self.hands.record(*events)

    def tree(self) -> dict[str, str]:
        return {path.relative_to(self.work).as_posix(): path.read_text() for path in self.work.rglob("*") if path.is_file()}

    def jump(self, **time: float) -> None:
        self.clock.jump(timedelta(**time).total_seconds())


class Watched(Supervisor):
    """Writes down which moves it makes."""

    def __init__(self, hands: Hands, moves: list[type[m.Move]]) -> None:
        super().__init__(hands)
        self._moves = moves

    async def _make(self, run: Run, move: m.Move) -> None:
        self._moves.append(type(move))
        await super()._make(run, move)


def story(tell: Callable[[], Awaitable[None]]) -> None:
    """Run it, and never longer than a test may take."""

    async def bounded() -> None:
        with anyio.fail_after(20):
            await tell()

    anyio.run(bounded)


def writes(text: str = "hello\n", path: str = "docs/hello.md", then: Script | None = None) -> Script:
    """An agent that writes one file straight into its folder."""

    async def agent(inside: Inside) -> int | None:
        (inside.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (inside.folder / path).write_text(text)
        return await then(inside) if then else None

    return agent


async def idles(inside: Inside) -> None:
    """An agent that does nothing and ends."""


class Crash(BaseException):
    """The supervisor dies here."""


async def crashes(inside: Inside) -> None:
    raise Crash
