"""kill -9 of the supervisor while a runtime works: nothing lives on, resume carries on, and no model call is forgotten (KILL-01, BUD)."""

import json
import signal
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from test_crash import left_running, nothing_left
from worlds import ROOT, Told, World, small

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.contract.limits import Spend
from remit.run.event import AttemptLost, AttemptStarted, ModelReserved, ModelSettled, Recorded, Started
from remit.run.evolve import replay
from remit.testing.models import ModelServer, Script, Shell, Usage, Write, served

ACP_AGENT = ROOT / "src" / "remit" / "testing" / "acp_agent.py"
CONTRACT = """\
goal: %s
owner: release-lead@example.com
may:
  - read: "**"
  - write: [docs/**, made.md]
limits: {turns: 40, time: 120s, usd: 1.00, tokens: 200k}
success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: crashed
    do: retry 3
  - when: failed
    do: undo
models:
  - model: "*"
    price: {input: 1.00, output: 5.00}
"""
UNTOUCHED = {"README.md": "read me\n"}
DONE = {"README.md": "read me\n", "docs/hello.md": "hello\n"}
MADE = {**DONE, "made.md": "made\n"}
WORK = Script(
    name="work",
    steps=(Shell(command="echo made > made.md; sleep 600 & : NONCE"), Write(path="docs/hello.md", text="hello\n")),
    usage=Usage(counted=True, output=20),
)
HELLO = Script(name="hello", steps=(), usage=Usage(counted=True, output=20))


@dataclass
class Scene:
    """A small world with a model server in it, a runtime, and a mark on everything that is started."""

    world: World
    server: ModelServer
    runtime: str
    nonce: str
    contract: str = CONTRACT

    def words(self) -> list[str]:
        """The runtime's part of a command line, and the contract."""
        if self.runtime == "agent":
            return [
                self.world.contract(self.contract % '"Say hello. [[script: work]]"'),
                "--runtime",
                "agent",
                "--model",
                "anthropic:m-1",
            ]
        steps = [
            {"do": "model", "prompt": "[[script: hello]]"},
            {"do": "rogue", "how": "daemon", "nonce": self.nonce},
            {"do": "write", "path": "docs/hello.md", "text": "hello\n"},
            {"do": "model", "prompt": "[[script: hello]]"},
            {"do": "final"},
        ]
        contract = self.world.contract(self.contract % json.dumps("script: " + json.dumps(steps)))
        return [contract, "--runtime", "acp", "--with", str(ACP_AGENT.parent), "--", "python3", "-IS", str(ACP_AGENT)]

    def crashed(self, where: str) -> int:
        """Hand over, and be killed at this place; the exit code."""
        contract, *more = self.words()
        where_to = ["run", contract, "--workspace", str(self.world.work), "--json"]
        return self.world.quick(*where_to, *more, code=None, REMIT_TEST_CRASH=where).returncode

    def records(self) -> list[Recorded]:
        """Everything of the only run; nothing when it never began."""

        async def look() -> list[Recorded]:
            with closing(open_ledger(self.world.home, clock=SystemClock())) as ledger:
                runs = await ledger.runs()
                return await ledger.events(runs[0].run) if runs else []

        return anyio.run(look)


@contextmanager
def scene(folder: Path, runtime: str) -> Iterator[Scene]:
    nonce = f"nonce{uuid.uuid4().hex[:12]}"
    steps = tuple(Shell(command=each.command.replace("NONCE", nonce)) if isinstance(each, Shell) else each for each in WORK.steps)
    with served([Script(name="work", steps=steps, usage=WORK.usage), HELLO]) as server:
        world = small(folder)
        world.env |= {f"{each}_API_KEY": "sk-real" for each in ("ANTHROPIC", "OPENAI", "GEMINI")}
        world.env |= {"ANTHROPIC_BASE_URL": server.url, "OPENAI_BASE_URL": f"{server.url}/v1"}
        yield Scene(world, server, runtime, nonce)


