"""The engine loop over the doubles: every move, every rung, every way a run can end."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from engine_worlds import (
    HELLO,
    LEGAL,
    OWNER,
    SOMEBODY,
    Crash,
    World,
    contract,
    crashes,
    idles,
    rule,
    rung,
    story,
    writes,
)  # fmt: skip

from remit.contract.limits import Limits
from remit.contract.outcome import Escalation, FileCheck, RunCheck, TreeCheck
from remit.engine.delivery import deliver, unfinished
from remit.engine.release import ask_undo, publish_again
from remit.errors import BadInput, Busy, Refused
from remit.run import next_move as m
from remit.run.errand import Errand, Expire
from remit.run.state import Run
from remit.testing.sandbox import Inside, Script


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, writes())


def ended(run: Run, verdict: str, *, published: bool = False) -> None:
    assert (run.verdict, run.published is not None) == (verdict, published), run.why


# ------------------------------------------------------------------------------------------------ the straight road


def test_work_that_passes_is_published_and_its_owner_told(world: World) -> None:
    async def tell() -> None:
        run = await world.begin(contract())
        ended(run, "success", published=True)
        assert world.tree() == {"README.md": "read me\n", "docs/hello.md": "hello\n"}
        assert [move.__name__ for move in world.moves] == ["Work", "Judge", "Check", "Conclude", "Publish", "Tell"]
        told = await world.events(run.id, "notified")
        assert [(each.who, each.what) for each in told] == [(OWNER, "success")]

    story(tell)


def test_a_change_outside_the_boundary_is_left_behind_and_the_rest_published(world: World) -> None:
    async def tell() -> None:
        world.agents = [writes(then=writes("mine\n", "README.md"))]
        run = await world.begin(contract(success=(HELLO, TreeCheck(id="only", outside=("docs/**",)))))
        ended(run, "success", published=True)
        assert world.tree()["README.md"] == "read me\n"
        assert run.judged is not None
        assert run.judged.dropped == ("README.md",)
        assert run.refusals == 1

    story(tell)


def test_the_base_that_moves_after_the_checks_makes_them_run_again(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract(publish="ask"))
        waiting = await world.drive(run_id)
        assert waiting.round == 1
        (world.work / "README.md").write_text("meanwhile\n")
        run = await world.say(run_id, "yes")
        ended(run, "success", published=True)
        assert run.round == 2
        assert [each.moved for each in await world.events(run_id, "checks_finished")] == [(), ("README.md",)]

    story(tell)


def test_a_moved_base_on_which_the_checks_fail_is_not_published_over(world: World) -> None:
    async def tell() -> None:
        still = FileCheck(id="still", file="README.md", matches="read me")
        run_id = await world.start(contract(publish="ask", success=(HELLO, still)))
        await world.drive(run_id)
        (world.work / "README.md").write_text("meanwhile\n")
        run = await world.say(run_id, "yes")
        ended(run, "success")
        assert "check still fails" in run.publish_failed
        assert "docs/hello.md" not in world.tree()

    story(tell)


def test_a_conflict_keeps_everything_back_until_somebody_publishes_again(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract(publish="ask"))
        await world.drive(run_id)
        (world.work / "docs" / "hello.md").write_text("hello from somebody else\n")
        run = await world.say(run_id, "yes")
        ended(run, "success")
        assert run.publish_failed
        assert world.tree()["docs/hello.md"] == "hello from somebody else\n"
        assert m.next_move(run, world.clock.now()) == m.Rest(on="conflict")
        (world.work / "docs" / "hello.md").unlink()
        await publish_again(world.hands, run_id, by=OWNER)
        await world.owed(run_id)
        ended(await world.drive(run_id), "success", published=True)
        assert world.tree()["docs/hello.md"] == "hello\n"
        with pytest.raises(BadInput):
            await publish_again(world.hands, run_id, by=OWNER)

    story(tell)


def test_what_was_published_is_put_back_once(world: World) -> None:
    async def tell() -> None:
        run = await world.begin(contract())
        await ask_undo(world.hands, run.id, by=OWNER)
        await world.owed(run.id)
        undone = await world.drive(run.id)
        assert undone.undone
        assert world.tree() == {"README.md": "read me\n"}
        with pytest.raises(BadInput, match="undone already"):
            await ask_undo(world.hands, run.id, by=OWNER)

    story(tell)


def test_an_undo_that_later_work_forbids_is_said_and_can_be_asked_again(world: World) -> None:
    async def tell() -> None:
        run = await world.begin(contract())
        (world.work / "docs" / "hello.md").write_text("hello, built on\n")
        await ask_undo(world.hands, run.id, by=OWNER)
        kept = await world.drive(run.id)
        assert (kept.undone, kept.phase) == (False, "published")
        (world.work / "docs" / "hello.md").write_text("hello\n")
        await ask_undo(world.hands, run.id, by=OWNER)
        assert (await world.drive(run.id)).undone

    story(tell)


def test_an_engine_that_is_killed_before_every_move_ends_like_any_other(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract(publish="ask"))
        for _ in range(12):  # one move for each life of an engine
            run = await world.hands.replay(run_id)
            move = m.next_move(run, world.clock.now())
            if isinstance(move, m.Rest):
                break
            await world.owed(run_id)
            await world.supervisor._make(run, move)
        ended(await world.say(run_id, "yes"), "success", published=True)

    story(tell)


def test_one_engine_at_a_time_drives_a_run(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract())
        with world.hands.leases.hold(run_id):
            with pytest.raises(Busy):
                await world.drive(run_id)
            with pytest.raises(Busy):
                await deliver(world.supervisor, run_id)
        assert [each async for each in unfinished(world.hands)] == [run_id]
        await deliver(world.supervisor, run_id)
        assert await world.ledger.jobs() == []
        assert [each async for each in unfinished(world.hands)] == []
        ended(await world.hands.replay(run_id), "success", published=True)

    story(tell)


# ------------------------------------------------------------------------------------------------ the ladder


def flaky(times: int) -> list[Script]:
    return [*([idles] * times), writes()]


@pytest.mark.parametrize(("failures", "verdict"), [(2, "success"), (3, "failed")])
def test_retry_n_is_taken_n_times_and_no_more(world: World, failures: int, verdict: str) -> None:
    async def tell() -> None:
        world.agents = flaky(failures)
        run = await world.begin(contract(recovery=(rung("hello fails", "retry", times=2), rung("failed", "undo"))))
        ended(run, verdict, published=verdict == "success")
        assert run.attempt == 3
        assert run.undone == (verdict == "failed")

    story(tell)


@pytest.mark.parametrize("when", ["hello fails", "any check fails", "failed"])
@pytest.mark.parametrize(("do", "undone"), [("undo", True), ("stop", False), ("hand over", False)])
def test_a_failing_check_reaches_its_rung(world: World, when: str, do: str, undone: bool) -> None:
    async def tell() -> None:
        world.agents = [idles]
        run = await world.begin(contract(recovery=(rung("stuck", "retry"), rung(when, do, to=LEGAL))))
        ended(run, "failed")
        assert run.undone == undone
        assert [(each.entry, each.do) for each in run.rungs] == [(1, do)]
        assert "check `hello` fails" in run.why
        told = [each.who for each in await world.events(run.id, "notified")]
        assert (LEGAL in told) == (do == "hand over")
        assert told[-1] == OWNER

    story(tell)


def test_a_rung_for_another_check_is_passed_by(world: World) -> None:
    async def tell() -> None:
        world.agents = [idles]
        run = await world.begin(contract(recovery=(rung("links fails", "retry"), rung("failed", "stop"))))
        assert [each.when for each in run.rungs] == ["failed"]
        assert run.attempt == 1

    story(tell)


@pytest.mark.parametrize(("said", "attempts", "verdict"), [("yes", 2, "success"), ("no", 1, "failed")])
def test_the_owner_is_asked_whether_to_go_on(world: World, said: str, attempts: int, verdict: str) -> None:
    async def tell() -> None:
        world.agents = flaky(1)
        waiting = await world.begin(contract(recovery=(rung("hello fails", "ask owner"), rung("failed", "undo"))))
        assert waiting.verdict is None
        assert [each.of for each in waiting.open_questions] == [(OWNER,)]
        run = await world.say(waiting.id, said)
        ended(run, verdict, published=said == "yes")
        assert (run.attempt, run.undone) == (attempts, said == "no")

    story(tell)


async def storms(inside: Inside) -> None:
    for number in range(30):
        await inside.act("push", f"branch-{number}")
    await inside.stays()


async def repeats(inside: Inside) -> None:
    for _ in range(10):
        await inside.act("push", "origin")
    await inside.stays()


async def stays(inside: Inside) -> None:
    await inside.stays()


@pytest.mark.parametrize("agent", [storms, repeats])
def test_an_agent_that_goes_nowhere_is_stuck(world: World, agent: Script) -> None:
    async def tell() -> None:
        world.agents = [agent, writes()]
        run = await world.begin(contract(recovery=(rung("stuck", "retry"), rung("failed", "stop"))))
        ended(run, "success", published=True)
        assert [each.when for each in run.rungs] == ["stuck"]
        assert "stuck" in await world.kinds(run.id)

    story(tell)


def test_silence_is_stuck_too(world: World) -> None:
    async def quiet(inside: Inside) -> None:
        world.jump(minutes=9)
        await inside.stays()

    async def tell() -> None:
        world.agents = [quiet]
        run = await world.begin(contract(recovery=(rung("stuck", "stop"),)))
        ended(run, "failed")
        assert run.rungs[0].when == "stuck"

    story(tell)


def test_a_used_up_limit_ends_the_attempt_and_the_run(world: World) -> None:
    async def tell() -> None:
        world.agents = [storms]
        few = contract(limits=Limits(time=600, turns=3), recovery=(rung("limit reached", "hand over"), rung("failed", "undo")))
        run = await world.begin(few)
        ended(run, "exhausted")
        assert run.spend.turns == 3
        assert [each.when for each in run.rungs] == ["limit reached"]
        assert {each.limit for each in await world.events(run.id, "limit_reached")} == {"turns"}
        assert [each.limit for each in await world.events(run.id, "warned")] == ["turns"]

    story(tell)


def test_no_retry_beyond_the_time_there_is(world: World) -> None:
    async def slow(inside: Inside) -> None:
        world.jump(minutes=9, seconds=59.5)
        await inside.act("done")
        world.jump(seconds=1)

    async def tell() -> None:
        world.agents = [slow]
        run = await world.begin(contract(recovery=(rung("hello fails", "retry", times=9),)))
        ended(run, "exhausted")
        assert run.attempt == 1
        assert run.spend.time > 600

    story(tell)


def test_refused_is_a_rung_and_a_verdict_of_its_own(world: World) -> None:
    async def refused(inside: Inside) -> None:
        assert (await inside.act("push", "origin"))["decision"] == "refuse"

    async def tell() -> None:
        world.agents = [refused]
        run = await world.begin(contract(recovery=(rung("refused", "stop"), rung("failed", "undo"))))
        ended(run, "refused")
        assert run.attempt == 1

    story(tell)


def test_a_crash_is_a_rung_and_without_one_the_work_is_simply_done_again(world: World) -> None:
    async def tell() -> None:
        world.agents = [crashes, writes()]
        for recovery, verdict in (((rung("crashed", "hand over"),), "failed"), ((), "success")):
            run_id = await world.start(contract(recovery=recovery))
            world.agents = [crashes, writes()]
            with pytest.raises(BaseExceptionGroup) as died:
                await world.drive(run_id)
            assert died.value.subgroup(Crash)
            assert (await world.hands.replay(run_id)).phase == "working"
            run = await world.drive(run_id)
            ended(run, verdict, published=verdict == "success")
            assert len(await world.events(run_id, "attempt_lost")) == 1
            assert not world.hands.place(run_id, 1).exists()

    story(tell)


def test_a_machine_that_fails_loses_the_attempt_and_says_so(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract())
        (world.home / "runs").write_text("no folder")
        with pytest.raises(Exception, match="the machine failed"):
            await world.drive(run_id)
        (world.home / "runs").unlink()
        run = await world.drive(run_id)
        ended(run, "success", published=True)
        assert run.attempt == 2

    story(tell)


# ------------------------------------------------------------------------------------------------ exceptions and excuses

LINKS = RunCheck(id="links", argv=("links",))


def checking(lines: str, *, base: int = 1) -> Script:
    """A check whose failing items are the lines it prints, on the work and on the base."""

    async def check(inside: Inside) -> int:
        if not (inside.folder / "docs" / "hello.md").exists():
            return base
        await inside.say(lines)
        return 1 if lines else 0

    return check


def listing(text: str) -> Script:
    return writes(then=writes(text, "docs/broken.md"))


CONTINUE = rung("links fails", "continue", listed_in="docs/broken.md")


def test_a_listed_exception_is_held_until_the_owner_takes_it(world: World) -> None:
    async def tell() -> None:
        world.sandbox.programs["links"] = checking("a.md\n")
        world.agents = [listing("- a.md\n")]
        run = await world.begin(contract(success=(HELLO, LINKS), recovery=(CONTINUE, rung("failed", "undo"))))
        ended(run, "success_with_exceptions")
        assert run.exceptions == ("links: a.md",)
        assert world.tree() == {"README.md": "read me\n"}
        with pytest.raises(Refused):
            await world.take(run.id, by=SOMEBODY)
        ended(await world.take(run.id), "success_with_exceptions", published=True)
        with pytest.raises(BadInput, match="accepted already"):
            await world.take(run.id)

    story(tell)


def test_a_declined_exception_leaves_nothing(world: World) -> None:
    async def tell() -> None:
        world.sandbox.programs["links"] = checking("a.md\n")
        world.agents = [listing("- a.md\n")]
        run = await world.begin(contract(success=(HELLO, LINKS), recovery=(CONTINUE, rung("failed", "undo"))))
        declined = await world.take(run.id, decline=True)
        ended(declined, "success_with_exceptions")
        assert declined.undone
        assert world.tree() == {"README.md": "read me\n"}

    story(tell)


@pytest.mark.parametrize("listed", ["", "- a.md\n", "- aa.md b.md\n"])
def test_an_item_that_is_not_listed_excuses_nothing(world: World, listed: str) -> None:
    async def tell() -> None:
        world.sandbox.programs["links"] = checking("a.md\nb.md\n")
        world.agents = [listing(listed)]
        run = await world.begin(contract(success=(HELLO, LINKS), recovery=(CONTINUE, rung("failed", "undo"))))
        ended(run, "failed")
        assert [each.do for each in run.rungs] == ["continue", "undo"]

    story(tell)


def test_two_excused_checks_never_excuse_a_third(world: World) -> None:
    async def tell() -> None:
        for name in ("links", "spelling", "titles"):
            world.sandbox.programs[name] = checking("a.md\n")
        world.agents = [listing("- a.md\n")]
        checks = (HELLO, LINKS, RunCheck(id="spelling", argv=("spelling",)), RunCheck(id="titles", argv=("titles",)))
        again = rung("spelling fails", "continue", listed_in="docs/broken.md")
        run = await world.begin(contract(success=checks, recovery=(CONTINUE, again, rung("failed", "undo"))))
        ended(run, "failed")
        assert run.finished is not None
        assert set(run.finished.excused) == {"links", "spelling"}
        assert "`titles`" in run.why
        assert "`links`" not in run.why
        assert world.tree() == {"README.md": "read me\n"}

    story(tell)


@pytest.mark.parametrize(("base", "verdict"), [(1, "success"), (0, "failed")])
def test_a_check_that_passes_where_it_must_fail_proves_nothing(world: World, base: int, verdict: str) -> None:
    async def tell() -> None:
        world.sandbox.programs["links"] = checking("", base=base)
        proven = RunCheck(id="links", argv=("links",), fails_on="base")
        run = await world.begin(contract(success=(proven,), recovery=(rung("failed", "undo"),)))
        ended(run, verdict, published=verdict == "success")
        control = (await world.events(run.id, "check_ran"))[0].control
        assert bool(control) == (base == 0)

    story(tell)


def test_a_check_asks_for_nothing_at_any_door(world: World) -> None:
    async def nosy(inside: Inside) -> int:
        return 0 if await inside.connects("example.com", 443) else 1

    async def tell() -> None:
        world.sandbox.programs["links"] = nosy
        run = await world.begin(contract(success=(LINKS,), recovery=(rung("failed", "stop"),)))
        ended(run, "failed")
        plan = world.sandbox.plans[-1]
        assert (plan.door, plan.network, plan.mount.writable) == (False, False, False)

    story(tell)


# ------------------------------------------------------------------------------------------------ stopping


def test_a_run_stopped_before_its_first_attempt_never_works(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract())
        await world.stop(run_id)
        run = await world.drive(run_id)
        ended(run, "stopped")
        assert run.attempt == 0
        assert world.sandbox.plans == []
        with pytest.raises(BadInput, match="has ended already"):
            await world.stop(run_id)

    story(tell)


def test_a_run_stopped_while_it_works_ends_its_box_and_publishes_nothing(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract())

        async def stopped(inside: Inside) -> None:
            (inside.folder / "docs" / "hello.md").write_text("hello\n")
            await world.stop(run_id)
            assert (await inside.act("write", "docs/x"))["reasons"][0]["code"] == "STOPPED"
            await inside.stays()

        world.agents = [stopped]
        run = await world.drive(run_id)
        ended(run, "stopped")
        assert run.work is not None
        assert run.work.why == "stopped"
        assert run.stopped == run.work.receipt
        assert world.tree() == {"README.md": "read me\n"}

    story(tell)


def test_a_run_stopped_while_it_waits_for_a_person_ends(world: World) -> None:
    async def tell() -> None:
        world.agents = [writes("x\n", "legal/terms.md")]
        waiting = await world.begin(contract(rule("ask", "write", "legal/**")))
        assert waiting.open_questions
        await world.stop(waiting.id)
        ended(await world.drive(waiting.id), "stopped")

    story(tell)


# ------------------------------------------------------------------------------------------------ deadlines and publishing


@pytest.mark.parametrize(("said", "published"), [("yes", True), ("no", False)])
def test_a_person_releases_what_the_contract_keeps_for_one(world: World, said: str, published: bool) -> None:
    async def tell() -> None:
        waiting = await world.begin(contract(publish="ask"))
        ended(waiting, "success")
        assert waiting.open_questions[0].about == "publish"
        run = await world.say(waiting.id, said)
        ended(run, "success", published=published)
        assert run.undone == (not published)

    story(tell)


@pytest.mark.parametrize("otherwise", ["refuse", "stop"])
def test_a_question_nobody_answers_in_time_ends_as_the_contract_says(world: World, otherwise: str) -> None:
    async def tell() -> None:
        world.agents = [writes(then=writes("x\n", "legal/terms.md"))]
        rungs = (Escalation(about="write", page=LEGAL, within=3600, otherwise=otherwise),)  # type: ignore[arg-type]
        waiting = await world.begin(contract(rule("ask", "write", "legal/**"), escalation=rungs))
        name = waiting.open_questions[0].question
        assert LEGAL in [each.who for each in await world.events(waiting.id, "notified")]
        world.jump(minutes=59)
        assert m.next_move(await world.hands.replay(waiting.id), world.clock.now()) == m.Rest(on="answer")
        world.jump(minutes=1)
        with pytest.raises(BadInput, match="the time to answer"):
            await world.say(waiting.id, "yes", question=name)
        run = await world.supervisor.drive(waiting.id)
        assert run.questions[name].expired
        ended(run, "success" if otherwise == "refuse" else "stopped", published=otherwise == "refuse")
        assert "legal/terms.md" not in world.tree()

    story(tell)


def test_a_later_yes_to_what_ran_out_of_time_changes_nothing(world: World) -> None:
    async def tell() -> None:
        rungs = (Escalation(about="publish", page=OWNER, within=60),)
        waiting = await world.begin(contract(publish="ask", escalation=rungs))
        name = waiting.open_questions[0].question
        world.jump(minutes=2)
        run = await world.supervisor.drive(waiting.id)
        assert run.undone
        with pytest.raises(BadInput):
            await world.say(waiting.id, "yes", question=name)

    story(tell)


def test_every_move_there_is_is_made_by_these_stories(tmp_path: Path) -> None:
    made: set[type[m.Move]] = set()
    stories: list[Callable[[World], None]] = [
        test_what_was_published_is_put_back_once,
        test_a_crash_is_a_rung_and_without_one_the_work_is_simply_done_again,
        test_a_declined_exception_leaves_nothing,
        test_a_later_yes_to_what_ran_out_of_time_changes_nothing,
    ]
    for number, told in enumerate(stories):
        world = World(tmp_path / str(number), writes())
        told(world)
        made |= set(world.moves)
    told_elsewhere = {m.Perform, m.Seal, *get_args(Errand)} - {Expire}
    assert set(get_args(m.Move)) - made == {m.Rest, *told_elsewhere}, (
        "what people allow late, and the outbox, have stories of their own"
    )
