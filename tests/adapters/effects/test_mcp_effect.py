"""A tool of an MCP server is asked once, with the credentials of its tier alone, held to its pin, and told apart by what is known."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp_bench import Bench, over_http
from providers import closed_port

from remit.adapters.effects.bound import BoundTools, bound
from remit.adapters.effects.mcp_fit import misfit
from remit.contract.binding import McpServer, McpTool
from remit.contract.party import Tool
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Performer, Receipt
from remit.testing.checks_effect import CHECKS, Ground

SECRET = "s3cret-value-77"
ENVIRONMENT = {"TOKEN": SECRET, "WRITE_TOKEN": "w-r-i-t-e", "REMIT_HOME": "/nowhere"}
SERVER = Path(__file__).with_name("mcp_bench.py")
ERAS = ("2025", "2026")


class Room:
    """Performers before fresh servers, all with one home."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self.folder, self.home, self.log, self._held = folder, folder / "home", folder / "log.jsonl", held

    def server(self, manner: str = "kind", era: str = "2026", *, name: str = "bench", **fields: Any) -> McpServer:
        given = {"env": (("TOKEN", "$TOKEN"),), **fields}
        return McpServer(name=name, run=(sys.executable, str(SERVER), manner, era, str(self.log)), **given)

    def tool(self, manner: str = "kind", era: str = "2026", *, server: McpServer | None = None, **fields: Any) -> Performer:
        binding = McpTool(server=server or self.server(manner, era), **({"name": "save"} | fields))
        return bound(binding, ENVIRONMENT, self.home)

    def http(self, manner: str, era: str, token: str = SECRET) -> McpServer:
        url = self._held.enter_context(over_http(Bench(manner, era, self.log), token))
        return McpServer(name="bench", url=url, headers=(("Authorization", "Bearer $TOKEN"),))

    def happened(self) -> list[Any]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as held:
        yield Room(tmp_path, held)


def perform(performer: Performer, arguments: Mapping[str, Any] | None = None) -> Receipt:
    async def once() -> Receipt:
        return await performer.perform("run-1:E1", arguments or {}, workspace=Path("/"))

    return anyio.run(once)


def pipes(room: Room, era: str) -> Ground:
    room.log.unlink(missing_ok=True)
    gone = McpServer(name="bench", run=("/nowhere/to/be/found",))
    return Ground(
        performer=room.tool("kind", era), refused=room.tool("rejects", era), unreachable=room.tool(server=gone),
        arguments={"text": "o-1", "amount": 50}, workspace=Path("/"), happened=lambda: len(room.happened()), secret=SECRET,
    )  # fmt: skip


def web(room: Room, era: str) -> Ground:
    room.log.unlink(missing_ok=True)
    gone = McpServer(name="bench", url=f"http://127.0.0.1:{closed_port()}/mcp", headers=(("Authorization", "$TOKEN"),))
    return Ground(
        performer=room.tool(server=room.http("kind", era)), refused=room.tool(server=room.http("rejects", era)),
        unreachable=room.tool(server=gone), arguments={"text": "o-1", "amount": 50}, workspace=Path("/"),
        happened=lambda: len(room.happened()), secret=SECRET,
    )  # fmt: skip


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("kind", [pipes, web], ids=lambda kind: kind.__name__)
def test_it_keeps_the_promises_of_every_effect(kind: Callable[[Room, str], Ground], era: str, room: Room) -> None:
    async def all_of_them() -> None:
        for check in CHECKS:
            await check(lambda: kind(room, era))

    anyio.run(all_of_them)


@pytest.mark.parametrize("era", ERAS)
def test_the_answer_its_hash_and_its_single_values_are_kept_and_no_secret(era: str, room: Room) -> None:
    receipt = perform(room.tool("kind", era), {"amount": Decimal("49.90")})
    assert receipt.receipt.startswith("saved, with $TOKEN (sha256:")
    assert receipt.returned == ("49.9", "note-1")
    assert json.loads(receipt.output) == {"id": "note-1", "amount": 49.9}
    assert room.happened() == [{"amount": 49.9}]


def test_the_process_of_a_tool_holds_the_variables_of_its_server_and_nothing_else_of_ours(room: Room) -> None:
    os.environ["REMIT_TEST_LEAK"] = "of ours"
    try:
        said = json.loads(perform(room.tool(name="env")).output)
    finally:
        del os.environ["REMIT_TEST_LEAK"]
    assert said["TOKEN"] == "$TOKEN"  # it was there, and is covered where it is told
    assert (said["home"], said["cwd"]) == ([], [])
    assert set(said) - {"PATH", "LANG", "LC_ALL", "TZ", "LC_CTYPE"} == {"TOKEN", "HOME", "TMPDIR", "home", "cwd"}


