"""What the gate before an MCP server costs: a call through it beside the same call direct and two records, and its memory."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import IO, Any

import anyio

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import SqliteLedger, open_ledger
from remit.bench.ledger import Asked
from remit.bench.row import Goal, Row
from remit.bench.turns import medians, show
from remit.errors import Unavailable

SERVER = """
import json, sys
tools = [{"name": "look_up", "inputSchema": {"type": "object"}}]
for line in sys.stdin:
    said = json.loads(line)
    if "id" not in said:
        continue
    method, params = said["method"], said.get("params") or {}
    result = {"content": [{"type": "text", "text": "order " + str(params.get("arguments"))}]}
    if method == "initialize":
        info = {"name": "bench", "version": "1"}
        result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
    elif method == "tools/list":
        result = {"tools": tools}
    print(json.dumps({"jsonrpc": "2.0", "id": said["id"], "result": result}), flush=True)
"""
CONTRACT = """\
goal: Look up orders
owner: release-lead@example.com
may:
  - {call: look_up, where: {order: any}}
limits: {turns: 100000, calls: 100000, time: 4h}
success: [{id: there, file: README.md, exists: true}]
recovery: [{when: failed, do: undo}]
tools:
  look_up: {tier: read-only, effect: read}
"""
REMIT = "from remit.cli.main import main; main()"
DIRECT = "the same call direct, and two records of the ledger"
PRIVATE = re.compile(r"^(?:Private_Clean|Private_Dirty):\s+(\d+) kB", re.MULTILINE)
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def rows(*, quick: bool = False) -> Iterator[Row]:
    """A call of a tool that reads, and what one gateway adds in memory. Raises Unavailable where it cannot be started."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        direct, through = stack.enter_context(Host(["-c", SERVER])), stack.enter_context(Host(_gateway(folder), folder))
        ledger = open_ledger(folder / "beside", clock=SystemClock())
        stack.callback(ledger.close)
        rounds = 100 if quick else 400
        ours, bare, records = anyio.run(_taken, direct, through, ledger, rounds)
        yield Row(
            name="a call through the MCP gateway", against=DIRECT, goal=Goal(kind="more", bound=0.0005), ours=ours,
            rival=bare + records,
        )  # fmt: skip
        goal = Goal(kind="at_most", bound=40e6)
        yield Row(
            name="MCP gateway, memory of its own", against="the server's own", goal=goal, unit="B", ours=through.private(),
            rival=direct.private(),
        )  # fmt: skip


class Host:
    """A host of a server of the stdio kind."""

    def __init__(self, words: list[str], home: Path | None = None) -> None:
        environment = {**os.environ, **({"REMIT_HOME": str(home / "home")} if home else {})}
        self._process = subprocess.Popen(
            [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._into: IO[bytes] = self._process.stdin
        self._out: IO[bytes] = self._process.stdout

    def __enter__(self) -> "Host":
        self.ask("initialize", HELLO)
        self.ask("tools/list", {})
        return self

    def __exit__(self, *_: object) -> None:
        self._into.close()
        self._process.wait(30)
        self._out.close()

    def ask(self, method: str, params: dict[str, Any]) -> float:
        """Seconds until it was answered. Raises Unavailable when it was not, or was refused."""
        began = perf_counter()
        self._into.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        self._into.flush()
        said = self._out.readline()
        took = perf_counter() - began
        if b'"result"' not in said or b'"isError"' in said:
            raise Unavailable(f"`{method}` was not answered: {said.decode(errors='replace')[:200] or 'it has ended'}")
        return took

    def call(self) -> float:
        """One call of the tool."""
        return self.ask("tools/call", {"name": "look_up", "arguments": {"order": "A-1001"}})

    def private(self) -> float:
        """Bytes that nobody shares with it. Raises Unavailable where the kernel does not say."""
        try:
            text = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text()
        except OSError:
            raise Unavailable("this system does not say how much memory a process has of its own") from None
        return 1024.0 * sum(int(each) for each in PRIVATE.findall(text))


async def _taken(direct: Host, through: Host, ledger: SqliteLedger, rounds: int) -> tuple[float, float, float]:
    """Median seconds of a call through the gateway, of a direct one, and of two records; taken in turn."""
    asked = Asked()
    found = [(through.call(), direct.call(), await _records(ledger, asked)) for _ in range(rounds)]
    ours, bare, records = medians(found)
    return ours, bare, records


async def _records(ledger: SqliteLedger, asked: Asked) -> float:
    event = asked.decided()
    began = perf_counter()
    for _ in range(2):
        async with ledger.transaction() as transaction:
            transaction.append(event)
    return perf_counter() - began


def _gateway(folder: Path) -> list[str]:
    (folder / "work").mkdir()
    (folder / "work" / "README.md").write_text("# Here\n")
    (folder / "c.remit.yaml").write_text(CONTRACT)
    given = ["--contract", str(folder / "c.remit.yaml"), "--workspace", str(folder / "work")]
    return ["-c", REMIT, "mcp", "gateway", *given, "--", sys.executable, "-c", SERVER]


if __name__ == "__main__":
    show(rows())
