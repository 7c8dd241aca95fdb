"""The door itself: what is no act, limits, stops, many callers at once, and what the rest of remit sees of it."""

import asyncio
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import pytest
from refund_desk import OWNER, Desk, asking, story

import remit
from remit import errors
from remit.app import engine
from remit.contract.parse import parse


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else 1


WRONG: list[tuple[dict[str, Any], str]] = [
    (asking(50.0), "INPUTS"),
    (asking(Decimal("NaN")), "INPUTS"),
    (asking(Decimal("Infinity")), "INPUTS"),
    (asking(True), "INPUTS"),
    (asking("50"), "INPUTS"),
    (asking(2**200), "INPUTS"),
    (asking(20, reason=object()), "INPUTS"),
    (asking(20, reason={1, 2}), "INPUTS"),
    (asking(20, reason=deep(40)), "INPUTS"),
    (asking(20, reason={"at": 0.5}), "INPUTS"),
    (asking(20, reason="\ud800"), "INPUTS"),
    (asking(20, reason="x" * 2_000_000), "INPUTS"),
    (asking(20, to_account="DE00"), "INPUTS"),
    (asking(20, order_id=None), "INPUTS"),
    (asking(-5), "INPUTS"),
]


def test_what_cannot_be_judged_is_refused_and_recorded(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            for at, (arguments, code) in enumerate(WRONG, 1):
                said = await guard.call("refund", arguments)
                assert isinstance(said, remit.Refused), arguments
                assert (said.code, bool(said.reason)) == (code, True), arguments
                run = await desk.state(guard.run)
                assert (run.refusals, run.spend.turns) == (at, at), arguments
            floats = await guard.call("refund", asking(50.0))
            assert isinstance(floats, remit.Refused)
            assert floats.reason == "argument `amount`: a float is not exact: give a Decimal or an int"
            await guard.finish()
        assert desk.keys == []

    story(tell)


@pytest.mark.parametrize(
    ("name", "code"), [("pay_out", "UNCOVERED"), ("", "INPUTS"), (None, "INPUTS"), ("re\nfund", "INPUTS"), ("x" * 5000, "INPUTS")]
)
def test_what_is_no_tool_of_the_run_is_refused_and_recorded(desk: Desk, name: Any, code: str) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            said = await guard.call(name, amount=1)
            assert isinstance(said, remit.Refused)
            assert said.code == code
            assert (await desk.state(guard.run)).refusals == 1

    story(tell)


def test_a_declared_tool_that_nothing_carries_out_is_refused(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard(tools=desk.tools[:1]) as guard:
            said = await guard.call("look_up", order_id="A-1")
            assert isinstance(said, remit.Refused)
            assert said.code == "UNCOVERED"

    story(tell)


def test_values_are_copied_when_they_are_handed_over(desk: Desk) -> None:
    async def tell() -> None:
        given = asking(60)
        async with desk.guard() as guard:
            waiting = await guard.call("refund", given)
            given["amount"] = 500
            assert isinstance(waiting, remit.Waiting)
            await desk.answers(guard.run, "yes")
            await guard.wait(waiting, timeout=10)
        assert desk.paid == [("A-1", Decimal(60))]

    story(tell)


def test_when_the_turns_are_used_up_everything_is_refused_and_the_run_is_exhausted(desk: Desk) -> None:
    async def tell() -> None:
        desk.contract.write_text(desk.contract.read_text().replace("turns: 60", "turns: 3"))
        async with desk.guard() as guard:
            said = [await guard.call("refund", asking(20, order_id=f"A-{at}")) for at in range(5)]
            assert [type(each).__name__ for each in said] == ["Done"] * 3 + ["Refused"] * 2
            assert [each.code for each in said if isinstance(each, remit.Refused)] == ["LIMIT", "LIMIT"]
            outcome = await guard.finish()
        assert outcome.verdict == "exhausted"
        assert len(desk.paid) == 3

    story(tell)


def test_what_was_asked_with_the_last_turn_is_still_done_and_told(desk: Desk) -> None:
    async def tell() -> None:
        desk.contract.write_text(desk.contract.read_text().replace("turns: 60", "turns: 1"))
        async with desk.guard() as guard:
            waiting = await guard.call("refund", asking(60))
            assert isinstance(waiting, remit.Waiting)
            await desk.answers(guard.run, "yes")
            assert isinstance(await guard.wait(waiting, timeout=10), remit.Done)
        assert (await desk.state(guard.run)).verdict == "success"

    story(tell)


def test_when_the_time_is_over_everything_is_refused(desk: Desk) -> None:
    async def tell() -> None:
        desk.contract.write_text(desk.contract.read_text().replace("time: 30m", "time: 1s"))
        async with desk.guard() as guard:
            while not isinstance(said := await guard.call("look_up", order_id="A-1"), remit.Refused):
                await anyio.sleep(0.05)
            assert said.code == "LIMIT"
            assert "`time`" in said.reason
            assert (await guard.finish()).verdict == "exhausted"

    story(tell)


def test_a_stop_from_outside_is_heard_at_the_next_call(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            assert isinstance(await guard.call("refund", asking(20)), remit.Done)
            waiting = await guard.call("refund", asking(60))
            assert isinstance(waiting, remit.Waiting)
            told = await anyio.to_thread.run_sync(cli, desk, "stop", guard.run, "--why", "enough for today")
            assert told.returncode == 0, told.stderr
            said = await guard.call("refund", asking(20, order_id="A-2"))
            assert isinstance(said, remit.Refused)
            assert said.code == "STOPPED"
            assert isinstance(await guard.wait(waiting, timeout=10), remit.Refused)
            outcome = await guard.finish()
        assert outcome.verdict == "stopped"
        assert "enough for today" in outcome.why
        assert len(desk.paid) == 1

    story(tell)


def test_the_loop_can_stop_itself(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            outcome = await guard.stop("the queue is empty")
            assert (outcome.verdict, outcome.why) == ("stopped", f"{OWNER}: the queue is empty")
            said = await guard.call("refund", asking(20))
            assert isinstance(said, remit.Refused)
            assert said.code == "STOPPED"
        assert await guard.stop("again") == outcome == await guard.finish()
        with pytest.raises(errors.BadInput, match="was left"):
            await guard.call("refund", asking(20))

    story(tell)


def cli(desk: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "REMIT_HOME": str(desk.home), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "remit.cli.main", *words], capture_output=True, text=True, check=False, env=environment
    )


def test_the_rest_of_remit_sees_the_run_while_it_works(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            await guard.call("refund", asking(20))
            await guard.call("refund", asking(60))
            for words, shown in [
                (("runs",), guard.run), (("show", guard.run), "Answer the open refund requests"), (("inbox",), "Q1"),
                (("outbox", guard.run), f"{guard.run}:E1"), (("account", guard.run), "refund"), (("verify",), ""),
            ]:  # fmt: skip
                told = await anyio.to_thread.run_sync(cli, desk, *words)
                assert told.returncode == 0, (words, told.stderr)
                assert shown in told.stdout + told.stderr, words
            left = json.loads((await anyio.to_thread.run_sync(cli, desk, "runs", "--json")).stdout)
            assert guard.run in json.dumps(left)
            await guard.stop("seen")

    story(tell)


def test_many_callers_at_once_each_get_their_own_answer(desk: Desk) -> None:
    async def tell() -> None:
        said: dict[str, Any] = {}
        async with desk.guard() as guard:

            async def one(order: str, customer: str) -> None:
                said[order] = await guard.call("refund", asking(20, order_id=order, customer=customer))

            async with anyio.create_task_group() as group:
                for at in range(20):
                    group.start_soon(one, f"A-{at}", f"c-{at}")
            assert all(isinstance(each, remit.Done) for each in said.values())
            assert len({each.draft for each in said.values()}) == 20
        assert sorted(order for order, _ in desk.paid) == sorted(said)

    story(tell)


def moving(desk: Desk, begun: anyio.Event, go: anyio.Event) -> Any:
    """A tool that is in the middle of its effect for as long as a test wants, and a contract that allows it."""

    @remit.tool("transfer")
    async def transfer(amount: Decimal) -> str:
        begun.set()
        await go.wait()
        desk.paid.append(("x", amount))
        return "moved"

    rule = "may:\n  - {call: transfer, where: {amount: {from: 1, to: 9}}}\n"
    desk.contract.write_text(desk.contract.read_text().replace("may:\n", rule))
    return transfer


def test_the_same_act_asked_for_twice_while_it_happens_is_one_act(desk: Desk) -> None:
    async def tell() -> None:
        said: list[Any] = []
        begun, go = anyio.Event(), anyio.Event()
        async with desk.guard(tools=[moving(desk, begun, go)]) as guard:

            async def one(key: str) -> None:
                said.append(await guard.call("transfer", key=key, amount=5))

            async with anyio.create_task_group() as group:
                for key in ("", "", "a", "a", "b"):
                    group.start_soon(one, key)
                await begun.wait()
                while len((await desk.state(guard.run)).drafts) < 3 or (await desk.state(guard.run)).spend.turns < 5:
                    await anyio.sleep(0.05)
                go.set()
            assert said == [remit.Done(receipt="moved", output="moved", draft=each.draft) for each in said]
        assert len(desk.paid) == 3

    story(tell)


@pytest.mark.parametrize("how", ["anyio", "asyncio"])
def test_a_caller_that_gives_up_tears_no_effect_in_two(desk: Desk, how: str) -> None:
    async def tell() -> None:
        begun, go = anyio.Event(), anyio.Event()
        async with desk.guard(tools=[moving(desk, begun, go)]) as guard:
            if how == "anyio":
                with anyio.move_on_after(0.2):
                    await guard.call("transfer", amount=5)
            else:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(guard.call("transfer", amount=5), 0.2)
            assert begun.is_set()
            assert desk.paid == []
            go.set()
            assert await guard.call("transfer", amount=5) == remit.Done(receipt="moved", output="moved", draft=f"{guard.run}:E1")
            assert isinstance(await guard.call("transfer", amount=5), remit.Done)
        assert len(desk.paid) == 2
        assert (await desk.state(guard.run)).verdict == "success"

    story(tell)


def test_leaving_in_the_middle_of_an_effect_waits_for_its_end(desk: Desk) -> None:
    async def tell() -> None:
        begun, go = anyio.Event(), anyio.Event()
        transfer = moving(desk, begun, go)

        async def one(guard: remit.Guard) -> None:
            await guard.call("transfer", amount=5)

        with pytest.raises(ZeroDivisionError):
            async with desk.guard(tools=[transfer]) as guard:
                task = asyncio.ensure_future(one(guard))
                await begun.wait()
                asyncio.get_running_loop().call_later(0.2, go.set)
                raise ZeroDivisionError
        await task
        run = await desk.state(guard.run)
        assert [draft.state for draft in run.drafts.values()] == ["published"]
        assert run.phase == "working"

    story(tell)


def test_a_loop_that_is_cancelled_leaves_the_run_to_be_resumed(desk: Desk) -> None:
    async def tell() -> None:
        opened: list[remit.Guard] = []

        async def loop() -> None:
            async with desk.guard() as guard:
                opened.append(guard)
                await guard.wait(await guard.call("refund", asking(60)))  # type: ignore[arg-type]

        task = asyncio.ensure_future(loop())
        while not (opened and (await desk.state(opened[0].run)).questions):
            await anyio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as left:
            await task
        assert opened[0].run in left.value.__notes__[0]
        async with desk.guard(resume=opened[0].run) as guard:
            await desk.answers(guard.run, "yes")
            said = await guard.call("refund", asking(60))
            while isinstance(said, remit.Waiting):
                said = await guard.wait(said, timeout=1)
            assert isinstance(said, remit.Done)
        assert len(desk.paid) == 1

    story(tell)


def test_a_question_of_the_loops_own_goes_to_the_owner_once(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            assert await guard.ask("Which account?") is None
            assert await guard.ask("Which account?", timeout=0.1) is None
            run = await desk.state(guard.run)
            assert [(each.about, each.of) for each in run.open_questions] == [("context", (OWNER,))]
            await desk.answers(guard.run, "yes", by=OWNER, note="the one in Trier")
            assert await guard.ask("Which account?", timeout=10) == "the one in Trier"
            assert (await desk.state(guard.run)).spend.turns == 1

    story(tell)


def test_a_contract_can_be_handed_over_as_a_value(desk: Desk) -> None:
    async def tell() -> None:
        contract = parse(desk.contract.read_text(), file="c").contract
        assert contract is not None
        async with desk.guard(contract=contract) as guard:
            assert isinstance(await guard.call("refund", asking(20)), remit.Done)
        assert (await desk.state(guard.run)).contract.hash() == contract.hash()

    story(tell)


def test_rules_that_nothing_here_can_enforce_are_a_finding(desk: Desk) -> None:
    async def tell() -> None:
        desk.contract.write_text(desk.contract.read_text() + "never:\n  - write: package.json\n")
        with pytest.raises(errors.BadInput, match="nothing here can enforce a rule about `write`"):
            async with desk.guard():
                raise AssertionError

    story(tell)


def test_checks_that_fail_fail_the_run(desk: Desk) -> None:
    async def tell() -> None:
        (desk.work / "refunds.md").unlink()
        async with desk.guard() as guard:
            outcome = await guard.finish()
        assert (outcome.verdict, outcome.why) == ("failed", "check `log` fails")

    story(tell)


def test_what_the_tools_leave_in_the_workspace_is_what_the_checks_see(desk: Desk) -> None:
    async def tell() -> None:
        (desk.work / "refunds.md").unlink()
        async with desk.guard() as guard:
            (desk.work / "refunds.md").write_text("# Refunds\n")
            outcome = await guard.finish()
        assert outcome.verdict == "success"
        assert (desk.work / "refunds.md").exists()

    story(tell)


def test_the_organisation_is_found_where_it_always_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from remit.contract.print_organisation import print_organisation

    async def tell() -> None:
        desk.home.mkdir(exist_ok=True)
        (desk.home / "org.remit.yaml").write_text(print_organisation(desk.organisation))
        monkeypatch.setenv("REMIT_HOME", str(desk.home))
        monkeypatch.delenv("REMIT_ORG", raising=False)
        async with remit.guard(desk.contract, tools=desk.tools, workspace=desk.work) as guard:
            waiting = await guard.call("refund", asking(60))
            assert isinstance(waiting, remit.Waiting)
            await guard.stop("seen")
        async with engine(desk.home) as supervisor:
            started = (await supervisor.hands.replay(guard.run)).started
            assert started is not None
            assert [person.id for person in started.organisation.people] == [person.id for person in desk.organisation.people]

    story(tell)


def test_importing_remit_costs_nothing_until_something_of_it_is_named() -> None:
    heavy = "{name for name in sys.modules if name.split('.')[0] in {'anyio', 'msgspec', 'click', 'yaml', 'cryptography'} or name.startswith('remit.')}"
    program = f"import sys, remit; print(sorted({heavy})); print(callable(remit.guard), remit.tool.__name__, remit.DidNotHappen.__name__)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["[]", "True tool DidNotHappen"]
    with pytest.raises(AttributeError):
        remit.nothing  # noqa: B018


def test_the_guard_is_a_function_whatever_was_imported_first() -> None:
    for first in ("import remit.guard", "import remit.guard.results", "from remit.guard import Guard", "import remit.cli.main"):
        program = f"{first}; import remit; remit.guard; print(type(remit.guard('c')).__name__)"
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert told.stdout.strip() == "_AsyncGeneratorContextManager", first
