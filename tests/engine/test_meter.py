"""The account of model calls: never over a limit, nothing leaks, however many call at once and however their calls end."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from engine_worlds import ORGANISATION, OWNER, Inside, World, contract, rule
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.limits import Limits
from remit.contract.models import Model, ModelPrice
from remit.contract.party import Argument, Tool
from remit.engine.delegation import _take_on
from remit.engine.gear import TOOLS, fitted, listed
from remit.engine.meter import Meter
from remit.errors import BadInput
from remit.ports import METER, BoxPlan, Hold, ModelCall, Mount, NoCall, ToolUse, Usage
from remit.run.event import AttemptStarted, ModelRefused, ModelReserved, ModelSettled
from remit.run.evolve import evolve
from remit.run.state import Run
from remit.testing.accounts import Flat


def story(told: Callable[[], Awaitable[None]]) -> None:
    anyio.run(told)


async def at_work(world: World, **limits: Any) -> str:
    """A run whose attempt has begun: nobody drives it, so a test can call models in its name."""
    world.hands = world.hands.__class__(**{**vars(world.hands), "prices": Flat()})
    more = {key: limits.pop(key) for key in ("models",) if key in limits}
    run = await world.start(contract(limits=Limits(time=600, **limits), **more))
    await world.hands.record(AttemptStarted(run=run, attempt=1))
    return run


def meter(world: World, run: str) -> Meter:
    return Meter(world.hands, world.supervisor.gate, run, 1)


async def idle(inside: Inside) -> int:
    return 0


CALL = ModelCall(model="m-1", input=100, output=100)


def test_the_sixth_of_five_turns_never_starts(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, idle)
        run = await at_work(world, turns=5)
        account = meter(world, run)
        for _ in range(5):
            hold = await account.reserve(CALL)
            assert isinstance(hold, Hold)
            await account.settle(hold, Usage(input=10, output=10))
        no = await account.reserve(CALL)
        assert isinstance(no, NoCall) and no.first and no.code == "LIMIT" and "5 turns" in no.why
        again = await account.reserve(CALL)
        assert isinstance(again, NoCall) and not again.first
        assert await world.kinds(run) == [
            "started", "attempt_started", *["model_reserved", "model_settled"] * 3, "model_reserved", "model_settled", "warned",
            "model_reserved", "model_settled", "model_refused", "limit_reached", "model_refused",
        ]  # fmt: skip
        assert account.over == "turns"

    story(tell)


def test_the_answer_is_made_to_fit_and_never_overruns(tmp_path: Path) -> None:
    """A millionth for a token in, five for one out: 2000 are left for the answer after 100 have been read."""

    async def tell() -> None:
        world = World(tmp_path, idle)
        run = await at_work(world, turns=50, usd=10_100, tokens=100_000)
        hold = await meter(world, run).reserve(ModelCall(model="m-1", input=100, output=64_000))
        assert isinstance(hold, Hold) and hold.output == 2000
        state = await world.hands.replay(run)
        assert state.reserved.usd == 10_100 and state.reserved.tokens == 2100 and state.reserved.turns == 1

    story(tell)


def test_a_model_without_a_price_is_refused_unless_the_contract_says_it(tmp_path: Path) -> None:
    async def told() -> None:
        world = World(tmp_path, idle)
        run = await at_work(world, turns=50, usd=1000, models=(Model(name="m-*"), Model(name="local-*", price=ModelPrice())))
        world.hands = world.hands.__class__(**{**vars(world.hands), "prices": Flat(models=("m-1",))})
        account = meter(world, run)
        assert isinstance(await account.reserve(ModelCall(model="m-1", input=1, output=10)), Hold)
        unknown = await account.reserve(ModelCall(model="m-2", input=1, output=10))
        assert isinstance(unknown, NoCall) and "nobody knows what the model `m-2` costs" in unknown.why
        other = await account.reserve(ModelCall(model="x", input=1, output=10))
        assert isinstance(other, NoCall) and "not among those that may be called" in other.why
        free = await account.reserve(ModelCall(model="local-7b", input=10_000, output=10_000))
        assert isinstance(free, Hold)
        await account.settle(free, Usage(input=10_000, output=5_000))
        assert (await world.hands.replay(run)).spend.usd == 0
        [*_, settled] = await world.events(run, "model_settled")
        assert settled.source == "the contract"

    story(told)


def test_a_childs_contract_cannot_make_a_model_cheaper(tmp_path: Path) -> None:
    """It may come from an agent: a dear model would cost nothing then."""
    child = f"""
