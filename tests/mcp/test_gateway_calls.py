"""The gate before a server: what is shown, what is decided, what reaches the server, and what is recorded."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from gateway_story import CONTRACT, OWNER, gateway, story, words

from remit.errors import BadInput
from remit.mcp.gateway.desk import Desk

DECLARED = CONTRACT + "  deploy: {tier: high-risk}\n"


def test_a_call_is_decided_recorded_and_answered_by_the_server(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            greeted = await talk.greet({"elicitation": {}, "sampling": {}, "tasks": {}, "roots": {}})
            assert greeted["result"]["capabilities"] == {"tools": {"listChanged": True}, "resources": {}}
            assert talk.did("capabilities") == [{"capabilities": {"elicitation": {}, "roots": {}}}]
            said = await talk.call("look_up", order="A-1")
            assert (words(said), said["structuredContent"]) == ('look_up {"order": "A-1"}', {"total": 1.1})
            note = await talk.call("save_note", text="all well")
            assert words(note) == 'save_note {"text": "all well"}'
            assert await talk.decided() == [("look_up", "allow"), ("save_note", "allow")]
            run = await talk.state()
            assert [draft.state for draft in run.drafts.values()] == ["published"]
            assert run.spend.turns == 2
        assert desk_of(talk.desk) == ("success", "")

    story(tell)


def desk_of(desk: Desk) -> tuple[str | None, str]:
    assert desk.outcome is not None
    return desk.outcome.verdict, desk.outcome.why


def test_only_what_could_be_allowed_or_asked_is_shown(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            listed = (await talk.ask("tools/list"))["result"]["tools"]
            assert [(tool["name"], tool["_meta"]["remit/needs"].split(",")[0]) for tool in listed] == [
                ("asks", "nobody"), ("deploy", "a person"), ("look_up", "a person"), ("save_note", "a person"), ("slow", "nobody"),
            ]  # fmt: skip
            again = (await talk.ask("tools/list"))["result"]["tools"]
            assert again == listed

    story(tell)


def test_what_a_server_says_about_its_own_tool_proves_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            said = await talk.call("deploy", to="production")
            assert said["isError"] and said["_meta"]["remit/decision"] == "ask"
            assert talk.did() == []
        assert desk_of(talk.desk)[0] is None

    story(tell)


def test_a_declaration_of_people_makes_it_what_the_contract_says(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, contract=DECLARED) as talk:
            await talk.greet()
            assert words(await talk.call("deploy", to="production")) == 'deploy {"to": "production"}'

    story(tell)


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("drop_all", {}, "AUTHORITY"),
        ("look_up", {"order": "A-1", "as": "admin"}, "UNCOVERED"),
        ("slow", {}, "UNCOVERED"),
    ],
)
def test_what_is_not_covered_is_refused_and_never_reaches_the_server(
    tmp_path: Path, name: str, arguments: dict[str, Any], code: str
) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            said = await talk.call(name, **arguments)
            assert said["isError"]
            assert said["_meta"]["remit/code"] == code, said
            assert words(said).startswith("Refused: ")
            assert talk.did() == []
            assert [decision for _, decision in await talk.decided()] == ["refuse"]

    story(tell)


def test_an_unknown_tool_is_refused_and_recorded(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            assert "the server has no tool `look-up`" in words(await talk.call("look-up", order="A-1"))
            assert await talk.decided() == [("look-up", "refuse")]

    story(tell)


def test_resources_are_read_as_calls_and_a_refused_one_is_recorded(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            assert (await talk.ask("resources/list"))["result"]["resources"][0]["name"] == "a"
            read = await talk.ask("resources/read", {"uri": "file:///docs/a.md"})
            assert read["result"]["contents"][0]["text"] == "hello"
            refused = await talk.ask("resources/read", {"uri": "file:///etc/passwd"})
            assert refused["error"]["code"] == -32010
            assert refused["error"]["message"].startswith("Refused: ")
            assert talk.did("read") == [{"read": "file:///docs/a.md"}]
            assert await talk.decided() == [("resources/read", "allow"), ("resources/read", "refuse")]
            assert (await talk.ask("prompts/list"))["result"] == {"prompts": []}

    story(tell)


def test_what_the_server_says_failed_is_told_as_it_said_it_and_is_no_doubt(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "fails") as talk:
            await talk.greet()
            said = await talk.call("save_note", text="all well")
            assert (words(said), said["isError"]) == ("no such order", True)
            (draft,) = (await talk.state()).drafts.values()
            assert (draft.state, draft.why) == ("refused", "the server says that `save_note` failed: no such order")

    story(tell)


def test_the_definitions_a_host_was_shown_are_on_record(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            await talk.ask("tools/list")
            rows = await talk.desk.carrier.hands.ledger.events(talk.desk.run)
            loaded = [each.event.what for each in rows if each.kind == "context_loaded"]  # type: ignore[union-attr]
            assert loaded[:3] == ["mcp server instructions", "mcp tool look_up", "mcp tool save_note"]

    story(tell)


def test_a_gateway_does_not_open_under_a_contract_that_is_unfit(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, contract=CONTRACT.replace("limits: {turns: 200, time: 1h}\n", "")):
            raise AssertionError

    with pytest.raises(BadInput, match="limits"):
        story(tell)


def test_nobody_there_to_answer_means_that_it_is_refused(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, unattended=True) as talk:
            await talk.greet()
            said = await talk.call("deploy", to="production")
            assert said["_meta"]["remit/decision"] == "refuse"
            assert OWNER in words(said) or "nobody is there" in words(said)

    story(tell)


def test_many_calls_at_once_are_each_answered_under_their_own_id(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            for number in range(20):
                talk.begin("tools/call", {"name": "look_up", "arguments": {"order": f"A-{number}"}}, number=f"n{number}")
            heard = [await talk.hear() for _ in range(20)]
            assert {each["id"]: words(each["result"]) for each in heard} == {
                f"n{number}": f'look_up {{"order": "A-{number}"}}' for number in range(20)
            }
            with anyio.fail_after(5):
                assert (await talk.ask("ping"))["result"] == {}

    story(tell)
