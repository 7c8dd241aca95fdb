"""The ACP driver: what an agent asks becomes a ruling, what was refused reaches it with its reason, and nothing it sends breaks anything."""

import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from acp_rig import drained
from at_work import refusing, task
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.adapters.runtimes.acp.calls import Call, actions, call, native, paths
from remit.adapters.runtimes.acp.line import AT_ONCE, DEEPEST, LONGEST, SeatLine, depth, read
from remit.adapters.runtimes.acp.manner import Manner, again
from remit.adapters.runtimes.acp.runtime import ROUNDS, Acp, program
from remit.errors import BadInput, Conflict, Unavailable
from remit.ports import Native, Ruling
from remit.testing import acp_agent, acp_deeds
from remit.testing.checks_runtime import PrintedSeat
from remit.testing.seat import Rule, TestSeat, allowed, refused, seated

WORK = "/srv/work"
FINAL = {"do": "final", "text": "bye"}


async def driven(
    folder: Path,
    *steps: dict[str, Any],
    rule: Rule = allowed,
    beside: Callable[[Acp, TestSeat], Awaitable[None]] | None = None,
    **more: Any,
) -> TestSeat:
    for each in (acp_agent, acp_deeds):
        shutil.copy(str(each.__file__), folder.parent)
    argv = ("python3", "-IS", f"{folder.parent}/acp_agent.py")
    told = task(folder, "http://127.0.0.1:9", f"script: {json.dumps(steps)}", command=argv, **more)
    acp = Acp()
    async with seated(await acp.outfit(told), folder, rule=rule) as seat:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                if beside is not None:
                    group.start_soon(beside, acp, seat)
                await acp.drive(seat, told)
                group.cancel_scope.cancel()
            await drained(seat)
        return seat


def run(folder: Path, *steps: dict[str, Any], **more: Any) -> TestSeat:
    return anyio.run(lambda: driven(folder, *steps, **more))


def asked(seat: TestSeat) -> list[tuple[str, list[str], bool]]:
    return [(one.tool, [action.said() for action in one.actions], ruling.allowed) for one, ruling in seat.ruled]


def did(seat: TestSeat) -> list[str]:
    """What the agent says that it did."""
    lines = [read(line) for line in b"".join(seat.heard).split(b"\n")]
    updates = [line["params"]["update"] for line in lines if line and line.get("method") == "session/update"]
    chunks = [
        each["content"]["text"]
        for each in updates
        if isinstance(each, dict) and each.get("sessionUpdate") == "agent_message_chunk" and isinstance(each["content"], dict)
    ]
    return [row for row in "".join(chunks).splitlines() if row]


def of(kind: str, **told: Any) -> list[str]:
    return [action.said() for action in actions(call({"toolCallId": "t", "kind": kind, **told}), WORK)]


# ------------------------------------------------------------------------------------------------ with the shipped agent


def test_what_an_agent_asks_is_ruled_and_what_it_hands_over_is_written(folder: Path) -> None:
    steps = (
        {"do": "write", "path": "docs/a.md", "text": "a\n"},
        {"do": "write", "path": "b.md", "text": "b\n", "how": "asked"},
        {"do": "shell", "command": "cat notes.md && touch ran"},
        {"do": "delete", "path": "notes.md"},
        {"do": "ask", "title": "refund", "given": {"amount": 12.5}},
        FINAL,
    )
    seat = run(folder, *steps)
    assert asked(seat) == [
        ("edit", ["write docs/a.md"], True),
        ("edit", ["write b.md"], True),
        ("execute", ["run cat notes.md", "run touch ran"], True),
        ("delete", ["delete notes.md"], True),
        ("refund", ["call refund"], True),
    ]
    assert str(seat.ruled[-1][0].actions[0].arguments["amount"]) == "12.5"
    assert seat.ruled[0][0].content == b"a\n"
    assert sorted(path.name for path in folder.rglob("*")) == ["a.md", "b.md", "docs", "ran"]
    assert did(seat) == [
        "did write: written",
        "did write: written",
        "did shell: exit 0",
        "did delete: deleted",
        "did ask: allow_once",
        "bye",
    ]
    assert seat.returned == [one.id for one, _ in seat.ruled[:4]]
    assert seat.closed


