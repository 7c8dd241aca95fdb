"""Who may answer, for what, how often; and what the door grants."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from engine_worlds import LEGAL, OWNER, SOMEBODY, World, contract, rule, story, writes

from remit.authority.action import Action
from remit.contract.condition import Anything
from remit.contract.limits import Count, Limits, Sum
from remit.contract.rule import Where
from remit.engine.inbox import answer
from remit.errors import BadInput, Refused
from remit.evidence.signature import verify_signature
from remit.run import next_move as m
from remit.run.statement import ANSWER
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, writes())


def content(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


TERMS = rule("ask", "write", "legal/**", who="legal")
ASKED = rule("ask", "write", "legal/**")


def wanting(replies: list[dict[str, Any]], text: str = "terms\n", *, times: int = 1, path: str = "legal/terms.md") -> Any:
    async def agent(inside: Inside) -> None:
        (inside.folder / "docs" / "hello.md").write_text("hello\n")
        replies.extend([await inside.act("write", path, content=content(text)) for _ in range(times)])

    return agent


def test_what_is_wanted_at_the_door_is_written_on_the_sealed_stage_once_a_person_says_yes(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        world.agents = [wanting(replies)]
        waiting = await world.begin(contract(ASKED))
        assert (replies[0]["decision"], replies[0]["question"]) == ("ask", "Q1")
        assert m.next_move(waiting, world.clock.now()) == m.Rest(on="answer")
        assert world.tree() == {"README.md": "read me\n"}
        run = await world.say(waiting.id, "yes")
        assert m.Perform in world.moves
        assert (run.verdict, world.tree()["legal/terms.md"]) == ("success", "terms\n")
        intent = (await world.events(run.id, "intended"))[0]
        effect = (await world.events(run.id, "effected"))[0]
        assert (effect.key, effect.ok) == (intent.key, True)

    story(tell)


def test_a_no_is_sticky_at_the_door_and_at_publishing(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        run_id = await world.start(contract(ASKED))

        async def insists(inside: Inside) -> None:
            (inside.folder / "docs" / "hello.md").write_text("hello\n")
            replies.append(await inside.act("write", "legal/terms.md", content=content("terms\n")))
            await answer(world.hands, run_id, "Q1", "no", signer=PaperSigner(OWNER), assurance="scripted")
            replies.extend([await inside.act("write", "legal/terms.md", content=content("terms\n")) for _ in range(2)])
            (inside.folder / "legal").mkdir()
            (inside.folder / "legal" / "terms.md").write_text("terms\n")

        world.agents = [insists]
        run = await world.drive(run_id)
        assert [reply["decision"] for reply in replies] == ["ask", "refuse", "refuse"]
        assert replies[-1]["reasons"][0]["code"] == "DENIED"
        assert run.verdict == "success"
        assert list(run.questions) == ["Q1"]
        assert "legal/terms.md" not in world.tree()

    story(tell)


def test_a_yes_is_spent_by_the_first_effect_and_bound_to_these_very_bytes(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        run_id = await world.start(contract(ASKED))

        async def agent(inside: Inside) -> None:
            (inside.folder / "docs" / "hello.md").write_text("hello\n")

            async def want(text: str) -> None:
                replies.append(await inside.act("write", "legal/terms.md", content=content(text)))

            await want("terms\n")
            await answer(world.hands, run_id, "Q1", "yes", signer=PaperSigner(OWNER), assurance="scripted")
            await want("other terms\n")
            await want("terms\n")
            await want("terms\n")

        world.agents = [agent]
        run = await world.drive(run_id)
        assert [reply["decision"] for reply in replies] == ["ask", "ask", "allow", "ask"]
        assert [reply.get("question") for reply in replies] == ["Q1", "Q2", None, "Q3"]
        assert run.questions["Q1"].used
        assert not run.questions["Q3"].used

    story(tell)


def test_a_pending_want_is_one_question_however_often_it_is_wanted(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []
        world.agents = [wanting(replies, times=3)]
        run = await world.begin(contract(ASKED))
        assert {reply["question"] for reply in replies} == {"Q1"}
        assert len(run.questions) == 1

    story(tell)


@pytest.mark.parametrize(("by", "may"), [(LEGAL, True), (OWNER, False), (SOMEBODY, False)])
def test_only_the_role_that_is_asked_answers(world: World, by: str, may: bool) -> None:
    async def tell() -> None:
        world.agents = [wanting([])]
        waiting = await world.begin(contract(TERMS))
        if may:
            run = await world.say(waiting.id, "yes", by=by)
            assert world.tree()["legal/terms.md"] == "terms\n"
            said = run.questions["Q1"].answer
            assert said is not None
            assert (said.person, said.roles) == (LEGAL, ("legal",))
            assert verify_signature(said.key, said.statement.encode(), said.signature, ANSWER)
            assert waiting.contract.hash() in said.statement
        else:
            with pytest.raises(Refused, match=f"not {by}"):
                await world.say(waiting.id, "yes", by=by)
            assert (await world.hands.replay(waiting.id)).questions["Q1"].said == ""

    story(tell)


def test_a_question_is_answered_once_and_only_where_it_was_asked(world: World) -> None:
    async def tell() -> None:
        world.agents = [wanting([])]
        waiting = await world.begin(contract(ASKED))
        with pytest.raises(BadInput, match="has no question `Q9`"):
            await world.say(waiting.id, "yes", question="Q9")
        await world.say(waiting.id, "yes")
        with pytest.raises(BadInput, match="was answered `yes`"):
            await world.say(waiting.id, "no", question="Q1")

    story(tell)


def test_a_changed_path_that_must_be_asked_about_holds_only_itself_up(world: World) -> None:
    async def tell() -> None:
        world.agents = [writes(then=writes("terms\n", "legal/terms.md"))]
        waiting = await world.begin(contract(ASKED))
        assert [asked.about for asked in waiting.open_questions] == ["change"]
        run = await world.say(waiting.id, "no")
        assert (run.verdict, sorted(world.tree())) == ("success", ["README.md", "docs/hello.md"])

    story(tell)


def test_an_approval_of_one_run_is_nothing_to_another(world: World) -> None:
    async def tell() -> None:
        world.agents = [writes(then=writes("terms\n", "legal/terms.md"))]
        first = await world.begin(contract(ASKED))
        await world.say(first.id, "yes")
        world.agents = [writes("hello again\n", then=writes("terms\n", "legal/more.md"))]
        second = await world.begin(contract(ASKED))
        assert [asked.about for asked in second.open_questions] == ["change"]
        world.clock.jump(2)
        with pytest.raises(BadInput):
            await world.say(second.id, "yes", question="Q2")

    story(tell)


def test_what_the_agent_only_wants_to_know_holds_nothing_up_and_grants_nothing(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def curious(inside: Inside) -> None:
            (inside.folder / "docs" / "hello.md").write_text("hello\n")
            replies.append(await inside.act("ask", "which version?"))

        world.agents = [curious]
        run = await world.begin(contract())
        assert run.verdict == "success"
        assert [asked.about for asked in run.open_questions] == ["context"]
        assert replies[0]["decision"] == "ask"

    story(tell)


def test_what_makes_no_sense_at_the_door_is_refused_and_never_recorded_as_done(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def clumsy(inside: Inside) -> None:
            (inside.folder / "docs" / "hello.md").write_text("hello\n")
            senseless: list[dict[str, Any]] = [
                {}, {"verb": "fly", "object": "x"}, {"verb": "write", "object": "../x"}, {"verb": "write", "object": ["a"]},
                {"verb": "write", "object": "docs/x", "content": "no base64!"}, {"verb": "push", "object": ""},
                {"verb": "call", "object": "x", "arguments": [1]}, {"verb": "run", "object": [1]},
            ]  # fmt: skip
            replies.extend([await inside.send(message) for message in senseless])

        world.agents = [clumsy]
        run = await world.begin(contract())
        assert {(reply["decision"], reply["reasons"][0]["code"]) for reply in replies if reply["decision"] != "allow"} == {
            ("refuse", "INPUTS")
        }
        assert [reply for reply in replies if reply["decision"] == "allow"] == []
        assert run.intents == {}

    story(tell)


def test_a_write_through_a_link_is_refused_and_recorded_as_not_done(world: World) -> None:
    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def sly(inside: Inside) -> None:
            (inside.folder / "docs" / "hello.md").write_text("hello\n")
            (inside.folder / "docs" / "link.md").symlink_to("../README.md")
            replies.append(await inside.act("write", "docs/link.md", content=content("mine")))

        world.agents = [sly]
        run = await world.begin(contract())
        assert replies[0]["decision"] == "refuse"
        assert [each.ok for each in await world.events(run.id, "effected")] == [False]
        assert world.tree() == {"README.md": "read me\n", "docs/hello.md": "hello\n"}

    story(tell)


# ------------------------------------------------------------------------------------------------ times, sums, counts


def pays(amounts: list[int], replies: list[str], tool: str = "refund") -> Any:
    async def agent(inside: Inside) -> None:
        for amount in amounts:
            said = await inside.act("call", tool, arguments={"amount": amount})
            replies.append(said["decision"])
        await inside.stays()

    return agent


def refunds(limits: Limits, **more: Any) -> Any:
    paying = rule("may", "call", "refund", where=(Where(argument="amount", condition=Anything()),), **more)
    return contract(paying, limits=limits, success=(), recovery=())


def test_turns_and_calls_are_counted_where_they_are_asked_for(world: World) -> None:
    async def tell() -> None:
        replies: list[str] = []
        world.agents = [pays([1, 2, 3, 4], replies)]
        run = await world.begin(refunds(Limits(time=600, turns=9, calls=3)))
        assert replies == ["allow", "allow", "allow", "refuse"]
        assert (run.spend.turns, run.spend.calls, run.verdict) == (3, 3, "exhausted")

    story(tell)


def test_an_effect_is_counted_before_the_next_one_is_decided(world: World) -> None:
    """Writes are what remit itself performs, so they are what `times` can count."""

    async def tell() -> None:
        replies: list[dict[str, Any]] = []

        async def agent(inside: Inside) -> None:
            replies.extend([await inside.act("write", f"notes/{number}.md", content=content("x")) for number in range(3)])

        world.agents = [agent]
        run = await world.begin(contract(rule("may", "write", "notes/**", times=2, id="twice"), success=()))
        assert [reply["decision"] for reply in replies] == ["allow", "allow", "refuse"]
        assert [each.rules for each in await world.events(run.id, "intended")] == [((run.contract.hash(), "twice"),)] * 2
        assert len(run.settled) == 2

    story(tell)


@pytest.mark.parametrize(("scope", "second"), [("organisation", "refuse"), ("run", "allow")])
def test_a_count_over_the_organisation_sees_other_runs_and_forgets_what_is_old(world: World, scope: Any, second: str) -> None:
    async def tell() -> None:
        limits = Limits(time=600, turns=50, counts=(Count(of="write", within=60, to=1, scope=scope),))
        seen = []

        async def agent(inside: Inside) -> None:
            seen.append((await inside.act("write", "docs/n.md", content=content("x")))["decision"])

        world.agents = [agent]
        for pause in (0, 30, 61):
            world.clock.jump(pause)
            await world.begin(contract(limits=limits, success=()))
        assert seen == ["allow", second, "allow"]

    story(tell)


def test_a_sum_adds_the_numbers_up_in_the_transaction_that_grants(world: World) -> None:
    async def tell() -> None:
        limits = Limits(time=600, turns=50, sums=(Sum(of="refund.amount", within=3600, to="100"),))
        under = refunds(limits)
        run_id = await world.start(under)
        gate = world.supervisor.gate
        said = []
        for amount in (60, 50, 40, 1):
            action = Action(verb="call", object="refund", arguments={"amount": amount})
            given = await gate.decide(run_id, action, at="engine", effect=True)
            said.append(given.grant is not None)
        assert said == [True, False, True, False]
        assert [each.numbers["amount"] for each in await world.events(run_id, "intended")] == ["60", "40"]

    story(tell)


def test_a_grant_is_written_down_before_anybody_has_it(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract())
        action = Action(verb="write", object="docs/a.md", arguments={"sha256": hashlib.sha256(b"").hexdigest()})
        given = await world.supervisor.gate.decide(run_id, action, at="door", effect=True, key="mine")
        assert given.grant is not None
        records = await world.records(run_id)
        assert [record.kind for record in records[-2:]] == ["decided", "intended"]
        assert given.grant.entry == records[-2].seq
        assert (given.grant.key, records[-1].event.key) == ("mine", "mine")  # type: ignore[union-attr]
        assert given.grant.action.digest() == action.digest()

    story(tell)


def test_a_stopped_run_is_refused_everything_even_what_it_may(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract())
        await world.stop(run_id)
        given = await world.supervisor.gate.decide(run_id, Action(verb="write", object="docs/a.md"), at="door", effect=True)
        assert given.grant is None
        assert given.decision.reasons[0].code == "STOPPED"
        assert "intended" not in await world.kinds(run_id)

    story(tell)


def test_a_rolled_back_transaction_is_not_remembered_by_the_gate(world: World) -> None:
    async def tell() -> None:
        run_id = await world.start(contract())
        gate = world.supervisor.gate
        with pytest.raises(ZeroDivisionError):
            async with gate.transaction() as transaction:
                state = gate.fold(transaction, run_id)
                gate.note(
                    transaction, state, Action(verb="push", object="x"),
                    (await _refusal(world)), at="door",
                )  # fmt: skip
                assert gate.fold(transaction, run_id).refusals == 1
                raise ZeroDivisionError
        async with gate.transaction() as transaction:
            assert gate.fold(transaction, run_id).refusals == 0

    story(tell)


async def _refusal(world: World) -> Any:
    from remit.authority.decision import Code
    from remit.engine.want import refused

    return refused(Code.UNCOVERED, "no rule")
