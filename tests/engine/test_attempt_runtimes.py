"""Whole attempts with a runtime beside the box: how it ends, what it is told, what its model calls cost, and when it is stopped."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest
from anyio.abc import TaskGroup
from engine_worlds import ORGANISATION, OWNER, Crash, Watched, World, contract, idles, rule, rung, story

from remit.authority.action import Action
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Pace
from remit.contract.models import Model, ModelPrice
from remit.contract.outcome import Recovery
from remit.engine.attempt import LOOP, REPEATS, STORM
from remit.engine.inbox import answer
from remit.engine.start import start
from remit.errors import BadInput, Broken, Conflict, Unavailable
from remit.ports import Hold, ModelCall, Native, NoCall, Outfit, Ruling, Seat, Task, ToolUse, Usage
from remit.testing.accounts import Flat
from remit.testing.runtime import Driving, ScriptedRuntime, ScriptedRuntimes
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner

CALL = ModelCall(model="m-1", input=100, output=100)
WRITE = Action(verb="write", object="docs/hello.md")
BRANCH = Action(verb="branch", object="side")


class Office(World):
    """A world whose runs are worked by a scripted runtime; the program in its box listens until its line is closed."""

    tasks: TaskGroup

    def __init__(self, folder: Path, *drives: Driving, program: Any = None, **more: Any) -> None:
        super().__init__(folder, program or listens)
        self.runtime = ScriptedRuntime(*drives, **{"name": "acp", **more})
        self.runtimes = ScriptedRuntimes(self.runtime)
        self.fit(runtimes=self.runtimes, prices=Flat())

    def fit(self, **more: Any) -> None:
        """Give the engine other hands, as a restart would."""
        self.hands = replace(self.hands, **more)
        self.supervisor = Watched(self.hands, self.moves)

    async def start(self, contract: Contract, *_: Any) -> str:
        name = self.runtime.name
        return await start(self.hands, contract, ORGANISATION, self.work, ("agent",), trigger="a test", runtime=name)

    async def one(self, run: str, kind: str) -> Any:
        """The only fact of this kind."""
        [found] = await self.events(run, kind)
        return found


async def listens(inside: Inside) -> None:
    """A program that hears everything out."""
    while await inside.hears():
        pass


def native(*actions: Action, id_: str = "call-1", tool: str = "edit", **more: Any) -> Native:
    return Native(id=id_, tool=tool, actions=actions, **more)


def writes(text: str = "hello\n", then: Driving | None = None) -> Driving:
    """Ask for the one file that the check wants, write it, and end."""

    async def drive(seat: Seat, task: Task) -> None:
        assert (await seat.rule(native(WRITE, content=text.encode()))).allowed
        await seat.write("docs/hello.md", text.encode())
        await seat.used("call-1")
        if then is not None:
            await then(seat, task)
        await seat.close()

    return drive


async def stays(seat: Seat, task: Task) -> None:
    await anyio.sleep_forever()


async def until(true: Callable[[], Awaitable[Any]]) -> None:
    """Until something has happened in another task."""
    with anyio.fail_after(10):
        while not await true():
            await anyio.sleep(0.01)


async def paid(seat: Seat, *tools: ToolUse) -> Hold:
    """One model call from beginning to end."""
    hold = await seat.account.reserve(CALL)
    assert isinstance(hold, Hold), hold
    await seat.account.settle(hold, Usage(input=100, output=100), tools)
    return hold


# ------------------------------------------------------------------------------------------------------ how it goes, and ends


def test_a_driver_that_is_done_ends_the_attempt_and_the_checks_decide(tmp_path: Path) -> None:
    async def tell() -> None:
        heard: list[bytes] = []

        async def answers(inside: Inside) -> None:
            await inside.say("ready\n")
            heard.append(await inside.hears_line())
            await listens(inside)

        async def drive(seat: Seat, task: Task) -> None:
            assert await seat.read() == b"ready\n"
            await seat.say(b"go\n")
            await writes()(seat, task)

        world = Office(tmp_path, drive, program=answers)
        run = await world.begin(contract())
        assert (run.verdict, heard) == ("success", [b"go\n"])
        assert world.tree()["docs/hello.md"] == "hello\n"
        done = await world.one(run.id, "work_done")
        assert (done.why, done.status, done.receipt) == ("ended", 0, "the script has returned: its box is empty")
        chosen = await world.one(run.id, "runtime_chosen")
        assert (chosen.runtime, chosen.version) == ("acp", "scripted")

    story(tell)


def test_the_five_things_of_a_run_are_on_record(tmp_path: Path) -> None:
    """Trigger, loaded context, fired tools, produced output, failures (OBS-01, OBS-02), with what was refused and considered (OBS-05)."""

    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            await seat.loaded("SKILL.md", b"how to")
            await seat.rule(native(BRANCH, id_="call-0"))
            await seat.rule(native(Action(verb="delete", object="docs/hello.md"), id_="call-2"))
            await writes()(seat, task)
            raise ValueError("the model is gone")

        async def prints(inside: Inside) -> None:
            await inside.say("working\n")
            await listens(inside)

        world = Office(tmp_path, drive, program=prints)
        run = await world.begin(contract(rule("never", "branch", "any", because="the owner branches")))
        started, loaded = await world.one(run.id, "started"), await world.events(run.id, "context_loaded")
        assert started.trigger == "a test"
        assert [each.what for each in loaded] == ["SKILL.md"]
        assert loaded[0].bytes == 6 and loaded[0].digest.startswith("sha256:")
        decided = {each.action.said(): each for each in await world.events(run.id, "decided") if each.at_door == "runtime"}
        assert {said: each.decision for said, each in decided.items()} == {
            "branch side": "refuse", "delete docs/hello.md": "refuse", "write docs/hello.md": "allow",
        }  # fmt: skip
        assert "the owner branches" in decided["branch side"].reasons[0].why
        assert (await world.one(run.id, "tool_returned")).call == "call-1"
        output = await world.one(run.id, "output")
        assert (output.tail, output.bytes) == ("working\n", 8)
        assert (await world.one(run.id, "stuck")).why == "the runtime `acp` failed: ValueError: the model is gone"

    story(tell)


def test_a_program_that_outlives_its_driver_is_ended(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            await writes()(seat, task)
            world.tasks.start_soon(soon)

        async def soon() -> None:
            async def over() -> bool:
                world.jump(seconds=1.5)
                return bool(await world.events(run, "work_done"))

            await until(over)

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.start(contract())
        async with anyio.create_task_group() as world.tasks:
            ended = await world.drive(run)
        assert (ended.verdict, (await world.one(run, "work_done")).why) == ("success", "ended")

    story(tell)


@pytest.mark.parametrize(
    ("error", "words"),
    [(Broken("its line is cut"), "its line is cut"), (KeyError("x"), "KeyError: 'x'")],
    ids=["in our words", "in its own"],
)
def test_a_driver_that_fails_leaves_its_run_stuck_with_the_words_of_the_failure(
    tmp_path: Path, error: Exception, words: str
) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            raise error

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract(recovery=(rung("stuck", "stop"),)))
        assert (await world.one(run.id, "stuck")).why == f"the runtime `acp` failed: {words}"
        assert (await world.one(run.id, "work_done")).why == "stuck"
        assert run.verdict == "failed"

    story(tell)


def test_a_driver_that_never_notices_that_its_box_has_ended_is_left_after_two_seconds(tmp_path: Path) -> None:
    async def tell() -> None:
        world = Office(tmp_path, stays, program=idles)
        began = time.monotonic()
        run = await world.begin(contract())
        assert 1.9 < time.monotonic() - began < 8
        assert (await world.one(run.id, "work_done")).why == "ended"

    story(tell)


def test_a_stop_asks_the_runtime_to_leave_off_before_its_box_is_killed(tmp_path: Path) -> None:
    async def tell() -> None:
        alive: list[bool] = []

        class Asked(ScriptedRuntime):
            async def cancel(self) -> None:
                alive.append(not await world.events(run, "work_done"))
                await super().cancel()

            def again(self) -> ScriptedRuntime:
                return world.runtime

        world = Office(tmp_path, stays, program=Inside.stays)
        world.runtime = Asked(stays, name="acp")
        world.fit(runtimes=ScriptedRuntimes(world.runtime))
        run = await world.start(contract())
        took = await stopped_while_at_work(world, run)
        state = await world.hands.replay(run)
        assert (state.verdict, alive, world.runtime.cancelled) == ("stopped", [True], 1)
        done, said = await world.one(run, "work_done"), await world.one(run, "stopped")
        assert (done.why, said.receipt) == ("stopped", done.receipt)
        assert took < 2

    story(tell)


def test_a_runtime_that_is_deaf_to_it_is_killed_all_the_same(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1.0):
                await anyio.sleep_forever()

        world = Office(tmp_path, drive, program=Inside.stays, deaf=True)
        run = await world.start(contract())
        assert await stopped_while_at_work(world, run) < 2
        assert [each.cancelled for each in world.runtimes.made] == [1]
        assert (await world.hands.replay(run)).verdict == "stopped"

    story(tell)


async def stopped_while_at_work(world: Office, run: str) -> float:
    """Seconds from the stop until nothing of the attempt is left."""
    began = 0.0
    async with anyio.create_task_group() as group:
        group.start_soon(world.drive, run)
        await until(lambda: world.events(run, "box_started"))
        await until(lambda: working(world))
        began = time.monotonic()
        await world.stop(run)
        await until(lambda: world.events(run, "work_done"))
        return time.monotonic() - began
    raise AssertionError("unreachable")


async def working(world: Office) -> bool:
    return bool(world.runtimes.made) or world.runtime.task is not None


def test_a_runtime_that_nobody_has_is_missed_before_anything_is_on_record(tmp_path: Path) -> None:
    async def tell() -> None:
        world = Office(tmp_path, stays)
        world.fit(runtimes=ScriptedRuntimes())
        with pytest.raises(BadInput, match="there is no runtime `acp`"):
            await world.start(contract())
        world.fit(runtimes=None)
        with pytest.raises(Unavailable, match="nothing here can start the runtime `acp`"):
            await world.start(contract())
        assert not await world.ledger.runs()

    story(tell)


def test_settings_that_steer_a_runtime_do_not_exist_for_it(tmp_path: Path) -> None:
    async def tell() -> None:
        seen: list[list[str]] = []

        async def looks(inside: Inside) -> None:
            seen.append(sorted(path.relative_to(inside.folder).as_posix() for path in inside.folder.rglob("*") if path.is_file()))
            await listens(inside)

        masks = (".agent/**", "docs/AGENT.md")
        outfit = Outfit(argv=("agent",), version="7", talks=True, masks=masks)
        world = Office(tmp_path, writes(), program=looks, outfit=outfit)
        for path in (".agent/hooks.json", "docs/AGENT.md", "docs/other.md"):
            (world.work / path).parent.mkdir(exist_ok=True)
            (world.work / path).write_text("mine\n")
        run = await world.begin(contract())
        assert seen == [["README.md", "docs/other.md"]]
        assert run.verdict == "success" and (await world.one(run.id, "runtime_chosen")).masked == masks
        assert set(world.tree()) == {".agent/hooks.json", "README.md", "docs/AGENT.md", "docs/hello.md", "docs/other.md"}

    story(tell)


# ----------------------------------------------------------------------------------------------------------- what it is told


def test_a_refusal_reaches_the_driver_with_its_reason_and_what_to_do_instead(tmp_path: Path) -> None:
    async def tell() -> None:
        told: list[Ruling] = []

        async def drive(seat: Seat, task: Task) -> None:
            told.append(await seat.rule(native(Action(verb="write", object="README.md"), WRITE)))
            with pytest.raises(Conflict, match="was not granted"):
                await seat.write("README.md", b"mine\n")
            told.append(await seat.rule(native(BRANCH)))
            told.append(await seat.rule(native(tool="plan")))
            await writes()(seat, task)

        never = rule("never", "branch", "any", because="the owner branches")
        world = Office(tmp_path, drive)
        run = await world.begin(contract(never))
        refused, branched, plan = told
        assert not refused.allowed and refused.why.startswith("remit refused `write README.md`: ")
        assert "(UNCOVERED)" in refused.why and "you may write docs/**" in refused.why and not refused.question
        assert not branched.allowed and "the owner branches" in branched.why
        assert plan.allowed
        assert (run.verdict, run.refusals) == ("success", 2)

    story(tell)


def test_what_was_granted_may_be_written_once_and_as_it_was_shown(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            assert (await seat.rule(native(WRITE, content=b"hello\n"))).allowed
            with pytest.raises(Conflict):
                await seat.write("docs/hello.md", b"something else\n")
            await seat.write("docs/hello.md", b"hello\n")
            with pytest.raises(Conflict):
                await seat.write("docs/hello.md", b"hello\n")
            with pytest.raises(Conflict):
                await seat.remove("docs/hello.md")
            await seat.close()

        world = Office(tmp_path, drive)
        run = await world.begin(contract())
        assert run.verdict == "success" and world.tree()["docs/hello.md"] == "hello\n"

    story(tell)


def test_a_tool_call_waits_for_a_person_and_goes_on_with_the_yes(tmp_path: Path) -> None:
    async def tell() -> None:
        told: list[Ruling] = []

        async def drive(seat: Seat, task: Task) -> None:
            told.append(await seat.rule(native(BRANCH), wait=30))
            await writes()(seat, task)

        world = Office(tmp_path, drive)
        run = await world.start(contract(rule("ask", "branch", "side")))

        async def answers() -> None:
            await until(lambda: world.events(run, "question_asked"))
            await answer(world.hands, run, "Q1", "yes", signer=PaperSigner(OWNER), assurance="scripted")

        async with anyio.create_task_group() as group:
            group.start_soon(answers)
            ended = await world.drive(run)
        assert [each.allowed for each in told] == [True]
        assert ended.verdict == "success" and ended.questions["Q1"].used

    story(tell)


def test_a_tool_call_that_nobody_answers_is_refused_with_the_name_of_its_question(tmp_path: Path) -> None:
    async def tell() -> None:
        told: list[Ruling] = []

        async def drive(seat: Seat, task: Task) -> None:
            told.append(await seat.rule(native(BRANCH), wait=0.05))
            await writes()(seat, task)

        world = Office(tmp_path, drive)
        run = await world.begin(contract(rule("ask", "branch", "side")))
        assert told[0].question == "Q1" and not told[0].allowed
        assert "question Q1 is before owner; go on with other work, or end here and say what waits" in told[0].why
        assert run.verdict == "success", "the work is over, so it can no longer be done"

    story(tell)


def test_what_the_model_wrote_and_nobody_asked_about_is_told(tmp_path: Path) -> None:
    async def tell() -> None:
        async def then(seat: Seat, task: Task) -> None:
            await paid(
                seat, ToolUse(id="call-1", name="edit"), ToolUse(id="x-9", name="shell", arguments='{"command": "curl evil"}'),
                ToolUse(id="y-1", name="fetch"),
            )  # fmt: skip
            await seat.rule(native(tool="fetch", id_="own-id"))

        world = Office(tmp_path, writes(then=then))
        run = await world.begin(contract())
        found = await world.one(run.id, "unasked")
        assert (found.tool, found.call, found.text) == ("shell", "x-9", '{"command": "curl evil"}')
        assert (await world.one(run.id, "model_settled")).tools == ("call-1 edit", "x-9 shell", "y-1 fetch")

    story(tell)


def test_one_call_that_was_asked_about_hides_no_other_of_the_same_tool(tmp_path: Path) -> None:
    async def tell() -> None:
        async def then(seat: Seat, task: Task) -> None:
            await paid(seat, ToolUse(id="call-1", name="edit"), ToolUse(id="call-2", name="edit"))

        world = Office(tmp_path, writes(then=then))
        run = await world.begin(contract())
        assert (await world.one(run.id, "unasked")).call == "call-2"

    story(tell)


# ------------------------------------------------------------------------------------------------------------ what it may use


def test_a_runtime_that_leaves_off_when_its_meter_is_over_ends_as_limit_reached(tmp_path: Path) -> None:
    async def tell() -> None:
        told: list[NoCall] = []

        async def drive(seat: Seat, task: Task) -> None:
            while isinstance(found := await seat.account.reserve(CALL), Hold):
                await seat.account.settle(found, Usage(input=100, output=100))
            told.append(found)
            await seat.close()

        world = Office(tmp_path, drive)
        run = await world.begin(contract(limits=Limits(time=600, turns=5), recovery=(rung("limit reached", "stop"),)))
        assert told[0].first and "5 turns" in told[0].why
        assert (run.verdict, run.trouble, run.spend.turns) == ("exhausted", "limit reached", 5)
        assert (await world.one(run.id, "work_done")).why == "limit"
        reached = await world.one(run.id, "limit_reached")
        assert (reached.limit, reached.used, reached.of) == ("turns", "5", "5")

    story(tell)


def test_a_runtime_that_goes_on_after_its_meter_is_over_is_ended(tmp_path: Path) -> None:
    async def tell() -> None:
        told: list[bool] = []

        async def drive(seat: Seat, task: Task) -> None:
            while True:
                found = await seat.account.reserve(CALL)
                if isinstance(found, Hold):
                    await seat.account.settle(found, None)
                else:
                    told.append(found.first)
                    await anyio.sleep(0.02)

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract(limits=Limits(time=600, turns=50, usd=1000)))
        assert (run.verdict, run.trouble) == ("exhausted", "limit reached")
        assert told[:2] == [True, False] and not any(told[1:])
        assert (await world.one(run.id, "work_done")).why == "limit"
        assert (await world.one(run.id, "limit_reached")).limit == "usd"
        assert run.spend.usd <= 1000 and run.reserved.usd == 0

    story(tell)


@pytest.mark.parametrize("late", [False, True], ids=["by refusals", "by time"])
def test_a_limit_is_what_ended_it_however_its_driver_takes_the_end(tmp_path: Path, late: bool) -> None:
    """A driver whose box was killed finds its line cut, and fails: that is no reason of its own."""

    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            for _ in range(1 if late else 9):
                await seat.account.reserve(ModelCall(model="m-1", input=5000, output=10))
            if late:
                world.jump(seconds=6)
            assert await seat.read() is None
            raise Broken("its line is cut")

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract(limits=Limits(time=600, turns=50, tokens=1000)))
        assert (run.verdict, run.trouble) == ("exhausted", "limit reached")
        assert not await world.events(run.id, "stuck")

    story(tell)


def test_at_four_fifths_of_turns_tokens_and_money_it_is_said_once(tmp_path: Path) -> None:
    async def tell() -> None:
        async def then(seat: Seat, task: Task) -> None:
            for _ in range(9):
                await paid(seat)

        world = Office(tmp_path, writes(then=then))
        run = await world.begin(contract(limits=Limits(time=600, turns=10, tokens=2000, usd=6000)))
        warned = [(each.limit, each.used, each.of) for each in await world.events(run.id, "warned")]
        assert warned == [("turns", "8", "10"), ("tokens", "1600", "2000"), ("usd", "4800", "6000")]
        assert run.verdict == "success"

    story(tell)


def test_a_further_attempt_goes_on_with_what_the_first_had_left(tmp_path: Path) -> None:
    """Retries are counted, and paid from the same limits (BUD-05)."""

    async def tell() -> None:
        async def first(seat: Seat, task: Task) -> None:
            await paid(seat)
            await paid(seat)
            await seat.close()

        async def second(seat: Seat, task: Task) -> None:
            assert task.attempt == 2 and "check `hello` fails" in task.because and task.because in task.text
            await paid(seat)
            assert isinstance(await seat.account.reserve(CALL), NoCall)
            await writes()(seat, task)

        world = Office(tmp_path, first, second)
        run = await world.begin(contract(limits=Limits(time=600, turns=3), recovery=(rung("hello fails", "retry"),)))
        assert (run.attempt, run.spend.turns) == (2, 3)
        assert [each.when for each in await world.events(run.id, "recovery_entered")] == ["hello fails"]

    story(tell)


def test_calls_that_are_open_when_the_attempt_is_over_are_charged_in_full(tmp_path: Path) -> None:
    async def tell() -> None:
        async def then(seat: Seat, task: Task) -> None:
            assert isinstance(await seat.account.reserve(CALL), Hold)
            await paid(seat)

        world = Office(tmp_path, writes(then=then))
        run = await world.begin(contract(limits=Limits(time=600, turns=50, usd=5000)))
        counted, left = await world.events(run.id, "model_settled")
        assert (counted.how, left.how, left.why) == ("counted", "estimated", "the attempt was over before it was settled")
        assert (run.spend.usd, run.spend.tokens, run.reserved.usd, dict(run.holds)) == (1200, 400, 0, {})

    story(tell)


def test_a_count_below_nothing_is_no_count(tmp_path: Path) -> None:
    """Or a provider's word, or a server in its place, could make room that nobody gave."""

    async def tell() -> None:
        async def then(seat: Seat, task: Task) -> None:
            for usage in (Usage(input=-5000, output=10), Usage(input=10, output=-5000), Usage(input=10, output=1, cache_read=-9)):
                hold = await seat.account.reserve(CALL)
                assert isinstance(hold, Hold)
                await seat.account.settle(hold, usage)

        world = Office(tmp_path, writes(then=then))
        run = await world.begin(contract(limits=Limits(time=600, turns=50, usd=5000)))
        assert (run.spend.usd, run.spend.tokens) == (1800, 600)
        assert {each.how for each in await world.events(run.id, "model_settled")} == {"estimated"}

    story(tell)


