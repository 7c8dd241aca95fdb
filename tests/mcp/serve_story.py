"""A person's machine with `remit mcp serve` on it, and the official client as its host."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio

OWNER = "desk-owner@example.com"
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("REMIT_", "GIT_"))}
CONTRACT = """\
goal: The docs say hello
owner: desk-owner@example.com
may:
  - read: "**"
  - write: docs/**
limits: {turns: 10, time: 60s}
success:
  - {id: hello, file: docs/hello.md, matches: hello}
recovery:
  - {when: failed, do: undo}
"""
PROGRAMS = ("sh -c", "python")
"""what a person lets hosts have started"""
WRITES = ("sh", "-c", "mkdir -p docs; echo hello > docs/hello.md")


class Place:
    """A home with an identity, a workspace, and folders a host may not reach."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.work, self.contracts = folder, folder / "home", folder / "work", folder / "contracts"
        self.elsewhere = folder / "elsewhere"
        for each in (self.work, self.contracts, self.elsewhere):
            each.mkdir()
        (self.work / "README.md").write_text("read me\n")
        self.env = {**CLEAN, "REMIT_HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"}
        self.remit("init", "--person", OWNER)

    def remit(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "remit.cli.main", *words], check=False, capture_output=True, text=True, env=self.env,
            cwd=self.folder, timeout=120,
        )  # fmt: skip
        assert code is None or done.returncode == code, f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        return done

    def words(self, *more: str) -> list[str]:
        named = [word for each in PROGRAMS for word in ("--allow-program", each)]
        return [
            "-m", "remit.cli.main", "mcp", "serve", "--workspace", str(self.work), "--contracts", str(self.contracts), *named, *more,
        ]  # fmt: skip

    @asynccontextmanager
    async def host(self, *more: str, mode: str = "auto") -> AsyncIterator["Host"]:
        """The official client, before a server on pipes."""
        from mcp.client import Client
        from mcp_types import Implementation

        from mcp import StdioServerParameters

        server = StdioServerParameters(command=sys.executable, args=self.words(*more), env=self.env, cwd=str(self.folder))
        info = Implementation(name="an editor", version="1")
        async with Client(server, mode=mode, client_info=info, cache=None) as client:
            yield Host(client)

    @contextmanager
    def http(self, token: Path) -> Iterator[str]:
        """The address of a server over HTTP."""
        process = subprocess.Popen(
            [sys.executable, *self.words("--http", "127.0.0.1:0", "--token-file", str(token))], env=self.env, cwd=self.folder,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("serving at "), line + process.stderr.read()
            yield line.split()[2]
        finally:
            process.terminate()
            process.communicate(timeout=20)


class Host:
    """What an agent's host does."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer; AssertionError where it is an error."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result.content[0].text
        told: dict[str, Any] = result.structured_content
        return told

    async def refused(self, tool: str, **arguments: Any) -> str:
        """The words of an error."""
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result.structured_content
        text: str = result.content[0].text
        return text

    async def read(self, uri: str) -> str:
        text: str = (await self.client.read_resource(uri)).contents[0].text
        return text

    async def until(self, run: str, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The status once it holds."""
        with anyio.fail_after(60):
            while True:
                told = await self.call("status", run=run)
                if holds(told):
                    return told
                await anyio.sleep(0.1)


def go(work: Callable[[], Awaitable[None]]) -> None:
    """Run it, within two minutes."""

    async def bounded() -> None:
        with anyio.fail_after(120):
            await work()

    anyio.run(bounded)