goal: Greet
owner: {OWNER}
may: [{{read: "**"}}]
limits: {{turns: 10, time: 60s, usd: 0.001, tokens: 1000}}
success: [{{id: hello, file: docs/hello.md, exists: true}}]
recovery: [{{when: failed, do: stop}}]
containment: L0
models: [{{model: m-1, price: none}}]
"""

    async def tell() -> None:
        world = World(tmp_path, idle)
        world.hands = world.hands.__class__(**{**vars(world.hands), "prices": Flat()})
        limits = Limits(time=600, turns=50, usd=5000, tokens=5000)
        parent = await world.start(contract(rule("may", "delegate", "command"), limits=limits))
        await world.hands.record(AttemptStarted(run=parent, attempt=1))
        with pytest.raises(BadInput, match="would cost less here than the parent says"):
            await _take_on(world.hands, parent, "command", {"contract": child, "command": ["agent"]}, "k")

    story(tell)


def test_whoever_is_gone_is_charged_what_was_set_aside(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, idle)
        run = await at_work(world, turns=50, usd=10_000)
        account = meter(world, run)
        hold = await account.reserve(CALL)
        assert isinstance(hold, Hold)
        await account.settle(hold, None)
        await account.settle(hold, Usage(input=1, output=1))
        state = await world.hands.replay(run)
        assert (state.spend.usd, state.spend.tokens, state.reserved.usd) == (600, 200, 0)
        kept = await account.reserve(CALL)
        assert isinstance(kept, Hold)
        await account.release(kept, "the provider was not there")
        state = await world.hands.replay(run)
        assert (state.spend.usd, state.spend.turns, state.reserved.turns) == (600, 2, 0)

    story(tell)


def test_a_call_waits_for_others_that_are_under_way_before_it_is_refused(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, idle)
        run = await at_work(world, turns=50, tokens=1000)
        account = meter(world, run)
        first = await account.reserve(ModelCall(model="m-1", input=100, output=900))
        assert isinstance(first, Hold)
        second: list[Hold | NoCall] = []

        async def wants() -> None:
            second.append(await account.reserve(CALL))

        async with anyio.create_task_group() as group:
            group.start_soon(wants)
            await anyio.wait_all_tasks_blocked()
            assert not second
            await account.settle(first, Usage(input=100, output=50))
        assert isinstance(second[0], Hold)

    story(tell)


def test_a_stop_ends_every_further_call(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path, idle)
        run = await at_work(world, turns=50)
        await world.stop(run)
        no = await meter(world, run).reserve(CALL)
        assert isinstance(no, NoCall) and no.code == "STOPPED"

    story(tell)


def test_calls_of_a_lost_attempt_are_charged_in_full(tmp_path: Path) -> None:
    """The supervisor died: what was set aside may have been spent, so it is."""

    async def tell() -> None:
        world = World(tmp_path, idle)
        run = await at_work(world, turns=50, usd=10_000)
        assert isinstance(await meter(world, run).reserve(CALL), Hold)
        ended = await world.drive(run)
        assert ended.spend.usd == 600 and ended.reserved.usd == 0 and not ended.holds

    story(tell)


# --------------------------------------------------------------------------------------------------------- many at once

Ends = st.sampled_from(["counted", "more", "gone", "released", "never"])


@given(
    costs=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400), st.integers(1, 2000), Ends), min_size=1, max_size=40),
    usd=st.integers(0, 20_000), tokens=st.integers(0, 20_000), turns=st.integers(1, 30),
)  # fmt: skip
def test_spent_and_set_aside_never_come_to_more_than_the_limits(
    tmp_path_factory: pytest.TempPathFactory, costs: list[tuple[int, int, int, str]], usd: int, tokens: int, turns: int
) -> None:
    """A family of four on one account, all calling at once; every prefix of the record is checked."""
    child = f"""