def survives(at: Scene, where: str) -> bool:
    """One crash and its resume; False once the run has fewer appends than that."""
    code = at.crashed(where)
    if code == 0:
        assert nothing_left(at.nonce)
        return False
    assert code == -signal.SIGKILL
    assert nothing_left(at.nonce), left_running(at.nonce)
    done = MADE if at.runtime == "agent" else DONE
    assert at.world.tree() in (UNTOUCHED, done)
    before = at.records()
    resumed = at.world.quick("resume", "--json", code=None)
    assert resumed.returncode == 0, resumed.stdout[-2000:] + resumed.stderr[-2000:]
    at.world.quick("verify")
    after = at.records()
    assert after[: len(before)] == before, "what was on record stays on record"
    account_is_kept(before, after)
    nothing_forgotten(at.server, after)
    if resumed.stdout:
        assert Told(resumed.stdout).end["verdict"] == "success"
        assert at.world.tree() == done
    else:
        assert at.world.tree() in (UNTOUCHED, done)
    assert nothing_left(at.nonce)
    assert at.world.quick("resume", "--json").stdout == ""
    return True


def account_is_kept(before: list[Recorded], after: list[Recorded]) -> None:
    """Resume charges what was set aside and never settled, in full, and changes nothing else of what the crash left behind."""
    if not any(isinstance(each.event, Started) for each in before):
        return
    then, now = replay(before), replay(after)
    assert not now.holds
    assert (now.reserved.turns, now.reserved.tokens, now.reserved.usd) == (0, 0, 0)
    own = [each.event for each in after[len(before) :] if isinstance(each.event, ModelSettled)]
    left = [each for each in own if each.key in then.holds]
    assert {each.key for each in left} == set(then.holds), "each of them once"
    assert all(each.how == "estimated" and each.spend == then.holds[each.key] for each in left)
    lost = next((number for number, each in enumerate(after[len(before) :]) if isinstance(each.event, AttemptLost)), None)
    if then.holds:
        assert lost is not None
        upto = replay(after[: len(before) + lost + 1])
        kept = then.spend.plus(then.held)
        assert (upto.spend.turns, upto.spend.tokens, upto.spend.usd) == (kept.turns, kept.tokens, kept.usd)


def nothing_forgotten(server: ModelServer, records: list[Recorded]) -> None:
    """What the provider gave as a whole is charged, and every reservation was settled once."""
    reserved = [each.event.key for each in records if isinstance(each.event, ModelReserved)]
    settled = [each.event for each in records if isinstance(each.event, ModelSettled)]
    assert sorted(each.key for each in settled) == sorted(reserved)
    total = Spend()
    for each in settled:
        total = total.plus(each.spend)
    whole = [seen for seen in server.journal if seen.ended == "whole"]
    assert total.tokens >= sum(seen.input + seen.output for seen in whole)
    assert total.turns >= len(server.journal)


@pytest.mark.parametrize("where", ["after:2", "after:6", "before:10"])
def test_a_run_with_an_acp_agent_survives_a_crash_of_its_supervisor(tmp_path: Path, where: str) -> None:
    with scene(tmp_path, "acp") as at:
        survives(at, where)


def test_a_light_agent_that_asked_goes_on_in_another_process_even_when_that_one_is_killed(tmp_path: Path) -> None:
    """Asked, left, answered, carried on, killed, carried on again: what was done before the question is still there."""
    with scene(tmp_path, "agent") as at:
        at.contract = CONTRACT.replace("  - write: [docs/**, made.md]\n", "  - write: made.md\nask:\n  - write: docs/**\n")
        contract, *more = at.words()
        asked = at.world.quick("run", contract, "--workspace", str(at.world.work), "--json", *more, code=4)
        assert Told(asked.stdout).end["questions"] == ["Q1"] and at.world.tree() == UNTOUCHED
        killed = at.world.quick("answer", "last", "Q1", "yes", "--json", code=None, REMIT_TEST_CRASH="after:6")
        assert killed.returncode == -signal.SIGKILL
        assert nothing_left(at.nonce)
        before = at.records()
        at.world.quick("resume", "--json", code=0)
        after = at.records()
        attempts = [each.event for each in after if isinstance(each.event, AttemptStarted)]
        assert [(each.attempt, each.carried) for each in attempts] == [(1, 0), (2, 1), (3, 1)]
        account_is_kept(before, after)
        nothing_forgotten(at.server, after)
        assert at.world.tree() == MADE
        assert nothing_left(at.nonce)
        at.world.quick("verify")


@pytest.mark.thorough
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("runtime", ["acp", "agent"])
def test_a_run_with_a_runtime_survives_a_crash_of_its_supervisor_at_any_append(tmp_path: Path, runtime: str, side: str) -> None:
    number, goes_on = 0, True
    while goes_on:
        (tmp_path / f"{number}").mkdir()
        with scene(tmp_path / f"{number}", runtime) as at:
            goes_on = survives(at, f"{side}:{number}")
        number += 1
    assert number > 20, "the run has more appends than were tried"
