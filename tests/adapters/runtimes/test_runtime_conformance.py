"""Every runtime keeps the promises of the port: the ACP driver with the agent that is shipped for it, and the real ones where they are installed."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import msgspec
import pytest
from at_work import doored, named, task

from remit.adapters.runtimes import KnownRuntimes
from remit.adapters.runtimes.acp.runtime import Acp
from remit.adapters.sandboxes.argv import MCP
from remit.ports import Runtime
from remit.testing import acp_agent, acp_deeds
from remit.testing.checks_runtime import CHECKS, LAST, SKILL, Deed, Ground, Play, door
from remit.testing.models import Final, Hang, Script, Shell, Skill, Write, serving
from remit.testing.seat import Rule, seated

MODELS = {"claude": "claude-opus-4-8", "codex": "gpt-5.1-codex", "gemini": "gemini-2.5-pro", "opencode": "gpt-5.1"}
ACTS = [
    {"do": "write", "path": "made.txt", "text": "made\n", "how": "asked"},
    {"do": "shell", "command": "touch ran.txt"},
    {"do": "final"},
]
INVOKES = [{"do": "skill", "skill": SKILL}, {"do": "final", "text": LAST}]
SCRIPTS = {"acts": ACTS, "stays": [{"do": "rogue", "how": "mute"}], "invokes": INVOKES}
STORIES = {
    "acts": (Write(path="made.txt", text="made\n"), Shell(command="touch ran.txt"), Final(text="done"), Final(text="well")),
    "stays": (Hang(),),
    "invokes": (Skill(skill=SKILL), Final(text=LAST)),
}
PARTS = [pytest.param(check, id=check.__name__) for check in CHECKS]


def command(folder: Path) -> tuple[str, ...]:
    """The agent that is shipped, as somebody would put it into a workspace."""
    for each in (acp_agent, acp_deeds):
        shutil.copy(str(each.__file__), folder)
    return ("python3", "-IS", f"{folder}/acp_agent.py")


def served(runtime: Runtime, program: Path) -> Runtime:
    """A runtime whose agent is told of its servers when it begins gets the one of this machine."""
    if isinstance(runtime, Acp):
        runtime.manner = msgspec.structs.replace(runtime.manner, servers=(("remit", (str(program),)),))
    return runtime


@asynccontextmanager
async def scripted(runtime: Runtime, deed: Deed, folder: Path, rule: Rule) -> AsyncIterator[Play]:
    """The agent of the ACP driver does what its prompt says."""
    told = task(folder, "http://127.0.0.1:9", f"script: {json.dumps(SCRIPTS[deed])}", command=command(folder))
    async with (
        doored(folder.parent / "door") as (program, seats),
        seated(await served(runtime, program).outfit(told), folder, rule=rule, act=door) as seat,
    ):
        seats.append(seat)
        yield Play(
            task=told, seat=seat, told=lambda: b"".join(seat.said).decode(), began=lambda: b"began mute" in b"".join(seat.heard)
        )


@asynccontextmanager
async def modelled(runtime: Runtime, deed: Deed, folder: Path, rule: Rule) -> AsyncIterator[Play]:
    """A real runtime does what its scripted model says."""
    async with serving([Script(name=deed, steps=STORIES[deed])]) as server:
        told = task(folder, server.url, f"Do it. [[script: {deed}]]", model=MODELS[runtime.name])
        async with (
            doored(folder.parent / "door") as (program, seats),
            seated(await served(runtime, program).outfit(told), folder, rule=rule, act=door, instead={MCP: str(program)}) as seat,
        ):
            seats.append(seat)
            yield Play(
                task=told,
                seat=seat,
                told=lambda: "".join(seen.body.decode() for seen in server.journal),
                began=lambda: any(seen.ended == "hung" for seen in server.journal),
            )


@pytest.mark.parametrize("check", PARTS)
def test_the_acp_driver_keeps_the_promises_of_a_runtime(check, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    told = task(folder, "http://127.0.0.1:8100", "nothing", command=command(folder))
    anyio.run(check, Ground(make=Acp, play=scripted, task=told, room=tmp_path))


@pytest.mark.parametrize("check", PARTS)
@pytest.mark.parametrize("name", MODELS)
def test_a_real_runtime_keeps_the_promises_of_a_runtime(
    name: str, check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(name, monkeypatch)
    folder = tmp_path / "work"
    folder.mkdir()
    told = task(folder, "http://127.0.0.1:8100", "nothing", model=MODELS[name])
    anyio.run(check, Ground(make=lambda: KnownRuntimes().find(name), play=modelled, task=told, room=tmp_path))
