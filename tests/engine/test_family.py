"""Work handed on: reservations, one stage inside the other, one account, one end."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from engine_worlds import Crash, World, contract, rule, rung, story, writes
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.action import Action
from remit.contract.limits import Count, Limits, Spend
from remit.engine.delegation import _take_on
from remit.errors import BadInput
from remit.run.event import Started
from remit.testing.sandbox import Inside, Script

DELEGATE = rule("may", "delegate", "command")
CHILD = """\
goal: The greeting is written
owner: release-lead@example.com
containment: L0
may:
  - read: "**"
  - write: docs/**
limits: {turns: %d, time: 60s}
success:
  - id: hello
    file: docs/hello.md
    matches: hello
recovery:
  - when: failed
    do: undo
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, writes())
    made.sandbox.programs["child"] = writes()
    return made


def hands_on(replies: list[dict[str, Any]], turns: int = 4, *, then: Script | None = None, times: int = 1) -> Script:
    async def agent(inside: Inside) -> int | None:
        replies.extend([await handed(inside, turns) for _ in range(times)])
        return await then(inside) if then else None

    return agent


async def handed(inside: Inside, turns: int, command: str = "child") -> dict[str, Any]:
    return await inside.act("delegate", "command", arguments={"contract": CHILD % turns, "command": [command]})


def test_a_child_publishes_into_the_stage_of_its_parent_and_nowhere_else(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def looks(inside: Inside) -> None:
            assert (inside.folder / "docs" / "hello.md").read_text() == "hello\n"
            assert world.tree() == {"README.md": "read me\n"}

        world.agents = [hands_on(replies, then=looks)]
        run = await world.begin(contract(DELEGATE))
        assert (replies[0]["verdict"], replies[0]["done"]) == ("success", True)
        assert run.verdict == "success"
        assert world.tree()["docs/hello.md"] == "hello\n"
        child = await world.hands.replay(f"{run.id}.1")
        assert child.started is not None
        assert (child.started.parent, child.started.ancestors) == (run.id, (run.id,))

    story(tell)


def test_what_a_child_spent_is_its_parents_and_the_rest_is_given_back(world: World) -> None:
    async def busy(inside: Inside) -> None:
        for number in range(3):
            await inside.act("push", f"x{number}")
        (inside.folder / "docs" / "hello.md").write_text("hello\n")

    async def tell() -> None:
        world.sandbox.programs["child"] = busy
        world.agents = [hands_on([], 10)]
        run = await world.begin(contract(DELEGATE))
        assert run.spend.turns == 1 + 3
        assert run.reserved == Spend()
        assert run.children == {}

    story(tell)


def test_a_child_is_never_given_more_than_is_left(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        world.agents = [hands_on(replies, 10, then=writes())]
        run = await world.begin(contract(DELEGATE, limits=Limits(time=600, turns=10)))
        assert replies[0]["decision"] == "refuse"
        assert "you have 9 left" in replies[0]["reasons"][0]["why"]
        assert run.reserved == Spend()
        assert "child_started" not in await world.kinds(run.id)
        assert [each.ok for each in await world.events(run.id, "effected")] == [False]

    story(tell)


@given(most=st.integers(1, 30), asked=st.lists(st.integers(1, 20), min_size=2, max_size=5))
def test_children_at_once_never_overdraw_their_parent(tmp_path_factory: Any, most: int, asked: list[int]) -> None:
    async def tell() -> None:
        world = World(tmp_path_factory.mktemp("w"), writes())
        run_id = await world.start(contract(DELEGATE, limits=Limits(time=600, turns=most)))
        taken: list[int] = []

        async def take(number: int, turns: int) -> None:
            try:
                arguments = {"contract": CHILD % turns, "command": ["child"]}
                await _take_on(world.hands, run_id, "command", arguments, f"key {number}")
            except BadInput:
                return
            taken.append(turns)

        async with anyio.create_task_group() as group:
            for number, turns in enumerate(asked):
                group.start_soon(take, number, turns)
        run = await world.hands.replay(run_id)
        assert run.reserved.turns == sum(taken) <= most
        assert len(run.children) == len(taken)
        refused = sorted(asked)[0]
        assert taken or refused > most
        if len(taken) < len(asked):  # what was refused would indeed not have fitted
            left = list(asked)
            for each in taken:
                left.remove(each)
            assert min(left) > most - sum(taken)

    story(tell)


def test_the_same_child_is_found_again_after_its_parents_attempt_was_lost(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def dies(inside: Inside) -> None:
            raise Crash

        world.agents = [hands_on(replies, then=dies), hands_on(replies)]
        run_id = await world.start(contract(DELEGATE))
        with pytest.raises(BaseExceptionGroup):
            await world.drive(run_id)
        run = await world.drive(run_id)
        assert (run.verdict, run.attempt) == ("success", 2)
        assert [reply["child"] for reply in replies] == [f"{run_id}.1"] * 2
        assert len(await world.events(run_id, "child_started")) == 1
        assert len([record for record in await world.ledger.runs() if isinstance(record.event, Started)]) == 2
        assert world.tree()["docs/hello.md"] == "hello\n"

    story(tell)


def test_a_child_that_was_cut_off_with_its_parent_is_carried_on(world: World) -> None:
    async def tell() -> None:
        lives = [Crash, None]

        async def child(inside: Inside) -> None:
            if lives.pop(0) is Crash:
                raise Crash
            (inside.folder / "docs" / "hello.md").write_text("hello\n")

        replies: list[dict[str, Any]] = []
        world.sandbox.programs["child"] = child
        world.agents = [hands_on(replies)]
        run_id = await world.start(contract(DELEGATE))
        with pytest.raises(BaseException):  # noqa: B017 - however deep the groups around it
            await world.drive(run_id)
        run = await world.drive(run_id)
        assert run.verdict == "success"
        assert (await world.hands.replay(f"{run_id}.1")).attempt == 2
        assert run.reserved == Spend()

    story(tell)


def test_a_stop_reaches_the_child_and_both_end_stopped(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract(DELEGATE))

        async def child(inside: Inside) -> None:
            await world.stop(run_id)
            await inside.stays()

        world.sandbox.programs["child"] = child
        world.agents = [hands_on([])]
        run = await world.drive(run_id)
        assert (run.verdict, (await world.hands.replay(f"{run_id}.1")).verdict) == ("stopped", "stopped")
        assert run.reserved == Spend()

    story(tell)


def test_a_child_that_fails_leaves_the_stage_of_its_parent_as_it_was(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        world.sandbox.programs["child"] = writes("goodbye\n")
        world.agents = [hands_on(replies, then=writes("hello from the parent\n"))]
        run = await world.begin(contract(DELEGATE))
        assert replies[0]["verdict"] == "failed"
        assert run.verdict == "success"
        assert world.tree()["docs/hello.md"] == "hello from the parent\n"

    story(tell)


def test_a_child_may_not_do_what_its_parent_may_never(world: World) -> None:
    async def tell() -> None:
        said: list[str] = []

        async def child(inside: Inside) -> None:
            said.append((await inside.act("write", "docs/secret.md"))["decision"])
            (inside.folder / "docs" / "hello.md").write_text("hello\n")
            (inside.folder / "docs" / "secret.md").write_text("x\n")

        world.sandbox.programs["child"] = child
        world.agents = [hands_on([])]
        run = await world.begin(contract(DELEGATE, rule("never", "write", "docs/secret.md")))
        assert run.verdict == "success"
        assert said == ["refuse"]
        assert sorted(world.tree()) == ["README.md", "docs/hello.md"]

    story(tell)


@pytest.mark.parametrize("wrong", [{"contract": 7}, {"command": []}, {"command": "child"}, {"contract": "goal: x"}])
def test_a_child_that_cannot_be_is_refused_in_words(world: World, wrong: dict[str, Any]) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def agent(inside: Inside) -> None:
            arguments = {"contract": CHILD % 2, "command": ["child"], **wrong}
            replies.append(await inside.act("delegate", "command", arguments=arguments))

        world.agents = [agent]
        await world.begin(contract(DELEGATE, recovery=(rung("failed", "undo"),)))
        assert replies[0]["decision"] == "refuse"
        assert replies[0]["reasons"][0]["why"]

    story(tell)


def test_times_and_counts_are_kept_over_the_whole_family(world: World) -> None:
    """What the child does counts for the rule of its parent that let it."""

    async def tell() -> None:
        once = rule("may", "write", "notes/**", times=1, id="once")
        limits = Limits(time=600, turns=50, counts=(Count(of="write", to=3),))
        run_id = await world.start(contract(DELEGATE, once, limits=limits))
        child_id = await _take_on(world.hands, run_id, "command", {"contract": CHILD % 4, "command": ["child"]}, "key")
        gate = world.supervisor.gate
        said = []
        for number, run in enumerate((child_id, run_id, child_id, run_id)):
            action = Action(verb="write", object=f"docs/{number}.md", arguments={"sha256": "0" * 64})
            said.append((await gate.decide(run, action, at="engine", effect=True)).grant is not None)
        assert said == [True, True, True, False]
        rules = [each.rules for each in await world.events(child_id, "intended")]
        hashes = {pair[0] for pairs in rules for pair in pairs}
        assert len(hashes) == 2, "the rules of both contracts that let it are counted"

    story(tell)


def test_a_parent_waits_with_its_child_and_a_stop_ends_both(world: World) -> None:
    async def tell() -> None:
        asks = CHILD.replace("  - write: docs/**", "  - write: docs/**\n  - delegate: command\nask:\n  - write: docs/terms.md")
        replies: list[dict[str, Any]] = []

        async def agent(inside: Inside) -> None:
            replies.append(await inside.act("delegate", "command", arguments={"contract": asks % 2, "command": ["child"]}))
            (inside.folder / "docs" / "hello.md").write_text("hello\n")

        world.sandbox.programs["child"] = writes("terms\n", "docs/terms.md")
        world.agents = [agent]
        run = await world.begin(contract(DELEGATE))
        assert replies[0]["decision"] == "allow", replies
        assert (replies[0]["verdict"], replies[0]["done"]) == (None, False)
        assert run.verdict is None, "its child waits for a person"
        await world.stop(run.id)
        run = await world.drive(run.id)
        child = await world.hands.replay(f"{run.id}.1")
        assert (run.verdict, child.verdict) == ("stopped", "stopped")
        assert run.reserved == Spend()
        assert sorted(world.tree()) == ["README.md"]

    story(tell)
