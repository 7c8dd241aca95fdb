"""A seat without a box: the real program on this very machine, a ruling that the test gives, and everything put down in lists.

For a driver's own tests. Nothing here bounds what the program does, so it is only ever given scripted models.
"""

import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteSendStream, Process, SocketStream

from remit.ports.models import Hold, ModelCall, NoCall, ToolUse, Usage
from remit.ports.runtime import Native, Outfit, Ruling

HOME = "/home/agent"
CHUNK = 65536

Rule = Callable[[Native], Awaitable[Ruling]]
Act = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


async def allowed(_: Native) -> Ruling:
    """Whatever it is, it may."""
    return Ruling(allowed=True)


async def refused(_: Native) -> Ruling:
    """Whatever it is, it may not."""
    return Ruling(allowed=False, why="the contract does not cover this; leave it and say so")


async def done(_: Mapping[str, Any]) -> dict[str, Any]:
    """What the door answers where everything is allowed."""
    return {"schema": "remit.act/1", "decision": "allow", "reasons": [], "done": True}


class AllowingAccount:
    """See `remit.ports.Account`: every call may be made; they are listed as they were reserved and settled."""

    def __init__(self, token: str = "run-token") -> None:  # noqa: S107
        self.token = token
        self.reserved: list[ModelCall] = []
        self.settled: list[tuple[str, Usage | None, tuple[ToolUse, ...]]] = []
        self.given_back: list[tuple[str, str]] = []
        self.turned_away: list[tuple[str, str]] = []

    async def reserve(self, call: ModelCall) -> Hold | NoCall:
        """Yes, with a key that counts up."""
        self.reserved.append(call)
        return Hold(key=f"call-{len(self.reserved)}", output=call.output or 4096)

    async def settle(self, hold: Hold, usage: Usage | None, tools: Sequence[ToolUse] = ()) -> None:
        """Put down."""
        self.settled.append((hold.key, usage, tuple(tools)))

    async def release(self, hold: Hold, why: str) -> None:
        """Put down."""
        self.given_back.append((hold.key, why))

    async def refused(self, what: str, why: str) -> None:
        """Put down."""
        self.turned_away.append((what, why))


class TestSeat:
    """See `remit.ports.Seat`. What was ruled, asked, loaded and returned stands in the lists of that name, in order."""

    __test__ = False

    def __init__(self, process: Process, folder: Path, rule: Rule, act: Act, account: AllowingAccount) -> None:
        self.account = account
        self.reports: list[str] = []
        self.process = process
        self.folder = folder
        self.ruled: list[tuple[Native, Ruling]] = []
        self.waited: list[float] = []
        self.acted: list[Mapping[str, Any]] = []
        self.contexts: list[tuple[str, bytes]] = []
        self.returned: list[str] = []
        self.said: list[bytes] = []
        self.heard: list[bytes] = []
        self.closed = False
        self._rule = rule
        self._act = act

    async def read(self) -> bytes | None:
        """See `ports.Seat`."""
        assert self.process.stdout is not None
        try:
            data = await self.process.stdout.receive(CHUNK)
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            return None
        self.heard.append(data)
        return data

    async def say(self, data: bytes) -> None:
        """See `ports.Seat`."""
        self.said.append(data)
        if self.process.stdin is not None and not self.closed:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await self.process.stdin.send(data)

    async def close(self) -> None:
        """See `ports.Seat`."""
        self.closed = True
        if self.process.stdin is not None:
            with suppress(OSError, anyio.BrokenResourceError):
                await self.process.stdin.aclose()

    async def rule(self, native: Native, *, wait: float = 0.0) -> Ruling:
        """See `ports.Seat`."""
        ruling = await self._rule(native)
        self.waited.append(wait)
        self.ruled.append((native, ruling))
        return ruling

    async def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """See `ports.Seat`."""
        self.acted.append(message)
        return await self._act(message)

    async def write(self, path: str, data: bytes) -> None:
        """See `ports.Seat`."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    async def remove(self, path: str) -> None:
        """See `ports.Seat`."""
        (self.folder / path).unlink()

    async def loaded(self, what: str, content: bytes) -> None:
        """See `ports.Seat`."""
        self.contexts.append((what, content))

    async def report(self, text: str) -> None:
        """Put down."""
        self.reports.append(text)

    async def used(self, native: str) -> None:
        """See `ports.Seat`."""
        self.returned.append(native)


@asynccontextmanager
async def seated(
    outfit: Outfit,
    folder: Path,
    *,
    rule: Rule = allowed,
    act: Act = done,
    account: AllowingAccount | None = None,
    instead: Mapping[str, str] | None = None,
) -> AsyncIterator[TestSeat]:
    """The program of an outfit at work in `folder`, in a home of its own; leaving the context kills its whole group.

    Paths of the box (its home, files that are laid in, those of `instead`) stand for places of this machine everywhere.
    """
    with tempfile.TemporaryDirectory(prefix="seat-", ignore_cleanup_errors=True) as place:
        argv, environment = _furnished(outfit, Path(place), instead or {})
        with (Path(place) / "stderr").open("wb") as errors:
            process = await anyio.open_process(
                argv, stdin=PIPE, stdout=PIPE, stderr=errors, cwd=folder, env=environment, start_new_session=True
            )
        try:
            yield TestSeat(process, folder, rule, act, account or AllowingAccount())
        finally:
            with anyio.CancelScope(shield=True):
                await _ended(process)


class PassingMeter:
    """A meter that only passes bytes on, and counts the connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connections = 0


@asynccontextmanager
async def passing(upstream: str) -> AsyncIterator[PassingMeter]:
    """A meter of its own port in front of the model server at the URL `upstream`."""
    to = urlsplit(upstream)
    assert to.hostname is not None and to.port is not None
    host, far = to.hostname, to.port
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", family=socket.AF_INET)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610
    meter = PassingMeter(f"http://127.0.0.1:{port}")

    async def serve(client: SocketStream) -> None:
        meter.connections += 1
        with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with client, await anyio.connect_tcp(host, far) as server, anyio.create_task_group() as group:
                group.start_soon(_pump, client, server)
                await _pump(server, client)
                group.cancel_scope.cancel()

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield meter
        group.cancel_scope.cancel()


# ---------------------------------------------------------------------------------------------------------------------


async def _pump(source: SocketStream, sink: ByteSendStream) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async for data in source:
            await sink.send(data)


def _furnished(outfit: Outfit, place: Path, instead: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Lay the files in, and say everything in paths of this machine."""
    home = place / "home"
    home.mkdir()
    (place / "tmp").mkdir()
    paths = {**instead, HOME: str(home)}
    targets: dict[str, Path] = {}
    for number, path in enumerate(outfit.files):
        inside = path.removeprefix(HOME + "/")
        targets[path] = home / inside if inside != path else place / f"{number}-{Path(path).name}"
        paths[path] = str(targets[path])

    def local(text: str) -> str:
        for path in sorted(paths, key=len, reverse=True):
            text = text.replace(path, paths[path])
        return text

    for path, text in outfit.files.items():
        targets[path].parent.mkdir(parents=True, exist_ok=True)
        targets[path].write_text(local(text))
    own = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(place / "tmp"), "LANG": "C.UTF-8"}
    return [local(word) for word in outfit.argv], own | {name: local(text) for name, text in outfit.environment.items()}


async def _ended(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    if process.stdout is not None:  # what it printed last is read, or its end of the pipe is never closed
        with anyio.move_on_after(1), suppress(anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            while True:
                await process.stdout.receive(CHUNK)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError, anyio.BrokenResourceError):
                await stream.aclose()
