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
from remit.mcp.server.house import kept_apart, programs_of
from remit.mcp.server.mandate import beyond_programs, beyond_text
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
        ("read: '**'", []), ("write: docs/**", []), ("run: make", []), ("commit: HEAD", []), ("fetch: example.com:443", ["fetch example.com:443"]),
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


@pytest.mark.parametrize(
    ("more", "runtime", "wrong"),
    [
        ("models: [{model: '*', price: {input: 0, output: 0}}]\n", "command", ["`price:` of `*`"]),
        ("models: [gpt-5.1]\n", "command", []),
        ("", "claude", []), ("runtime: codex\n", "", []), ("runtime: [acp, a]\n", "", []), ("", "command", []), ("model: gpt-5.1\n", "command", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("usd", [True, False])
def test_what_models_cost_and_that_it_ends_is_not_the_agents_to_say(more: str, runtime: str, wrong: list[str], usd: bool) -> None:
    text = CONTRACT.replace("time: 60s", "time: 60s, usd: 1.00" if usd else "time: 60s, tokens: 900000000")
    contract = parse(text + more, file="c").contract
    assert contract is not None
    found = list(beyond_text(contract, None, (), runtime=runtime))
    assert [each[: len(one)] for one, each in zip(wrong, found, strict=False)] == wrong
    metered = bool(more) or runtime == "claude"
    assert [each for each in found[len(wrong) :] if "`usd`" in each] == found[len(wrong) :]
    assert len(found) == len(wrong) + (metered and not usd)


@pytest.mark.parametrize(
    ("own", "runtime", "command", "text", "fits"),
    [
        ("[acp, /home/u/repo/evil]", "", (), True, False), ("[acp, /home/u/repo/evil]", "", (), False, True), ("./evil --now", "", (), True, False),
        ("codex", "", (), True, True), ("codex", "acp", ("evil",), True, False), ("codex", "acp", ("evil",), False, False), ("codex", "", ("evil",), False, False),
        ("codex", "", ("make", "docs", "-j2"), True, True), ("codex", "", ("make",), True, False), ("codex", "acp", ("good",), False, True),
        ("codex", "", ("/tmp/make", "docs"), True, False), ("[agent, read_file]", "", (), True, True), ("[acp, good, --acp]", "", (), True, True),
        ("[acp, evil]", "codex", (), True, True), ("[acp, evil]", "acp", (), True, False),
    ],
)  # fmt: skip
def test_a_host_starts_no_program_that_no_person_named(
    own: str, runtime: str, command: tuple[str, ...], text: bool, fits: bool
) -> None:
    contract = parse(CONTRACT + f"runtime: {own}\n", file="c").contract
    assert contract is not None
    found = list(beyond_programs(contract, runtime, command, programs_of(["make docs", "good"]), text=text))
    assert (found == []) is fits
    assert all("--allow-program" in each for each in found)


@pytest.mark.parametrize("line", ["", "'", " "])
def test_a_program_is_named_by_its_words(line: str) -> None:
    with pytest.raises(BadInput, match="--allow-program"):
        programs_of([line])


def test_a_host_reaches_no_folder_and_no_contract_but_those_it_was_given(place: Place) -> None:
    (place.work / "link").symlink_to(place.elsewhere)
    (place.elsewhere / "theirs.remit.yaml").write_text(CONTRACT)
    paid = CONTRACT.replace("time: 60s", "time: 60s, usd: 1.00")
    (place.contracts / "hello.remit.yaml").write_text(paid)
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
            for program in ({"command": ["make"]}, {"command": ["./sh", "-c", "x"]}, {"runtime": "acp", "command": ["sh"]}):
                for sent in ({"contract": paid}, {"contract_file": "hello.remit.yaml"}):
                    assert "--allow-program" in await host.refused("delegate", **{**given, **program, **sent})
            own = paid + "runtime: [acp, /home/u/repo/evil]\n"
            assert "--allow-program" in await host.refused("delegate", contract=own, workspace=str(place.work))
            assert "give either" in await host.refused("delegate", **given)
            said = await host.refused("delegate", contract="goal: make it nice\nowner: claude\n", **given)
            assert "nothing was started" in said
            assert "owner" in said
            assert "there is no command to run" in await host.refused("delegate", contract=CONTRACT, workspace=str(place.work))
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
