"""Chains over the doubles: every step its own child, the next told only summaries, everything validated at the end."""

from pathlib import Path

import pytest
from chain_worlds import ChainWorld, honest, invokes, report
from engine_worlds import OWNER, Crash, rung, story

from remit.run.state import Run
from remit.testing.sandbox import Inside


@pytest.fixture
def world(tmp_path: Path) -> ChainWorld:
    return ChainWorld(tmp_path)


def statuses(run: Run) -> dict[str, str]:
    assert run.chain is not None
    return {name: stood.status for name, stood in run.chain.steps.items()}


async def fails(inside: Inside, step: str) -> int:
    await inside.say("I could not.\n")
    return 1


def test_each_step_is_a_run_of_its_own_and_its_work_is_published_at_the_end(world: ChainWorld) -> None:
    async def tell() -> None:
        steps = (world.skill("alpha"), world.skill("beta", after=("alpha",)))
        run = await world.through(world.plan(*steps, deliverables=world.due(*steps)))
        assert run.chain is not None
        assert (run.verdict, statuses(run)) == ("success", {"alpha": "complete", "beta": "complete"})
        assert {"out/alpha.md", "out/beta.md"} <= world.tree().keys()
        children = [stood.children for stood in run.chain.steps.values()]
        assert len({child for each in children for child in each}) == 2
        assert run.chain.validation is not None
        assert (run.chain.validation.status, run.chain.validation.verified) == ("PASS", 2)
        for name, [child] in zip(run.chain.steps, children, strict=True):
            assert (await world.hands.replay(child)).invoked == (f"kit:{name}",)
        assert "skill_invoked" not in await world.kinds(run.id)

    story(tell)


def test_a_later_step_is_told_what_earlier_ones_said_for_it_and_no_more(world: ChainWorld) -> None:
    async def tell() -> None:
        await world.through(world.plan(world.skill("alpha"), world.skill("beta", after=("alpha",))))
        told = dict(world.prompts)
        assert "alpha_path: out/alpha.md (from alpha, sha256:" in told["beta"]
        assert "Previous Skills: alpha" in told["beta"]
        assert "Previous Skills: None" in told["alpha"]
        assert "Do alpha." not in told["beta"]

    story(tell)


def test_steps_without_dependencies_overlap_and_are_merged_in_the_order_of_the_plan(world: ChainWorld) -> None:
    async def tell() -> None:
        import anyio

        both = anyio.Event()
        seen: list[str] = []

        async def together(inside: Inside, step: str) -> int:
            seen.append(step)
            if len(seen) == 2:
                both.set()
            await both.wait()
            return await honest(inside, step)

        world.by_step |= {"alpha": together, "beta": together}
        run = await world.through(world.plan(world.skill("alpha"), world.skill("beta"), world.skill("gamma", after=("alpha",))))
        assert run.verdict == "success"
        assert run.chain is not None
        done = [event.step for event in await world.events(run.id, "step_ended")]
        assert done[:2] == ["alpha", "beta"]
        gamma, alpha = run.chain.steps["gamma"], run.chain.steps["alpha"]
        assert gamma.began is not None and alpha.ended is not None and gamma.began >= alpha.ended

    story(tell)


def test_two_steps_that_changed_one_file_are_never_merged_over_one_another(world: ChainWorld) -> None:
    async def tell() -> None:
        import anyio

        both, seen = anyio.Event(), []

        async def clash(inside: Inside, step: str) -> int:
            seen.append(step)
            if len(seen) == 2:
                both.set()
            with anyio.move_on_after(5):
                await both.wait()
            (inside.folder / "shared.md").write_text(f"by {step}\n")
            return await honest(inside, step)

        world.by_step |= {"alpha": clash, "beta": clash}
        run = await world.through(world.plan(world.skill("alpha"), world.skill("beta")))
        assert run.verdict is None
        assert run.chain is not None
        beta = run.chain.steps["beta"]
        assert (beta.status, beta.outcome) == ("failed", "conflict")
        assert "`shared.md` was changed by step `alpha`" in beta.why
        run = await world.say(run.id, "retry")
        assert (run.verdict, statuses(run)) == ("success", {"alpha": "complete", "beta": "complete"})
        assert world.tree()["shared.md"] == "by beta\n"

    story(tell)


