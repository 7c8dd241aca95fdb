"""A question that stays open ends the turn durably: another process goes on, and an answer counts for exactly what was asked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from agent_rig import Gate, Place, Script, use
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ToolApproved
from pydantic_ai.messages import ModelRequest, UserPromptPart

from remit.adapters.runtimes.agent.guard import Guard, library_tool
from remit.adapters.runtimes.agent.hands import Hands
from remit.adapters.runtimes.agent.history import Book
from remit.adapters.runtimes.agent.tool import Bench
from remit.adapters.runtimes.agent.tools import chosen
from remit.errors import Unavailable
from remit.testing.seat import TestSeat

RULES = 'may:\n  - read: "**"\n  - write: docs/**\nask:\n  - run: [make release]\n  - write: config/**\n  - call: refund\n'


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def asked(place: Place, gate: Gate, script: Script) -> TestSeat:
    return anyio.run(lambda: place.run(script, rule=gate.rule, act=gate.act))[0]


def test_an_open_question_ends_the_turn_and_a_yes_lets_exactly_that_call_run_in_another_process(place: Place) -> None:
    gate = Gate(RULES)
    first = Script(
        [
            use("write_file", path="docs/a.md", content="a"),
            use("write_file", path="config/x", content="1"),
            use("write_file", path="src/b", content=""),
        ]
    )
    asked(place, gate, first)
    assert len(first.seen) == 1 and len(gate.asked) == 1
    assert not (place.work / "config").exists()

    gate.yes.add(gate.asked[0])
    second = Script([use("done")])
    seat = asked(place, gate, second)
    assert (place.work / "config" / "x").read_text() == "1"
    assert [native.text for native, _ in seat.ruled if native.actions] == ["config/x"], (
        "what had run or was refused is not tried again"
    )
    assert sorted(outcome for _, outcome, _ in second.told()) == ["denied", "success", "success"]
    assert [what for what, _ in seat.contexts] == ["identity", "task", "history"]


def test_while_nobody_has_answered_the_turn_ends_again(place: Place) -> None:
    gate = Gate(RULES)
    asked(place, gate, Script([use("shell", command="make release")]))
    for _ in range(3):
        script = Script("never said")
        asked(place, gate, script)
        assert script.seen == []


def test_a_no_is_told_to_the_model_which_goes_on(place: Place) -> None:
    gate = Gate(RULES)
    asked(place, gate, Script([use("shell", command="make release")]))
    gate.no.add(gate.asked[0])
    script = Script([use("write_file", path="docs/no.md", content="not released")], [use("done")])
    asked(place, gate, script)
    assert [(tool, outcome) for tool, outcome, _ in script.told()] == [("shell", "denied"), ("write_file", "success")]


def test_an_answer_does_not_count_for_another_call_of_the_same_name(place: Place) -> None:
    gate = Gate(RULES)
    asked(place, gate, Script([use("write_file", path="config/x", content="1")]))
    gate.yes.add(gate.asked[0])
    asked(place, gate, Script([use("write_file", path="config/y", content="1")]))
    assert (place.work / "config" / "x").exists() and not (place.work / "config" / "y").exists()
    assert len(gate.asked) == 2


def test_edited_arguments_do_not_ride_an_answer(place: Place) -> None:
    """The library lets whoever resumes put other arguments under an approved call."""
    gate = Gate(RULES + "  - write: other/**\n")
    call = use("write_file", path="config/x", content="1")
    script = Script([call], "so be it")

    async def run() -> None:
        task = place.task()
        async with place.seat(task, rule=gate.rule) as seat, anyio.create_task_group() as group:
            hands = Hands(seat)
            group.start_soon(hands.listen)
            tools = chosen((), ())

            def agent() -> Agent[object, Any]:
                guard = Guard(
                    bench=Bench(seat=seat, hands=hands, cwd=task.cwd), tools=tools, book=Book(task.state), keep=lambda _: None
                )
                return Agent(
                    script.model,
                    output_type=[str, DeferredToolRequests],
                    tools=[library_tool(guard, tool) for tool in tools.values()],
                    capabilities=[guard],
                )

            first = await agent().run("go")
            assert isinstance(first.output, DeferredToolRequests)
            gate.yes.update(gate.asked)
            edited = ToolApproved(override_args={"path": "docs/x", "content": "2"})
            second = await agent().run(
                message_history=first.all_messages(),
                deferred_tool_results=DeferredToolResults(approvals={call.tool_call_id: edited}),
            )
            assert second.output == "so be it"
            group.cancel_scope.cancel()

    anyio.run(run)
    [(_, outcome, words)] = script.told()
    assert outcome == "denied" and "other arguments" in words
    assert not (place.work / "docs" / "x").exists() and not (place.work / "config").exists()


def test_a_call_that_may_have_run_is_not_run_again(place: Place) -> None:
    """The process died between the beginning of a call and its end."""
    script = Script(
        [use("shell", call="c1", command="echo once >> docs/log"), use("write_file", call="c2", path="docs/a.md", content="a")]
    )

    async def dies() -> None:
        task = place.task(keeps=True)
        async with place.seat(task) as seat:
            from remit.adapters.runtimes.agent.runtime import LightAgent

            agent = LightAgent(script.model)
            end = seat.used

            async def used(native: str) -> None:
                await end(native)
                (place.state / "calls.jsonl").write_bytes((place.state / "calls.jsonl").read_bytes().splitlines(keepends=True)[0])
                raise KeyboardInterrupt

            seat.used = used  # type: ignore[method-assign]
            await agent.drive(seat, task)

    with pytest.raises(BaseException):  # noqa: B017
        anyio.run(dies)
    assert (place.work / "docs" / "log").read_text() == "once\n"
    again = Script([use("done")])
    anyio.run(lambda: place.run(again, keeps=True, attempt=2, because="the process ended"))
    told = {tool: (outcome, words) for tool, outcome, words in again.told()}
    assert told["shell"][0] == "failed" and "nobody knows whether it happened" in told["shell"][1]
    assert told["write_file"][0] == "success"
    assert (place.work / "docs" / "log").read_text() == "once\n"


def test_a_call_that_ended_gives_its_result_and_is_not_run_again(place: Place) -> None:
    gate = Gate(RULES)
    asked(place, gate, Script([use("shell", call="c1", command="make release")]))
    gate.yes.add(gate.asked[0])
    book = Book(place.state)
    book.begin("c1", json.loads((place.state / "calls.jsonl").read_text().splitlines()[-1])["digest"])
    book.end("c1", "released")
    script = Script([use("done")])
    seat = asked(place, gate, script)
    assert script.told() == [("shell", "success", "released")]
    assert [native.tool for native, _ in seat.ruled] == ["done"]


def test_the_owners_answer_is_fetched_under_the_question_that_was_asked(place: Place) -> None:
    sent: list[Mapping[str, Any]] = []

    async def act(message: Mapping[str, Any]) -> dict[str, Any]:
        sent.append(message)
        said: dict[str, Any] = {"schema": "remit.act/1", "decision": "ask", "reasons": [], "question": "Q1"}
        return said | {"decision": "allow", "answer": "reply", "note": "call it 2.4"} if message.get("question") == "Q1" else said

    anyio.run(lambda: place.run(Script([use("ask_owner", question="Which version?")]), act=act))
    script = Script([use("done")])
    anyio.run(lambda: place.run(script, act=act))
    assert [message.get("question") for message in sent if message["verb"] == "ask"] == [None, "Q1"]
    assert script.told() == [("ask_owner", "success", "the owner answers: reply: call it 2.4")]


def test_without_history_a_further_attempt_begins_fresh_and_says_why(place: Place) -> None:
    anyio.run(place.run, Script([use("read_file", path="docs/hello.md")], "done so far"))
    script = Script("ok")
    seat, _ = anyio.run(lambda: place.run(script, attempt=2, text="Tidy the docs. The check `links` failed."))
    [[request]] = script.seen
    assert isinstance(request, ModelRequest)
    [part] = request.parts
    assert isinstance(part, UserPromptPart) and part.content == "Tidy the docs. The check `links` failed."
    assert "history" not in [what for what, _ in seat.contexts]


def test_with_history_the_conversation_goes_on_and_what_was_loaded_is_on_record(place: Place) -> None:
    anyio.run(lambda: place.run(Script([use("read_file", path="docs/hello.md")], [use("done")]), keeps=True))
    script = Script("ok")
    seat, _ = anyio.run(lambda: place.run(script, keeps=True, attempt=2, because="the check `links` failed"))
    [messages] = script.seen
    assert len(messages) == 5
    assert "the check `links` failed" in str(messages[-1].parts[-1])
    [(_, content)] = [loaded for loaded in seat.contexts if loaded[0] == "history"]
    assert b"Tidy the docs." in content


def test_the_identity_is_no_part_of_the_history(place: Place) -> None:
    anyio.run(lambda: place.run(Script([use("list_files")], "ok"), keeps=True, identity="You act for the docs team."))
    assert "docs team" not in (place.state / "conversation.jsonl").read_text()


def test_a_line_of_history_that_a_crash_cut_off_is_dropped(place: Place) -> None:
    anyio.run(lambda: place.run(Script([use("list_files")], "ok"), keeps=True))
    kept = place.state / "conversation.jsonl"
    kept.write_bytes(kept.read_bytes() + b'[{"parts": [{"con')
    script = Script("ok")
    anyio.run(lambda: place.run(script, keeps=True, attempt=2, because="it was killed"))
    assert len(script.seen) == 1


def test_history_of_another_version_is_not_guessed_at(place: Place) -> None:
    anyio.run(lambda: place.run(Script([use("list_files")], "ok"), keeps=True))
    (place.state / "conversation.jsonl").write_text('[{"kind": "request", "parts": 3}]\n')
    with pytest.raises(Unavailable, match="cannot be read"):
        anyio.run(lambda: place.run(Script("ok"), keeps=True, attempt=2))


def test_a_question_that_nobody_answered_is_told_and_the_work_goes_on(place: Place) -> None:
    async def act(message: Mapping[str, Any]) -> dict[str, Any]:
        decision = "refuse" if message["verb"] == "ask" else "allow"
        return {"schema": "remit.act/1", "decision": decision, "reasons": [], "question": "Q1"}

    script = Script([use("ask_owner", question="Which version?")], "ok")
    anyio.run(lambda: place.run(script, act=act))
    [(_, outcome, words)] = script.told()
    assert outcome == "denied" and "nobody answered in time" in words