def test_a_refusal_is_told_in_a_prompt_of_its_own_with_the_reason(folder: Path) -> None:
    steps = ({"do": "write", "path": "a.md", "text": "a\n", "how": "asked"}, {"do": "shell", "command": "git push"}, FINAL, FINAL)
    seat = run(folder, *steps, rule=refusing("edit", "execute", why="not in this contract; write docs/ instead"))
    said = did(seat)
    assert said[:3] == ["did write: reject_once", "did shell: reject_once", "byeheard: remit did not let these through:"]
    assert said[3:5] == [
        "- edit a.md: not in this contract; write docs/ instead",
        "- git push: not in this contract; write docs/ instead",
    ]
    assert not (folder / "a.md").exists()


def test_it_is_told_again_only_while_something_new_is_refused(folder: Path) -> None:
    def prompts(*steps: dict[str, Any]) -> int:
        return b"".join(run(folder, *steps, rule=refused).said).count(b'"session/prompt"')

    same = {"do": "shell", "command": "git push"}
    assert prompts(same, FINAL, same, FINAL, same, FINAL) == 2
    new = [step for number in range(10) for step in ({"do": "shell", "command": f"git push {number}"}, FINAL)]
    assert prompts(*new) == 1 + ROUNDS
    assert prompts(FINAL) == 1


def test_the_meters_last_word_ends_the_conversation(folder: Path) -> None:
    last = {"do": "final", "text": "[remit] run stopped: the limit of 3 turns is reached"}
    seat = run(folder, {"do": "shell", "command": "git push"}, last, rule=refused)
    assert b"".join(seat.said).count(b'"session/prompt"') == 1


def test_nothing_but_once_is_ever_chosen(folder: Path) -> None:
    seat = run(folder, {"do": "shell", "command": "true"}, {"do": "shell", "command": "true"}, FINAL)
    assert [said for said in did(seat) if "always" in said] == []
    assert len(seat.ruled) == 2


def test_a_terminal_and_reading_are_not_offered(folder: Path) -> None:
    steps = (
        {"do": "shell", "command": "true", "how": "terminal"},
        {"do": "read", "path": "notes.md", "how": "client"},
        {"do": "read", "path": "notes.md"},
        FINAL,
    )
    assert did(run(folder, *steps)) == ["did shell: refused", "did read: refused", "did read: 8 bytes", "bye"]


def test_a_write_is_ruled_once_also_when_it_was_asked_about_before(folder: Path) -> None:
    seat = run(
        folder,
        {"do": "ask", "kind": "edit", "title": "edit a.md", "path": str(folder / "a.md")},
        {"do": "write", "path": "a.md", "text": "a\n"},
        {"do": "write", "path": "a.md", "text": "b\n"},
        FINAL,
    )
    assert asked(seat) == [("edit", ["write a.md"], True)] * 2
    assert (folder / "a.md").read_text() == "b\n"


def test_a_write_outside_is_not_carried_out(folder: Path) -> None:
    seat = run(folder, {"do": "write", "path": "/etc/passwd", "text": "x"}, FINAL, rule=refused)
    assert did(seat)[0].startswith("did write: refused: the contract does not cover this")
    assert (
        did(run(folder, {"do": "write", "path": "/tmp/x", "text": "x"}, FINAL))[0]
        == "did write: refused: only files of the workspace are written here"
    )


def test_a_stage_that_cannot_be_written_is_told_to_the_agent(folder: Path) -> None:
    (folder / "file").write_text("x")
    assert "refused" in did(run(folder, {"do": "write", "path": "file/inside", "text": "x"}, FINAL))[0]
    assert "refused" in did(run(folder, {"do": "write", "path": "a\0b", "text": "x"}, FINAL))[0]


def test_cancel_ends_the_turn_at_once(folder: Path) -> None:
    async def beside(acp: Acp, seat: TestSeat) -> None:
        while b"began mute" not in b"".join(seat.heard):
            await anyio.sleep(0.01)
        with anyio.fail_after(0.5):
            await acp.cancel()

    seat = run(folder, {"do": "rogue", "how": "mute"}, FINAL, beside=beside)
    assert b'"cancelled"' in b"".join(seat.heard)
    assert b"".join(seat.said).count(b'"session/prompt"') == 1


