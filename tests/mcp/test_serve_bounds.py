"""What a host sends is held to the folders, the contracts and the mandate that a person gave; what it hears is bounded."""

from pathlib import Path
from typing import Any

import pytest
from serve_story import CONTRACT, WRITES, Place, go

from remit.contract.parse import parse, parse_organisation
from remit.contract.skeleton import skeleton
from remit.errors import BadInput
from remit.mcp.server.doors import place as http_place
from remit.mcp.server.doors import token_of
from remit.mcp.server.house import kept_apart
from remit.mcp.server.mandate import beyond_text
from remit.mcp.server.told import bounded
from remit.mcp.server.wanted import WANTS, read, schema
from remit.mcp.server.writing import how_to_write

ORGANISATION = parse_organisation(
    "tools: {look: {tier: read-only, effect: read}, send: {effect: send}}", file="o"
).organisation  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("read: '**'", []), ("write: docs/**", []), ("run: make", []), ("commit: HEAD", []), ("fetch: example.com:443", []),
        ("call: look", []), ("call: send", ["call send"]), ("call: [look, send]", ["call look, send"]), ("call: unknown", ["call unknown"]),
        ("call: any", ["call any"]), ("push: main", ["push main"]), ("publish: any", ["publish any"]), ("delegate: codex", ["delegate codex"]),
    ],
)  # fmt: skip
def test_a_contract_sent_as_text_lets_nothing_out_by_itself(rule: str, wrong: list[str]) -> None:
    for text in (f"may:\n  - {rule}\n", f"may:\n  - read: x\nask:\n  - {rule}\n", f"may:\n  - read: x\nnever:\n  - {rule}\n"):
        contract = parse(CONTRACT.replace('may:\n  - read: "**"\n  - write: docs/**\n', text), file="c").contract
        assert contract is not None
        found = [each.split("`")[1].removeprefix("may: ") for each in beyond_text(contract, ORGANISATION, ())]
        assert found == (wrong if text.startswith(f"may:\n  - {rule}") else [])


def test_a_rung_of_recovery_the_containment_and_variables_are_looked_at_too() -> None:
    text = CONTRACT.replace("do: undo}", "do: undo}\n  - {when: stuck, may: [{push: any}], do: ask owner}")
    contract = parse(text + "containment: L1\nenvironment: [AWS_SECRET, LEVEL]\n", file="c").contract
    assert contract is not None
    assert len(list(beyond_text(contract, None, {"LEVEL"}))) == 3


def test_a_host_reaches_no_folder_and_no_contract_but_those_it_was_given(place: Place) -> None:
    (place.work / "link").symlink_to(place.elsewhere)
    (place.elsewhere / "theirs.remit.yaml").write_text(CONTRACT)
    (place.contracts / "hello.remit.yaml").write_text(CONTRACT)
    (place.contracts / "link.remit.yaml").symlink_to(place.elsewhere / "theirs.remit.yaml")
    mail = CONTRACT.replace("may:", "may:\n  - {call: send_email, where: {to: any}}")

    async def story() -> None:
        async with place.host() as host:
            given: dict[str, Any] = {"command": list(WRITES), "workspace": str(place.work)}
            for folder in (place.elsewhere, place.work / "link", place.work / ".." / "elsewhere", Path("/")):
                assert "not among the folders" in await host.refused(
                    "delegate", contract=CONTRACT, **{**given, "workspace": str(folder)}
                )
            assert "is no folder" in await host.refused("delegate", contract=CONTRACT, **{**given, "workspace": "work"})
            for file in (str(place.elsewhere / "theirs.remit.yaml"), "../elsewhere/theirs.remit.yaml", "link.remit.yaml"):
                assert "not among the contracts" in await host.refused("delegate", contract_file=file, **given)
            assert "for a person to give" in await host.refused("delegate", contract=mail, **given)
            assert "give either" in await host.refused("delegate", **given)
            said = await host.refused("delegate", contract="goal: make it nice\nowner: claude\n", **given)
            assert "nothing was started" in said
            assert "owner" in said
            assert "nobody is named to do the work" in await host.refused(
                "delegate", contract=CONTRACT, workspace=str(place.work)
            )
            checked = await host.call("check", contract=mail)
            assert [each.split("`")[1] for each in checked["only_a_person_may_give"]] == ["may: call send_email"]
            assert (await host.call("status"))["runs"] == [], "nothing of all that was started"
            run = (await host.call("delegate", contract_file="hello.remit.yaml", **given))["run"]
            assert (await host.until(run, lambda each: each["verdict"]))["verdict"] == "success"
            prompt = await host.client.get_prompt("write_contract", {"goal": "The docs say hello"})
            assert "Goal: The docs say hello" in prompt.messages[0].content.text

    go(story)


def test_over_http_the_token_is_the_way_in(place: Place) -> None:
    import httpx2
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    token = place.folder / "token"
    token.write_text("a-token-of-some-length\n")

    async def story(address: str) -> None:
        async with httpx2.AsyncClient() as bare:
            for headers in ({}, {"Authorization": "Bearer another-token-of-length"}):
                assert (await bare.post(address, json={}, headers=headers)).status_code == 401
        for mode in ("legacy", "2026-07-28"):
            async with (
                httpx2.AsyncClient(headers={"Authorization": f"Bearer {token.read_text().strip()}"}) as web,
                Client(streamable_http_client(address, http_client=web), mode=mode, cache=None) as client,
            ):
                assert len((await client.list_tools()).tools) == len(WANTS)
                result = await client.call_tool("check", {"contract": CONTRACT})
                assert result.structured_content["ok"]

    with place.http(token) as address:
        go(lambda: story(address))


@pytest.mark.parametrize("given", ["0.0.0.0:80", "example.com:80", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":80"])
def test_nothing_but_this_machine_is_served(given: str) -> None:
    with pytest.raises(BadInput):
        http_place(given)
    assert http_place("[::1]:8080") == ("::1", 8080)


def test_a_token_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    for text in ("short", "with a blank in the middle of it", "ümlaut-token-of-some-length"):
        (tmp_path / "t").write_text(text)
        with pytest.raises(BadInput):
            token_of(tmp_path / "t")
    assert token_of(None)[0] != token_of(None)[0]


def test_contracts_are_kept_where_no_agent_works(tmp_path: Path) -> None:
    for workspace, contracts in (("a", "a"), ("a", "a/b"), ("a/b", "a")):
        with pytest.raises(BadInput, match="could write the contracts"):
            kept_apart([tmp_path / workspace], [tmp_path / contracts])
    kept_apart([tmp_path / "a"], [tmp_path / "b"])


@pytest.mark.parametrize("name", list(WANTS))
def test_every_tool_has_a_closed_schema_with_words_for_it(name: str) -> None:
    found = schema(WANTS[name])
    assert found["type"] == "object"
    assert found["additionalProperties"] is False
    assert set(found.get("required", ())) <= set(found["properties"])
    with pytest.raises(BadInput):
        read(name, {"surprise": 1})


def test_what_is_told_is_cut_and_hides_nothing() -> None:
    told = bounded({"why": "x" * 5000, "rows": list(range(1000)), "dark": "a\u202eb", "none": "", "deep": [{"a": "y" * 5000}]})
    assert len(told["why"]) < 700
    assert len(told["rows"]) == 60
    assert "\u202e" not in told["dark"]
    assert "none" not in told
    assert len(told["deep"][0]["a"]) < 700


def test_the_prompt_begins_with_a_skeleton_that_reads() -> None:
    text = how_to_write("The docs say hello", "desk-owner@example.com")
    assert skeleton("The docs say hello", "desk-owner@example.com") in text
