"""One chain of steps that do nothing, in a process of its own, so that its memory can be told from anybody else's."""

import sys
import tempfile
from pathlib import Path
from time import perf_counter

import anyio

from remit.bench.chain_world import ChainWorld, chain_world
from remit.errors import Broken
from remit.plan.step import Plan, Step
from remit.run.state import Run
from remit.testing.sandbox import Inside, UnconfinedScripts


async def waits(inside: Inside) -> None:
    """A program that ends with its input: what holds the stage of a coordinator."""
    while await inside.hears():
        pass


async def idle(_: Inside) -> None:
    """A program that does nothing."""


def plan(count: int, *, parallel: int) -> Plan:
    """So many steps of `true`: all at once, or each after the one before it where `parallel` is 1."""
    names = [f"step-{at}" for at in range(count)]
    steps = tuple(
        Step(id=name, kind="command", command=("true",), after=(names[at - 1],) if at and parallel == 1 else ())
        for at, name in enumerate(names)
    )
    return Plan(name="nothing", goal="nothing at all", steps=steps, runtime="command", parallel=parallel, quality=False)


async def carried(world: ChainWorld, made: Plan) -> tuple[Run, float]:
    """The chain, carried through, and how many seconds that took. Raises Broken when it was not complete."""
    began = perf_counter()
    run = await world.carried_through(await world.begun(made))
    took = perf_counter() - began
    if run.chain is None or run.chain.complete != len(made.steps) or run.verdict != "success":
        raise Broken(f"a chain of {len(made.steps)} steps that do nothing ended as `{run.verdict}`: {run.why}")
    return run, took


async def _main(count: int, folder: Path) -> float:
    with chain_world(folder, UnconfinedScripts({"cat": waits, "true": idle})) as world:
        return (await carried(world, plan(count, parallel=count)))[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as place:
        print(anyio.run(_main, int(sys.argv[1]), Path(place)))  # noqa: T201 - what whoever started it reads
