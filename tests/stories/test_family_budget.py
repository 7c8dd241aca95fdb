"""One budget for a whole family: however many call at once, from however many processes, and however their calls end (BUD all)."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
from worlds import CLEAN, OWNER, ROOT, Told, small

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.adapters.models.door import HttpModelDoor
from remit.adapters.models.providers import Providers
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Spend
from remit.contract.outcome import FileCheck
from remit.contract.party import Organisation, Person
from remit.contract.rule import Rule
from remit.engine.attempt import lose
from remit.engine.delegation import _take_on, settle
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.meter import Meter
from remit.engine.start import start
from remit.engine.supervisor import Supervisor
from remit.errors import BadInput
from remit.ports import Hold, ModelCall, Usage
from remit.run.event import AttemptStarted, ModelReserved, ModelSettled, Recorded, VerdictReached
from remit.run.evolve import evolve
from remit.run.state import Run
from remit.testing.accounts import Flat
from remit.testing.checks_models import answered, request
from remit.testing.leases import MemoryLeases
from remit.testing.models import Burst, Script, Slow, served, serving
from remit.testing.models import Usage as Counted
from remit.testing.sandbox import Inside, UnconfinedScripts
from remit.testing.workspace import PlainWorkspace

CHILD = f"""
goal: Greet %d
owner: {OWNER}
may: [{{read: "**"}}, {{delegate: command}}]
limits: {{turns: 4, time: 60s, usd: "0.004", tokens: 1600}}
success: [{{id: hello, file: docs/hello.md, exists: true}}]
recovery: [{{when: failed, do: stop}}]
containment: L0
"""
AGENT = ROOT / "src" / "remit" / "testing" / "acp_agent.py"
GRANDCHILD = CHILD.replace("turns: 4", "turns: 2").replace("0.004", "0.002").replace("1600", "800")
NAMES = ("turns", "tokens", "usd")
ENDS = ("counted", "counted", "less", "hung up", "released", "killed")


@asynccontextmanager
async def hands(home: Path) -> AsyncIterator[Hands]:
    """An engine's hands over the ledger that everybody has; boxes are scripts that do nothing."""

    async def idles(_: Inside) -> None:
        return

    with closing(open_ledger(home, clock=SystemClock())) as ledger:
        yield Hands(
            ledger=ledger, clock=SystemClock(), leases=MemoryLeases(), workspace=PlainWorkspace(), home=home, prices=Flat(),
            sandbox=UnconfinedScripts({"agent": idles}),
        )  # fmt: skip


async def at_work(over: Hands, folder: Path, limits: Limits) -> str:
    """A run whose attempt has begun, and that nobody drives: whoever has its name may call models for it."""
    (folder / "work").mkdir()
    rules = (
        Rule(id="reads", effect="may", verb="read", objects=("**",)),
        Rule(id="hands-on", effect="may", verb="delegate", objects=("command",)),
    )
    contract = Contract(
        goal="g", owner=OWNER, rules=rules, limits=limits, containment="L0", recovery=(),
        success=(FileCheck(id="hello", file="docs/hello.md", exists=True),),
    )  # fmt: skip
    organisation = Organisation(people=(Person(id=OWNER),), assurance="scripted")
    run = await start(over, contract, organisation, folder / "work", ("agent",), trigger="a test")
    await over.record(AttemptStarted(run=run, attempt=1))
    return run


