"""What a chain costs: two hundred steps that do nothing side by side, and what one step costs beside the box it runs in."""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from time import perf_counter

import anyio

from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.bench.chain_steps import carried, plan
from remit.bench.chain_world import ChainWorld, chain_world
from remit.bench.row import Goal, Row
from remit.bench.sandbox import BARE, Stopwatch
from remit.bench.startup import LAUNCHER
from remit.bench.turns import medians, show
from remit.errors import Unavailable
from remit.ports import BoxLimits, BoxPlan, Mount
from remit.run.state import Run

STEPS, QUICK = 200, 50
BOXED = 20
IN_A_ROW = 5
AT_ONCE = 4
TIME, MEMORY = Goal(kind="at_most", bound=3.0), Goal(kind="at_most", bound=150e6)
OVERHEAD = Goal(kind="more", bound=0.050)


def rows(*, quick: bool = False) -> Iterator[Row]:
    """In process and unsandboxed; then the same in boxes, where there is a sandbox. The goals are for two hundred steps."""
    yield from _in_process(QUICK if quick else STEPS, rounds=1 if quick else 3, judged=not quick)
    name = f"{BOXED} steps side by side, each in its box, a step"
    if shutil.which("bwrap") is None:
        yield Row(name=name, against="bare bwrap", why="bwrap is not installed")
        return
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as place:
        ours, rival = medians([anyio.run(_side_by_side, Path(place, str(number))) for number in range(1 if quick else 3)])
        against = f"bare bwrap with `true`, {AT_ONCE} at a time, a box"
        yield Row(name=name, against=against, ours=ours, rival=rival, why="reported beside, no goal")
        ours, rival = medians([anyio.run(_in_a_row, Path(place, f"row-{number}")) for number in range(2 if quick else 6)])
        name, against = "a step of `true` in its box, begun to merged", "the box alone: opened, `true`, nothing left"
        yield Row(name=name, against=against, goal=OVERHEAD, ours=ours, rival=rival)


def _in_process(count: int, *, rounds: int, judged: bool) -> Iterator[Row]:
    """Time beside starting as many programs that do nothing; memory beside a chain of one step."""
    taken = [(*_child(count), _programs(count)) for _ in range(rounds)]
    seconds, peak, programs = medians(taken)
    _, alone = _child(1)
    why = "" if judged else f"the goal is for {STEPS} steps"
    name = f"{count} no-op steps, side by side"
    yield Row(
        name=name, against=f"{count} times `true`, started and awaited, no engine", goal=TIME if judged else None,
        ours=seconds, rival=programs, why=why,
    )  # fmt: skip
    yield Row(
        name=f"{name}, peak memory", against="the same with one step", goal=MEMORY if judged else None, unit="B", ours=peak,
        rival=alone, why=why,
    )  # fmt: skip


def _child(count: int) -> tuple[float, float]:
    """Seconds of a chain in a process of its own, and the largest resident set of that process in bytes."""
    argv = [sys.executable, "-S", "-c", LAUNCHER, sys.executable, "-m", "remit.bench.chain_steps", str(count)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"a chain of {count} steps did not work here: {done.stderr.strip()[-300:]}")
    seconds, kilobytes = done.stdout.split()[-2:]
    return float(seconds), float(kilobytes) * 1024


def _programs(count: int) -> float:
    began = perf_counter()
    for _ in range(count):
        subprocess.run(["true"], check=True)
    return perf_counter() - began


async def _side_by_side(place: Path) -> tuple[float, float]:
    """Seconds a step, of ours and of bare boxes."""
    with _boxed(place) as world:
        await carried(world, plan(1, parallel=1))  # probes are made once
        _, took = await carried(world, plan(BOXED, parallel=AT_ONCE))
    began = perf_counter()
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def bare() -> None:
        async with limiter:
            await anyio.run_process([*BARE, "true"])

    async with anyio.create_task_group() as group:
        for _ in range(BOXED):
            group.start_soon(bare)
    return took / BOXED, (perf_counter() - began) / BOXED


async def _in_a_row(place: Path) -> tuple[float, float]:
    """Median seconds of a step, from the record that it was begun to the record that it is merged; and of a box alone."""
    with _boxed(place) as world:
        await carried(world, plan(1, parallel=1))
        run, _ = await carried(world, plan(IN_A_ROW, parallel=1))
        taken = await _spans(world, run)
    alone = [await _box(place / "boxes" / str(number)) for number in range(IN_A_ROW + 1)]
    return statistics.median(taken), statistics.median(alone[1:])


async def _spans(world: ChainWorld, run: Run) -> list[float]:
    records = await world.hands.ledger.events(run.id)
    began, ended = ([each.at for each in records if each.kind == kind] for kind in ("step_started", "step_ended"))
    return [(end - start).total_seconds() for start, end in zip(began, ended, strict=True)]


async def _box(place: Path) -> float:
    for name in ("base", "upper", "work"):
        (place / name).mkdir(parents=True)
    base = str(place / "base")
    mount = Mount(at=base, kind="overlay", lower=(base,), upper=str(place / "upper"), work=str(place / "work"), quota=64 << 20)
    made = BoxPlan(argv=("true",), mount=mount, cwd=base, limits=BoxLimits(time=60))
    began = perf_counter()
    async with Bubblewrap(place).open(made, Stopwatch()) as box:
        await box.wait()
    return perf_counter() - began


def _boxed(place: Path) -> AbstractContextManager[ChainWorld]:
    """A world whose boxes and stages are the real ones."""
    return chain_world(place, Bubblewrap(place / "cache"), workspace=StagedWorkspace(), containment="L3")


if __name__ == "__main__":
    show(rows(quick="--quick" in sys.argv))
