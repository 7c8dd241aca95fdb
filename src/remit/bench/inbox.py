"""How fast people are served while a thousand runs wait: the inbox in a terminal and in a browser, and from answer to effect."""

import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import anyio
from msgspec.structs import replace

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.schema import WHERE_PEOPLE
from remit.adapters.ledgers.sqlite import open_ledger
from remit.adapters.signers.local import LocalSigner, create
from remit.app import consult, engine
from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.bench.row import Goal, Row
from remit.bench.startup import NOTHING, REMIT, World
from remit.bench.turns import in_turn, medians, show
from remit.contract.contract import Contract
from remit.contract.limits import Spend
from remit.contract.parse import parse
from remit.contract.party import Argument, Organisation, Person, Tool
from remit.engine.desk import KINDS, waiting
from remit.engine.inbox import answer
from remit.engine.worker import POLL, Worker
from remit.errors import Unavailable
from remit.ports import Ledger, Receipt
from remit.run.event import AttemptStarted, Charged, Decided, Drafted, Event, QuestionAsked, Started, WorkDone

RUNS, TURNS = 1000, 10
LEAD = "support-lead@example.com"
CONTRACT = f"""\
goal: Answer today's refund requests
owner: {LEAD}
may:
  - read: "**"
ask:
  - id: above-50
    call: refund
    where: {{amount: {{over: 50, to: 5000}}, order_id: any}}
    who: owner
limits: {{time: 10m, turns: 60}}
success:
  - id: report
    file: report.md
    exists: true
recovery:
  - when: failed
    do: undo
"""
SELECT = f"SELECT run, kind, at, body FROM entries WHERE {WHERE_PEOPLE} AND kind IN {KINDS!r} ORDER BY seq"  # noqa: S608
PLAIN = """\
import sqlite3, sys
for run, kind, at, body in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]):
    print(run, kind, at, body.decode())
"""
GONE = 30.0
"""seconds after which an effect that has not begun is given up"""


def rows(*, quick: bool = False) -> Iterator[Row]:
    """The verb, the reading inside it, the worker, the page and its server. Raises Unavailable where one of them fails."""
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place))
        home = Path(world.env["REMIT_HOME"])
        signer = create(home, LEAD)
        anyio.run(fill, home, signer, RUNS)
        yield from _verb(world, home, 3 if quick else 20)
        yield _reading(home, 5 if quick else 50)
        yield from _browser(world, 3 if quick else 20)
        yield _effect(home, signer, 3 if quick else 12)


async def fill(home: Path, signer: LocalSigner, runs: int) -> None:
    """Runs that wait, each with one question about one draft and a little history."""
    contract = parse(CONTRACT, file="bench").contract
    assert contract is not None
    person = Person(id=LEAD, roles=("support-lead",), keys=(signer.public,))
    arguments = (Argument(name="amount", type="number", required=True), Argument(name="order_id", type="text", required=True))
    tool = Tool(name="refund", tier="high-risk", effect="execute", arguments=arguments)
    organisation = Organisation(people=(person,), tools=(tool,), assurance="terminal")
    ledger = open_ledger(home, clock=SystemClock())
    async with ledger.transaction() as transaction:
        for number in range(runs):
            own = replace(contract, goal=f"{contract.goal}, shop {number}")  # so that no two of them are alike on the page
            for event in history(_name(number), number, own, organisation, str(home.parent / "work")):
                transaction.append(event)
    ledger.close()


def _name(number: int) -> str:
    return f"rbench{number:04}"


