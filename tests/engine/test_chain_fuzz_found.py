"""What fuzzing chains has found once, each as small as it gets."""

from collections import Counter
from pathlib import Path

import anyio
import msgspec
import pytest
from chain_worlds import ChainWorld, honest, invokes, report
from engine_worlds import ORGANISATION, OWNER, Crash, rule, story

from remit.contract.contract import Contract
from remit.contract.deliverable import Deliverable
from remit.engine.chain import begin
from remit.engine.inbox import answer
from remit.plan.contracting import chain_contract
from remit.plan.step import Plan, Step
from remit.run.state import Run
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner

SIGN = Step(id="sign", kind="person", title="Sign the paper", person=OWNER)


@pytest.fixture
def world(tmp_path: Path) -> ChainWorld:
    return ChainWorld(tmp_path)


def statuses(run: Run) -> dict[str, str]:
    assert run.chain is not None
    return {name: stood.status for name, stood in run.chain.steps.items()}


async def fails(inside: Inside, step: str) -> int:
    await inside.say("I could not.\n")
    return 1


async def crashes(inside: Inside, step: str) -> int:
    raise Crash


async def forgets(inside: Inside, step: str) -> int:
    await invokes(inside, step)
    await inside.say(report(step, []))
    return 0


async def begun(world: ChainWorld, plan: Plan, contract: Contract) -> str:
    return await begin(world.hands, plan, contract, ORGANISATION, world.work, trigger="a test", requester=OWNER)


async def says(world: ChainWorld, run: Run, word: str) -> None:
    """Answer what a child asks, and drive nothing."""
    await answer(world.hands, run.id, run.open_questions[0].question, word, signer=PaperSigner(OWNER), assurance="scripted")


def test_what_was_merged_after_an_answer_is_there_again_after_a_crash(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step |= {"alpha": [fails, honest], "beta": [crashes, honest]}
        steps = (world.skill("alpha"), world.skill("beta", after=("alpha",)))
        run_id = await world.chain(world.plan(*steps, deliverables=world.due(*steps)))
        await world.drive(run_id)
        with pytest.raises(BaseExceptionGroup):
            await world.say(run_id, "retry")
        run = await world.drive(run_id)
        assert run.verdict == "success"
        assert {"out/alpha.md", "out/beta.md"} <= world.tree().keys()

    story(tell)


def test_a_retry_that_does_not_fit_into_what_is_left_is_put_before_the_owner_once(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["alpha"] = fails
        plan = world.plan(world.skill("alpha"), retries=1)
        made = chain_contract(plan, owner=OWNER, containment="L0")
        made = msgspec.structs.replace(made, limits=msgspec.structs.replace(made.limits, turns=61))
        run = await world.drive(await begun(world, plan, made))
        assert run.verdict is None
        assert [question.about for question in run.open_questions] == ["step"]
        assert Counter(await world.kinds(run.id))["step_ended"] == 2

    story(tell)


def test_a_step_of_a_person_is_given_to_nobody_else_when_it_is_tried_again(world: ChainWorld) -> None:
    async def tell() -> None:
        run = await world.through(world.plan(SIGN))
        run = await world.say(run.id, "no")
        run = await world.say(run.id, "retry")
        assert run.open_questions[0].text == "Sign the paper\nIs it done?"
        run = await world.say(run.id, "yes")
        assert (run.verdict, statuses(run)) == ("success", {"sign": "complete"})
        assert not await world.events(run.id, "step_started")

    story(tell)


def test_a_chain_comes_to_rest_while_a_step_waits_for_a_person_and_goes_on_when_they_have_spoken(world: ChainWorld) -> None:
    async def tell() -> None:
        async def asks(inside: Inside, step: str) -> int:
            told = await inside.act("write", "asked.md", arguments={"text": "please\n"})
            assert told["decision"] == "ask"
            return await honest(inside, step)

        world.by_step["alpha"] = asks
        plan = world.plan(world.skill("alpha"), world.skill("beta", after=("alpha",)))
        made = chain_contract(plan, owner=OWNER, containment="L0")
        made = msgspec.structs.replace(made, rules=(*made.rules, rule("ask", "write", "asked.md")))
        run = await world.drive(await begun(world, plan, made))
        assert (run.verdict, statuses(run)) == (None, {"alpha": "in_progress", "beta": "pending"})
        assert run.chain is not None
        await says(world, await world.hands.replay(run.chain.steps["alpha"].children[0]), "no")
        run = await world.drive(run.id)
        assert (run.verdict, statuses(run)) == ("success", {"alpha": "complete", "beta": "complete"})

    story(tell)


def test_one_retry_answers_one_failure_even_where_the_clock_stands_still(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["alpha"] = fails
        run = await world.through(world.plan(world.skill("alpha")))
        run = await world.say(run.id, "retry")
        assert run.chain is not None
        assert run.chain.steps["alpha"].tries == 2
        assert [question.question for question in run.open_questions] == ["Q2"]

    story(tell)


def test_gaps_that_were_accepted_in_a_chain_within_a_chain_do_not_fail_its_step(world: ChainWorld) -> None:
    async def tell() -> None:
        world.by_step["beta"] = forgets
        within = (world.skill("alpha"), world.skill("beta"))
        inner = world.plan(*within, deliverables=world.due(*within))
        run = await world.through(world.plan(Step(id="inner", kind="chain", chain=inner), world.skill("gamma", after=("inner",))))
        assert run.chain is not None
        await says(world, await world.hands.replay(run.chain.steps["inner"].children[-1]), "accept")
        run = await world.drive(run.id)
        assert statuses(run) == {"inner": "complete", "gamma": "complete"}

    story(tell)


def test_what_only_a_person_can_make_is_asked_of_that_person_again(world: ChainWorld) -> None:
    async def tell() -> None:
        due = (Deliverable(name="the paper", by="sign", files=("paper.md",)),)
        run = await world.through(world.plan(SIGN, deliverables=due))
        run = await world.say(run.id, "yes")
        assert run.open_questions[0].about == "gaps"
        with anyio.fail_after(10):
            run = await world.say(run.id, "generate")
        assert run.open_questions[0].text == "Sign the paper\nIs it done?"

    story(tell)


def test_what_is_generated_keeps_to_how_many_may_work_at_once(world: ChainWorld) -> None:
    async def tell() -> None:
        now, most = 0, 0

        async def counted(inside: Inside, step: str) -> int:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await anyio.sleep(0.05)
            now -= 1
            return await forgets(inside, step)

        names = ("alpha", "beta", "gamma")
        world.by_step |= dict.fromkeys(names, counted)
        steps = [world.skill(name, writes=("out/**",)) for name in names]
        run = await world.through(world.plan(*steps, deliverables=world.due(*steps), parallel=3))
        await world.say(run.id, "generate")
        assert most == 1, "all of them claim one folder"

    story(tell)
