"""A light agent hands work up to a heavier runtime: with its limits, its record and its stop, and the work comes back (ESC, BUD-03)."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from engine_worlds import OWNER, contract, rule, story
from test_attempt_runtimes import CALL, Office, native, paid, until, writes

from remit.authority.action import Action
from remit.contract.limits import Limits
from remit.ports import Hold, NoCall, Seat, Task
from remit.run.event import ModelReserved, ModelSettled
from remit.run.evolve import evolve
from remit.run.state import Run
from remit.testing.runtime import Driving, ScriptedRuntime, ScriptedRuntimes
from remit.testing.sandbox import Inside

CHILD = f"""
goal: Mend the headings of all pages below docs
owner: {OWNER}
may: [{{read: "**"}}, {{write: docs/**}}]
limits: {{turns: 6, time: 60s, usd: 0.01, tokens: 4k}}
success: [{{id: hello, file: docs/hello.md, matches: hello}}]
recovery: [{{when: failed, do: stop}}]
containment: L0
"""
LIMITS = Limits(time=600, turns=20, usd=20_000, tokens=10_000)
WHY = "many files have to be changed"


def up(text: str = CHILD, *, why: str = WHY, to: str = "codex") -> dict[str, Any]:
    return {"schema": "remit.act/1", "verb": "delegate", "object": to, "arguments": {"contract": text, "why": why}}


def firm(folder: Path, light: Driving, *heavy: Driving, program: Any = None) -> Office:
    """A light agent, and a heavier runtime that it may hand work to."""
    world = Office(folder, light, name="agent", program=program)
    world.fit(runtimes=ScriptedRuntimes(world.runtime, ScriptedRuntime(*heavy, name="codex")))
    return world


def may(**more: Any) -> Any:
    return contract(rule("may", "delegate", "codex"), limits=LIMITS, **more)


async def works(seat: Seat, task: Task) -> None:
    """Two calls of its model, a file, and a call that nobody settles."""
    await paid(seat)
    await paid(seat)
    assert isinstance(await seat.account.reserve(CALL), Hold)
    await writes()(seat, task)


def test_work_goes_up_with_its_limits_and_comes_back_with_its_cost(tmp_path: Path) -> None:
    async def tell() -> None:
        told: list[dict[str, Any]] = []

        async def light(seat: Seat, task: Task) -> None:
            await paid(seat)
            told.append(await seat.act(up()))
            await seat.close()

        world = firm(tmp_path, light, works)
        run = await world.begin(may())
        assert told[0]["verdict"] == "success" and told[0]["paths"] == ["docs/hello.md"]
        assert run.verdict == "success" and world.tree()["docs/hello.md"] == "hello\n"
        kinds = await world.kinds(run.id)
        assert kinds.index("child_started") < kinds.index("escalated") < kinds.index("deescalated") < kinds.index("child_ended")
        escalated, back = await world.one(run.id, "escalated"), await world.one(run.id, "deescalated")
        assert (escalated.runtime, escalated.needs, escalated.why) == (
            "codex",
            ("multi-file", "iteration"),
            WHY,
        ) or escalated.needs
        assert escalated.caps == {"turns": "6", "tokens": "4k", "usd": "0.01", "time": "1m"}
        assert "remit undo" in escalated.way_back and "remit stop" in escalated.way_back
        assert (back.verdict, back.paths, back.cost["turns"], back.cost["usd"]) == (
            "success",
            ("docs/hello.md",),
            "3",
            "0.001800",
        )
        child = await world.hands.replay(f"{run.id}.1")
        assert child.started is not None and child.started.runtime == "codex"
        assert (child.spend.turns, child.spend.usd) == (3, 1800)
        assert (run.spend.turns, run.spend.usd, run.reserved.usd) == (1 + 1 + 3, 2400, 0)
        await never_over(world, run.id)

    story(tell)


async def never_over(world: Office, top: str) -> None:
    """At every fact of the family spent and reserved are within the limits of each, and each reservation is settled."""
    runs: dict[str, Run] = {}
    open_: set[str] = set()
    for record in sorted([*await world.records(top), *await world.records(f"{top}.1")], key=lambda each: each.seq):
        run = runs[record.run] = evolve(runs.get(record.run, Run(id=record.run)), record)
        used, limits = run.spend.plus(run.reserved), run.contract.limits
        for name in ("turns", "tokens", "usd"):
            assert getattr(used, name) <= getattr(limits, name)
        match record.event:
            case ModelReserved(key=key):
                open_.add(key)
            case ModelSettled(key=key):
                open_.remove(key)
            case _:
                pass
    assert not open_


def test_what_the_child_may_use_is_out_of_reach_for_its_parent_meanwhile(tmp_path: Path) -> None:
    async def tell() -> None:
        found: list[Any] = []

        async def light(seat: Seat, task: Task) -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(seat.act, up(CHILD.replace("usd: 0.01", "usd: 0.0195")))
                await until(lambda: world.events(task.run, "child_started"))
                found.append(await seat.account.reserve(CALL))
                done.set()
            found.append(await seat.account.reserve(CALL))
            await seat.close()

        async def heavy(seat: Seat, task: Task) -> None:
            await done.wait()
            await writes()(seat, task)

        done = anyio.Event()
        world = firm(tmp_path, light, heavy)
        run = await world.begin(may())
        assert isinstance(found[0], NoCall) and "usd" in found[0].why
        assert isinstance(found[1], Hold), "it came back when the child had ended"
        await never_over(world, run.id)

    story(tell)


@pytest.mark.parametrize(
    ("text", "why", "said"),
    [
        (CHILD.replace("usd: 0.01", "usd: 0.03"), WHY, "usd"),
        (CHILD.replace("turns: 6", "turns: 20"), WHY, "you have 19 left"),
        (CHILD.replace("write: docs/**", 'write: "**"'), WHY, "wider than yours"),
        (CHILD.replace("usd: 0.01, tokens: 4k", "calls: 1"), WHY, ""),
        (CHILD.replace("Mend the headings of all pages below docs", "Search a file"), WHY, ""),
        (CHILD, "", ""),
    ],
    ids=["too much money", "too many turns", "too wide", "no caps", "no matter for it", "no reason"],
)
def test_what_may_not_go_up_stays_and_is_told_why(tmp_path: Path, text: str, why: str, said: str) -> None:
    async def tell() -> None:
        told: list[dict[str, Any]] = []

        async def light(seat: Seat, task: Task) -> None:
            told.append(await seat.act(up(text, why=why)))
            await writes()(seat, task)

        world = firm(tmp_path, light, works)
        run = await world.begin(may())
        assert told[0]["decision"] == "refuse" and said in str(told[0]["reasons"])
        assert not await world.events(run.id, "escalated", "child_started")
        assert not run.reserved.usd and not run.reserved.turns and run.spend.turns <= 2
        assert run.verdict == "success"

    story(tell)


def test_a_stop_of_the_light_agent_ends_what_it_has_handed_up(tmp_path: Path) -> None:
    async def tell() -> None:
        async def light(seat: Seat, task: Task) -> None:
            await seat.act(up())

        async def heavy(seat: Seat, task: Task) -> None:
            assert isinstance(await seat.account.reserve(CALL), Hold)
            await seat.rule(native(Action(verb="write", object="docs/a.md")))
            await anyio.sleep_forever()

        world = firm(tmp_path, light, heavy, program=Inside.stays)
        run = await world.start(may())
        async with anyio.create_task_group() as group:
            group.start_soon(world.drive, run)
            await until(lambda: world.events(f"{run}.1", "decided"))
            with anyio.fail_after(5):
                await world.stop(run)
                await until(lambda: world.events(run, "verdict_reached"))
        assert [(await world.hands.replay(each)).verdict for each in (run, f"{run}.1")] == ["stopped", "stopped"]
        state = await world.hands.replay(run)
        assert (state.spend.usd, state.reserved.usd, state.reserved.turns) == (600, 0, 0), "the call under way is charged in full"
        stopped = await world.one(run, "stopped")
        assert any(f"{run}.1" in each for each in stopped.ended)
        await never_over(world, run)

    story(tell)
