"""How long it takes to hand work up: from asking for a heavier runtime to the first call of its model, beside its own start."""

import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from subprocess import DEVNULL, PIPE
from time import perf_counter
from typing import Any

import anyio
from anyio.abc import Process, SocketAttribute, SocketStream

from remit.bench.row import Goal, Row
from remit.bench.turns import medians, show
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.models import Model, ModelPrice
from remit.contract.outcome import FileCheck
from remit.contract.party import Organisation, Person
from remit.contract.rule import Rule, Verb
from remit.engine.hands import Hands
from remit.engine.start import start
from remit.engine.supervisor import Supervisor
from remit.errors import Unavailable
from remit.ports import Outfit, Runtime, Seat, Task
from remit.testing import acp_agent
from remit.testing.runtime import ScriptedRuntime

OWNER = "release-lead@example.com"
AGENT = ("python3", "-IS", acp_agent.__file__)
AGAINST = "the same ACP agent, started bare against the same server"
ADDED = Goal(kind="more", bound=0.150)
STEPS: list[dict[str, Any]] = [{"do": "model", "prompt": "hello"}, {"do": "final"}]
CHILD = f"""\
goal: %s
owner: {OWNER}
may: [{{read: "**"}}, {{write: docs/**}}]
limits: {{turns: 8, time: 60s, usd: 0.10, tokens: 20k}}
success: [{{id: readme, file: README.md, exists: true}}]
recovery: [{{when: failed, do: stop}}]
"""
_USED = {"input_tokens": 10, "output_tokens": 10}
_BODY = json.dumps({
    "id": "m", "type": "message", "role": "assistant", "model": "m-1", "stop_reason": "end_turn", "usage": _USED,
    "content": [{"type": "text", "text": "hello"}],
}).encode()  # fmt: skip
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"


class Provider:
    """A model provider that answers at once, and knows when it was asked last."""

    url = ""
    asked = 0.0

    async def serve(self, line: SocketStream) -> None:
        """One request: when its first byte is there is what counts."""
        async with line:
            got = b""
            try:
                while not _whole(got):
                    got += await line.receive()
                    self.asked = self.asked or perf_counter()
                await line.send(ANSWER % (len(_BODY), _BODY))
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return

    def since(self, began: float) -> float:
        """Seconds until it was asked; ready for the next time."""
        asked, self.asked = self.asked, 0.0
        if not asked:
            raise AssertionError("no model was called")
        return asked - began


class Both:
    """See `ports.Runtimes`: a light agent that hands up, and the runtime it hands up to."""

    def __init__(self, light: ScriptedRuntime) -> None:
        self._light = light

    def find(self, name: str) -> Runtime:
        """By name."""
        from remit.adapters.runtimes.acp.runtime import Acp

        return self._light.again() if name == self._light.name else Acp()


def rows(*, quick: bool = False) -> Iterator[Row]:
    """From asking to the first call. Raises Unavailable without a sandbox."""
    if shutil.which("bwrap") is None:
        raise Unavailable("bwrap is not installed")
    with tempfile.TemporaryDirectory() as place:
        taken = anyio.run(_measured, Path(place), 5 if quick else 20)
    ours, rival = medians(taken[1:])  # the first round fills the caches of both
    name = "hand-off, until the runtime's first model call"
    yield Row(name=name, against=AGAINST, goal=ADDED, ours=ours, rival=rival)


async def _measured(place: Path, rounds: int) -> list[tuple[float, float]]:
    """Seconds of ours and of the rival, in turn, while one light agent is at work."""
    work = place / "work"
    (work / "docs").mkdir(parents=True)
    (work / "README.md").write_text("read me\n")
    taken: list[tuple[float, float]] = []
    async with _provider() as provider:

        async def hands_up(seat: Seat, _: Task) -> None:
            for number in range(rounds + 1):
                rival = await _bare(provider, work)
                taken.append((await _escalated(provider, seat, number), rival))
            await seat.close()

        light = ScriptedRuntime(hands_up, name="agent", outfit=Outfit(argv=("cat",), version="bench", talks=True, meter=False))
        async with _hands(place / "home", provider, light) as hands:
            organisation = Organisation(people=(Person(id=OWNER),), assurance="scripted")
            visible = (str(Path(acp_agent.__file__).parent),)
            run = await start(
                hands, _parent(), organisation, work, (), trigger="bench", runtime="agent", model="m-1", visible=visible
            )
            await Supervisor(hands).drive(run)
            if len(taken) <= rounds:
                said = next(
                    (record.event for record in await hands.ledger.events(run) if record.kind == "stuck"), "it ended early"
                )
                raise Unavailable(f"the hand-off could not be measured: {said}")
    return taken


