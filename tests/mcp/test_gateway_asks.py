"""What only a person may allow: asked at the host where they sit there, else waited for, and granted once for exactly that."""

from pathlib import Path
from typing import Any

import anyio
from gateway_story import Talk, gateway, story, words

from remit.adapters.signers.local import load
from remit.app import engine
from remit.engine.inbox import answer, ask_stop

YES = {"action": "accept", "content": {"answer": "yes"}}


def paying(text: str = "PAY 100", **more: Any) -> dict[str, Any]:
    return {"name": "save_note", "arguments": {"text": text}, **more}


async def question(talk: Talk) -> dict[str, Any]:
    while "method" not in (said := await talk.hear()):
        raise AssertionError(said)
    assert said["method"] == "elicitation/create"
    return said


# ---------------------------------------------------------------------------------------------------------- waiting


def test_a_question_waits_and_the_same_call_is_granted_once_when_it_comes_again(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet({"elicitation": {}})
            first = await talk.call("save_note", text="PAY 100")
            assert "`remit answer" in words(first) and "call again" in words(first)
            assert first["_meta"]["remit/question"] == "Q1"
            assert talk.did() == []
            await talk.answers("yes")
            assert words(await talk.call("save_note", text="PAY 100")) == 'save_note {"text": "PAY 100"}'
            further = await talk.call("save_note", text="PAY 100")
            assert further["_meta"]["remit/question"] == "Q2"
            assert len(talk.did()) == 1

    story(tell)


def test_an_approval_does_not_carry_edited_arguments(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            await talk.call("save_note", text="PAY 100")
            await talk.answers("yes")
            for edited in ("PAY 1000", "PAY 100 "):
                said = await talk.call("save_note", text=edited)
                assert said["_meta"]["remit/decision"] == "ask"
            assert [each["arguments"] for each in talk.did()] in ([], [{"text": "PAY 100"}])

    story(tell)


def test_two_calls_at_once_share_one_approval_and_one_effect(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, wait=20) as talk:
            await talk.greet()
            talk.begin("tools/call", paying(), number=1)
            talk.begin("tools/call", paying(), number=2)
            with anyio.fail_after(10):
                while not talk.desk.run or not (await talk.state()).open_questions:
                    await anyio.sleep(0.02)
            assert len((await talk.state()).open_questions) == 1
            await talk.answers("yes")
            both = [await talk.hear(), await talk.hear()]
            assert [words(each["result"]) for each in both] == ['save_note {"text": "PAY 100"}'] * 2
            assert len(talk.did()) == 1

    story(tell)


def test_a_call_is_held_open_with_a_word_of_progress_while_a_person_is_awaited(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, wait=20) as talk:
            await talk.greet()
            talk.begin("tools/call", paying(_meta={"progressToken": 9}), number=1)
            told = await talk.hear()
            assert told["params"] == {"progressToken": 9, "progress": 1, "message": "Q1 waits for desk-owner@example.com"}
            await talk.answers("no")
            said = (await talk.hear())["result"]
            assert said["_meta"]["remit/decision"] == "refuse"
            assert talk.did() == []
            again = await talk.call("save_note", text="PAY 100")
            assert again["_meta"]["remit/decision"] == "refuse"

    story(tell)


def test_a_read_that_is_asked_about_happens_when_it_is_called_again(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            assert (await talk.call("look_up", order="SECRET-1"))["_meta"]["remit/decision"] == "ask"
            await talk.answers("yes")
            assert words(await talk.call("look_up", order="SECRET-1")) == 'look_up {"order": "SECRET-1"}'
            assert (await talk.call("look_up", order="SECRET-1"))["_meta"]["remit/decision"] == "ask"

    story(tell)


def test_an_approval_given_after_the_host_has_left_counts_when_it_comes_back(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, carry_on=True) as talk:
            await talk.greet()
            assert words(await talk.call("save_note", text="one")).startswith("save_note")
            await talk.call("save_note", text="PAY 100")
            run = talk.desk.run
        assert talk.desk.outcome is not None and talk.desk.outcome.verdict is None
        async with engine(tmp_path / "home") as supervisor:
            signer = load(tmp_path / "home")
            assert signer is not None
            await answer(supervisor.hands, run, "Q1", "yes", signer=signer, assurance="terminal")
        async with gateway(tmp_path, carry_on=True) as talk:
            await talk.greet()
            assert words(await talk.call("save_note", text="PAY 100")) == 'save_note {"text": "PAY 100"}'
            assert talk.desk.run == run
            assert words(await talk.call("save_note", text="one")).startswith("save_note")
            assert [each["arguments"]["text"] for each in talk.did()] == ["one", "PAY 100", "one"]
        assert talk.desk.outcome is not None and talk.desk.outcome.verdict == "success"
        async with gateway(tmp_path, carry_on=True) as talk:
            await talk.greet()
            await talk.call("look_up", order="A-1")
            assert talk.desk.run != run

    story(tell)


def test_a_stopped_run_does_nothing_more_for_its_host(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            await talk.call("look_up", order="A-1")
            await ask_stop(talk.desk.carrier.hands, talk.desk.run, by="desk-owner@example.com", why="enough")
            said = await talk.call("look_up", order="A-2")
            assert (said["_meta"]["remit/code"], len(talk.did())) == ("STOPPED", 1)
        assert talk.desk.outcome is not None and talk.desk.outcome.verdict == "stopped"

    story(tell)


# ---------------------------------------------------------------------------------------------------------- at the host


def test_a_host_is_not_asked_unless_somebody_says_that_the_person_sits_there(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet({"elicitation": {}})
            assert (await talk.call("save_note", text="PAY 100"))["_meta"]["remit/decision"] == "ask"

    story(tell)


def test_the_person_at_the_host_is_asked_there_and_their_answer_is_signed(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, person_here=True) as talk:
            await talk.greet({"elicitation": {}})
            talk.begin("tools/call", paying(), number=1)
            asked = await question(talk)
            assert "remit asks desk-owner@example.com: May the agent call save_note" in asked["params"]["message"]
            assert "text: PAY 100" in asked["params"]["message"]
            talk.say(id=asked["id"], result=YES)
            said = await talk.hear()
            assert (said["id"], words(said["result"])) == (1, 'save_note {"text": "PAY 100"}')
            (given,) = [each.answers[0] for each in (await talk.state()).questions.values()]
            assert (given.person, given.assurance, bool(given.signature)) == ("desk-owner@example.com", "terminal", True)

    story(tell)


def test_a_no_at_the_host_is_refused_and_silence_still_waits(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, person_here=True) as talk:
            await talk.greet({"elicitation": {}})
            for said, decision in (
                ({"action": "cancel"}, "ask"),
                ({"action": "accept"}, "ask"),
                ({"action": "decline"}, "refuse"),
            ):
                talk.begin("tools/call", paying(), number=decision + said["action"])
                talk.say(id=(await question(talk))["id"], result=said)
                assert (await talk.hear())["result"]["_meta"]["remit/decision"] == decision
            assert talk.did() == []

    story(tell)


def test_a_host_that_cannot_ask_is_told_to_call_again(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, person_here=True) as talk:
            await talk.greet({})
            assert "call again" in words(await talk.call("save_note", text="PAY 100"))

    story(tell)


def test_what_needs_more_than_a_terminal_is_not_approved_at_the_host(tmp_path: Path) -> None:
    async def tell() -> None:
        (tmp_path / "org.remit.yaml").write_text("assurance: person-signed\ntools:\n  save_note: {tier: high-risk}\n")
        async with gateway(tmp_path, person_here=True, org=str(tmp_path / "org.remit.yaml")) as talk:
            await talk.greet({"elicitation": {}})
            talk.begin("tools/call", paying(), number=1)
            talk.say(id=(await question(talk))["id"], result=YES)
            assert (await talk.hear())["result"]["_meta"]["remit/decision"] == "ask"
            assert talk.did() == []

    story(tell)


# ---------------------------------------------------------------------------------------------------------- in rounds


async def rounded(talk: Talk, number: Any = 1, text: str = "PAY 100") -> dict[str, Any]:
    said: dict[str, Any] = (await talk.ask("tools/call", paying(text), modern=True, number=number))["result"]
    assert said["resultType"] == "input_required"
    return said


def test_in_the_new_era_the_person_is_asked_in_a_further_round(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, person_here=True) as talk:
            said = await rounded(talk)
            assert said["inputRequests"]["remit"]["method"] == "elicitation/create"
            more = {"inputResponses": {"remit": YES}, "requestState": said["requestState"]}
            done = await talk.ask("tools/call", paying(**more), modern=True, number=2)
            assert words(done["result"]) == 'save_note {"text": "PAY 100"}'
            again = await talk.ask("tools/call", paying(**more), modern=True, number=3)
            assert "this round of the call is over" in words(again["result"])
            assert len(talk.did()) == 1

    story(tell)


def test_a_state_that_is_forged_or_belongs_to_another_call_is_refused_and_recorded(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, person_here=True) as talk:
            said = await rounded(talk)
            state = said["requestState"]
            kind, body, mark = state.split(".")
            answers = {"remit": YES}
            forged = [
                f"{kind}.{body}.{'0' * len(mark)}",
                f"{kind}..{mark}",
                "remit1",
                "",
                7,
                None,
                "ü",
                f"{kind}.{body[:-4]}AAAA.{mark}",
            ]
            for each in forged:
                wrong = paying(inputResponses=answers, requestState=each)
                refused = (await talk.ask("tools/call", wrong, modern=True))["result"]
                assert "was not written by this gateway" in words(refused), each
            edited = paying("PAY 9000", inputResponses=answers, requestState=state)
            assert "belongs to another call" in words((await talk.ask("tools/call", edited, modern=True))["result"])
            unasked = paying(inputResponses=answers)
            assert "was not written" in words((await talk.ask("tools/call", unasked, modern=True))["result"])
            assert talk.did() == []
            assert len([decision for _, decision in await talk.decided() if decision == "refuse"]) == len(forged) + 2
            right = paying(inputResponses=answers, requestState=state)
            assert words((await talk.ask("tools/call", right, modern=True))["result"]).startswith("save_note")

    story(tell)


def test_a_server_that_wants_to_know_more_is_one_act_in_several_rounds(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            wanted = {"name": "asks", "arguments": {"order": "A-1"}}
            said = (await talk.ask("tools/call", wanted, modern=True))["result"]
            assert said["inputRequests"]["q"]["params"]["message"] == "[The server orders asks this, not remit] How many?"
            assert "mine" not in said["requestState"]
            more = {
                **wanted,
                "inputResponses": {"q": {"action": "accept", "content": {"n": 2}}},
                "requestState": said["requestState"],
            }
            done = (await talk.ask("tools/call", more, modern=True))["result"]
            assert words(done) == 'asks {"order": "A-1"}'
            (call,) = talk.did()
            assert (call["requestState"], call["inputResponses"]["q"]["content"]) == ("mine", {"n": 2})
            assert await talk.decided() == [("asks", "allow")]

    story(tell)


def test_a_server_gets_no_sampling_in_rounds_either(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "samples") as talk:
            said = await talk.call("asks", modern=True, order="A-1")
            assert said["isError"] and "sampling/createMessage" in words(said)
            assert talk.did() == []

    story(tell)
