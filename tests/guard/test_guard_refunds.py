"""The refund policy through a guard: what is paid, what waits, who may say yes, and how it ends."""

from decimal import Decimal
from pathlib import Path

import pytest
from refund_desk import FINANCE, LEAD, OWNER, Desk, asking, story

import remit
from remit.errors import BadInput
from remit.errors import Refused as Denied


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_fifty_is_paid_at_once_and_the_run_succeeds(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            done = await guard.call("refund", asking(Decimal("50.00")))
            assert done == remit.Done(
                receipt="refund-1", output={"id": "refund-1", "amount": Decimal("50.00")}, draft=f"{guard.run}:E1"
            )
            outcome = await guard.finish()
        assert outcome == remit.Outcome(verdict="success", run=guard.run)
        assert desk.paid == [("A-1", Decimal("50.00"))]
        assert desk.keys == [f"{guard.run}:E1"]
        run = await desk.state(guard.run)
        assert (run.verdict, run.drafts[desk.keys[0]].responsible) == ("success", (OWNER,))

    story(tell)


def test_a_cent_more_waits_for_the_lead_and_is_paid_once_they_say_yes(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            waiting = await guard.call("refund", asking(Decimal("50.01")))
            assert isinstance(waiting, remit.Waiting)
            assert (waiting.question, waiting.draft, waiting.asked, waiting.unknown) == (
                "Q1",
                f"{guard.run}:E1",
                ("support-lead",),
                False,
            )
            assert waiting.expires is not None
            assert desk.paid == []
            assert await guard.wait(waiting, timeout=0.1) == waiting
            await desk.answers(guard.run, "yes")
            done = await guard.wait(waiting, timeout=10)
            assert isinstance(done, remit.Done)
            assert desk.paid == [("A-1", Decimal("50.01"))]
            assert (await desk.state(guard.run)).drafts[waiting.draft].responsible == (LEAD,)
        assert (await desk.state(guard.run)).verdict == "success"

    story(tell)


def test_a_no_is_a_refusal_that_stays(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            waiting = await guard.call("refund", asking(60))
            assert isinstance(waiting, remit.Waiting)
            await desk.answers(guard.run, "no")
            first, again = await guard.wait(waiting, timeout=10), await guard.call("refund", asking(60))
            assert isinstance(first, remit.Refused)
            assert isinstance(again, remit.Refused)
            assert (first.code, again.code) == ("DENIED", "DENIED")
            assert f"{LEAD} said no" in first.reason
        assert desk.paid == []

    story(tell)


def test_the_lead_cannot_sign_six_hundred_and_finance_can(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            waiting = await guard.call("refund", asking(600))
            assert isinstance(waiting, remit.Waiting)
            assert set(waiting.asked) == {"finance", OWNER}
            with pytest.raises(Denied, match=r"beyond what|not support-lead"):
                await desk.answers(guard.run, "yes", by=LEAD)
            assert desk.paid == []
            for question in (await desk.state(guard.run)).open_questions:
                await desk.answers(
                    guard.run, "yes", by=FINANCE if "finance" in question.of else OWNER, question=question.question
                )
            assert isinstance(await guard.wait(waiting, timeout=10), remit.Done)

    story(tell)


def test_the_tenth_refund_of_fifty_to_one_customer_asks(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            said = [await guard.call("refund", asking(50, order_id=f"A-{at}")) for at in range(10)]
            assert [type(each).__name__ for each in said] == ["Done"] * 9 + ["Waiting"]
            assert isinstance(await guard.call("refund", asking(50, customer="c-2")), remit.Done)
            await guard.stop("enough")
        assert len(desk.paid) == 10

    story(tell)


def test_a_missing_order_is_said(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            said = await guard.call("refund", asking(20, order_id=...))
            assert isinstance(said, remit.Refused)
            assert (said.code, said.reason) == ("INPUTS", "`refund` needs `order_id`")
        assert desk.paid == []

    story(tell)


def test_a_contract_without_an_owner_opens_no_guard_and_all_that_is_wrong_is_said(desk: Desk) -> None:
    async def tell() -> None:
        text = (
            desk.contract.read_text().replace("owner: desk-owner@example.com\n", "").replace("who: finance", "who: nobody-here")
        )
        desk.contract.write_text(text)
        with pytest.raises(BadInput) as wrong:
            async with desk.guard():
                raise AssertionError("it opened")
        assert "no owner" in str(wrong.value)
        assert "nobody-here" in str(wrong.value)

    story(tell)


def test_without_anybody_to_ask_it_is_refused_and_kept_as_a_draft(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard(unattended=True) as guard:
            said = await guard.call("refund", asking(60))
            assert isinstance(said, remit.Refused)
            assert said.code == "IRREVERSIBLE"
            assert isinstance(await guard.call("refund", asking(50)), remit.Done)
        run = await desk.state(guard.run)
        assert [draft.state for draft in run.drafts.values()] == ["refused", "published"]
        assert run.verdict == "success"

    story(tell)


def test_a_naive_loop_that_calls_again_while_it_waits_makes_one_effect(desk: Desk) -> None:
    async def tell() -> None:
        async with desk.guard() as guard:
            said = await guard.call("refund", asking(60))
            for turn in range(200):
                if isinstance(said, remit.Done):
                    break
                if turn == 3:
                    await desk.answers(guard.run, "yes")
                said = await guard.call("refund", asking(60))
            assert isinstance(said, remit.Done)
        assert desk.paid == [("A-1", Decimal(60))]
        assert len((await desk.state(guard.run)).questions) == 1

    story(tell)
