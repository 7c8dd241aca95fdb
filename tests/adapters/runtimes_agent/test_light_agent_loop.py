"""The light agent's loop: each call is decided on its own, refusals reach the model, caps end the work softly."""

from pathlib import Path

import anyio
import pytest
from agent_rig import Gate, Place, Script, use
from pydantic_ai.messages import ToolCallPart

from remit.authority.action import Action
from remit.contract.party import Tool
from remit.errors import Broken
from remit.ports.models import Hold, ModelCall, NoCall
from remit.testing.seat import AllowingAccount

MAY = 'may:\n  - read: "**"\n  - write: docs/**\n  - run: [ls docs]\n'


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_is_written_on_the_stage_after_its_ruling_and_the_work_ends_with_done(place: Place) -> None:
    script = Script([use("write_file", path="docs/new.md", content="new\n")], [use("done", message="written")])
    seat, _ = anyio.run(place.run, script)
    assert (place.work / "docs" / "new.md").read_text() == "new\n"
    (native, ruling), (ending, _) = seat.ruled
    assert (ending.tool, ending.actions) == ("done", ())
    assert (native.tool, native.actions, native.content) == (
        "write_file",
        (Action(verb="write", object="docs/new.md"),),
        b"new\n",
    )
    assert ruling.allowed and seat.returned[0] == native.id
    assert [message["verb"] for message in seat.acted] == ["done"]
    assert script.steps == [] and len(script.seen) == 2
    assert seat.closed


def test_the_identity_leads_the_instructions_and_every_file_that_is_read_is_on_record(place: Place) -> None:
    script = Script([use("read_file", path="docs/hello.md")], "read")
    seat, _ = anyio.run(lambda: place.run(script, identity="You act for the docs team."))
    assert seat.contexts == [
        ("identity", b"You act for the docs team."), ("task", b"Tidy the docs."), ("file docs/hello.md", b"hello\nworld\n"),
    ]  # fmt: skip
    assert script.infos[0].instructions is not None and script.infos[0].instructions.startswith("You act for the docs team.")


def test_a_changed_file_is_seen_as_it_is_now(place: Place) -> None:
    script = Script(
        [use("read_file", path="docs/hello.md")], [use("edit_file", path="docs/hello.md", old="world", new="there")],
        [use("read_file", path="docs/hello.md")],
    )  # fmt: skip
    anyio.run(place.run, script)
    assert [words for tool, _, words in script.told() if tool == "read_file"] == ["hello\nworld\n", "hello\nthere\n"]


def test_every_hand_works(place: Place) -> None:
    script = Script(
        [use("list_files", path="docs"), use("search", pattern="w.r"), use("shell", command="echo one && echo two"), use("shell", command=["echo", "a b"])],
        [use("delete_file", path="docs/hello.md")], [use("list_files", glob="*.md"), use("read_file", path="docs/hello.md"), use("shell", command="exit 3")],
    )  # fmt: skip
    anyio.run(place.run, script)
    assert [(outcome, words) for _, outcome, words in script.told()] == [
        ("success", "docs/hello.md"), ("success", "docs/hello.md:2: world"), ("success", "one\ntwo\n\n[exit status 0]"), ("success", "a b\n\n[exit status 0]"),
        ("success", "deleted docs/hello.md"), ("success", "there is nothing"), ("failed", "No such file or directory"), ("success", "\n[exit status 3]"),
    ]  # fmt: skip


def test_a_refusal_reaches_the_model_with_its_reason_and_does_not_end_the_work(place: Place) -> None:
    gate = Gate(MAY + "never:\n  - write: docs/hello.md\n    because: it is generated\n")
    refused = [[use("write_file", path="docs/hello.md", content=str(n))] for n in range(12)]
    script = Script(*refused, [use("write_file", path="docs/b.md", content="b")], [use("done")])
    anyio.run(lambda: place.run(script, rule=gate.rule))
    told = script.told()
    assert [outcome for _, outcome, _ in told] == ["denied"] * 12 + ["success"]
    assert all("it is generated" in words for _, _, words in told[:12])
    assert (place.work / "docs" / "hello.md").read_text() == "hello\nworld\n"


