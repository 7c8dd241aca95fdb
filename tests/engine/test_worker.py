"""The worker: whatever has something to do is carried on, and one run never stands in the way of another."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from effects_worlds import FINANCE, LEAD, Shop, calls, pages, paying
from engine_worlds import OWNER, rung, story

from remit.engine.inbox import answer
from remit.engine.worker import Worker
from remit.errors import Conflict
from remit.ports import Job
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, calls(100))


@asynccontextmanager
async def working(shop: Shop, said: list[tuple[str, str]] | None = None) -> AsyncIterator[None]:
    """A worker over this world, ended at the end."""
    told = said if said is not None else []
    async with anyio.create_task_group() as group:
        group.start_soon(Worker(shop.supervisor, say=lambda run, what: told.append((run, what))).work)
        yield
        group.cancel_scope.cancel()


async def until(what: Callable[[], Awaitable[bool]], *, seconds: float = 5) -> bool:
    """Whether it comes true within this time."""
    with anyio.move_on_after(seconds):
        while not await what():
            await anyio.sleep(0.01)
        return True
    return False


async def said(shop: Shop, run: str, word: str, *, question: str = "Q1", by: str = LEAD) -> None:
    await answer(shop.hands, run, question, word, signer=PaperSigner(by), assurance="terminal")


def test_an_answer_is_acted_on_by_whoever_is_at_work(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())

        async def paid() -> bool:
            return shop.paid == [100]

        async with working(shop):
            await anyio.sleep(0.3)
            await said(shop, run.id, "yes")
            assert await until(paid, seconds=1)

    story(tell)


def test_an_answer_given_while_nobody_was_at_work_is_acted_on(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        await said(shop, run.id, "yes")
        assert shop.paid == []

        async def ended() -> bool:
            return (await shop.hands.replay(run.id)).verdict == "success"

        async with working(shop):
            assert await until(ended)
        assert shop.paid == [100]
        assert await shop.ledger.jobs() == []

    story(tell)


def test_a_deadline_is_acted_on_when_it_comes(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying(escalation=pages(within=7200, then=(FINANCE,))))

        async def asks(*names: str) -> bool:
            return (await shop.hands.replay(run.id)).questions["Q1"].question.of == names

        async with working(shop):
            await anyio.sleep(0.3)
            assert not await asks(LEAD, FINANCE)
            shop.jump(hours=2, seconds=1)
            assert await until(lambda: asks(LEAD, FINANCE))

    story(tell)


def test_a_run_that_works_for_long_does_not_hold_up_the_answer_to_another(tmp_path: Path) -> None:
    """One run goes on to a new attempt that takes its time; the other one's effect begins all the same."""

    async def tell() -> None:
        shop = Shop(tmp_path)
        begun = anyio.Event()

        async def fails(inside: Inside) -> int:
            return 1

        async def slow(inside: Inside) -> None:
            begun.set()
            await inside.stays()

        from engine_worlds import HELLO

        shop.agents = [calls(100)]
        quick = await shop.handed_over(paying())
        shop.agents = [fails, slow]
        long = await shop.handed_over(paying(success=(HELLO,), recovery=(rung("any check fails", "ask owner"),)))

        async def paid() -> bool:
            return shop.paid == [100]

        async with working(shop):
            await said(shop, long.id, "yes", by=OWNER)
            await begun.wait()
            await said(shop, quick.id, "yes")
            assert await until(paid, seconds=3)

    story(tell)


def test_a_run_that_cannot_go_on_keeps_no_other_from_it_and_is_not_tried_all_the_time(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        told: list[tuple[str, str]] = []
        shop.agents = [calls(40)]
        broken = await shop.taken_on(paying())
        probe = shop.hands.workspace.open

        async def fails(*_: object, **__: object) -> object:
            raise Conflict("the disk is gone")

        shop.fit(workspace=Broken(shop.hands.workspace, fails))
        assert probe

        async def paid() -> bool:
            return shop.paid == [100]

        async with working(shop, told):
            await anyio.sleep(0.5)
            await said(shop, run.id, "yes")
            assert await until(paid, seconds=3)
            await anyio.sleep(1.5)
        assert [each for each in told if each[0] == broken] == [(broken, "the disk is gone")]
        assert len(await shop.events(broken, "attempt_started")) <= 2

    story(tell)


class Broken:
    """A workspace that cannot open a stage."""

    def __init__(self, real: object, open_: object) -> None:
        self._real, self.open = real, open_

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def test_a_run_that_somebody_else_drives_is_left_to_them(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        with shop.hands.leases.hold(run.id):
            async with working(shop):
                await said(shop, run.id, "yes")
                await anyio.sleep(0.6)
                assert shop.paid == []

        async def paid() -> bool:
            return shop.paid == [100]

        async with working(shop):
            assert await until(paid)

    story(tell)


def test_a_page_about_how_a_run_ended_is_tried_again(tmp_path: Path) -> None:
    async def tell() -> None:
        shop = Shop(tmp_path, calls(40))
        shop.organisation = replace_owner(shop)
        shop.pager.fails = "the pager is off"
        run = await shop.handed_over(paying())
        assert (run.verdict, shop.pager.tried) == ("success", 1)
        shop.pager.fails = ""

        async def paged() -> bool:
            return bool(shop.pager.sent)

        async with working(shop):
            await anyio.sleep(0.3)
            shop.jump(seconds=31)
            assert await until(paged)

    story(tell)


def replace_owner(shop: Shop) -> object:
    from msgspec.structs import replace as change

    return change(
        shop.organisation,
        people=tuple(change(each, contact="https://pager.example.com/owner") if each.id == OWNER else each for each in shop.organisation.people),
    )


def test_the_same_job_twice_is_one_effect(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        await said(shop, run.id, "yes")
        async with shop.ledger.transaction() as transaction:
            for number in range(3):
                transaction.submit(Job(id=f"again-{number}", run=run.id))

        async def done() -> bool:
            return not await shop.ledger.jobs()

        async with working(shop):
            assert await until(done)
        assert shop.paid == [100]

    story(tell)


_ = replace
