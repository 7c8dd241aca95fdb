"""Every request to a model is set aside before it is sent and settled after, whatever becomes of it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from agent_rig import Place, Script
from pydantic_ai import Agent
from pydantic_ai.capabilities import NativeTool
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.native_tools import WebSearchTool

from remit.adapters.runtimes.agent.model import Metered, resolved
from remit.adapters.runtimes.agent.runtime import LightAgent
from remit.errors import BadInput, Broken, Unavailable
from remit.ports.models import Usage
from remit.testing.models import Final, ModelServer, Status, Write, served
from remit.testing.models import Script as Played
from remit.testing.seat import AllowingAccount

MODELS = ("anthropic:claude-opus-4-8", "openai:gpt-5-mini", "openai-responses:gpt-5-mini", "openai-chat:gpt-5-mini")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with served([Played(name="work", steps=(Write(path="docs/a.md", text="a\n"), Final(text="written")))]) as at:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", at.url)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{at.url}/v1")
        for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
            monkeypatch.setenv(name, "host-key")
        yield at


async def worked(place: Place, model: str, account: AllowingAccount, text: str = "[[script: work]]") -> str:
    task = place.task(text=text, model=model, most_output=500)
    agent = LightAgent()
    async with place.seat(task, account=account) as seat:
        await agent.drive(seat, task)
    return agent.words


@pytest.mark.parametrize("model", MODELS)
def test_any_model_string_works_with_the_hosts_key_and_address(place: Place, server: ModelServer, model: str) -> None:
    account = AllowingAccount()
    assert anyio.run(worked, place, model, account) == "written"
    assert (place.work / "docs" / "a.md").read_text() == "a\n"
    assert [(call.model, call.provider, call.output) for call in account.reserved] == [
        (model.partition(":")[2], model.partition("-")[0].partition(":")[0], 500)
    ] * 2
    assert [usage for _, usage, _ in account.settled] == [Usage(input=1000, output=200)] * 2
    assert [use.name for _, _, uses in account.settled for use in uses] == ["write_file"]
    assert all(call.input > len(seen.body) / 6 for call, seen in zip(account.reserved, server.work, strict=True)), (
        "an upper estimate"
    )


def test_the_answer_is_clamped_to_what_the_account_gives(place: Place, server: ModelServer) -> None:
    class Small(AllowingAccount):
        async def reserve(self, call):  # type: ignore[no-untyped-def]
            hold = await super().reserve(call)
            return type(hold)(key=hold.key, output=77)

    anyio.run(worked, place, "anthropic:claude-opus-4-8", Small())
    assert b'"max_tokens":77' in server.work[0].body.replace(b" ", b"")


@pytest.mark.parametrize("model", MODELS)
def test_every_further_try_is_a_call_of_its_own(
    place: Place, server: ModelServer, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remit.adapters.runtimes.agent.model.PAUSES", (0.0, 0.0, 0.0))
    server.add(Played(name="busy", steps=(Status(code=529, times=2), Final(text="at last"))))
    account = AllowingAccount()
    assert anyio.run(worked, place, model, account, "[[script: busy]]") == "at last"
    assert len(account.reserved) == len(server.work) == 3
    assert [(key, why[:10]) for key, why in account.given_back] == [("call-1", "try 1 of 4"), ("call-2", "try 2 of 4")]
    assert [key for key, _, _ in account.settled] == ["call-3"]


class Failing(FunctionModel):
    """A model that fails as often as it is told, then answers."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)

        def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
            if self.failures:
                raise self.failures.pop(0)
            return ModelResponse(parts=[], usage=Usage())  # type: ignore[arg-type]

        super().__init__(answer)


async def at_once(_: float) -> None:
    return


def metered(model: FunctionModel, account: AllowingAccount) -> Metered:
    return Metered(model, account, most_output=100, said=lambda: 10, sleep=at_once)


def test_what_the_provider_refused_is_given_back_and_tried_again_a_few_times() -> None:
    account = AllowingAccount()
    busy = [ModelHTTPError(429, "m", None) for _ in range(9)]
    with pytest.raises(ModelHTTPError):
        anyio.run(Agent(metered(Failing(*busy), account)).run, "go")
    assert len(account.reserved) == len(account.given_back) == 4
    assert account.settled == []


@pytest.mark.parametrize(("status", "charged"), [(429, 0), (503, 0), (529, 0), (500, 4), (502, 4), (504, 4)])
def test_a_try_that_may_have_been_work_is_charged_in_full(status: int, charged: int) -> None:
    account = AllowingAccount()
    with pytest.raises(ModelHTTPError):
        anyio.run(Agent(metered(Failing(*[ModelHTTPError(status, "m", None) for _ in range(9)]), account)).run, "go")
    assert len(account.reserved) == 4
    assert ([usage for _, usage, _ in account.settled], len(account.given_back)) == ([None] * charged, 4 - charged)


def test_what_can_never_work_is_not_tried_again(place: Place) -> None:
    account = AllowingAccount()
    script = Script(ModelHTTPError(401, "m", {"error": "no such key"}))
    with pytest.raises(Unavailable, match="provider failed"):
        anyio.run(lambda: place.run(script, account=account))
    assert len(account.reserved) == len(account.given_back) == 1