def test_two_tiers_of_one_server_are_two_processes_with_two_credentials(room: Room) -> None:
    reading = perform(room.tool(name="env", server=room.server(env=(("TOKEN", "$TOKEN"),), tier="read-only")))
    writing = perform(room.tool(name="env", server=room.server(name="writes", env=(("TOKEN", "$WRITE_TOKEN"),), tier="bounded")))
    assert "WRITE_TOKEN" not in reading.output
    assert json.loads(writing.output)["TOKEN"] == "$WRITE_TOKEN"


def test_the_first_definition_is_pinned_and_said_and_another_one_is_refused(room: Room) -> None:
    first = perform(room.tool())
    assert "seen for the first time, and pinned as sha256:" in first.receipt
    assert "first time" not in perform(room.tool()).receipt
    [pin] = (room.home / "pins").iterdir()
    kept = json.loads(pin.read_text())
    assert (kept["server"], kept["what"], kept["name"]) == ("bench", "tool", "save")
    changed = {**kept, "pin": "sha256:" + "0" * 64}
    pin.write_text(json.dumps(changed))
    with pytest.raises(Refused, match="is not the one that was pinned") as refusal:
        perform(room.tool())
    assert kept["pin"] in refusal.value.hint
    assert len(room.happened()) == 2


def test_a_pin_of_the_organisation_counts_and_not_what_was_seen_first(room: Room) -> None:
    perform(room.tool())
    [file] = (room.home / "pins").iterdir()
    pin = json.loads(file.read_text())["pin"]
    with pytest.raises(Refused, match="is not the one that was pinned"):
        perform(room.tool("changed", pin=pin))
    file.write_text("{}")
    assert perform(room.tool(pin=pin)).output
    with pytest.raises(Refused, match="was unreadable"):
        perform(room.tool())


def test_without_a_place_for_pins_only_a_pinned_tool_is_called(room: Room) -> None:
    with pytest.raises(Refused, match="nobody has pinned") as refusal:
        perform(bound(McpTool(server=room.server(), name="save"), ENVIRONMENT))
    pin = refusal.value.hint.split("`")[1].removeprefix("pin: ")
    assert perform(bound(McpTool(server=room.server(), name="save", pin=pin), ENVIRONMENT)).output
    assert len(room.happened()) == 1


@pytest.mark.parametrize("manner", ["fails", "dies", "breaks"])
def test_what_goes_wrong_after_the_call_was_sent_is_a_doubt(manner: str, room: Room) -> None:
    with pytest.raises(Broken):
        perform(room.tool(manner))
    assert len(room.happened()) == 1


@pytest.mark.parametrize("manner", ["fails", "dies", "breaks", "wants"])
def test_an_error_of_a_tool_that_only_reads_is_no_doubt(manner: str, room: Room) -> None:
    with pytest.raises(Refused):
        perform(room.tool(manner, errors="nothing happened"))


def test_a_server_that_wants_to_know_more_is_told_nothing(room: Room) -> None:
    with pytest.raises(Broken, match="nobody is here to say it"):
        perform(room.tool("wants"))


def test_silence_after_the_call_is_a_doubt_and_the_server_is_ended(room: Room) -> None:
    from remit.adapters.effects.mcp import McpEffect

    effect = McpEffect(McpTool(server=room.server("sleeps"), name="save"), ENVIRONMENT, room.home, patience=0.3)
    with pytest.raises(Broken, match="no answer came in time"):
        perform(effect)
    assert _left(room) == []


def test_a_server_that_clings_to_life_is_gone_when_the_call_is_over(room: Room) -> None:
    perform(room.tool("clings"))
    assert _left(room) == []


def test_a_server_dies_with_whoever_asked_it(room: Room) -> None:
    asks = f"""\
import anyio, pathlib
from remit.adapters.effects.mcp import McpEffect
from remit.contract.binding import McpServer, McpTool
effect = McpEffect(McpTool(server=McpServer(name="b", run={room.server("sleeps").run!r}), name="save"), {{}}, pathlib.Path({str(room.home)!r}))
anyio.run(lambda: effect.perform("k", {{}}, workspace=pathlib.Path("/")))
"""
    asking = subprocess.Popen([sys.executable, "-c", asks])
    try:
        _until(lambda: len(room.happened()) == 1)
        assert len(_left(room)) >= 1
    finally:
        asking.kill()
        asking.wait()
    _until(lambda: _left(room) == [])


def test_what_a_server_says_when_it_cannot_start_is_told_without_secrets(room: Room) -> None:
    with pytest.raises(Refused, match=r"`bench` was not asked: .*I cannot start with \$TOKEN"):
        perform(room.tool("mutters"))