def test_cancel_before_and_after_is_nothing(folder: Path) -> None:
    async def twice() -> None:
        acp = Acp()
        await acp.cancel()
        with anyio.fail_after(5):
            await acp.drive(PrintedSeat([]), task(folder, "", "x"))
        await acp.cancel()

    anyio.run(twice)


# ------------------------------------------------------------------------------------------------ rogues, without a box


def test_an_agent_that_asks_without_waiting_is_read_no_faster_than_it_is_ruled(folder: Path) -> None:
    most = 0
    open_now = 0

    async def slow(_: Native) -> Ruling:
        nonlocal most, open_now
        open_now += 1
        most = max(most, open_now)
        await anyio.lowlevel.checkpoint()
        open_now -= 1
        return Ruling(allowed=True)

    seat = run(folder, {"do": "rogue", "how": "storm", "times": 500}, FINAL, rule=slow)
    assert 400 < len(seat.ruled) <= 500
    assert most <= AT_ONCE


@pytest.mark.parametrize("how", ["garble", "liar", "leave"])
def test_the_driver_comes_back_from(how: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert did(run(folder, {"do": "rogue", "how": how}, FINAL))[0] == f"began {how} "
    assert caplog.records == []


def test_a_flood_is_read_to_its_end_and_the_work_goes_on(folder: Path) -> None:
    seat = run(
        folder, {"do": "rogue", "how": "flood", "bytes": 3 * LONGEST}, {"do": "write", "path": "a.md", "text": "a\n"}, FINAL
    )
    assert asked(seat) == [("edit", ["write a.md"], True)]


def test_a_failing_gate_ends_the_conversation_and_goes_up(folder: Path) -> None:
    async def broken(_: Native) -> Ruling:
        raise Conflict("the ledger is gone")

    async def drive() -> None:
        acp = Acp()
        lines = [
            said(
                "session/request_permission",
                7,
                sessionId="s",
                toolCall={"toolCallId": "t", "kind": "execute", "title": "ls"},
                options=OPTIONS,
            )
        ]
        with pytest.raises(Conflict, match="the ledger is gone"), anyio.fail_after(5):
            await acp.drive(Answering(lines, broken), task(folder, "", "x"))

    anyio.run(drive)


# ------------------------------------------------------------------------------------------------ with what is printed

OPTIONS = [
    {"optionId": "a", "name": "always", "kind": "allow_always"},
    {"optionId": "n", "name": "never", "kind": "reject_always"},
]


def said(method: str, number: int, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


class Answering(PrintedSeat):
    """A program that answers the first two requests, then prints what it is given, and is gone when each of that was answered."""

    def __init__(self, prints: list[bytes], rule: Rule = allowed) -> None:
        super().__init__([b'{"id":0,"result":{"protocolVersion":1}}\n', b'{"id":1,"result":{"sessionId":"s"}}\n', *prints])
        self.said: list[bytes] = []
        self.ruled: list[Native] = []
        self._needs = iter([1, 2, *([3] * len(prints)), 3 + len(prints)])
        self._by = rule

    async def read(self) -> bytes | None:
        needed = next(self._needs, 0)
        with anyio.move_on_after(2):
            while len(self.said) < needed:
                await anyio.sleep(0.001)
        return await super().read()

    async def say(self, data: bytes) -> None:
        self.said.append(data)

    async def rule(self, native: Native, *, wait: float = 0.0) -> Ruling:
        self.ruled.append(native)
        return await self._by(native)

    def answers(self) -> dict[Any, Any]:
        return {each.get("id"): each for each in map(json.loads, b"".join(self.said).splitlines()) if "method" not in each}


def answered(*lines: bytes, rule: Rule = allowed) -> Answering:
    async def drive() -> Answering:
        seat = Answering(list(lines), rule)
        with anyio.fail_after(10):
            await Acp().drive(seat, task(Path(WORK), "", "x"))
        return seat

    return anyio.run(drive)


def test_without_an_option_for_once_nothing_is_chosen() -> None:
    seat = answered(
        said(
            "session/request_permission",
            7,
            sessionId="s",
            toolCall={"toolCallId": "t", "kind": "execute", "title": "ls"},
            options=OPTIONS,
        )
    )
    assert seat.answers()[7]["result"] == {"outcome": {"outcome": "cancelled"}}


def test_meta_never_stands_above_what_was_checked() -> None:
    meta = {"path": f"{WORK}/other.md", "content": "other", "_meta": {"path": "x"}}
    seat = answered(said("fs/write_text_file", 7, sessionId="s", path=f"{WORK}/a.md", content="a", _meta=meta), rule=refused)
    assert [one.actions[0].said() for one in seat.ruled] == ["write a.md"]


def test_a_request_under_an_open_number_is_dropped_and_an_unknown_one_answered() -> None:
    seat = answered(said("terminal/create", 7, command="sh"), said("_vendor/extension", 8))
    assert {number: answer["error"]["code"] for number, answer in seat.answers().items()} == {7: -32601, 8: -32601}


def test_an_agent_that_wants_a_sign_in_is_left(folder: Path) -> None:
    async def drive() -> None:
        refusal = b'{"id":0,"error":{"code":-32000,"message":"Authentication required","data":{"x":1}}}\n'
        with anyio.fail_after(5):
            await Acp().drive(PrintedSeat([refusal]), task(folder, "", "x"))

    anyio.run(drive)


@given(st.lists(st.binary(max_size=40) | st.sampled_from(acp_deeds.GARBAGE), max_size=20))
@settings(max_examples=40, deadline=None)
def test_whatever_is_printed_nothing_is_raised(prints: list[bytes]) -> None:
    async def drive() -> None:
        with anyio.fail_after(10):
            await Acp().drive(PrintedSeat(prints), task(Path(WORK), "", "x"))

    anyio.run(drive)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=8), st.integers(1, 50))