def test_what_nobody_knows_is_charged_in_full() -> None:
    account = AllowingAccount()
    with pytest.raises(OSError, match="cut off"):
        anyio.run(Agent(metered(Failing(OSError("cut off")), account)).run, "go")
    assert [usage for _, usage, _ in account.settled] == [None]


def test_a_call_that_is_cancelled_is_charged_in_full(place: Place) -> None:
    account = AllowingAccount()

    async def run() -> None:
        begun = anyio.Event()

        async def hang(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
            begun.set()
            await anyio.sleep_forever()
            raise AssertionError

        task = place.task()
        agent = LightAgent(FunctionModel(hang))
        async with place.seat(task, account=account) as seat, anyio.create_task_group() as group:
            group.start_soon(agent.drive, seat, task)
            with anyio.fail_after(10):
                await begun.wait()
            await agent.cancel()

    anyio.run(run)
    assert [usage for _, usage, _ in account.settled] == [None]


def test_tools_of_the_vendor_are_seen_and_left_out() -> None:
    account = AllowingAccount()
    script = Script("ok")
    model = FunctionModel(script._answer, profile={"supported_native_tools": frozenset({WebSearchTool})})
    anyio.run(Agent(metered(model, account), capabilities=[NativeTool(WebSearchTool())]).run, "go")
    assert account.reserved[0].hosted == ("web_search",)
    assert script.infos[0].model_request_parameters.native_tools == []


@pytest.mark.parametrize("model", ["", "no-such-provider:m", "gpt-5"])
def test_a_model_that_nobody_knows_is_said_plainly(model: str) -> None:
    with pytest.raises(BadInput, match="model"):
        resolved(model)


@pytest.mark.parametrize("status", [401, 429])
def test_a_key_that_the_provider_says_back_is_put_on_no_record(
    place: Place, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("remit.adapters.runtimes.agent.model.PAUSES", (0.0,))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-SUPER'SECRET123456")
    account = AllowingAccount()
    said = [ModelHTTPError(status, "m", {"error": "bad key Bearer sk-SUPER'SECRET123456"}) for _ in range(4)]
    with pytest.raises(Unavailable) as told:
        anyio.run(lambda: place.run(Script(*said), account=account))
    words = f"{told.value} {account.given_back}"
    assert "SECRET123456" not in words
    assert "$ANTHROPIC_API_KEY" in words


def test_whatever_else_fails_says_no_key_either(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPANY_TOKEN", "long-enough-to-be-one")
    with pytest.raises(Broken) as told:
        anyio.run(lambda: place.run(Script(OSError("https://me:pass@gateway.example/?t=long-enough-to-be-one"))))
    assert str(told.value) == "https://gateway.example/?t=$COMPANY_TOKEN"


def test_a_missing_key_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(BadInput) as told:
        resolved("anthropic:claude-opus-4-8")
    assert (
        str(told.value)
        == "the model `anthropic:claude-opus-4-8` needs ANTHROPIC_API_KEY, which is not set where remit is started"
    )
    assert told.value.hint == "set ANTHROPIC_API_KEY; it stays outside of the box"


@pytest.mark.parametrize(
    ("model", "why"), [("anthropik:foo", "anthropik"), ("anthropic:claude-opus-4-8", "ANTHROPIC_API_KEY"), ("openai:gpt-image-1", "pictures"), ("openai:gpt-4o-search-preview", "searches")],
)  # fmt: skip
def test_a_model_that_cannot_work_is_said_before_anything_starts(
    place: Place, model: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "host-key")
    with pytest.raises(BadInput, match=why):
        anyio.run(LightAgent().outfit, place.task(model=model))


def test_without_the_library_the_install_command_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Unavailable) as said:
        anyio.run(LightAgent("test").outfit, place.task())
    assert said.value.hint == "pip install 'remit[agent]'"


def test_a_tool_that_does_not_exist_is_said_before_anything_starts(place: Place) -> None:
    with pytest.raises(BadInput, match="did you mean `search`"):
        anyio.run(LightAgent("test").outfit, place.task(command=("serch",)))


def test_the_switch_that_forbids_requests_is_respected(
    place: Place, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pydantic_ai.models.ALLOW_MODEL_REQUESTS", False)
    with pytest.raises(RuntimeError, match="not allowed"):
        anyio.run(worked, place, MODELS[0], AllowingAccount())
    assert server.journal == ()


def test_the_library_is_imported_only_by_who_works_with_it() -> None:
    code = (
        "import sys, remit.adapters.runtimes.agent.runtime; print([name for name in sys.modules if name.startswith('pydantic')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_test_model_calls_every_tool_and_everything_is_ruled(place: Place) -> None:
    task = place.task(model="test")

    async def run() -> int:
        agent = LightAgent()
        async with place.seat(task) as seat:
            await agent.drive(seat, task)
            return len(seat.ruled) + len(seat.acted)

    assert anyio.run(run) >= 8
