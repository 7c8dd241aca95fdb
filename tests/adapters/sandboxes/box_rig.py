"""A real box around a real folder, and a watcher that writes down what it is asked and told."""

import secrets
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import anyio

from remit.adapters.sandboxes import wire
from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.ports import Box, BoxLimits, BoxPlan, Exec, Exit, Mount


class Witness:
    """A `Watcher` that allows what it is told to allow and remembers everything."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.programs: list[Exec] = []
        self.told: list[tuple[str, str, str]] = []
        self.hosts: list[tuple[str, int]] = []
        self.stdout = b""
        self.stderr = b""
        self.refuse: Callable[[Exec], bool] = lambda _: False
        self.reachable: set[tuple[str, int]] = set()
        self.serve: Callable[[socket.socket], Coroutine[Any, Any, None]] = echoes
        self.connections = 0
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"decision": "allow", "reasons": []}

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        self.requests.append(message)
        return self.answer(message)

    async def exec(self, program: Exec) -> bool:
        self.programs.append(program)
        return not self.refuse(program)

    async def connect(self, host: str, port: int) -> bool:
        self.hosts.append((host, port))
        return (host, port) in self.reachable

    async def model(self, connection: socket.socket) -> None:
        self.connections += 1
        await self.serve(connection)

    async def blocked(self, what: str, object_: str, by: str) -> None:
        self.told.append((what, object_, by))

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        if stream == "stdout":
            self.stdout += data
        else:
            self.stderr += data

    @property
    def printed(self) -> str:
        return self.stdout.decode(errors="replace")


async def echoes(connection: socket.socket) -> None:
    """A meter that says back what it hears."""
    while data := await wire.receive(connection):
        await wire.send(connection, data)


class Ground:
    """A workspace with a file, a stage beside it, and a canary that nothing in a box may touch."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.base = place / "ws"
        self.upper = place / "stage" / "upper"
        self.work = place / "stage" / "work"
        for each in (self.base, self.upper, self.work):
            each.mkdir(parents=True)
        (self.base / "kept.txt").write_text("kept\n")
        self.canary = place / "canary.txt"
        self.nonce = secrets.token_hex(8)
        self.canary.write_text(self.nonce)
        self.sandbox = Bubblewrap(place / "cache", dangerously_allow_loopback=True)

    def mount(self, **changes: Any) -> Mount:
        given = {
            "at": str(self.base),
            "kind": "overlay",
            "lower": (str(self.base),),
            "upper": str(self.upper),
            "work": str(self.work),
        }
        return Mount(**(given | changes))

    def plan(self, *argv: str, mount: Mount | None = None, limits: BoxLimits | None = None, **changes: Any) -> BoxPlan:
        return BoxPlan(
            argv=argv,
            mount=mount or self.mount(quota=64 << 20),
            cwd=changes.pop("cwd", str(self.base)),
            limits=limits or BoxLimits(time=60.0),
            **changes,
        )

    def run(self, plan: BoxPlan, witness: Witness, during: Callable[[Box], Coroutine[Any, Any, None]] | None = None) -> Exit:
        """Open the box, do something meanwhile, wait. A box that does not start fails the test by its own error."""

        async def all_of_it() -> Exit:
            async with self.sandbox.open(plan, witness) as box:
                if during is not None:
                    await during(box)
                return await box.wait()

        return anyio.run(all_of_it)

    def python(self, code: str, **changes: Any) -> tuple[Exit, Witness]:
        """Run Python in the box."""
        witness = changes.pop("witness", None) or Witness()
        ending = self.run(self.plan("python3", "-IS", "-c", code, **changes), witness)
        return ending, witness
