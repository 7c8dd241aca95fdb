"""What lies on people's desks is what somebody can still answer, and nothing else."""

from pathlib import Path

import pytest
from effects_worlds import FREE, LEAD, OTHER, Fragile, Shop, amounts, calls, paying
from engine_worlds import OWNER, rule, story, writes

from remit.engine.desk import waiting
from remit.engine.inbox import answer
from remit.engine.outbox import confirm
from remit.errors import BadInput
from remit.run.event import Effected, Undone
from remit.run.state import Run
from remit.testing.signer import PaperSigner

BOTH = rule("ask", "call", "refund", id="large", where=amounts("50", "500", over=True), who="lead", quorum=2)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, calls(100))


async def same(shop: Shop, run: str) -> Run:
    """The desk shows exactly the questions that the run itself holds open."""
    stands = await shop.hands.replay(run)
    listed = [each.question for each in await waiting(shop.ledger)]
    assert listed == [each.question for each in stands.open_questions]
    return stands


def test_a_doubt_that_was_settled_by_word_from_outside_lies_on_no_desk(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile(times=1, how="after"))
        run = await shop.handed_over(paying())
        assert [each.about for each in await waiting(shop.ledger)] == ["doubt"]
        await confirm(shop.hands, run.id, f"{run.id}:E1", "seen in the books", by=OWNER)
        assert not (await same(shop, run.id)).open_questions

    story(tell)


def test_a_doubt_ends_with_the_outcome_that_comes_late(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40), refund=Fragile(times=1, how="after"))
        run = await shop.handed_over(paying())
        assert (await same(shop, run.id)).open_questions
        await shop.hands.record(Effected(run=run.id, key=f"{run.id}:E1", ok=True, receipt="late"))
        assert not (await same(shop, run.id)).open_questions

    story(tell)


def test_a_yes_and_a_yes_with_conditions_are_two(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(FREE, BOTH))
        await answer(shop.hands, run.id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        [row] = await waiting(shop.ledger)
        assert (row.answers, row.quorum) == (1, 2)
        rules = "never:\n  - call: refund\n    where: {amount: {over: 200, to: 500}}\n"
        await answer(shop.hands, run.id, "Q1", "modify", signer=PaperSigner(OTHER), assurance="terminal", rules=rules)
        assert (await same(shop, run.id)).questions["Q1"].said == "yes"

    story(tell)


def test_a_change_makes_the_yes_before_it_void(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(FREE, BOTH))
        await answer(shop.hands, run.id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        await answer(
            shop.hands, run.id, "Q1", "modify", signer=PaperSigner(OTHER), assurance="terminal", arguments={"amount": 60}
        )
        [row] = await waiting(shop.ledger)
        assert row.answers == 1
        assert (await same(shop, run.id)).open_questions
        with pytest.raises(BadInput, match="answered already"):
            await answer(shop.hands, run.id, "Q1", "yes", signer=PaperSigner(OTHER), assurance="terminal")
        await answer(shop.hands, run.id, "Q1", "yes", signer=PaperSigner(LEAD), assurance="terminal")
        assert not (await same(shop, run.id)).open_questions

    story(tell)


def test_what_was_undone_asks_nothing_any_more(shop: Shop) -> None:
    async def tell() -> None:
        shop.agents = [writes()]
        run = await shop.handed_over(paying(FREE, rule("may", "write", "docs/**"), publish="ask"))
        assert [each.about for each in (await same(shop, run.id)).open_questions] == ["publish"]
        await shop.hands.record(Undone(run=run.id, paths=(), receipt="dropped"))
        assert not (await same(shop, run.id)).open_questions

    story(tell)
