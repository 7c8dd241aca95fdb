"""What a hostile review did to the work of a chain: nothing is written over, nothing missing passes, nothing is begun for nobody."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from chain_worlds import Agent, ChainWorld, honest, invokes, report
from engine_worlds import OWNER, Crash, Watched, story

from remit.contract.deliverable import Deliverable
from remit.engine.inbox import answer
from remit.plan.step import Step
from remit.run.state import Run
from remit.testing.ledger import MemoryLedger, MemoryTransaction, recorded
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner

THEIRS = "what a person wrote meanwhile\n"


class Dies(MemoryLedger):
    """A ledger whose process is killed once, as it is about to write a fact of this kind."""

    kind = ""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryTransaction]:
        async with super().transaction() as transaction:
            had = len(transaction.rows)
            yield transaction
            if self.kind in {recorded(row).kind for row in transaction.rows[had:]}:
                self.kind = ""
                raise Crash


@pytest.fixture
def world(tmp_path: Path) -> ChainWorld:
    return ChainWorld(tmp_path)


def statuses(run: Run) -> dict[str, str]:
    assert run.chain is not None
    return {name: stood.status for name, stood in run.chain.steps.items()}


def outcomes(run: Run) -> dict[str, str]:
    assert run.chain is not None
    return {name: stood.outcome for name, stood in run.chain.steps.items()}


async def child(world: ChainWorld, run: Run, step: str) -> Run:
    assert run.chain is not None
    return await world.hands.replay(run.chain.steps[step].children[-1])


async def says(world: ChainWorld, run: Run, word: str) -> None:
    """Answer what a run asks, and drive nothing."""
    await answer(world.hands, run.id, run.open_questions[0].question, word, signer=PaperSigner(OWNER), assurance="scripted")


async def fails(inside: Inside, step: str) -> int:
    await inside.say("I could not.\n")
    return 1


async def crashes(inside: Inside, step: str) -> int:
    raise Crash


async def forgets(inside: Inside, step: str) -> int:
    await invokes(inside, step)
    await inside.say(report(step, []))
    return 0


async def lies(inside: Inside, step: str) -> int:
    await honest(inside, step)
    await inside.say(report(step, ["out/never.md", "src/never.py"]))
    return 0


def changes(path: str, text: str = "") -> Agent:
    async def agent(inside: Inside, step: str) -> int:
        (inside.folder / path).write_text(text or f"by {step}\n")
        return await honest(inside, step)

    return agent


def side_by_side(*agents: Callable[[Inside], None]) -> list[Agent]:
    """Agents none of which is done before all have begun."""
    all_here, begun = anyio.Event(), []

    def one(act: Callable[[Inside], None]) -> Agent:
        async def agent(inside: Inside, step: str) -> int:
            begun.append(step)
            if len(begun) == len(agents):
                all_here.set()
            await all_here.wait()
            act(inside)
            return await honest(inside, step)

        return agent

    return [one(act) for act in agents]


def a_file(inside: Inside) -> None:
    (inside.folder / "shared").write_text("a file\n")


def a_folder(inside: Inside) -> None:
    (inside.folder / "aside.md").write_text("half of it\n")
    (inside.folder / "shared").mkdir()
    (inside.folder / "shared" / "deep.md").write_text("in a folder\n")


def within(world: ChainWorld, name: str, *steps: Step) -> Step:
    return Step(id=name, kind="chain", chain=world.plan(*steps))


# ------------------------------------------------------------------------------------------- nothing is written over (1, 19, 36)


@pytest.mark.parametrize("kind", ["publish_intended", "published", "step_ended", "step_started"])
def test_what_a_person_changed_while_a_chain_was_cut_off_is_never_written_over(world: ChainWorld, kind: str) -> None:
    async def tell() -> None:
        world.ledger = ledger = Dies(world.clock)
        world.hands = replace(world.hands, ledger=ledger)
        world.supervisor = Watched(world.hands, world.moves)

        async def edits(inside: Inside, step: str) -> int | None:
            ledger.kind = kind
            return await changes("README.md")(inside, step)

        world.by_step["alpha"] = [edits, honest]
        run_id = await world.chain(world.plan(world.skill("alpha"), world.skill("beta", after=("alpha",))))
        with pytest.raises(BaseExceptionGroup):
            await world.drive(run_id)
        (world.work / "README.md").write_text(THEIRS)
        run = await world.drive(run_id)
        assert (run.verdict, outcomes(run)["alpha"], statuses(run)["beta"]) == (None, "conflict", "pending")
        assert [question.step for question in run.open_questions] == ["alpha"]
        run = await world.say(run_id, "retry")
        assert (run.verdict, world.tree()["README.md"]) == ("success", THEIRS)

    story(tell)


def test_what_was_built_on_a_step_that_does_not_fit_any_more_is_in_trouble_too(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step |= {"alpha": [changes("README.md"), honest], "gamma": [crashes, honest]}
        steps = [
            world.skill("alpha"), world.skill("beta", after=("alpha",)), world.skill("gamma", after=("beta",)), world.skill("delta"),
        ]  # fmt: skip
        run_id = await world.chain(world.plan(*steps))
        with pytest.raises(BaseExceptionGroup):
            await world.drive(run_id)
        (world.work / "README.md").write_text(THEIRS)
        run = await world.drive(run_id)
        assert outcomes(run) == {"alpha": "conflict", "beta": "conflict", "gamma": "conflict", "delta": "complete"}
        gamma = await child(world, run, "gamma")
        assert gamma.stop == f"{run_id}: what it was built on is not there any more"
        assert [name for name, _ in world.prompts].count("gamma") == 1
        for _ in range(3):
            run = await world.say(run_id, "retry")
        assert (run.verdict, world.tree()["README.md"]) == ("success", THEIRS)
        assert (await world.hands.replay(gamma.id)).verdict == "stopped"

    story(tell)


# ----------------------------------------------------------------------------------------- what is merged, and when (3, 6, 11, 13)


def test_of_a_step_with_one_file_too_large_nothing_is_merged(world: ChainWorld) -> None:
    async def tell() -> None:
        async def big(inside: Inside, step: str) -> int:
            (inside.folder / "a_small.md").write_text("half\n")
            with (inside.folder / "z_big.bin").open("wb") as file:
                file.truncate(64 * 1024**2 + 1)
            return await honest(inside, step)

        world.by_step["beta"] = big
        run = await world.through(world.plan(world.skill("alpha"), world.skill("beta")))
        assert outcomes(run) == {"alpha": "complete", "beta": "conflict"}
        run = await world.say(run.id, "skip")
        assert set(world.tree()) == {"README.md", "out/alpha.md"}

    story(tell)


@pytest.mark.parametrize("acts", [(a_file, a_folder), (a_folder, a_file)])
def test_a_file_and_a_folder_of_one_name_are_a_conflict_of_which_nothing_is_merged(
    world: ChainWorld, acts: tuple[Callable[[Inside], None], ...]
) -> None:
    async def tell() -> None:
        world.by_step |= dict(zip(("alpha", "beta"), side_by_side(*acts), strict=True))
        run = await world.through(world.plan(world.skill("alpha"), world.skill("beta")))
        assert outcomes(run) == {"alpha": "complete", "beta": "conflict"}
        run = await world.say(run.id, "skip")
        first = {"shared"} if acts[0] is a_file else {"shared/deep.md", "aside.md"}
        assert set(world.tree()) == {"README.md", "out/alpha.md", *first}

    story(tell)


def test_an_answered_question_is_acted_on_while_another_child_still_waits(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step |= {"outer": [fails, honest], "inner_b": [fails, honest]}
        inner = within(world, "inner", world.skill("inner_a"), world.skill("inner_b", after=("inner_a",)))
        run = await world.through(world.plan(inner, world.skill("outer"), world.skill("later", after=("outer",))))
        run = await world.say(run.id, "retry")
        assert statuses(run) == {"inner": "in_progress", "outer": "complete", "later": "complete"}
        await says(world, await child(world, run, "inner"), "retry")
        assert (await world.drive(run.id)).verdict == "success"

    story(tell)


def test_chains_that_come_back_late_are_merged_in_the_order_of_the_plan_and_never_over_one_another(world: ChainWorld) -> None:
    async def tell() -> None:
        shared = changes("shared.md")
        world.by_step |= {"one_a": shared, "one_b": [fails, honest], "two_a": shared, "two_b": [fails, honest]}
        chains = [
            within(world, name, world.skill(f"{name}_a"), world.skill(f"{name}_b", after=(f"{name}_a",)))
            for name in ("one", "two")
        ]
        run = await world.through(world.plan(*chains))
        for name in ("one", "two"):
            await says(world, await child(world, run, name), "retry")
        run = await world.drive(run.id)
        assert (run.verdict, outcomes(run)) == (None, {"one": "complete", "two": "conflict"})
        run = await world.say(run.id, "skip")
        assert world.tree()["shared.md"] == "by one_a\n"

    story(tell)


def test_what_was_merged_while_a_chain_within_it_waited_is_not_written_over_by_it(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step |= {
            "outer": [fails, changes("shared.md")], "inner_a": changes("shared.md"), "inner_b": [fails, honest],
        }  # fmt: skip
        inner = within(world, "inner", world.skill("inner_a"), world.skill("inner_b", after=("inner_a",)))
        run = await world.through(world.plan(inner, world.skill("outer")))
        run = await world.say(run.id, "retry")
        await says(world, await child(world, run, "inner"), "retry")
        run = await world.drive(run.id)
        assert outcomes(run) == {"inner": "conflict", "outer": "complete"}
        run = await world.say(run.id, "skip")
        assert world.tree()["shared.md"] == "by outer\n"

    story(tell)


def test_a_chain_that_deletes_a_file_can_come_back_late(world: ChainWorld) -> None:
    async def tell() -> None:
        async def deletes(inside: Inside, step: str) -> int:
            (inside.folder / "README.md").unlink()
            return await honest(inside, step)

        world.by_step |= {"inner_a": deletes, "inner_b": [fails, honest]}
        inner = within(world, "inner", world.skill("inner_a"), world.skill("inner_b", after=("inner_a",)))
        run = await world.through(world.plan(inner, world.skill("outer")))
        await says(world, await child(world, run, "inner"), "retry")
        run = await world.drive(run.id)
        assert (run.verdict, "README.md" in world.tree()) == ("success", False)

    story(tell)


# --------------------------------------------------------------------------------------------- nothing begins for nobody (5, 18)


@pytest.mark.parametrize("unattended", [True, False])
def test_after_an_abort_nothing_that_was_under_way_is_begun_again(world: ChainWorld, unattended: bool) -> None:
    async def tell() -> None:
        begun = anyio.Event()

        async def slow(inside: Inside, step: str) -> int:
            begun.set()
            while not unattended:
                run = await world.hands.replay(run_id)
                if run.open_questions:
                    await says(world, run, "abort")
                    break
                await anyio.sleep(0.02)
            await inside.stays()
            return 0

        async def fails_then(inside: Inside, step: str) -> int:
            await begun.wait()
            return 1

        world.by_step |= {"alpha": slow, "beta": fails_then}
        run_id = await world.chain(world.plan(world.skill("alpha"), world.skill("beta")), unattended=unattended)
        run = await world.drive(run_id)
        assert run.chain is not None
        assert (run.verdict, run.chain.over, run.published) == ("failed", "aborted", None)
        alpha = await world.supervisor.drive(run.chain.steps["alpha"].children[-1])
        assert alpha.published is None and alpha.verdict != "success"
        assert [name for name, _ in world.prompts].count("alpha") == 1

    story(tell)


def test_what_a_lost_attempt_invoked_and_said_does_not_count_for_the_next(world: ChainWorld) -> None:
    async def tell() -> None:
        async def invokes_and_dies(inside: Inside, step: str) -> int:
            await invokes(inside, step)
            await inside.say(report(step, []))
            raise Crash

        async def pretends(inside: Inside, step: str) -> int:
            (inside.folder / "x.md").write_text("without reading anything\n")
            return 0

        world.by_step["alpha"] = [invokes_and_dies, pretends]
        run_id = await world.chain(world.plan(world.skill("alpha")), unattended=True)
        with pytest.raises(BaseExceptionGroup):
            await world.drive(run_id)
        run = await world.drive(run_id)
        alpha = await child(world, run, "alpha")
        assert (run.verdict, statuses(run)) == ("failed", {"alpha": "failed"})
        assert (alpha.invoked, alpha.words) == ((), "")

    story(tell)


# ------------------------------------------------------------------------------------------ gaps are no success (2, 12, 20, 26)


def test_what_was_claimed_and_is_not_there_is_no_success_where_nobody_is_asked(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["alpha"] = lies
        run = await world.through(world.plan(world.skill("alpha")), unattended=True)
        assert run.chain is not None and run.chain.validation is not None
        assert (run.verdict, run.published, run.chain.over) == ("failed", None, "partial")
        assert run.chain.validation.status == "FAIL"
        assert "out/alpha.md" not in world.tree()

    story(tell)


def test_what_was_claimed_and_is_accepted_as_missing_is_a_success_with_that_exception(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["alpha"] = lies
        run = await world.through(world.plan(world.skill("alpha")))
        run = await world.say(run.id, "accept")
        assert (run.verdict, run.exceptions, run.acceptance) == (
            "success_with_exceptions", ("deliverables: what alpha left",), "accepted",
        )  # fmt: skip

    story(tell)


def test_gaps_that_somebody_accepted_in_a_chain_within_a_chain_are_exceptions_above(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["inner_a"] = forgets
        one = world.skill("inner_a")
        inner = Step(id="inner", kind="chain", chain=world.plan(one, deliverables=world.due(one)))
        run = await world.through(world.plan(inner, world.skill("outer")))
        await says(world, await child(world, run, "inner"), "accept")
        run = await world.drive(run.id)
        assert (run.verdict, run.exceptions) == ("success_with_exceptions", ("inner: deliverables: inner_a done",))

    story(tell)


def test_validation_finds_what_the_chain_s_own_check_would_find_and_asks_before_it_does(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["alpha"] = changes("scratch.json", "{broken")
        step = world.skill("alpha")
        run = await world.through(world.plan(step, deliverables=world.due(step), quality=True))
        assert run.chain is not None and run.chain.validation is not None
        assert (run.chain.validation.status, run.verdict) == ("PARTIAL", None)
        assert [question.about for question in run.open_questions] == ["gaps"]
        run = await world.say(run.id, "accept")
        [exception] = run.exceptions
        assert (run.verdict, run.acceptance) == ("success_with_exceptions", "accepted")
        assert exception.startswith("deliverables: scratch.json: ")

    story(tell)


def test_a_severe_issue_alone_can_be_accepted_and_is_the_exception(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["alpha"] = changes("data.json", "{broken")
        step = world.skill("alpha")
        due = (Deliverable(name="data", by="alpha", files=("data.json", "out/alpha.md")),)
        run = await world.through(world.plan(step, deliverables=due, quality=True))
        run = await world.say(run.id, "accept")
        assert (run.verdict, run.exceptions) == ("success_with_exceptions", ("deliverables: data",))

    story(tell)