async def calls(account: Meter, chance: Random, times: int) -> None:
    """So many calls, one after the other, each of which ends in any way; one that is killed is its caller's last."""
    for _ in range(times):
        read, wrote = chance.randrange(1, 300), chance.randrange(1, 400)
        hold = await account.reserve(ModelCall(model="m-1", input=read, output=wrote))
        if not isinstance(hold, Hold):
            return
        await anyio.lowlevel.checkpoint()
        match chance.choice(ENDS):
            case "counted":
                await account.settle(hold, Usage(input=read, output=min(wrote, hold.output)))
            case "less":
                await account.settle(hold, Usage(input=read // 2, output=hold.output // 3))
            case "hung up":
                await account.settle(hold, None)
            case "released":
                await account.release(hold, "the provider was not there")
            case _:
                return


def never_over(records: Iterable[Recorded]) -> dict[str, Run]:
    """Fold the whole record, of all runs, and look at every prefix: no limit is passed, nothing is below nothing. The runs."""
    runs: dict[str, Run] = {}
    for record in sorted(records, key=lambda each: each.seq):
        run = runs[record.run] = evolve(runs.get(record.run, Run(id=record.run)), record)
        if run.started is None:
            continue
        used = run.spend.plus(run.reserved)
        for name in NAMES:
            most = getattr(run.contract.limits, name)
            assert most is None or getattr(used, name) <= most, (record.seq, record.run, name, used)
            assert getattr(run.reserved, name) >= 0, (record.seq, run.reserved)
    return runs


async def everything(over: Hands, top: str, children: Iterable[str]) -> list[Recorded]:
    return [record for run in (top, *children) for record in await over.ledger.events(run)]


def exact(records: list[Recorded], run: str) -> None:
    """Every reservation of the run was settled once, and the total is theirs: nothing leaked, nothing was made up."""
    reserved = {each.event.key: each.event for each in records if each.run == run and isinstance(each.event, ModelReserved)}
    settled = [each.event for each in records if each.run == run and isinstance(each.event, ModelSettled)]
    assert sorted(each.key for each in settled) == sorted(reserved)
    for each in settled:
        if each.how == "estimated":
            assert each.spend == reserved[each.key].reserved
        if each.how == "released":
            assert each.spend == Spend(turns=1)


def together(spends: Iterable[Spend]) -> Spend:
    total = Spend()
    for each in spends:
        total = total.plus(each)
    return total


async def family(folder: Path, seed: int, count: int) -> None:
    """So many children of one account, some with a child of their own, all at once; each calls, some are killed, all are settled."""
    chance = Random(seed)
    async with hands(folder / "home") as over:
        limits = Limits(time=600, turns=count * 3, usd=count * 3000, tokens=count * 1500)
        top, gate = await at_work(over, folder, limits), Gate(over)
        children: list[str] = []

        async def child(number: int, seed: int, above: str = top, text: str = CHILD) -> None:
            try:
                made = await _take_on(over, above, "command", {"contract": text % number, "command": ["agent"]}, f"k{number}")
            except BadInput:
                return
            children.append(made)
            await over.record(AttemptStarted(run=made, attempt=1))
            async with anyio.create_task_group() as own:
                own.start_soon(calls, Meter(over, gate, made, 1), Random(seed), 4)
                if above == top and number % 3 == 0:
                    own.start_soon(child, number, seed + 1, made, GRANDCHILD)
            await lose(over, await over.replay(made))
            await over.record(VerdictReached(run=made, verdict="failed", why="it was killed"))
            await settle(over, above, await over.replay(made))

        async with anyio.create_task_group() as group:
            group.start_soon(calls, Meter(over, gate, top, 1), Random(seed + 1), count // 10)
            for number in range(count):
                group.start_soon(child, number, chance.randrange(2**32))
        await lose(over, await over.replay(top))
        records = await everything(over, top, children)
        runs = never_over(records)
        assert len(children) > count // 3
        assert any(each.count(".") == 2 for each in children)
        for each in (top, *children):
            exact(records, each)
            assert not runs[each].holds and not runs[each].children
            assert all(getattr(runs[each].reserved, name) == 0 for name in NAMES)
        own = [each.event.spend for each in records if each.run == top and isinstance(each.event, ModelSettled)]
        total = together([*own, *(runs[each].spend for each in children if each.count(".") == 1)])
        assert [getattr(runs[top].spend, name) for name in NAMES] == [getattr(total, name) for name in NAMES]


def test_children_of_one_account_never_spend_more_than_it_has(tmp_path: Path) -> None:
    anyio.run(family, tmp_path, 1, 30)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(10))
def test_two_hundred_children_of_one_account_never_spend_more_than_it_has(tmp_path: Path, seed: int) -> None:
    anyio.run(family, tmp_path, seed, 200)


# ----------------------------------------------------------------------------------------------------- many processes at once

WORKER = """
import sys
from functools import partial
from pathlib import Path
from random import Random
sys.path.insert(0, sys.argv[1])
import anyio
from test_family_budget import Gate, Meter, calls, hands

async def main(home, run, seed, tasks, times):
    async with hands(Path(home)) as over:
        account = Meter(over, Gate(over), run, 1)
        print("there", flush=True)
        async with anyio.create_task_group() as group:
            for number in range(int(tasks)):
                group.start_soon(calls, account, Random(int(seed) + number), int(times))

anyio.run(partial(main, *sys.argv[2:]))
"""


def processes(folder: Path, seed: int, *, tasks: int, times: int, usd: int) -> None:
    """Four processes call models for one run; one of them is killed while it does. `usd` is for each call, in millionths."""

    async def begin() -> str:
        async with hands(folder / "home") as over:
            return await at_work(over, folder, Limits(time=600, turns=tasks * times * 3, usd=tasks * times * 4 * usd))

    run = anyio.run(begin)
    given = (str(Path(__file__).parent), str(folder / "home"), run)
    seeds = [str(seed + 1000 * number) for number in range(4)]
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, *given, each, str(tasks), str(times)], env=CLEAN, text=True, stdout=pipe, stderr=pipe
        )
        for each in seeds
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "there\n", worker.communicate()[1][-2000:]

    async def until_busy() -> None:
        async with hands(folder / "home") as over:
            with anyio.fail_after(60):
                while len([each for each in await over.ledger.events(run) if each.kind == "model_settled"]) < tasks:
                    await anyio.sleep(0.01)

    anyio.run(until_busy)
    os.kill(workers[0].pid, signal.SIGKILL)
    said = [worker.communicate(timeout=300)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [-signal.SIGKILL, 0, 0, 0], said
    anyio.run(resumed, folder / "home", run)


async def resumed(home: Path, run: str) -> None:
    """What nobody will settle is charged once the run is resumed, and nothing else changes."""
    async with hands(home) as over:
        before = await over.replay(run)
        await Supervisor(over).drive(run)
        records = await over.ledger.events(run)
        after = never_over(records)[run]
        exact(records, run)
        assert not after.holds and all(getattr(after.reserved, name) == 0 for name in NAMES)
        for name in NAMES:
            assert getattr(after.spend, name) == getattr(before.spend.plus(before.held), name)


def test_four_processes_of_one_run_never_spend_more_than_it_has(tmp_path: Path) -> None:
    processes(tmp_path, 7, tasks=4, times=8, usd=1500)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(3))