def test_messages_come_whole_however_they_are_cut(values: list[Any], size: int) -> None:
    whole = b"".join(json.dumps({"id": number, "result": {"v": value}}).encode() + b"\n" for number, value in enumerate(values))
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]

    async def collected() -> list[int]:
        line = SeatLine(PrintedSeat(pieces), lambda update: anyio.sleep(0))
        found = []
        while (message := await line.receive()) is not None:
            found.append(message["id"])
        return found

    strict = [
        number
        for number, value in enumerate(values)
        if "NaN" not in (text := json.dumps(value)) and "Infinity" not in text and read(json.dumps({"v": value}).encode())
    ]
    assert anyio.run(collected) == strict


def test_what_is_nested_too_deep_is_no_message() -> None:
    assert read(b'{"a":' * (DEEPEST - 1) + b"1" + b"}" * (DEEPEST - 1)) is not None
    assert read(b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1)) is None
    assert depth({"a": [1, {"b": []}]}) == 4


# ------------------------------------------------------------------------------------------------ what a call amounts to


def test_each_kind_of_call_is_the_actions_it_amounts_to() -> None:
    at = [{"path": f"{WORK}/docs/a.md"}]
    assert of("edit", locations=at) == ["write docs/a.md"]
    assert of(
        "edit",
        content=[{"type": "diff", "path": f"{WORK}/x", "newText": "x"}, {"type": "diff", "path": f"{WORK}/y", "newText": "y"}],
    ) == ["write x", "write y"]
    assert of("edit", rawInput={"file_path": "z.md"}) == ["write z.md"]
    assert of("delete", locations=at) == ["delete docs/a.md"]
    assert of("move", rawInput={"source": "a", "destination": "b"}) == ["delete a", "write b"]
    assert of("move", locations=[{"path": f"{WORK}/a"}, {"path": f"{WORK}/b"}]) == ["delete a", "delete b", "write a", "write b"]
    assert of("execute", title="git status") == ["run git status"]
    assert of("execute", title="Run it", rawInput={"command": "bash -lc 'make test'"}) == ["run make test"]
    assert of("execute", rawInput={"command": ["make", "test"]}) == ["run make test"]
    assert of("read", locations=at) == ["read docs/a.md"]
    assert of("search", title="needle") == ["read **"]
    assert of("search", rawInput={"path": "docs"}) == ["read docs/**"]
    assert of("fetch", rawInput={"url": "https://example.com/a"}) == ["fetch https://example.com/a"]
    assert of("fetch", title='Look at "https://example.com/a" and https://example.com/b') == [
        "fetch https://example.com/a",
        "fetch https://example.com/b",
    ]
    assert of("think", title="plan") == []
    assert of("other", title="refund") == ["call refund"]
    assert of("switch_mode", title="yolo") == ["call yolo"]