def test_a_local_model_is_bounded_by_turns_tokens_and_time_and_costs_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        async def then(seat: Seat, task: Task) -> None:
            local = ModelCall(model="local-7b", input=100, output=100)
            for _ in range(3):
                hold = await seat.account.reserve(local)
                assert isinstance(hold, Hold)
                await seat.account.settle(hold, Usage(input=100, output=100))
            no = await seat.account.reserve(local)
            assert isinstance(no, NoCall) and "tokens" in no.why

        models = (Model(name="local-*", price=ModelPrice()),)
        world = Office(tmp_path, writes(then=then))
        world.fit(prices=None)
        run = await world.begin(contract(limits=Limits(time=600, turns=50, tokens=600, usd=1), models=models))
        assert (run.spend.usd, run.spend.tokens) == (0, 600)

    story(tell)


# ---------------------------------------------------------------------------------- tripped before it fails silently (KILL-03)


def test_fixture_1_no_progress_silence_trips_a_run(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            world.jump(seconds=481)
            await anyio.sleep_forever()

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract(recovery=(rung("stuck", "stop"),)))
        assert (await world.one(run.id, "stuck")).why == "nothing was done for 480 s"
        assert world.runtimes.made[0].cancelled == 1
        assert run.verdict == "failed"

    story(tell)