def test_calls_of_one_answer_are_decided_each_on_its_own(place: Place) -> None:
    gate = Gate(MAY)
    script = Script(
        [
            use("read_file", path="docs/hello.md"),
            use("write_file", path="src/a.py", content=""),
            use("shell", command="ls docs"),
            use("shell", command="rm -r docs"),
        ]
    )
    anyio.run(lambda: place.run(script, rule=gate.rule))
    assert sorted((tool, outcome) for tool, outcome, _ in script.told()) == [
        ("read_file", "success"),
        ("shell", "denied"),
        ("shell", "success"),
        ("write_file", "denied"),
    ]


def test_an_edit_that_does_not_fit_is_told_and_changes_nothing(place: Place) -> None:
    script = Script(
        [use("edit_file", path="docs/hello.md", old="l", new="L"), use("edit_file", path="docs/none.md", old="a", new="b")]
    )
    seat, _ = anyio.run(place.run, script)
    assert [outcome for _, outcome, _ in script.told()] == ["failed", "failed"]
    assert "occurs 3 times" in script.told()[0][2]
    assert [action.verb for native, _ in seat.ruled for action in native.actions] == ["read", "read"]
    assert (place.work / "docs" / "hello.md").read_text() == "hello\nworld\n"


@pytest.mark.parametrize(
    "call",
    [
        use("no_such_tool"), use("write_file", path="docs/a.md"), use("write_file", path=3, content="x"),
        use("read_file", path="docs/hello.md", first=0), use("search", pattern="("), ToolCallPart("write_file", "not json"),
        ToolCallPart("write_file", "[1]"), use("write_file", path="a", content="b", mode="rwx"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_used_is_told_to_the_model_which_may_try_again(place: Place, call: ToolCallPart) -> None:
    script = Script([call], [use("write_file", path="docs/ok.md", content="ok")], [use("done")])
    seat, _ = anyio.run(place.run, script)
    assert (place.work / "docs" / "ok.md").read_text() == "ok"
    assert len(seat.account.reserved) == 3
    assert seat.ruled[0][0].tool == call.tool_name, "the gate has seen every call the model wrote"


def test_garbage_without_end_ends_the_work_and_says_why(place: Place) -> None:
    script = Script(*[[use("no_such_tool")]] * 50)
    account = AllowingAccount()
    with pytest.raises(Broken, match="cannot be used"):
        anyio.run(lambda: place.run(script, account=account))
    assert len(account.reserved) == len(account.settled) <= 5


class Capped(AllowingAccount):
    """An account with so many calls."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    async def reserve(self, call: ModelCall) -> Hold | NoCall:
        if len(self.reserved) >= self.most:
            return NoCall(code="LIMIT", why="the limit `turns` is used up: 5 of 5")
        return await super().reserve(call)


def test_the_sixth_turn_of_five_never_starts_and_the_work_ends_with_the_words(place: Place) -> None:
    script = Script(*[[use("list_files")]] * 20)
    seat, agent = anyio.run(lambda: place.run(script, account=Capped(5)))
    assert len(script.seen) == len(seat.account.settled) == 5
    assert agent.words == "the limit `turns` is used up: 5 of 5"


def test_a_text_alone_ends_the_work(place: Place) -> None:
    script = Script("All is well.")
    seat, agent = anyio.run(place.run, script)
    assert agent.words == "All is well."
    assert [(message["verb"], message["object"]) for message in seat.acted] == [("done", "All is well.")]


def test_named_tools_are_all_the_model_has(place: Place) -> None:
    script = Script("ok")
    anyio.run(lambda: place.run(script, command=("read_file", "search"), tools=(Tool(name="refund", tier="high-risk"),)))
    assert [tool.name for tool in script.infos[0].function_tools] == ["read_file", "search", "ask_owner", "done", "refund"]


def test_when_the_box_ends_the_work_ends(place: Place) -> None:
    script = Script([use("shell", command="kill -9 $PPID")], "never said")
    _, agent = anyio.run(place.run, script)
    assert agent.words == "the box ended"
    assert len(script.seen) == 1