def history(run: str, number: int, contract: Contract, organisation: Organisation, workspace: str) -> Iterator[Event]:
    """What is recorded of an agent that wanted a refund of more than it may give, and went home."""
    arguments = {"amount": Decimal(51 + number), "order_id": f"A-{number}"}
    action = Action(verb="call", object="refund", arguments=arguments)
    digest, key, of = action.digest(), f"{run}:E1", (LEAD,)
    why = "refund may only be called when the owner says yes"
    reasons = (Reason(code=Code.APPROVAL, rule="above-50", contract=contract.hash(), why=why),)
    yield Started(
        run=run, contract=contract, organisation=organisation, workspace=workspace, command=("agent",), trigger="bench",
        requester="agent@example.com",
    )  # fmt: skip
    yield AttemptStarted(run=run, attempt=1)
    yield Drafted(run=run, key=key, action=action, digest=digest, effect="execute", preview=f"refund {arguments['amount']}")
    yield QuestionAsked(
        run=run, question="Q1", about="action", text="May the agent call refund?", of=of, draft=key, action=action, digest=digest,
        contract=contract.hash(), reasons=reasons,
    )  # fmt: skip
    yield Decided(run=run, action=action, digest=digest, decision="ask", reasons=reasons, at_door="door", of=of, key=key)
    for turn in range(TURNS):
        yield Charged(run=run, spend=Spend(turns=1), what=f"turn {turn}")
    yield WorkDone(run=run, attempt=1, status=0, why="ended", sealed="sha256:" + "0" * 64, receipt="nothing is left")


def _verb(world: World, home: Path, rounds: int) -> Iterator[Row]:
    plain = ("-c", PLAIN, str(home / "ledger.db"), SELECT)
    words = (("-c", REMIT, "inbox"), NOTHING, plain)
    taken = [[world.python(*each) for each in words] for _ in range(rounds + 1)][1:]  # the first compiles
    ours, bare, _ = medians([tuple(took.wall for took in each) for each in taken])
    name = f"remit inbox, {RUNS:,} waiting runs"
    yield Row(name=f"{name}, wall", against="bare Python", goal=Goal(kind="at_most", bound=0.200), ours=ours, rival=bare)
    ours, _, script = medians([tuple(took.cpu for took in each) for each in taken])
    against, why = "a script that prints the same rows with sqlite3", "for comparison"
    yield Row(name=f"{name}, CPU", against=against, ours=ours, rival=script, why=why)


def _reading(home: Path, rounds: int) -> Row:
    """Every entry checked against its hash, decoded and folded; the rival takes the bytes for what they are."""
    db = sqlite3.connect(home / "ledger.db")

    def plain() -> int:
        return len([(run, kind, at, json.loads(body)) for run, kind, at, body in db.execute(SELECT)])

    def ours() -> int:
        return len(consult(home, waiting))

    if plain() != ours() or ours() != RUNS:
        raise AssertionError("they do not find the same, so there is nothing to compare")
    took = in_turn({"ours": ours, "plain": plain}, rounds=rounds)
    db.close()
    against = "the same rows with sqlite3 and json, unchecked"
    return Row(name=f"read {RUNS:,} questions", against=against, ours=took["ours"], rival=took["plain"], why="for comparison")


def _browser(world: World, rounds: int) -> Iterator[Row]:
    """The page that everything is on, and the server with its worker after it was asked for it."""
    with _served(world) as (process, link):
        connection = HTTPConnection(link.hostname or "", link.port or 0, timeout=60)
        cookie, _ = _got(connection, f"/?{link.query}")
        taken, size = [], 0
        for _ in range(rounds + 1):
            began = perf_counter()
            size = len(_got(connection, "/", cookie)[1])
            between = perf_counter()
            _got(connection, "/healthz", cookie)
            taken.append((between - began, perf_counter() - between))
        connection.close()
        peak = _peak(process.pid)
    name, bare = f"remit serve, {RUNS:,} waiting runs", world.peak(*NOTHING)
    listed = len(json.dumps([_name(number) for number in range(RUNS)]))
    goal = Goal(kind="at_most", bound=100e3)
    yield Row(
        name=f"{name}, page", against="the ids of the runs as JSON", goal=goal, unit="B", ours=float(size), rival=float(listed)
    )
    ours, rival = medians(taken[1:])
    yield Row(name=f"{name}, page, wall", against="a page that says `ok`", ours=ours, rival=rival, why="for comparison")
    goal = Goal(kind="at_most", bound=120e6)
    yield Row(name=f"{name}, peak memory", against="bare Python", goal=goal, unit="B", ours=peak, rival=bare)