def test_what_cannot_be_told_is_a_call_by_its_name() -> None:
    for kind in ("edit", "delete", "move", "read", "execute"):
        assert of(kind, title="" if kind == "execute" else "Something") == [
            "call unnamed" if kind == "execute" else "call Something"
        ]
    assert of("fetch", title="Look at https://example.com/… and https://exam...") == [
        "call Look at https://example.com/… and https://exam..."
    ]


def test_a_command_in_another_folder_begins_with_going_there() -> None:
    noted = [{"type": "content", "content": {"type": "text", "text": "[in sub] (builds)"}}]
    assert of("execute", rawInput={"command": "make all", "workdir": f"{WORK}/sub"}) == ["run cd sub", "run make all"]
    assert of("execute", title="make all", content=noted) == ["run cd sub", "run make all"]
    assert of("execute", rawInput={"command": ["make", "a b"], "cwd": "/"}) == ["run cd /", "run make a b"]
    assert of("execute", rawInput={"command": "make", "cwd": WORK}) == ["run make"]


def test_outside_the_workspace_an_action_keeps_its_absolute_path_and_in_a_room_of_the_box_there_is_none() -> None:
    assert of("edit", locations=[{"path": "/etc/passwd"}]) == ["write /etc/passwd"]
    assert of("edit", locations=[{"path": f"{WORK}/../other"}]) == ["write /srv/other"]
    assert of("edit", locations=[{"path": "/tmp/scratch"}]) == []


def test_the_question_is_laid_over_the_announcement() -> None:
    first = call(
        {
            "toolCallId": "t",
            "title": "read",
            "kind": "read",
            "rawInput": {"filePath": f"{WORK}/a"},
            "locations": [{"path": f"{WORK}/a"}],
        }
    )
    asked_ = call({"toolCallId": "t", "title": "read", "kind": "other", "rawInput": {}, "locations": []}, first)
    assert (asked_.kind, paths(asked_), native(asked_, WORK).tool) == ("read", (f"{WORK}/a",), "read")


def test_a_list_of_files_says_which_go_away() -> None:
    rows = [
        {"filePath": f"{WORK}/old", "type": "move"},
        {"filePath": f"{WORK}/gone", "type": "delete"},
        {"filePath": f"{WORK}/a", "type": "update"},
    ]
    places = [{"path": f"{WORK}/{name}"} for name in ("old", "gone", "a", "new")]
    assert of("edit", rawInput={"files": rows}, locations=places) == ["delete old", "delete gone", "write a", "write new"]


def test_tools_of_remits_own_server_are_decided_where_they_are_served() -> None:
    for title in ("remit_act", "mcp_remit_act", "mcp__remit__act", "act (remit MCP Server)", "remit_Skill", "mcp_remit_Skill"):
        assert of("other", title=title, rawInput={"verb": "push"}) == []
    assert of("other", title="remitted") == ["call remitted"]


def test_only_where_differences_are_whole_files_a_yes_is_bound_to_the_bytes() -> None:
    told = call({"toolCallId": "t", "kind": "edit", "content": [{"type": "diff", "path": f"{WORK}/a", "newText": "new\n"}]})
    assert native(told, WORK, whole=True).content == b"new\n"
    assert native(told, WORK).content is None


def test_an_id_that_holds_the_tools_name_is_taken_apart() -> None:
    assert Manner(joint="__").joint == "__"
    about = call({"toolCallId": "write_file__c7", "title": "Writing to a", "kind": "edit"}, joint="__")
    assert (about.id, about.name) == ("c7", "write_file")
    assert call({"toolCallId": "c7", "title": "Writing"}, joint="__") == Call(id="c7", name="Writing", title="Writing")


