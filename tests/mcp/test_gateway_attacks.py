"""What a hostile server, or a host that is led astray, cannot do through the gateway."""

import json
from pathlib import Path

import anyio
import pytest
from gateway_story import MODERN, Talk, gateway, story, words

from remit.mcp.gateway.messages import Unreadable, read_host
from remit.mcp.gateway.pinning import Pins, fingerprint, read_pins


def call(text: str) -> str:
    return '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":' + text + "}"


SMUGGLED = [
    (call('{"name":"look_up","name":"drop_all","arguments":{}}'), "stands twice"),
    (call('{"name":"save_note","arguments":{"text":"ok","text":"PAY 1000"}}'), "stands twice"),
    (call('{"name":"save_note","arguments":{"text":"ok","\\u0074ext":"PAY 1000"}}'), "stands twice"),
    (call('{"name":"save_note","arguments":{"text":"ok","ｔext":"PAY 1000"}}'), "one and the same"),
    (call('{"name":"look_up","arguments":{"order":NaN}}'), "not a number"),
    (call('{"name":"look_up","arguments":{"order":' + "[" * 100 + "]" * 100 + "}}"), "nested deeper"),
    ("[" + call('{"name":"look_up","arguments":{"order":"1"}}') + "]", "one at a time"),
    ('{"jsonrpc":"2.0","id":7.0,"method":"ping"}', "id of a request"),
    ('{"jsonrpc":"2.0","id":true,"method":"ping"}', "id of a request"),
    ('{"jsonrpc":"2.0","id":null,"method":"ping"}', "id of a request"),
    ('{"jsonrpc":"1.0","id":7,"method":"ping"}', "JSON-RPC 2.0"),
    ('{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}', "neither a request"),
    ('{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}', "neither a request"),
    ("{", "not JSON"),
    ("\ufeff{}", "not JSON"),
]