def test_four_processes_with_fifty_callers_each_never_spend_more_than_it_has(tmp_path: Path, seed: int) -> None:
    processes(tmp_path, seed, tasks=50, times=10, usd=500)


# ------------------------------------------------------------------------------------------------------------- over real wires

DRIP = Script(name="drip", steps=(Slow(seconds=0.005), Burst(tokens=12)))
PATHS: dict[str, dict[str, Any]] = {
    "/v1/messages": {"messages": [{"role": "user", "content": "[[script: drip]]"}], "max_tokens": 64},
    "/v1/responses": {"input": "[[script: drip]]", "max_output_tokens": 64},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "[[script: drip]]"}], "max_tokens": 64},
}


async def streams(folder: Path, count: int) -> None:
    """So many streams at once through the door, half of which hang up somewhere in the middle."""
    async with hands(folder / "home") as bare, serving([DRIP], usage=Counted(counted=True, output=20)) as server:
        over = replace(bare, prices=Flat())
        run = await at_work(over, folder, Limits(time=600, turns=count * 2, usd=count * 2000, tokens=count * 1000))
        account, chance = Meter(over, Gate(over), run, 1), Random(3)
        environment = {"ANTHROPIC_BASE_URL": server.url, "OPENAI_BASE_URL": f"{server.url}/v1"}
        door = HttpModelDoor(Providers(environment | dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY"), "key")))
        stays = {f"m-{number}": chance.random() < 0.5 for number in range(count)}

        async def stream(model: str, path: str, patience: float) -> None:
            ours, theirs = socket.socketpair()
            async with anyio.create_task_group() as group:
                group.start_soon(door.serve, theirs, account)
                async with await anyio.abc.UNIXSocketStream.from_socket(ours) as line:
                    await line.send(request(path, {**PATHS[path], "model": model, "stream": True}, token=account.token))
                    with anyio.move_on_after(None if stays[model] else patience):
                        status, _ = await answered(line)
                        assert status == 200

        async with anyio.create_task_group() as group:
            for number, model in enumerate(stays):
                group.start_soon(stream, model, list(PATHS)[number % len(PATHS)], chance.random() * 0.08)
        records = await over.ledger.events(run)
        state = never_over(records)[run]
        exact(records, run)
        assert not state.holds
        whole = {seen.model: seen for seen in server.journal if seen.ended == "whole"}
        compared = agrees(records, {model: (seen.input, seen.output) for model, seen in whole.items()}, stays)
        assert compared >= sum(stays.values()) > count // 4


def agrees(records: list[Recorded], whole: dict[str, tuple[int, int]], stays: dict[str, bool]) -> int:
    """The account says of each call what the provider says, or charges all of it. How many were counted."""
    settled = {each.event.key: each.event for each in records if isinstance(each.event, ModelSettled)}
    counted = 0
    for each in [each.event for each in records if isinstance(each.event, ModelReserved)]:
        found = settled[each.key]
        if each.model in whole:  # never lower than what the provider knows of
            assert found.spend.tokens >= sum(whole[each.model])
        if found.how == "counted":
            counted += 1
            assert (found.input, found.output) == whole[each.model]
        else:
            assert not stays[each.model], f"{each.model} stayed to the end: {found}"
            assert found.how == "estimated" or each.model not in whole
    return counted


def test_the_account_of_fifty_streams_is_what_the_provider_says_or_all_of_it(tmp_path: Path) -> None:
    anyio.run(streams, tmp_path, 50)


# -------------------------------------------------------------------------------------------------- shown before anybody guesses

CAPPED = f"""
goal: %s
owner: {OWNER}
may: [{{read: "**"}}, {{write: docs/**}}]
limits: {{turns: 5, time: 60s, tokens: 100k}}
success: [{{id: hello, file: docs/hello.md, exists: true}}]
recovery: [{{when: failed, do: stop}}]
"""


def test_the_sixth_of_five_calls_is_never_made_and_that_is_said_in_every_way(tmp_path: Path) -> None:
    """A warning before it, a fact of it, an exit code of its own, and a line for people (BUD-01, BUD-04)."""
    steps = [{"do": "model", "prompt": "hello"}] * 8
    with served() as server:
        world = small(tmp_path)
        world.env |= {"ANTHROPIC_API_KEY": "sk-real", "ANTHROPIC_BASE_URL": server.url}
        contract = world.contract(CAPPED % json.dumps("script: " + json.dumps([*steps, {"do": "final"}])))
        words = ("--workspace", str(world.work), "--runtime", "acp", "--with", str(AGENT.parent))
        done = world.quick("run", contract, *words, "--json", "--", "python3", "-IS", str(AGENT), code=5)
        told = Told(done.stdout)
        assert len(server.journal) == 5
        assert (told.end["verdict"], told.end["spend"]["turns"]) == ("exhausted", 5)
        said = [(fact["kind"], fact["limit"], fact["used"], fact["of"]) for fact in told.events if "limit" in fact]
        assert said == [("warned", "turns", "4", "5"), ("limit_reached", "turns", "5", "5")]
        assert "5/5 turns" in world.quick("show", "last").stdout
        account = world.quick("account", "last").stdout
        assert "what is left of 5 turns does not suffice for another model call" in account
        assert "limit reached turns  (5 of 5 used)" in account
        assert "warn turns  (4 of 5 used)" in account