def test_a_wrong_token_over_http_is_refused_before_anything_was_asked(room: Room) -> None:
    with pytest.raises(Refused, match="was not asked"):
        perform(room.tool(server=room.http("kind", "2026", token="another")))


def test_an_answer_without_an_end_is_ended(room: Room) -> None:
    with pytest.raises(Broken):
        perform(room.tool(server=room.http("floods", "2026")))
    with pytest.raises(Broken):
        perform(room.tool("floods"))


@pytest.mark.parametrize("era", ERAS)
def test_a_resource_is_read_live_each_time(era: str, room: Room) -> None:
    resource = room.tool("kind", era, what="resource", name="deploy://status/{service}", errors="nothing happened")
    first = perform(resource, {"service": "shop/eu"})
    (room.folder / "state.txt").write_text("v2")
    second = perform(resource, {"service": "shop/eu"})
    assert [json.loads(each.output) for each in (first, second)] == [{"version": "v1"}, {"version": "v2"}]
    assert "it was" not in first.receipt
    assert second.receipt.endswith(f"; it was {first.receipt.split('(')[1].split(')')[0]} at run-1:E1)")
    assert room.happened() == [{"read": "deploy://status/shop%2Feu"}] * 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "is missing"),
        ({"service": "a", "more": 1}, "has no place"),
        ({"service": ".."}, "elsewhere"),
        ({"service": ["a"]}, "single text"),
    ],
)
def test_the_address_of_a_resource_is_filled_exactly(arguments: dict[str, Any], why: str, room: Room) -> None:
    resource = room.tool(what="resource", name="deploy://status/{service}", errors="nothing happened")
    with pytest.raises(BadInput, match=why):
        resource.preview(arguments)


@pytest.mark.parametrize("era", ERAS)
def test_a_prompt_is_got_as_text_with_its_roles(era: str, room: Room) -> None:
    receipt = perform(room.tool("kind", era, what="prompt", name="greet", errors="nothing happened"), {"who": "the owner"})
    assert json.loads(receipt.output) == [{"role": "user", "content": "Greet the owner."}]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"title": "a"}, ""), ({"title": "a", "size": 3, "kind": "x", "flag": True, "list": [1], "more": {}}, ""), ({"title": None}, ""),
        ({}, "`title` is missing"), ({"title": 3}, "`title` must be string or null"), ({"title": "a", "size": True}, "`size` must be integer"),
        ({"title": "a", "size": 1.5}, "`size` must be integer"), ({"title": "a", "kind": "z"}, "`kind` is none of what it may be"),
        ({"title": "a", "flag": 1}, "`flag` must be boolean"), ({"title": "a", "else": 1}, "it takes no `else`"),
    ],
)  # fmt: skip
def test_arguments_that_plainly_do_not_fit_are_seen_before_anything_is_sent(given: dict[str, Any], why: str) -> None:
    properties = {
        "title": {"type": ["string", "null"], "pattern": "(a+)+$"}, "size": {"type": "integer"}, "kind": {"enum": ["x", "y"]},
        "flag": {"type": "boolean"}, "list": {"type": "array"}, "more": {"type": "object"},
    }  # fmt: skip
    assert misfit({"properties": properties, "required": ["title"], "additionalProperties": False}, given) == why


@pytest.mark.parametrize(
    "schema", [None, [], {}, {"properties": 3, "required": "x"}, {"properties": {"title": {"type": 3, "enum": 4}}}]
)
def test_a_schema_that_says_nothing_plain_is_against_nothing(schema: object) -> None:
    assert misfit(schema, {"title": "a"}) == ""


def test_a_call_that_does_not_fit_is_refused_and_leaves_no_doubt(room: Room) -> None:
    with pytest.raises(Refused, match="the server does not take that: `text` must be string"):
        perform(room.tool(), {"text": 3})
    assert room.happened() == []


def test_a_tool_that_is_not_there_is_refused(room: Room) -> None:
    with pytest.raises(Refused, match="the server has no tool `gone`"):
        perform(room.tool(name="gone"))


def test_digits_that_the_protocol_cannot_carry_are_bad_input(room: Room) -> None:
    with pytest.raises(BadInput, match="more digits"):
        room.tool().preview({"amount": Decimal("0.1000000000000000055511151231257827")})


def test_a_variable_that_is_not_set_is_said_before_anything_is_begun(room: Room) -> None:
    server = room.server(env=(("TOKEN", "$GONE"),))
    tool = Tool(name="t", does=McpTool(server=server, name="save"))
    assert BoundTools(ENVIRONMENT).lacks(tool) == "$GONE not set here"
    with pytest.raises(BadInput, match="`\\$GONE` is not set"):
        perform(room.tool(server=server))


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def _left(room: Room) -> list[str]:
    """Processes of servers of this test that still live."""
    said = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if str(room.log) in line and "import anyio" not in line]