@given(
    JSON,
    JSON,
    JSON,
    JSON,
    st.sampled_from(["", "edit", "delete", "move", "execute", "fetch", "read", "search", "think", "other", "new"]),
)
def test_every_announcement_is_something(given_: Any, title: Any, content: Any, locations: Any, kind: str) -> None:
    told = {"toolCallId": "t", "rawInput": given_, "title": title, "content": content, "locations": locations, "kind": kind}
    wanted = native(call(told), WORK)
    assert wanted.tool
    assert wanted.actions or kind in ("think", "edit", "delete", "read", "search", "move")


def test_a_long_list_of_refusals_is_cut() -> None:
    told = again([(f"run {number}", "no") for number in range(40)] * 2)
    assert len(told.splitlines()) == 15
    assert "- and 28 more" in told


# ------------------------------------------------------------------------------------------------ its outfit


def test_the_outfit_is_the_agents_own_command_and_the_meter(folder: Path) -> None:
    told = task(folder, "http://127.0.0.1:8100", "x", command=("python3", "-m", "agent"), model="gpt-5.1")
    outfit = anyio.run(Acp().outfit, told)
    assert outfit.argv == ("python3", "-m", "agent")
    assert outfit.talks and outfit.meter and not Acp().shows
    assert outfit.environment["OPENAI_BASE_URL"] == "http://127.0.0.1:8100/v1"
    assert {outfit.environment[f"{name}_API_KEY"] for name in ("ANTHROPIC", "OPENAI", "GEMINI")} == {"run-token"}


def test_an_agent_that_is_not_here_is_missed_by_its_name(folder: Path) -> None:
    with pytest.raises(BadInput, match="no ACP agent to start"):
        anyio.run(Acp().outfit, task(folder, "", "x"))
    with pytest.raises(Unavailable, match="no `no-such-agent` is on PATH"):
        anyio.run(Acp().outfit, task(folder, "", "x", command=("no-such-agent",)))


def test_a_script_of_ones_own_is_started_as_it_is(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "agent"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    outfit = anyio.run(Acp().outfit, task(folder, "", "x", command=(str(script), "--acp")))
    assert (outfit.argv, outfit.visible) == ((str(script), "--acp"), ())


def test_a_write_is_only_carried_out_under_its_whole_path() -> None:
    seat = answered(said("fs/write_text_file", 7, sessionId="s", path="a.md", content="a"))
    assert seat.answers()[7]["error"]["message"] == "only files of the workspace are written here"
    assert seat.ruled == []


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "execute", "title": "remit_x=1; rm -rf docs"},
        {"kind": "execute", "title": "remit_tidy up", "rawInput": {"command": "git push --force"}},
        {"kind": "edit", "title": "x (remit MCP Server)", "rawInput": {"filePath": "/w/a.md"}},
    ],
)
def test_a_title_alone_makes_nothing_one_of_remits_own_tools(told: dict[str, Any]) -> None:
    assert actions(call({"toolCallId": "1", **told}), "/w")


def test_a_later_title_makes_a_tool_of_another_name_none_of_remits_own() -> None:
    for joint, id_ in (("", "1"), ("__", "remember__1")):
        first = call({"toolCallId": id_, "kind": "other", "title": "remember"}, joint=joint)
        told = call({"toolCallId": id_, "title": "act (remit MCP Server)"}, first, joint=joint)
        assert [action.said() for action in actions(told, "/w")] == ["call remember"]


def test_a_bare_name_that_leads_into_the_workspace_shows_nothing_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "work" / "node_modules" / ".bin" / "agent"
    place.parent.mkdir(parents=True)
    place.write_text("#!/bin/sh\n")
    place.chmod(0o755)
    monkeypatch.setenv("PATH", str(place.parent))
    assert program(("agent", "--acp"), str(tmp_path / "work")) == ((str(place), "--acp"), (), "unknown")


def test_an_agents_program_is_never_started_outside_its_box(tmp_path: Path) -> None:
    """A child's command is the agent's own word, and `--version` is a start like any other."""
    trap = tmp_path / "agent"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    trap.chmod(0o755)
    assert program((str(trap), "--acp")) == ((str(trap), "--acp"), (), "unknown")
    assert not (tmp_path / "started").exists()