@contextmanager
def _served(world: World) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """`remit serve` and the link it prints."""
    # A process inherits the peak of whoever starts it until it becomes another program; this one does so at once.
    argv = [sys.executable, "-c", REMIT, "serve", "--port", "0", "--json"]
    with subprocess.Popen(argv, env=world.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            said = process.stdout.readline()
            if not said:
                raise Unavailable(f"`remit serve` did not work here: {process.stderr.read().strip()[-300:]}")
            yield process, urlsplit(json.loads(said)["url"])
        finally:
            process.terminate()


def _got(connection: HTTPConnection, path: str, cookie: str = "") -> tuple[str, bytes]:
    """The cookie that came with it, and the page. Raises Unavailable where it is none."""
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answered = connection.getresponse()
    page = answered.read()
    if answered.status not in {200, 303}:
        raise Unavailable(f"`remit serve` answered {answered.status}")
    return (answered.getheader("Set-Cookie") or "").partition(";")[0], page


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024


class Heard:
    """The moment at which something was noticed for the first time."""

    def __init__(self) -> None:
        self._at, self._event = 0.0, anyio.Event()

    def now(self) -> None:
        """It was noticed now."""
        self._at = self._at or perf_counter()
        self._event.set()

    async def at(self) -> float:
        """Wait for it. Raises Unavailable when it does not come."""
        with anyio.move_on_after(GONE):
            await self._event.wait()
        if not self._at:
            raise Unavailable(f"nobody acted on an answer within {GONE:g} seconds")
        return self._at


class Bell:
    """A performer that notes when it was called, and does no more."""

    window: int | None = None
    probes = False
    settles = 0

    def __init__(self) -> None:
        self.heard = Heard()

    def preview(self, arguments: Mapping[str, Any]) -> str:
        return f"refund {arguments['amount']}"

    def lacks(self, tool: Tool) -> str:
        return ""

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        self.heard.now()
        return Receipt(receipt=key)

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        return None


def _effect(home: Path, signer: LocalSigner, rounds: int) -> Row:
    """From the commit of an answer, in an engine of its own, to the call of what carries it out, in the worker's."""
    ours, rival = medians(anyio.run(_answered, home, signer, rounds))
    goal, name = Goal(kind="at_most", bound=1.0), f"answer to effect, {RUNS:,} waiting runs"
    return Row(name=name, against="a loop that looks at the ledger as often", goal=goal, ours=ours, rival=rival)


async def _answered(home: Path, signer: LocalSigner, rounds: int) -> list[tuple[float, float]]:
    bell, taken = Bell(), []
    async with engine(home, tools={"refund": bell}) as worker, engine(home) as people, anyio.create_task_group() as group:
        group.start_soon(Worker(worker).work)
        for number in range(rounds + 1):
            bell.heard, seen = Heard(), Heard()
            group.start_soon(_look, people.hands.ledger, await people.hands.ledger.version(), seen)
            await anyio.sleep(POLL * number / rounds)  # so that answers come at every moment of the worker's turn
            await answer(people.hands, _name(number), "Q1", "yes", signer=signer, assurance="terminal")
            began = perf_counter()
            taken.append((await bell.heard.at() - began, await seen.at() - began))
        group.cancel_scope.cancel()
    return taken[1:]  # the first look of a worker takes in all that waits


async def _look(ledger: Ledger, version: int, seen: Heard) -> None:
    while True:
        if await ledger.version() != version:
            return seen.now()
        await anyio.sleep(POLL)


if __name__ == "__main__":
    show(rows())