goal: Greet
owner: {OWNER}
may: [{{read: "**"}}, {{delegate: command}}]
limits: {{turns: %d, time: 60s, usd: "%s", tokens: %d}}
success: [{{id: hello, file: docs/hello.md, exists: true}}]
recovery: [{{when: failed, do: stop}}]
containment: L0
"""

    async def tell() -> None:
        world = World(tmp_path_factory.mktemp("w"), idle)
        world.hands = world.hands.__class__(**{**vars(world.hands), "prices": Flat()})
        limits = Limits(time=600, turns=turns, usd=usd, tokens=tokens)
        top = await world.start(contract(rule("may", "delegate", "command"), limits=limits))
        await world.hands.record(AttemptStarted(run=top, attempt=1))
        runs = [top]
        for number in range(3):
            share = (turns // 5, f"{usd // 5 / 1_000_000:.6f}", tokens // 5)
            if min(turns // 5, usd // 5, tokens // 5) < 1:
                continue
            text = child.replace("Greet", f"Greet {number}") % share
            made = await _take_on(world.hands, top, "command", {"contract": text, "command": ["agent"]}, f"k{number}")
            await world.hands.record(AttemptStarted(run=made, attempt=1))
            runs.append(made)
        accounts = [meter(world, run) for run in runs]
        async with anyio.create_task_group() as group:
            for who, read, wrote, end in costs:
                group.start_soon(partial(one, accounts[who % len(runs)], read, wrote, end))
        for run, account in zip(runs, accounts, strict=True):
            await check(world, run)
            for hold in list(account._calls):
                await account.settle(Hold(key=hold, output=0), None)
        for run in runs:
            state = await world.hands.replay(run)
            assert not state.holds and (run == top or state.reserved.usd == 0)

    story(tell)


async def one(account: Meter, read: int, wrote: int, end: str) -> None:
    """One call; how it ends is anybody's guess."""
    with anyio.move_on_after(0.05):
        hold = await account.reserve(ModelCall(model="m-1", input=read, output=wrote))
        if isinstance(hold, NoCall):
            return
        await anyio.lowlevel.checkpoint()
        match end:
            case "counted":
                await account.settle(hold, Usage(input=read, output=min(wrote, hold.output)), [ToolUse(id="1", name="shell")])
            case "more":
                await account.settle(hold, Usage(input=read // 2, output=0))
            case "gone":
                await account.settle(hold, None)
            case "released":
                await account.release(hold, "not reached")
            case _:
                return


async def check(world: World, run: str) -> None:
    """Whatever prefix of the record is read: never over, and what came back was never more than was set aside."""
    state = Run(id=run)
    for record in await world.ledger.events(run):
        state = evolve(state, record)
        if not isinstance(record.event, ModelReserved | ModelSettled | ModelRefused):
            continue
        limits, used = state.contract.limits, state.spend.plus(state.reserved)
        for name in ("turns", "usd", "tokens"):
            most = getattr(limits, name)
            assert most is None or getattr(used, name) <= most, (name, used)
            assert getattr(state.reserved, name) >= 0


# ---------------------------------------------------------------------------------------------------------- beside the meter


def test_the_tools_of_a_run_are_listed_in_its_box_and_the_meter_is_named_where_it_listens(tmp_path: Path) -> None:
    """What remit's own MCP server shows to a runtime; the organisation's word on a tool stands."""

    async def tell() -> None:
        world = World(tmp_path, idle)
        tools = (Tool(name="refund", arguments=(Argument(name="amount", type="number", required=True),)),)
        known = msgspec.structs.replace(
            ORGANISATION, tools=(Tool(name="refund", tier="human-approved", arguments=tools[0].arguments),)
        )
        run = await world.hands.replay(await world.start(contract(tools=tools, model="m-1"), known))
        [row] = json.loads(listed(run))
        assert (row["name"], row["description"]) == ("refund", "refund (human-approved, execute)")
        assert row["inputSchema"] == {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
        gear = await fitted(world.hands, world.supervisor.gate, run)
        assert gear.outfit.meter and gear.outfit.environment["ANTHROPIC_BASE_URL"] == f"http://127.0.0.1:{METER}"
        assert gear.outfit.environment["ANTHROPIC_API_KEY"] == gear.meter.token
        boxed = replace(gear, tools=listed(run)).furnished(
            BoxPlan(argv=("x",), mount=Mount(at="/w", kind="bind", lower=("/w",)), cwd="/w")
        )
        assert boxed.meter and boxed.argv == ("agent",) and json.loads(boxed.files[TOOLS]) == [row]

    story(tell)
