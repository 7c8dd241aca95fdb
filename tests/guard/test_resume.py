"""A loop that is gone comes back: in the same process or another one, after any step, and nothing is doubled or lost."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from refund_desk import LEAD, Desk, asking, story

import remit
from remit import errors
from remit.app import engine
from remit.engine.delivery import deliver
from remit.engine.inbox import answer
from remit.testing.signer import PaperSigner

HERE = Path(__file__).parent
STEPS = 30
APPROVED = 28


def loop(folder: Path, *resume: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(HERE / "desk_loop.py"), str(folder / "home"), str(folder / "work"), *resume]
    known = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1", **env}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=known, timeout=60)


def runs(folder: Path) -> list[str]:
    async def read() -> list[str]:
        async with engine(folder / "home") as supervisor:
            return [record.run for record in await supervisor.hands.ledger.runs()]

    return anyio.run(read)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "refunds.md").write_text("# Refunds\n")
    return tmp_path


def orders(folder: Path) -> list[str]:
    till = folder / "till"
    return [line.split()[0] for line in till.read_text().splitlines()] if till.exists() else []


def carried_on(folder: Path, **env: str) -> dict[str, object]:
    """A second process with the same loop finishes the run of the first one, or begins it where none was recorded."""
    known = runs(folder)
    done = loop(folder, *known[-1:], **env)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("step", [f"{side}:{number}" for number in range(STEPS) for side in ("before", "after")])
def test_killed_at_any_step_the_next_process_pays_what_is_left_and_nothing_twice(place: Path, step: str) -> None:
    if os.environ.get("HYPOTHESIS_PROFILE") != "thorough" and int(step.partition(":")[2]) % 4 != 1:
        pytest.skip("every step is killed only under `just thorough`")
    first = loop(place, REMIT_TEST_CRASH=step)
    if first.returncode == 0:
        assert orders(place) == ["A-1", "A-2", "A-3"]
        return
    assert first.returncode == -9, first.stderr
    ended = bool(runs(place)) and anyio.run(verdict, place) is not None
    told = {"verdict": "success"} if ended else carried_on(place)
    assert told["verdict"] == "success"
    assert orders(place) == ["A-1", "A-2", "A-3"]


async def verdict(folder: Path) -> str | None:
    async with engine(folder / "home") as supervisor:
        run = (await supervisor.hands.ledger.runs())[-1].run
        return (await supervisor.hands.replay(run)).verdict


@pytest.mark.parametrize("die", ["before A-2", "after A-2"])
def test_killed_inside_the_tool_the_till_is_asked_what_became_of_it(place: Path, die: str) -> None:
    assert loop(place, DIE_IN_TOOL=die).returncode == -9
    told = carried_on(place)
    assert told["verdict"] == "success"
    assert told["receipts"] == ["paid A-1", "seen A-2" if die.startswith("after") else "paid A-2", "paid A-3"]
    assert orders(place) == ["A-1", "A-2", "A-3"]


@pytest.mark.parametrize("step", [f"{side}:{number}" for number in range(APPROVED) for side in ("before", "after")])
def test_killed_anywhere_between_the_answer_and_the_end_what_was_approved_is_paid_once(place: Path, step: str) -> None:
    if os.environ.get("HYPOTHESIS_PROFILE") != "thorough" and int(step.partition(":")[2]) % 4 != 2:
        pytest.skip("every step is killed only under `just thorough`")
    waiting = loop(place, AMOUNT="60", PATIENCE="0")
    assert json.loads(waiting.stdout)["verdict"] is None, waiting.stderr
    [run] = runs(place)
    assert orders(place) == []
    anyio.run(all_answered, place, run)
    second = loop(place, run, REMIT_TEST_CRASH=step, AMOUNT="60")
    assert second.returncode in {0, -9}, second.stderr[-2000:]
    if anyio.run(verdict, place) is None:
        carried_on(place, AMOUNT="60")
    assert anyio.run(verdict, place) == "success"
    assert orders(place) == ["A-1", "A-2", "A-3"]


async def all_answered(folder: Path, run: str) -> None:
    async with engine(folder / "home") as supervisor:
        for question in ("Q1", "Q2", "Q3"):
            await answer(supervisor.hands, run, question, "yes", signer=PaperSigner(LEAD), assurance="person-signed")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_left_by_an_exception_the_run_stays_and_says_how_to_go_on(desk: Desk) -> None:
    async def tell() -> None:
        with pytest.raises(ZeroDivisionError) as left:
            async with desk.guard() as guard:
                await guard.call("refund", asking(20))
                raise ZeroDivisionError
        assert guard.run in left.value.__notes__[0]
        assert (await desk.state(guard.run)).phase == "working"
        async with desk.guard(resume=guard.run) as again:
            assert isinstance(await again.call("refund", asking(20)), remit.Done)
            assert desk.paid == [("A-1", Decimal(20))]
            assert isinstance(await again.call("refund", asking(20)), remit.Done)
            assert len(desk.paid) == 2
        assert (await desk.state(guard.run)).verdict == "success"

    story(tell)


def test_an_act_with_a_name_is_the_same_act_for_ever(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            first = await guard.call("refund", asking(20), key="today's first")
            assert await guard.call("refund", asking(20), key="today's first") == first
            assert isinstance(await guard.call("refund", asking(20), key="today's second"), remit.Done)
            clash = await guard.call("refund", asking(21), key="today's first")
            assert isinstance(clash, remit.Refused)
            assert clash.code == "INPUTS"
        assert len(desk.paid) == 2

    story(tell)


def test_what_waits_at_the_end_goes_on_when_the_loop_comes_back(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            waiting = await guard.call("refund", asking(60))
            assert isinstance(waiting, remit.Waiting)
            outcome = await guard.finish()
        assert (outcome.verdict, outcome.why) == (None, "waiting; Q1 asks support-lead")
        await desk.answers(guard.run, "yes")
        async with engine(desk.home) as supervisor:  # a worker, or `remit answer`: it has not got the function
            assert (await deliver(supervisor, guard.run)).verdict is None
        assert desk.paid == []
        async with desk.guard(resume=guard.run) as again:
            assert isinstance(await again.wait(waiting, timeout=10), remit.Done)
            over = await again.call("refund", asking(20))
            assert isinstance(over, remit.Refused)
            assert (over.code, over.reason) == ("STOPPED", "the work of this run is over")
        assert desk.paid == [("A-1", Decimal(60))]
        assert (await desk.state(guard.run)).verdict == "success"

    story(tell)


def test_finishing_early_and_waiting_then_is_the_same(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            waiting = await guard.call("refund", asking(60))
            assert isinstance(waiting, remit.Waiting)
            assert (await guard.finish()).verdict is None
            await desk.answers(guard.run, "yes")
            assert isinstance(await guard.wait(waiting, timeout=10), remit.Done)
            assert (await guard.finish()).verdict == "success"

    story(tell)


def test_only_one_process_carries_a_run(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            with pytest.raises(errors.Busy, match=guard.run):
                async with desk.guard(resume=guard.run):
                    raise AssertionError("two of them")
            with pytest.raises(errors.Busy):
                async with engine(desk.home) as supervisor:
                    await deliver(supervisor, guard.run)

    story(tell)


def test_there_must_be_something_to_resume(desk: Desk) -> None:
    async def tell() -> None:
        with pytest.raises(errors.BadInput, match="no run `r1`"):
            async with desk.guard(resume="r1"):
                raise AssertionError
        with pytest.raises(errors.BadInput, match="needs a contract"):
            async with remit.guard(home=desk.home, workspace=desk.work):
                raise AssertionError

    story(tell)


def test_an_answer_given_while_nobody_is_there_is_acted_on_when_the_loop_returns(desk: Desk) -> None:
    async def tell() -> None:
        with pytest.raises(KeyboardInterrupt):
            async with desk.guard() as guard:
                await guard.call("refund", asking(60))
                raise KeyboardInterrupt
        await desk.answers(guard.run, "yes", by=LEAD)
        async with desk.guard(resume=guard.run) as again:
            assert isinstance(await again.call("refund", asking(60)), remit.Done)
        assert desk.paid == [("A-1", Decimal(60))]

    story(tell)