def test_fixture_2_a_rate_of_spending_trips_a_run(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            for _ in range(4):
                await bought(seat)
                world.jump(seconds=61)
            for _ in range(2):
                await bought(seat)
            await anyio.sleep_forever()

        async def bought(seat: Seat) -> None:
            hold = await seat.account.reserve(ModelCall(model="m-1", input=1000, output=10_000))
            assert isinstance(hold, Hold)
            await seat.account.settle(hold, Usage(input=1000, output=9800))

        world = Office(tmp_path, drive, program=Inside.stays)
        limits = Limits(time=6000, turns=50, usd=1_000_000, pace=Pace(usd=80_000, within=60))
        run = await world.begin(contract(limits=limits))
        assert (await world.one(run.id, "stuck")).why == "0.10 usd within 60 s, and 0.08 is the pace"
        assert (run.spend.turns, run.verdict) == (6, "failed")

    story(tell)


def test_a_rate_of_tokens_trips_a_run_too(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            await paid(seat)
            await anyio.sleep_forever()

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract(limits=Limits(time=600, turns=50, pace=Pace(tokens=150, within=60))))
        assert (await world.one(run.id, "stuck")).why == "200 tokens within 60 s, and 150 is the pace"

    story(tell)


def test_fixture_3_a_storm_of_refusals_trips_a_run(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            for number in range(1000):
                await seat.rule(native(Action(verb="write", object=f"src/{number}.py"), id_=f"{number}"))

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract())
        assert (await world.one(run.id, "stuck")).why.endswith("refusals in a row")
        assert run.refusals >= STORM and run.verdict == "failed"

    story(tell)


@pytest.mark.parametrize("how", ["a model that may not be called", "a token that is not the run's"])
def test_a_storm_of_refused_model_calls_trips_a_run_too(tmp_path: Path, how: str) -> None:
    """Each is a row on record: nobody may write it for ever."""

    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            while True:
                if how.startswith("a model"):
                    assert isinstance(await seat.account.reserve(ModelCall(model="other", input=1, output=1)), NoCall)
                else:
                    await seat.account.refused("POST /v1/messages", "the token is not the one of this run")
                await seat.say(b"again\n")
                await anyio.sleep(0.005)

        world = Office(tmp_path, drive)
        run = await world.begin(contract(models=(Model(name="m-*"),)))
        assert (await world.one(run.id, "work_done")).why == "stuck"
        assert len(await world.events(run.id, "model_refused", "blocked")) < 10 * STORM

    story(tell)


@pytest.mark.parametrize(("action", "times"), [(BRANCH, REPEATS), (WRITE, LOOP)], ids=["refused", "allowed"])
def test_the_same_action_over_and_over_trips_a_run(tmp_path: Path, action: Action, times: int) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            for number in range(times):
                await seat.rule(native(action, id_=f"{number}"))
            await anyio.sleep_forever()

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract())
        assert (await world.one(run.id, "stuck")).why == f"the same action was asked {times} times in a row"

    story(tell)


