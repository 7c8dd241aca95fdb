"""What leaves the workspace: a draft first, released at most once, and what is in doubt is found out."""

from pathlib import Path
from typing import Any

import pytest
from effects_worlds import ASKED, FINANCE, FREE, LEAD, ORG, OTHER, Shop, amounts, calls, limited, pages, paying, person
from engine_worlds import OWNER, rule, story

from remit.testing.effects import MemoryEffects


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, calls(100))


async def history(shop: Shop, run: str) -> list[str]:
    """The facts about drafts, and the questions about them, by name."""
    wanted = {
        "drafted", "question_asked", "question_answered", "question_expired", "intended", "effected", "withdrawn", "in_doubt",
        "resolved", "confirmed", "handed_off",
    }  # fmt: skip
    return [kind for kind in await shop.kinds(run) if kind in wanted]


def test_a_free_call_is_drafted_and_published_at_once(shop: Shop) -> None:
    async def tell() -> None:
        shop.agents = [calls(40)]
        run = await shop.handed_over(paying())
        assert await history(shop, run.id) == ["drafted", "handed_off", "intended", "effected"]
        assert ((await shop.draft(run.id)).state, shop.paid, run.verdict) == ("published", [40], "success")

    story(tell)


def test_an_asked_call_goes_through_every_state_by_name(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        assert ((await shop.draft(run.id)).state, shop.paid) == ("asked", [])
        run = await shop.said(run.id, "yes")
        assert await history(shop, run.id) == [
            "drafted", "question_asked", "question_answered", "handed_off", "intended", "effected",
        ]  # fmt: skip
        draft = await shop.draft(run.id)
        assert (draft.state, draft.responsible, shop.paid, run.verdict) == ("published", (LEAD,), [100], "success")

    story(tell)


def test_a_no_refuses_the_draft(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        run = await shop.said(run.id, "no")
        assert ((await shop.draft(run.id)).state, (await shop.draft(run.id)).why, shop.paid) == ("refused", f"{LEAD} said no", [])

    story(tell)


def test_a_provider_that_dies_again_and_again_is_not_asked_for_ever(tmp_path: Path) -> None:
    async def tell() -> None:
        effects = MemoryEffects(window=3600, name="refund")
        effects.dies = "after"
        shop = Shop(tmp_path, calls(40), refund=effects)
        effects._clock = shop.clock
        run = await shop.handed_over(paying())
        assert len([kind for kind in await shop.kinds(run.id) if kind == "intended"]) < 10

    story(tell)


def test_a_second_doubt_needs_a_second_answer(tmp_path: Path) -> None:
    async def tell() -> None:
        effects = MemoryEffects(name="refund")
        effects.dies = "after"
        shop = Shop(tmp_path, calls(40), refund=effects)
        run = await shop.handed_over(paying())
        assert [q.about for q in run.open_questions] == ["doubt"]
        run = await shop.said(run.id, "redo", by=OWNER)
        assert shop.paid == [40, 40]
        assert [q.about for q in run.open_questions] == ["doubt"]

    story(tell)