def _parent() -> Contract:
    may: tuple[tuple[Verb, str], ...] = (("read", "**"), ("write", "docs/**"), ("delegate", "acp"))
    rules = tuple(Rule(id=verb, effect="may", verb=verb, objects=(what,)) for verb, what in may)
    return Contract(
        goal="Hand work up", owner=OWNER, rules=rules,
        limits=Limits(time=3600, turns=1000, usd=10_000_000, tokens=10_000_000), recovery=(),
        success=(FileCheck(id="readme", file="README.md", exists=True),), models=(Model(name="m-1", price=ModelPrice()),),
    )  # fmt: skip


async def _escalated(provider: Provider, seat: Seat, number: int) -> float:
    """Ours: asked, decided, justified, taken on, staged, boxed, started, metered."""
    goal = f"Mend the headings of all pages below docs, round {number}. script: {json.dumps(STEPS)}"
    arguments = {
        "contract": CHILD % json.dumps(goal), "command": list(AGENT), "why": "many files have to be changed", "model": "m-1",
    }  # fmt: skip
    began = perf_counter()
    told = await seat.act({"schema": "remit.act/1", "verb": "delegate", "object": "acp", "arguments": arguments})
    if told.get("verdict") != "success":
        raise AssertionError(f"the hand-off failed: {told}")
    return provider.since(began)


async def _bare(provider: Provider, work: Path) -> float:
    """The rival: started, greeted and prompted, with nothing between it and the server."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "ANTHROPIC_BASE_URL": provider.url, "REMIT_MODEL": "m-1"}
    began = perf_counter()
    async with await anyio.open_process(AGENT, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=work, env=environment) as agent:
        prompt = [{"type": "text", "text": f"script: {json.dumps(STEPS)}"}]
        await _said(agent, "initialize", protocolVersion=1)
        await _said(agent, "session/new", cwd=str(work), mcpServers=[])
        await _said(agent, "session/prompt", sessionId="s", prompt=prompt)
        agent.kill()
    return provider.since(began)


async def _said(agent: Process, method: str, **params: Any) -> None:
    """One request, and everything up to its answer."""
    assert agent.stdin is not None and agent.stdout is not None
    await agent.stdin.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
    got = b""
    while b'"result"' not in got:
        got += await agent.stdout.receive()


@asynccontextmanager
async def _provider() -> AsyncIterator[Provider]:
    provider = Provider()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        provider.url = f"http://127.0.0.1:{listener.extra_attributes[SocketAttribute.local_port]()}"
        group.start_soon(listener.serve, provider.serve)
        yield provider
        group.cancel_scope.cancel()


@asynccontextmanager
async def _hands(home: Path, provider: Provider, light: ScriptedRuntime) -> AsyncIterator[Hands]:
    """An engine as it is wired for everybody, but for the light agent and the provider's place."""
    from remit.adapters.clock import SystemClock
    from remit.adapters.lease import FileLeases
    from remit.adapters.ledgers.sqlite import open_ledger
    from remit.adapters.models.late import LateModelDoor
    from remit.adapters.sandboxes.bubblewrap import Bubblewrap
    from remit.adapters.workspaces.staged import StagedWorkspace

    with closing(open_ledger(home, clock=SystemClock())) as ledger:
        yield Hands(
            ledger=ledger, clock=SystemClock(), leases=FileLeases(home / "leases"), workspace=StagedWorkspace(), home=home,
            sandbox=Bubblewrap(home / "cache"), runtimes=Both(light),
            models=LateModelDoor({"ANTHROPIC_BASE_URL": provider.url, "ANTHROPIC_API_KEY": "key"}),
        )  # fmt: skip


def _whole(got: bytes) -> bool:
    head, found, body = got.partition(b"\r\n\r\n")
    return bool(found) and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)


if __name__ == "__main__":
    show(rows(quick="--quick" in sys.argv))