def test_a_model_that_thinks_is_no_silence_and_one_that_has_answered_is(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            hold = await seat.account.reserve(CALL)
            assert isinstance(hold, Hold)
            world.jump(seconds=5000)
            await anyio.sleep(0.5)
            assert not await world.events(task.run, "stuck", "work_done")
            await seat.account.settle(hold, None)
            world.jump(seconds=901)
            await anyio.sleep_forever()

        world = Office(tmp_path, drive, program=Inside.stays)
        run = await world.begin(contract(limits=Limits(turns=50, time=100_000)))
        assert (await world.one(run.id, "stuck")).why == "nothing was done for 900 s"

    story(tell)


def test_a_wait_for_a_person_is_no_silence(tmp_path: Path) -> None:
    async def tell() -> None:
        async def drive(seat: Seat, task: Task) -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(later)
                assert not (await seat.rule(native(BRANCH), wait=0.6)).allowed
            await writes()(seat, task)

        async def later() -> None:
            world.jump(seconds=5000)

        world = Office(tmp_path, drive)
        run = await world.begin(contract(rule("ask", "branch", "side"), limits=Limits(turns=50, time=100_000)))
        assert run.verdict == "success"

    story(tell)


# --------------------------------------------------------------------------------- asked, left, answered, carried on (ADR 0019)


ASKS = contract(rule("ask", "branch", "side"), limits=Limits(time=6000, turns=50))


async def asks(seat: Seat, task: Task) -> None:
    """Write something, ask for what needs a person, and end the turn."""

    async def then(seat: Seat, task: Task) -> None:
        (task.state / "history").write_text("asked for a branch")
        ruling = await seat.rule(native(BRANCH, id_="call-2"))
        assert ruling.question and not task.keeps

    await writes("begun\n", then)(seat, task)


def resumes(seen: list[tuple[int, bool, bool]]) -> Driving:
    """Ask once more, and finish what was begun."""

    async def drive(seat: Seat, task: Task) -> None:
        ruling = await seat.rule(native(BRANCH, id_="call-3"))
        seen.append((task.attempt, task.keeps, ruling.allowed))
        assert (task.state / "history").read_text() == "asked for a branch"
        assert (await seat.rule(native(WRITE, content=b"hello\n"))).allowed
        await seat.write("docs/hello.md", b"hello\n")
        await seat.close()

    return drive


@pytest.mark.parametrize("word", ["yes", "no"])
def test_a_runtime_that_keeps_its_conversation_goes_on_where_it_was(tmp_path: Path, word: str) -> None:
    async def tell() -> None:
        seen: list[tuple[int, bool, bool]] = []
        found: list[str] = []

        async def looks(inside: Inside) -> None:
            path = inside.folder / "docs/hello.md"
            found.append(path.read_text() if path.exists() else "")
            await listens(inside)

        world = Office(tmp_path, asks, resumes(seen), program=looks, name="agent")
        run = await world.begin(ASKS)
        assert run.verdict is None and run.phase == "sealed" and [each.question for each in run.open_questions] == ["Q1"]
        assert "docs/hello.md" not in world.tree()
        world.jump(hours=9)
        ended = await world.say(run.id, word)
        assert seen == [(2, True, word == "yes")]
        assert found == ["", "begun\n"], "the stage is carried on"
        first, second = await world.events(run.id, "attempt_started")
        assert (first.carried, second.carried, second.because) == (0, 1, "Q1 was answered")
        assert ended.verdict == "success" and world.tree()["docs/hello.md"] == "hello\n"
        assert ended.spend.time < 6000, "the time it waited is nobody's"

    story(tell)


def test_a_runtime_without_a_conversation_of_its_own_is_not_carried_on(tmp_path: Path) -> None:
    async def tell() -> None:
        world = Office(tmp_path, asks, name="acp")
        run = await world.begin(ASKS)
        assert run.attempt == 1 and run.questions["Q1"].said == "no" and run.verdict == "failed"

    story(tell)


@pytest.mark.parametrize("rungs", [(), (rung("crashed", "retry"),)], ids=["by itself", "by the ladder"])
def test_a_crash_of_the_carried_attempt_carries_again(tmp_path: Path, rungs: tuple[Recovery, ...]) -> None:
    async def tell() -> None:
        seen: list[tuple[int, bool, bool]] = []
        programs = [listens, crashes_late, listens]

        async def program(inside: Inside) -> None:
            await programs.pop(0)(inside)

        world = Office(tmp_path, asks, spoils, resumes(seen), program=program, name="agent")
        run = await world.begin(msgspec.structs.replace(ASKS, recovery=rungs))
        world.jump(hours=1)
        with pytest.raises((Crash, BaseExceptionGroup)):
            await world.say(run.id, "yes")
        ended = await world.drive(run.id)
        assert [(each.attempt, each.carried) for each in await world.events(run.id, "attempt_started")] == [
            (1, 0),
            (2, 1),
            (3, 1),
        ]
        assert seen == [(3, True, True)], "the yes was not used up by whoever never did it"
        assert ended.verdict == "success" and world.tree()["docs/hello.md"] == "hello\n"
        assert "docs/spoilt.md" not in world.tree()

    story(tell)


async def crashes_late(inside: Inside) -> None:
    await inside.hears()
    raise Crash


async def spoils(seat: Seat, task: Task) -> None:
    assert (await seat.rule(native(Action(verb="write", object="docs/spoilt.md"), content=b"x"))).allowed
    await seat.write("docs/spoilt.md", b"x")
    await paid(seat)
    await seat.say(b"now\n")
    await anyio.sleep_forever()


def test_a_question_to_the_owner_is_carried_on_too(tmp_path: Path) -> None:
    async def tell() -> None:
        told: list[dict[str, Any]] = []

        async def first(seat: Seat, task: Task) -> None:
            told.append(await seat.act({"schema": "remit.act/1", "verb": "ask", "object": "Which page?"}))
            await seat.close()

        async def second(seat: Seat, task: Task) -> None:
            told.append(await seat.act({"schema": "remit.act/1", "verb": "ask", "object": "", "question": "Q1"}))
            await writes()(seat, task)

        world = Office(tmp_path, first, second, name="agent")
        run = await world.begin(ASKS)
        assert run.verdict is None
        world.jump(minutes=5)
        ended = await world.say(run.id, "no")
        assert [each["decision"] for each in told] == ["ask", "allow"] and told[1]["answer"] == "no"
        assert ended.verdict == "success"

    story(tell)
