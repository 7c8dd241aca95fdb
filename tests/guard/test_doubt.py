"""When a tool raises: what certainly did not happen, what nobody knows, and how a doubt is resolved without a second effect."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from refund_desk import OWNER, Desk, asking, story

import remit
from remit import errors


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_a_tool_says_did_not_happen_is_refused_and_may_be_asked_again(desk: Desk) -> None:
    async def tell() -> None:
        desk.raises = [remit.DidNotHappen("the account is closed")]
        async with desk.guard() as guard:
            said = await guard.call("refund", asking(20))
            assert isinstance(said, remit.Refused)
            assert (said.code, said.reason) == ("FAILED", "the account is closed")
            assert isinstance(await guard.call("refund", asking(20)), remit.Done)
        assert len(desk.paid) == 1

    story(tell)


@pytest.mark.parametrize(
    "error", [TimeoutError("no answer"), ValueError("odd"), errors.Refused("of a remit inside"), errors.BadInput("the same")]
)
def test_whatever_else_it_raises_leaves_a_doubt_that_only_a_person_ends(desk: Desk, error: Exception) -> None:
    async def tell() -> None:
        desk.raises = [error]
        async with desk.guard() as guard:
            said = await guard.call("refund", asking(20))
            assert isinstance(said, remit.Waiting)
            assert said.unknown
            said = await guard.wait(said, timeout=0.3)
            assert isinstance(said, remit.Waiting)
            assert (said.unknown, said.asked, said.question) == (True, (OWNER,), "Q1")
            await desk.answers(guard.run, "happened", by=OWNER, receipt="seen in the bank")
            done = await guard.wait(said, timeout=10)
            assert isinstance(done, remit.Done)
            assert done.receipt == "seen in the bank"
        assert len(desk.keys) == 1
        assert (await desk.state(guard.run)).verdict == "success"

    story(tell)


def test_a_person_can_have_it_done_after_all_or_given_up(desk: Desk) -> None:
    async def tell() -> None:
        desk.raises = [TimeoutError(), TimeoutError()]
        async with desk.guard() as guard:
            first = await guard.call("refund", asking(20))
            second = await guard.call("refund", asking(30))
            assert isinstance(first, remit.Waiting)
            assert isinstance(second, remit.Waiting)
            second = await guard.wait(second, timeout=0.3)
            assert isinstance(second, remit.Waiting)
            await desk.answers(guard.run, "redo", by=OWNER, question="Q1")
            await desk.answers(guard.run, "abandon", by=OWNER, question="Q2")
            done, given_up = await guard.wait(first, timeout=10), await guard.wait(second, timeout=10)
            assert isinstance(done, remit.Done)
            assert isinstance(given_up, remit.Refused)
        assert desk.paid == [("A-1", Decimal(20))]
        assert desk.keys[0] == desk.keys[-1]

    story(tell)


@pytest.mark.parametrize("known", [True, False])
def test_a_provider_that_can_be_asked_ends_the_doubt_by_itself(desk: Desk, known: bool) -> None:
    async def tell() -> None:
        def probe(key: str, **arguments: Any) -> dict[str, Any] | None:
            assert arguments["amount"] == Decimal(20)
            return {"id": f"seen-{key}"} if known else None

        desk.tools[0] = desk.refund_tool(probe=probe)
        desk.raises = [TimeoutError()]
        async with desk.guard() as guard:
            said = await guard.call("refund", asking(20))
            assert isinstance(said, remit.Waiting)
            done = await guard.wait(said, timeout=10)
            assert isinstance(done, remit.Done)
            assert done.receipt == (f"seen-{guard.run}:E1" if known else "refund-1")
        assert len(desk.paid) == (0 if known else 1)
        assert not (await desk.state(guard.run)).questions

    story(tell)


def test_within_its_window_the_same_key_is_given_again(desk: Desk) -> None:
    async def tell() -> None:
        desk.tools[0] = desk.refund_tool(window=timedelta(hours=24))
        desk.raises = [TimeoutError()]
        async with desk.guard() as guard:
            said = await guard.call("refund", asking(20))
            assert isinstance(said, remit.Waiting)
            assert isinstance(await guard.wait(said, timeout=10), remit.Done)
        assert desk.keys == [f"{guard.run}:E1"] * 2
        assert len(desk.paid) == 1

    story(tell)


def test_calling_again_in_doubt_is_no_second_effect(desk: Desk) -> None:
    async def tell() -> None:
        desk.raises = [TimeoutError()]
        async with desk.guard() as guard:
            for _ in range(3):
                said = await guard.call("refund", asking(20))
                assert isinstance(said, remit.Waiting)
                assert said.unknown
            await guard.stop("the doubt is for tomorrow")
        assert desk.keys == [f"{guard.run}:E1"]
        assert (await desk.state(guard.run)).verdict == "unknown"

    story(tell)


def test_late_word_from_outside_is_a_fact(desk: Desk) -> None:
    async def tell() -> None:
        desk.raises = [TimeoutError()]
        async with desk.guard() as guard:
            said = await guard.call("refund", asking(20))
            assert isinstance(said, remit.Waiting)
            done = await guard.confirm(said.draft, "webhook 17")
            assert done == remit.Done(receipt="webhook 17", draft=said.draft)
            with pytest.raises(errors.BadInput, match="no draft"):
                await guard.confirm("nothing", "x")
        assert (await desk.state(guard.run)).verdict == "success"

    story(tell)


def test_a_tool_that_only_reads_and_fails_is_no_doubt(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            said = await guard.call("look_up", order_id="broken")
            assert isinstance(said, remit.Refused)
            assert (said.code, said.reason) == ("FAILED", "LookupError: no such order")
            assert await guard.call("look_up", order_id="A-1") == remit.Done(
                receipt='{"order_id":"A-1","total":50.00}', output={"order_id": "A-1", "total": Decimal("50.00")}
            )
        run = await desk.state(guard.run)
        assert (run.drafts, run.doubts, run.spend.turns) == ({}, (), 2)

    story(tell)