def test_a_failed_step_is_put_before_the_owner_and_a_retry_is_a_fresh_sub_agent(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["beta"] = [fails, honest]
        steps = (world.skill("alpha"), world.skill("beta"), world.skill("gamma", after=("beta",)))
        run = await world.through(world.plan(*steps))
        assert run.verdict is None
        assert statuses(run) == {"alpha": "complete", "beta": "failed", "gamma": "pending"}
        [question] = run.open_questions
        assert question.options == ("retry", "skip", "abort")
        assert question.text.splitlines()[0] == "Sub-agent issue: beta"
        first = run.chain.steps["beta"].children  # type: ignore[union-attr]
        run = await world.say(run.id, "retry")
        assert (run.verdict, statuses(run)["gamma"]) == ("success", "complete")
        children = run.chain.steps["beta"].children  # type: ignore[union-attr]
        assert children[:1] == first and len(set(children)) == 2
        assert [name for name, _ in world.prompts].count("alpha") == 1

    story(tell)


def test_a_skip_is_recorded_with_who_consented_and_what_it_owed_is_missing(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["beta"] = fails
        steps = (world.skill("alpha"), world.skill("beta"), world.skill("gamma", after=("beta",)))
        run = await world.through(world.plan(*steps, deliverables=world.due(*steps)))
        run = await world.say(run.id, "skip")
        assert statuses(run) == {"alpha": "complete", "beta": "skipped", "gamma": "complete"}
        [skipped] = await world.events(run.id, "step_skipped")
        assert (skipped.person, skipped.question) == (OWNER, "Q1")
        assert run.chain is not None and run.chain.validation is not None
        assert run.chain.validation.missing == ("beta done",)
        [question] = run.open_questions
        assert (question.about, question.options) == ("gaps", ("generate", "accept"))
        run = await world.say(run.id, "accept")
        assert (run.verdict, run.exceptions, run.acceptance) == (
            "success_with_exceptions", ("deliverables: beta done",), "accepted",
        )  # fmt: skip
        assert "out/gamma.md" in world.tree()

    story(tell)


def test_an_abort_publishes_nothing_keeps_what_is_complete_and_can_be_rolled_back(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["beta"] = fails
        run = await world.through(world.plan(world.skill("alpha"), world.skill("beta")))
        run = await world.say(run.id, "abort")
        assert (run.verdict, run.chain.over) == ("failed", "aborted")  # type: ignore[union-attr]
        assert statuses(run)["alpha"] == "complete"
        assert "out/alpha.md" not in world.tree()

    story(tell)


def test_what_is_missing_is_generated_by_the_skill_that_owes_it_and_by_no_other(world: ChainWorld) -> None:
    async def tell() -> None:
        async def forgets(inside: Inside, step: str) -> int:
            await invokes(inside, step)
            await inside.say(report(step, []))
            return 0

        world.by_step["beta"] = [forgets, honest]
        steps = (world.skill("alpha"), world.skill("beta"))
        run = await world.through(world.plan(*steps, deliverables=world.due(*steps)))
        assert run.verdict is None
        run = await world.say(run.id, "generate")
        assert (run.verdict, run.chain.validation.status) == ("success", "PASS")  # type: ignore[union-attr]
        assert sorted(name for name, _ in world.prompts) == ["alpha", "beta", "beta"]
        assert [event.round for event in await world.events(run.id, "validated")] == [1, 2]

    story(tell)


def test_a_claim_without_a_file_is_flagged(world: ChainWorld) -> None:
    async def tell() -> None:
        async def lies(inside: Inside, step: str) -> int:
            await honest(inside, step)
            await inside.say(report(step, [f"out/{step}.md", "out/never.md"]))
            return 0

        world.by_step["alpha"] = lies
        run = await world.through(world.plan(world.skill("alpha")))
        assert run.chain is not None
        assert run.chain.steps["alpha"].flagged == ("out/never.md",)
        assert run.verdict is None  # validation looks for what was claimed

    story(tell)


def test_who_never_invokes_its_skill_has_not_done_it_whatever_it_says(world: ChainWorld) -> None:
    async def tell() -> None:
        async def pretends(inside: Inside, step: str) -> int:
            await inside.say(report(step, []))
            return 0

        world.by_step["alpha"] = pretends
        run = await world.through(world.plan(world.skill("alpha")), unattended=True)
        assert run.chain is not None
        assert (run.verdict, run.chain.steps["alpha"].status, run.chain.over) == ("failed", "failed", "aborted")

    story(tell)


def test_unattended_the_contract_says_how_often_a_step_is_tried_again(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["alpha"] = [fails, fails, honest]
        ladder = (rung("step fails", "retry", times=2), rung("failed", "stop"))
        run = await world.through(world.plan(world.skill("alpha")), recovery=ladder, unattended=True)
        assert (run.verdict, run.chain.steps["alpha"].tries) == ("success", 3)  # type: ignore[union-attr]

    story(tell)


def test_a_chain_that_is_cut_off_goes_on_where_it_was_and_repeats_nothing(world: ChainWorld) -> None:
    async def tell() -> None:
        async def crashes(inside: Inside, step: str) -> int:
            raise Crash

        world.by_step["beta"] = [crashes, honest]
        steps = (world.skill("alpha"), world.skill("beta", after=("alpha",)))
        run_id = await world.chain(world.plan(*steps, deliverables=world.due(*steps)))
        with pytest.raises(BaseExceptionGroup) as died:
            await world.drive(run_id)
        assert died.value.subgroup(Crash) is not None
        run = await world.drive(run_id)
        assert (run.verdict, statuses(run)) == ("success", {"alpha": "complete", "beta": "complete"})
        assert [name for name, _ in world.prompts] == ["alpha", "beta", "beta"]
        assert {"out/alpha.md", "out/beta.md"} <= world.tree().keys()

    story(tell)


def test_a_person_takes_a_step_and_says_when_it_is_done(world: ChainWorld) -> None:
    async def tell() -> None:
        from remit.plan.step import Step

        person = Step(id="sign", kind="person", title="Sign the paper", person=OWNER, after=("alpha",))
        run = await world.through(world.plan(world.skill("alpha"), person))
        assert run.open_questions[0].text == "Sign the paper\nIs it done?"
        run = await world.say(run.id, "yes")
        assert (run.verdict, statuses(run)["sign"]) == ("success", "complete")

    story(tell)


def test_a_chain_within_a_chain_is_a_step_like_any_other(world: ChainWorld) -> None:
    async def tell() -> None:
        from remit.plan.step import Step

        inner = world.plan(world.skill("alpha"), world.skill("beta"))
        run = await world.through(world.plan(Step(id="inner", kind="chain", chain=inner), world.skill("gamma", after=("inner",))))
        assert (run.verdict, statuses(run)) == ("success", {"inner": "complete", "gamma": "complete"})
        assert {"out/alpha.md", "out/beta.md", "out/gamma.md"} <= world.tree().keys()

    story(tell)


def test_in_standard_mode_one_conversation_has_every_skill_and_what_it_left_out_is_seen(world: ChainWorld) -> None:
    async def tell() -> None:
        async def rots(inside: Inside, step: str) -> int:
            for name in ("alpha", "beta"):
                await invokes(inside, name)
            await inside.say("all done")
            return 0

        world.by_step[""] = rots
        steps = [world.skill(name) for name in ("alpha", "beta", "gamma", "delta")]
        run = await world.through(world.plan(*steps, mode="standard"))
        assert statuses(run) == {
            "alpha": "complete", "beta": "complete", "gamma": "failed", "delta": "failed", "conversation": "complete",
        }  # fmt: skip
        assert (run.chain.over, run.chain.validation) == ("partial", None)  # type: ignore[union-attr]
        assert run.verdict == "failed"

    story(tell)