@pytest.mark.parametrize(("line", "why"), SMUGGLED)
def test_what_two_readers_could_read_differently_is_no_message(line: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_host(line.encode())


def test_half_letters_are_no_message() -> None:
    with pytest.raises(Unreadable, match="UTF-8"):
        read_host(b'{"jsonrpc":"2.0","id":7,"method":"\xff"}')


def test_such_messages_are_answered_and_the_next_one_is_heard(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            for line, _ in SMUGGLED:
                talk.write(line)
                assert (await talk.hear())["error"]["code"] in (-32700, -32600)
            long = call('{"name":"look_up","arguments":{"order":"' + "x" * 4_100_000 + '"}}')
            await anyio.to_thread.run_sync(talk.write, long)
            assert "at most" in (await talk.hear())["error"]["message"]
            strange = await talk.ask("tools/call", {"name": "look_up", "arguments": {"order": "1"}, "task": {"ttl": 1}})
            assert "has no place" in strange["error"]["message"]
            for method in ("tasks/list", "tasks/result", "sampling/createMessage", "elicitation/create", "tools/Call", ""):
                assert (await talk.ask(method))["error"]["code"] == -32601
            assert talk.did() == []
            assert words(await talk.call("look_up", order="A-1")).startswith("look_up")

    story(tell)


def test_a_changed_definition_refuses_its_calls_until_a_person_pins_it(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "changes", pins=tmp_path / "pins.json") as talk:
            await talk.greet()
            shown = [tool["name"] for tool in (await talk.ask("tools/list"))["result"]["tools"]]
            assert "save_note" in shown
            assert words(await talk.call("save_note", text="one")).startswith("save_note")
            refused = await talk.call("save_note", text="two")
            assert "is not the one that was pinned" in words(refused)
            assert talk.notes[0]["method"] == "notifications/tools/list_changed"
            assert len(talk.did()) == 1
            assert [tool["name"] for tool in (await talk.ask("tools/list"))["result"]["tools"]] == sorted(
                {*shown} - {"save_note"}
            )
            assert words(await talk.call("look_up", order="A-1")).startswith("look_up")
            assert ("save_note", "refuse") in await talk.decided()
        pins = read_pins(tmp_path / "pins.json")
        assert pins is not None and set(pins.known) == {"look_up", "save_note", "deploy", "drop_all", "slow", "asks"}

    story(tell)


def test_pins_of_a_file_refuse_what_is_new_and_what_is_different() -> None:
    one, other = {"name": "a", "inputSchema": {}}, {"name": "a", "inputSchema": {}, "description": "x"}
    pins = Pins(known={"a": fingerprint(one)}, strict=True)
    assert pins.see({"a": one, "b": one}) == {}
    assert (pins.objection("a"), "nobody has pinned" in pins.objection("b")) == ("", True)
    pins.see({"a": other})
    assert "not the one that was pinned" in pins.objection("a")
    assert fingerprint({**one, "annotations": {"readOnlyHint": True}}) != fingerprint(one)
    assert fingerprint({**one, "_meta": {"seen": 3}}) == fingerprint(one)


def test_names_that_look_alike_stand_twice_or_belong_to_the_protocol_are_no_tools(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "twins") as talk:
            await talk.greet()
            names = [tool["name"] for tool in (await talk.ask("tools/list"))["result"]["tools"]]
            assert names == ["asks", "deploy", "save_note", "slow"]
            assert (await talk.call("look_up", order="A-1"))["isError"]
            assert (await talk.call("save_nоte", text="a"))["isError"]
            assert (await talk.call("resources/read", uri="file:///docs/a.md"))["isError"]
            assert talk.did() == []

    story(tell)


def test_a_server_cannot_answer_for_another_request_or_flood_the_gateway(tmp_path: Path) -> None:
    async def tell() -> None:
        for manners in ("forges", "huge"):
            (tmp_path / manners).mkdir()
            async with gateway(tmp_path / manners, manners) as talk:
                await talk.greet()
                talk.begin("tools/call", {"name": "slow", "arguments": {"order": "A-1"}}, number="waits")
                await arrived(talk)
                said = await talk.ask("tools/call", {"name": "look_up", "arguments": {"order": "A-2"}}, number="mine")
                assert words(said["result"]) == 'look_up {"order": "A-2"}'
                assert any("nobody had asked" in line or "was left out" in line for line in talk.log)

    story(tell)


def test_two_requests_cannot_share_an_id(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            talk.begin("tools/call", {"name": "slow", "arguments": {"order": "A-1"}}, number=5)
            said = await talk.ask("ping", number=5)
            assert "is under way" in said["error"]["message"]

    story(tell)


def test_a_server_samples_nothing_and_its_questions_are_marked_as_its_own(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "nosy") as talk:
            await talk.greet({"elicitation": {}, "sampling": {}})
            talk.begin("ping", number="p")
            first, second = await talk.hear(), await talk.hear()
            asked = first if first.get("method") else second
            assert asked["params"]["message"] == "[The server orders asks this, not remit] Your password?"
            talk.say(id=asked["id"], result={"action": "decline"})
            talk.say(id="remit-99", result={"action": "accept"})
            talk.say(id=1, result={"action": "accept"})
            assert (await talk.ask("resources/read", {"uri": "file:///docs/a.md"}))["result"]
            assert sorted(talk.did("answered"), key=str) == [
                {"answered": 77, "result": None, "error": -32601},
                {"answered": 78, "result": {"action": "decline"}, "error": None},
            ]

    story(tell)


def test_a_version_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "strange") as talk:
            assert "1999-01-01" in (await talk.greet())["error"]["message"]

    story(tell)


def test_progress_passes_only_for_what_is_under_way(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            talk.begin("tools/call", {"name": "slow", "arguments": {"order": "A-1"}, "_meta": {"progressToken": "mine"}})
            assert (await talk.hear())["params"] == {"progressToken": "mine", "progress": 1}
            assert (await talk.ask("ping"))["result"] == {}
            assert any("about nothing that is under way" in line for line in talk.log)

    story(tell)


# ---------------------------------------------------------------------------------------------------------- in doubt


def test_a_call_that_is_given_up_is_in_doubt_and_its_owner_is_asked(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            talk.begin("tools/call", {"name": "slow", "arguments": {"order": "A-1"}}, number="gone")
            await arrived(talk)
            talk.say(method="notifications/cancelled", params={"requestId": "gone"})
            with anyio.fail_after(10):
                while not [each for each in (await talk.state()).open_questions if each.about == "doubt"]:
                    await anyio.sleep(0.02)
            again = await talk.call("slow", order="A-1")
            assert again["_meta"]["remit/decision"] == "unknown"
            assert len(talk.did()) == 1
            assert talk.did("cancelled") == [{"cancelled": True}]

    story(tell)


def test_an_answer_that_still_comes_after_it_was_given_up_is_what_counts(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "late") as talk:
            await talk.greet()
            talk.begin("tools/call", {"name": "slow", "arguments": {"order": "A-1"}}, number="gone")
            await arrived(talk)
            talk.say(method="notifications/cancelled", params={"requestId": "gone"})
            said = await talk.call("slow", order="A-1")
            assert words(said) == "just in time"
            assert len(talk.did()) == 1

    story(tell)


def test_a_server_that_dies_leaves_a_doubt_and_clear_words(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path, "dies") as talk:
            await talk.greet()
            said = await talk.call("save_note", text="all well")
            assert said["_meta"]["remit/decision"] == "unknown"
            (draft,) = (await talk.state()).drafts.values()
            assert draft.state == "unknown"
            assert "orders has ended" in talk.log

    story(tell)


def test_a_host_that_leaves_in_the_middle_leaves_a_consistent_run(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            await talk.greet()
            talk.begin("tools/call", {"name": "slow", "arguments": {"order": "A-1"}})
            await arrived(talk)
        outcome = talk.desk.outcome
        assert outcome is not None and outcome.verdict is None
        assert "nobody knows whether this happened" in outcome.why

    story(tell)


async def arrived(talk: Talk) -> None:
    with anyio.fail_after(10):
        while not talk.did():
            await anyio.sleep(0.01)


def test_a_session_in_the_new_era_needs_no_handshake(tmp_path: Path) -> None:
    async def tell() -> None:
        async with gateway(tmp_path) as talk:
            said = await talk.call("look_up", modern=True, order="A-1")
            assert words(said) == 'look_up {"order": "A-1"}'
            refused = await talk.call("drop_all", modern=True)
            assert (refused["resultType"], refused["isError"]) == ("complete", True)
            assert json.dumps(MODERN)

    story(tell)
