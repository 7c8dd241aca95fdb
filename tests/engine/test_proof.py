"""Checks over the doubles: what views they get, what a control needs, and what comes out when a box cannot be had."""

from pathlib import Path

import pytest
from engine_worlds import HELLO, Crash, World, contract, rung, story, writes
from test_family import CHILD, DELEGATE

from remit.contract.limits import Limits
from remit.contract.outcome import FileCheck, RunCheck
from remit.errors import BadInput, Unavailable
from remit.testing.sandbox import Inside, Script


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, writes())


def exits(status: int, said: str = "") -> Script:
    async def program(inside: Inside) -> int:
        await inside.say(said)
        return status

    return program


def reads(path: str) -> Script:
    async def program(inside: Inside) -> int:
        await inside.say((inside.folder / path).read_text())
        return 0

    return program


def test_views_are_made_once_for_each_set_of_trusted_paths_and_files_are_read_as_published(world: World) -> None:
    async def tell() -> None:
        (world.work / "docs" / "hello.md").write_text("old\n")
        world.sandbox.programs = {"a": reads("docs/hello.md"), "agent": world._agent}
        own = [RunCheck(id=f"own-{number}", argv=("a",), trusted=("docs/**",)) for number in range(3)]
        checks = (own[0], HELLO, own[1], RunCheck(id="plain", argv=("a",)), own[2], FileCheck(id="again", file="docs/hello.md"))
        run = await world.begin(contract(success=checks))
        assert run.verdict == "success"
        seen = [(each.check, each.evidence) for each in await world.events(run.id, "check_ran")]
        assert [("old" in said, "hello\n" in f"{said}\n") for name, said in seen if name.startswith("own")] == [(True, False)] * 3
        assert "hello" in dict(seen)["plain"].splitlines()[-1]
        assert "matches" in dict(seen)["hello"]
        views = list(world.hands.place(run.id, 1).glob("view-*"))
        assert len(views) == 2

    story(tell)


def test_a_fixture_needs_a_mount_that_can_be_laid_over(world: World) -> None:
    async def tell() -> None:
        (world.work / "bad").mkdir()
        world.sandbox.programs["links"] = exits(0)
        proven = RunCheck(id="links", argv=("links",), fails_on="bad")
        run = await world.begin(contract(success=(proven,), recovery=(rung("failed", "undo"),)))
        assert run.verdict == "failed"
        said = (await world.events(run.id, "check_ran"))[0]
        assert "no fixture can be laid over it" in said.control
        assert said.evidence.startswith("the check proves nothing: its control cannot be run")

    story(tell)


@pytest.mark.parametrize("status", [0, 126, 127, 128, 137, 255])
def test_a_control_counts_only_when_it_ended_by_itself_with_a_failure(world: World, status: int) -> None:
    async def tell() -> None:
        async def program(inside: Inside) -> int:
            return 0 if (inside.folder / "docs" / "hello.md").exists() else status

        world.sandbox.programs["links"] = program
        proven = RunCheck(id="links", argv=("links",), fails_on="base")
        run = await world.begin(contract(success=(proven,), recovery=(rung("failed", "undo"),)))
        assert run.verdict == "failed"

    story(tell)


@pytest.mark.parametrize("status", [1, 2, 125])
def test_a_control_that_failed_by_itself_proves_the_check(world: World, status: int) -> None:
    async def tell() -> None:
        async def program(inside: Inside) -> int:
            return 0 if (inside.folder / "docs" / "hello.md").exists() else status

        world.sandbox.programs["links"] = program
        run = await world.begin(contract(success=(RunCheck(id="links", argv=("links",), fails_on="base"),)))
        assert run.verdict == "success"

    story(tell)


