"""How much of a chain is activated by an agent whose attention rots: one conversation beside a fresh context for each skill.

The agent is the model in `rotting`; the coordinator, the engine and the record are the real ones. What is counted stands in the
record (a skill's text was given, a step was skipped by consent, validation ran), never in what the agent claims.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean
from time import perf_counter

import anyio

from remit.bench.chain_world import OWNER, ChainWorld, chain_world
from remit.bench.rotting import Habits, tokens
from remit.bench.rotting_agent import AGENT, KIT, REPORT, Boxes, Rotting, wrote
from remit.contract.deliverable import Deliverable
from remit.errors import BadInput
from remit.plan.state_file import state_yaml
from remit.plan.step import VALIDATION, Mode, Plan, Step
from remit.run.event import Recorded
from remit.run.state import Run
from remit.value import Value

SIZES = (2, 3, 4, 6, 8, 16, 32, 64)
MODES: tuple[Mode, ...] = ("standard", "delegated")
LANES = 4
"""each step waits for the one that many places before it, so that as many can run at once"""
RETRIES = 3
SEED, TIMES = 1, 10
MOST = 512
TEXT = "Do what is asked, write the file, say what you wrote.\n" * 40
"""the text of every skill"""


class Chained(Value, frozen=True, kw_only=True):
    """One chain, as its record tells it; contexts in tokens, times in seconds.

    `invoked` are skills of the plan whose text was given, `skipped` steps left out by consent, `accounted` those that are either.
    `made` are skills whose file a sub-agent really left. `validated`: remit's validation ran; `said_validated`: the agent says
    that it looked. `kept` is what the coordinator keeps of a step, `briefs` what it hands on, per sub-agent. `span` is what all
    sub-agents took one after another, `at_once` how many of them worked at the same moment.
    """

    size: int
    mode: Mode
    number: int
    invoked: int
    skipped: int
    accounted: int
    complete: int
    made: int
    validated: bool
    said_validated: bool
    status: str
    completeness: int
    retries: int
    questions: int
    kept: float
    briefs: tuple[int, ...]
    contexts: tuple[int, ...]
    wall: float
    span: float
    at_once: int

    @property
    def activation(self) -> float:
        """The share of the plan's skills that were invoked, 0 to 1."""
        return self.invoked / self.size


class Measured(Value, frozen=True, kw_only=True):
    """Everything that was run, and with what."""

    seed: int
    times: int
    habits: Habits
    chains: tuple[Chained, ...]
    load: tuple[float, float]


def measure(
    *, seed: int = SEED, times: int = TIMES, sizes: Sequence[int] = SIZES, habits: Habits | None = None,
    told: Callable[[Chained], None] = lambda _: None,
) -> Measured:  # fmt: skip
    """Every size in both modes, `times` over. `told` hears of each chain as it ends."""
    habits, before, found = habits or Habits(), os.getloadavg()[0], []
    for size in sizes:
        for mode in MODES:
            for number in range(1, times + 1):
                with tempfile.TemporaryDirectory(prefix="remit-bench-") as folder:
                    found.append(anyio.run(one, Path(folder), size, mode, number, seed, habits))
                told(found[-1])
    load = (round(before, 2), round(os.getloadavg()[0], 2))
    return Measured(seed=seed, times=times, habits=habits, chains=tuple(found), load=load)


def sizes(text: str) -> tuple[int, ...]:
    """Numbers of skills from `2,6,64`. Raises BadInput for anything but numbers from 1 to 512."""
    given = [each.strip() for each in text.split(",") if each.strip()]
    found = tuple(int(each) for each in given if each.isdecimal() and 1 <= int(each) <= MOST)
    if not given or len(found) != len(given):
        raise BadInput(f"`{text}` are no sizes of chains", hint=f"numbers from 1 to {MOST}, like 2,6,64")
    return tuple(dict.fromkeys(found))


async def one(folder: Path, size: int, mode: Mode, number: int, seed: int, habits: Habits) -> Chained:
    """One chain of so many skills, from its start to its last word."""
    names = tuple(f"skill-{at:02}" for at in range(1, size + 1))
    agents = Rotting(habits, seed=seed, number=number, skills=names)
    with chain_world(folder, Boxes(agents)) as world:
        plan = planned(world, names, mode)
        run_id = await world.begun(plan)
        began = perf_counter()
        run = await world.carried_through(run_id)
        return await _told(world, run, agents, mode, number, perf_counter() - began)


def planned(world: ChainWorld, names: Sequence[str], mode: Mode) -> Plan:
    """The plan: every skill owes one file, and waits for the one `LANES` places before it."""
    steps = tuple(
        Step(
            id=name, skill=world.pinned(KIT, name, TEXT), command=(AGENT, name), after=(names[at - LANES],) if at >= LANES else ()
        )
        for at, name in enumerate(names)
    )
    due = tuple(Deliverable(name=f"{name} done", by=name, files=(wrote(name),)) for name in names)
    return Plan(
        name=f"bench-{len(names)}", goal="a thing that works", mode=mode, steps=steps, deliverables=due, runtime="command",
        command=(AGENT, ""), retries=RETRIES, parallel=LANES, quality=False,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------


async def _told(world: ChainWorld, run: Run, agents: Rotting, mode: Mode, number: int, wall: float) -> Chained:
    chain = run.chain
    assert chain is not None
    children = await world.children(run)
    workers = [each for each in children if each.started is not None and each.started.step != VALIDATION]
    given = {name for each in workers for name in each.invoked}
    left = {path for each in workers for path in each.published or ()}
    steps = chain.plan.steps
    invoked = {step.id for step in steps if step.skill is not None and step.skill.invocation in given}
    skipped = {step.id for step in steps if chain.steps[step.id].status == "skipped" and chain.steps[step.id].person == OWNER}
    standing = {name: str(each.status) for name, each in chain.steps.items()}
    kept = tokens(state_yaml(chain.plan, standing, {name: each.report for name, each in chain.steps.items()})) / len(steps)
    spans = [_span(await world.hands.ledger.events(each.id)) for each in workers]
    validation = chain.validation
    return Chained(
        size=len(steps), mode=mode, number=number, invoked=len(invoked), skipped=len(skipped),
        accounted=len(invoked | skipped), made=sum(wrote(step.id) in left for step in steps),
        complete=sum(standing[step.id] == "complete" for step in steps),
        validated=validation is not None, said_validated=any(REPORT in each.words for each in workers),
        status=validation.status if validation else "", completeness=validation.completeness if validation else 0,
        retries=sum(max(0, each.tries - 1) for each in chain.steps.values()), questions=world.questions, kept=kept,
        briefs=tuple(tokens(each.started.brief) for each in workers if each.started is not None),
        contexts=tuple(agents.contexts), wall=wall, span=sum((end - start).total_seconds() for start, end in spans),
        at_once=at_once(spans),
    )  # fmt: skip


def _span(records: Sequence[Recorded]) -> tuple[datetime, datetime]:
    """From when its box was open to when its work was done, by the record."""
    times = [record.at for record in records if record.kind in {"box_started", "work_done"}]
    return times[0], times[-1]


def at_once(spans: Sequence[tuple[datetime, datetime]]) -> int:
    """The most of these spans that overlap at one moment."""
    return max((sum(start <= at < end for start, end in spans) for at, _ in spans), default=0)


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of nothing."""
    return fmean(values) if values else 0.0
