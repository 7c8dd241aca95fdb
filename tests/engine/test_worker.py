"""The worker: whatever has something to do is carried on, and one run never stands in the way of another."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from effects_worlds import FINANCE, LEAD, ORG, PEOPLE, Shop, calls, pages, paying, person
from engine_worlds import HELLO, OWNER, rung, story
from msgspec.structs import replace

from remit.engine.inbox import answer
from remit.engine.worker import Worker
from remit.errors import Conflict
from remit.ports import Job
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner
from remit.testing.workspace import PlainWorkspace


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, calls(100))


@asynccontextmanager
async def working(shop: Shop, said: list[tuple[str, str]] | None = None) -> AsyncIterator[None]:
    """A worker over this world, ended at the end."""
    told = said if said is not None else []
    wrong: list[Exception] = []
    async with anyio.create_task_group() as group:
        group.start_soon(Worker(shop.supervisor, say=lambda run, what: told.append((run, what))).work)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - else it would come out wrapped in a group
            wrong.append(error)
        group.cancel_scope.cancel()
    if wrong:
        raise wrong[0]


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
            return (await shop.hands.replay(run.id)).verdict == "success" and not await shop.ledger.jobs()

        async with working(shop):
            assert await until(ended)
        assert shop.paid == [100]

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
        shop.fit(workspace=NoRoom())

        async def paid() -> bool:
            return shop.paid == [100]

        async with working(shop, told):
            await anyio.sleep(0.5)
            await said(shop, run.id, "yes")
            assert await until(paid, seconds=3)
            await anyio.sleep(1.5)
        assert [each for each in told if each[0] == broken] == [(broken, "the disk is full")]
        assert len(await shop.events(broken, "attempt_started")) <= 2

    story(tell)


def test_what_nobody_foresaw_in_one_run_ends_no_work_on_the_others(shop: Shop) -> None:
    async def tell() -> None:
        run = await shop.handed_over(paying())
        broken = await shop.taken_on(paying())
        shop.fit(workspace=NoRoom(ZeroDivisionError("a fault of remit's own")))
        told: list[tuple[str, str]] = []

        async def paid() -> bool:
            return shop.paid == [100]

        async with working(shop, told):
            await anyio.sleep(0.5)
            await said(shop, run.id, "yes")
            assert await until(paid, seconds=3)
        assert [name for name, _ in told if name == broken]

    story(tell)


class NoRoom(PlainWorkspace):
    """A workspace on a disk that has no room for a stage."""

    def __init__(self, fault: Exception | None = None) -> None:
        super().__init__()
        self.fault = fault or Conflict("the disk is full")

    async def open(self, *_: Any, **__: Any) -> Any:
        raise self.fault


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
        owner = person(OWNER, "owner", contact="https://pager.example.com/owner")
        shop.organisation = replace(ORG, people=(owner, *(each for each in PEOPLE if each.id != OWNER)))
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