def test_what_proves_nothing_is_not_excused_either(world: World) -> None:
    async def tell() -> None:
        async def program(inside: Inside) -> int:
            await inside.say("a.md\n")
            return 1 if (inside.folder / "docs" / "hello.md").exists() else 0

        world.sandbox.programs["links"] = program
        world.agents = [writes(then=writes("- a.md\n", "docs/broken.md"))]
        rungs = (rung("links fails", "continue", listed_in="docs/broken.md"), rung("failed", "undo"))
        proven = RunCheck(id="links", argv=("links",), fails_on="base")
        run = await world.begin(contract(success=(proven,), recovery=rungs))
        assert (run.verdict, run.exceptions) == ("failed", ())

    story(tell)


def test_a_box_of_a_check_has_its_own_time_and_the_contract_s_room(world: World) -> None:
    async def tell() -> None:
        world.sandbox.programs["links"] = exits(0)
        limits = Limits(time=600, turns=50, memory=1 << 28, processes=40, disk=1 << 20, output=5)
        await world.begin(contract(success=(RunCheck(id="links", argv=("links",), time=7),), limits=limits))
        box = world.sandbox.plans[-1].limits
        assert (box.time, box.memory, box.processes, box.disk, box.file) == (7, 1 << 28, 40, 1 << 20, 1 << 20)
        assert box.output == 64 << 20

    story(tell)


def test_the_check_of_a_child_has_the_least_room_of_its_family(world: World) -> None:
    async def tell() -> None:
        world.sandbox.programs |= {"links": exits(0), "child": writes()}
        text = CHILD.replace("    file: docs/hello.md\n    matches: hello", "    run: links") % 4

        async def agent(inside: Inside) -> None:
            await inside.act("delegate", "command", arguments={"contract": text, "command": ["child"]})

        world.agents = [agent]
        await world.begin(contract(DELEGATE, limits=Limits(time=600, turns=50, memory=1 << 27, processes=30)))
        boxes = [plan.limits for plan in world.sandbox.plans if plan.argv == ("links",)]
        assert [(box.memory, box.processes) for box in boxes] == [(1 << 27, 30)]

    story(tell)


def test_a_stop_while_a_check_runs_leaves_no_trace_of_it(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract(success=(RunCheck(id="links", argv=("links",)),)))

        async def slow(inside: Inside) -> None:
            await world.stop(run_id)
            await inside.stays()

        world.sandbox.programs["links"] = slow
        run = await world.drive(run_id)
        assert run.verdict == "stopped"
        assert not await world.events(run_id, "check_ran", "checks_finished")
        assert world.tree() == {"README.md": "read me\n"}

    story(tell)


@pytest.mark.parametrize("kind", [Unavailable, OSError, Crash])
def test_what_a_box_fails_with_comes_out_as_it_is(world: World, kind: type[BaseException]) -> None:
    async def tell() -> None:
        async def breaks(inside: Inside) -> None:
            raise kind("no box")

        world.sandbox.programs["links"] = breaks
        run_id = await world.start(contract(success=(RunCheck(id="links", argv=("links",)),)))
        with pytest.raises(kind, match="no box"):
            await world.drive(run_id)

    story(tell)


def test_a_ledger_that_fails_while_a_check_runs_ends_it(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract(success=(RunCheck(id="links", argv=("links",)),)))

        async def slow(inside: Inside) -> None:
            async def broken() -> int:
                raise OSError("no disk")

            world.ledger.version = broken  # type: ignore[method-assign]
            await inside.stays()

        world.sandbox.programs["links"] = slow
        with pytest.raises(OSError, match="no disk"):
            await world.drive(run_id)

    story(tell)


def test_a_file_is_read_up_to_a_bound_and_its_size_told_above_it(world: World) -> None:
    async def tell() -> None:
        run = await world.begin(contract())
        stage = await world.hands.workspace.reopen(world.hands.place(run.id, 1))
        assert stage is not None
        assert await stage.read("docs/hello.md", most=6) == b"hello\n"
        with pytest.raises(BadInput, match="has 6 bytes, and a check reads at most 5"):
            await stage.read("docs/hello.md", most=5)
        assert await stage.read("docs/nothing.md", most=5) is None

    story(tell)
