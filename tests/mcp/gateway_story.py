"""A gateway in this process: the test speaks as its host, and a scripted server stands behind it."""

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskGroup

from remit.adapters.signers.local import create, load
from remit.engine.inbox import answer
from remit.mcp.gateway.desk import Desk, Wanted, opened
from remit.mcp.gateway.lines import lines
from remit.mcp.gateway.process import environment, started
from remit.mcp.gateway.shelf import Shelf
from remit.mcp.gateway.stdio import serve
from remit.run.state import Run

OWNER = "desk-owner@example.com"
CONTRACT = """\
goal: Look up orders and keep notes about them
owner: desk-owner@example.com
may:
  - {call: look_up, where: {order: any}}
  - {call: slow, where: {order: any}}
  - {call: asks, where: {order: any}}
  - {call: save_note, where: {text: {not: {prefix: PAY}}}}
  - {call: deploy, where: {to: any}}
  - {call: resources/read, where: {uri: {prefix: "file:///docs/"}}}
ask:
  - {call: save_note, where: {text: {prefix: PAY}}}
  - {call: look_up, where: {order: {prefix: SECRET}}}
never:
  - call: drop_all
limits: {turns: 200, time: 1h}
success: [{id: there, file: README.md, exists: true}]
recovery: [{when: failed, do: undo}]
tools:
  look_up: {tier: read-only, effect: read}
"""
SERVER = Path(__file__).with_name("scripted_server.py")
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "story", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": {}},
}


class Talk:
    """What the test says as a host, and hears."""

    def __init__(self, desk: Desk, folder: Path, into: int, heard: Any, log: list[str]) -> None:
        self.desk, self.folder, self.log = desk, folder, log
        self._into, self._heard = into, heard
        self._last = 100
        self.notes: list[dict[str, Any]] = []

    def write(self, line: bytes | str) -> None:
        left = (line.encode() if isinstance(line, str) else line) + b"\n"
        while left:
            left = left[os.write(self._into, left) :]

    def say(self, **message: Any) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **message}))

    async def hear(self) -> dict[str, Any]:
        with anyio.fail_after(20):
            said: dict[str, Any] = json.loads(await anext(self._heard))
            return said

    def begin(self, method: str, params: dict[str, Any] | None = None, *, modern: bool = False, number: Any = None) -> Any:
        """Ask without waiting for the answer; the id."""
        self._last += 1
        given = dict(params or {})
        if modern:
            given["_meta"] = {**MODERN, **given.get("_meta", {})}
        number = self._last if number is None else number
        self.say(id=number, method=method, params=given)
        return number

    async def ask(self, method: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Ask, and hear the answer; what is told meanwhile is kept."""
        number = self.begin(method, params, **more)
        while "id" not in (said := await self.hear()):
            self.notes.append(said)
        assert said.get("id") == number, said
        return said

    async def call(self, name: str, /, *, modern: bool = False, **arguments: Any) -> dict[str, Any]:
        said = await self.ask("tools/call", {"name": name, "arguments": arguments}, modern=modern)
        found: dict[str, Any] = said.get("result") or {"error": said["error"]}
        return found

    async def greet(self, capabilities: Any = None, version: str = "2025-11-25") -> dict[str, Any]:
        known = {"name": "story", "version": "1"}
        said = await self.ask("initialize", {"protocolVersion": version, "capabilities": capabilities or {}, "clientInfo": known})
        self.say(method="notifications/initialized")
        return said

    async def state(self) -> Run:
        return await self.desk.carrier.state()

    async def answers(self, word: str, question: str = "") -> None:
        """A person answers, at a terminal beside."""
        run, signer = await self.state(), load(self.folder / "home")
        assert signer is not None
        name = question or run.open_questions[-1].question
        await answer(self.desk.carrier.hands, run.id, name, word, signer=signer, assurance="terminal")

    def did(self, what: str = "call") -> list[Any]:
        """What the server says it did."""
        path = self.folder / "did"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [row for row in rows if what in row]

    async def decided(self) -> list[tuple[str, str]]:
        """What was decided, in its order."""
        rows = await self.desk.carrier.hands.ledger.events(self.desk.run)
        return [(str(each.event.action.object), each.event.decision) for each in rows if each.kind == "decided"]  # type: ignore[union-attr]


def words(result: dict[str, Any]) -> str:
    text: str = result["content"][0]["text"]
    return text


@asynccontextmanager
async def gateway(
    folder: Path,
    manners: str = "plain",
    *,
    contract: str = CONTRACT,
    pins: Path | None = None,
    identity: bool = True,
    **more: Any,
) -> AsyncIterator[Talk]:
    """A gateway that is over when this is left; `manners` are those of its server."""
    (folder / "work").mkdir(exist_ok=True)
    (folder / "work" / "README.md").write_text("# Here\n")
    (folder / "c.remit.yaml").write_text(contract)
    if identity and not (folder / "home" / "identity").exists():
        create(folder / "home", OWNER)
    log: list[str] = []
    wanted = Wanted(
        contract=folder / "c.remit.yaml", home=folder / "home", workspace=folder / "work", command=("gateway",), **more
    )
    (host_reads, gateway_writes), (gateway_reads, host_writes) = os.pipe(), os.pipe()
    closed: list[int] = []
    argv = [sys.executable, str(SERVER), manners, str(folder / "did")]
    try:
        async with opened(wanted) as desk:  # noqa: SIM117 - the run ends after its server
            async with anyio.create_task_group() as group, started(argv, environment(os.environ, []), log.append) as pipe:
                over = anyio.Event()
                group.start_soon(_serve, Shelf(desk, pins), pipe, log, gateway_reads, gateway_writes, over)
                heard = lines(host_reads, 40_000_000)
                try:
                    yield Talk(desk, folder, host_writes, heard, log)
                finally:
                    os.close(host_writes)
                    closed.append(host_writes)
                    with anyio.fail_after(20):
                        await over.wait()
                    await heard.aclose()  # type: ignore[attr-defined]
    finally:
        for each in (host_reads, gateway_writes, gateway_reads, host_writes):
            if each not in closed:
                os.close(each)


async def _serve(shelf: Shelf, pipe: Any, log: list[str], into: int, out: int, over: anyio.Event) -> None:
    try:
        await serve(shelf, pipe, log.append, name="orders", into=into, out=out)
    finally:
        over.set()


def story(tell: Callable[[], Awaitable[None]]) -> None:
    """Run it, within a minute."""

    async def timed() -> None:
        with anyio.fail_after(60):
            await tell()

    anyio.run(timed)


__all__ = ["CONTRACT", "MODERN", "OWNER", "Talk", "TaskGroup", "gateway", "story", "words"]
