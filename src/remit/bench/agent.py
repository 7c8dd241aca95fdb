"""What the guard costs a light agent: a whole run of many turns, beside the same model and the same tool without one."""

import importlib.util
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from remit.bench.row import Goal, Row
from remit.bench.turns import in_turn, show
from remit.errors import Unavailable
from remit.ports.runtime import Native, Ruling, Task
from remit.testing.seat import AllowingAccount

if TYPE_CHECKING:
    from pydantic_ai.models.function import FunctionModel

TURNS = 20


class Desk:
    """A seat that allows everything and keeps files in a dictionary: what is left to measure is the loop and its guard."""

    def __init__(self) -> None:
        self.account = AllowingAccount()
        self.files: dict[str, bytes] = {}

    async def read(self) -> bytes | None:
        await anyio.sleep_forever()
        return None

    async def say(self, data: bytes) -> None:
        return

    async def close(self) -> None:
        return

    async def rule(self, native: Native, *, wait: float = 0.0) -> Ruling:
        return Ruling(allowed=True)

    async def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {"schema": "remit.act/1", "decision": "allow", "reasons": [], "done": True}

    async def write(self, path: str, data: bytes) -> None:
        self.files[path] = data

    async def remove(self, path: str) -> None:
        del self.files[path]

    async def report(self, text: str) -> None:
        """Not kept."""

    async def loaded(self, what: str, content: bytes) -> None:
        return

    async def used(self, native: str) -> None:
        return


def model(turns: int) -> "FunctionModel":
    """A model that writes one file each turn, and then says a word."""
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    def answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        turn = len(messages) // 2
        if turn >= turns:
            return ModelResponse(parts=[TextPart("written")])
        given = {"path": f"docs/{turn}.md", "content": f"page {turn}\n" * 20}
        return ModelResponse(parts=[ToolCallPart("write_file", given, tool_call_id=f"call-{turn}")])

    return FunctionModel(answer)


def guarded(turns: int, state: Path) -> None:
    """The light agent from beginning to end. The gate's own cost is in the rows of `decide` and `ledger`."""
    from remit.adapters.runtimes.agent.runtime import LightAgent

    desk = Desk()
    task = Task(run="bench", attempt=1, text="Write the pages.", cwd="/work", state=state, token="")
    anyio.run(LightAgent(model(turns)).drive, desk, task)
    assert len(desk.files) == turns == len(desk.account.settled) - 1


def bare(turns: int) -> None:
    """The library alone, with as many tools, and nothing before or after the one that writes."""
    from pydantic_ai import Agent, Tool, UsageLimits

    from remit.adapters.runtimes.agent.tools import chosen

    files: dict[str, bytes] = {}

    async def write_file(path: str, content: str) -> str:
        files[path] = content.encode()
        return f"wrote {path}: {len(files[path])} bytes"

    tools = [Tool.from_schema(write_file, tool.name, tool.says, tool.schema()) for tool in chosen((), ()).values()]
    agent = Agent(model(turns), name="bare", tools=tools)

    async def run() -> None:
        await agent.run("Write the pages.", usage_limits=UsageLimits(request_limit=None))

    anyio.run(run)
    assert len(files) == turns


def rows(*, quick: bool = False) -> Iterator[Row]:
    """A turn of the light agent. Raises Unavailable without the library."""
    if importlib.util.find_spec("pydantic_ai") is None:
        raise Unavailable("the light agent is not installed", hint="pip install 'remit[agent]'")
    with tempfile.TemporaryDirectory() as place:
        contestants = {"ours": lambda: guarded(TURNS, Path(place)), "rival": lambda: bare(TURNS)}
        taken = in_turn(contestants, rounds=5 if quick else 25, warm=2)
    ours, rival = taken["ours"] / TURNS, taken["rival"] / TURNS
    goal = Goal(kind="times", bound=1.5)
    against = "bare pydantic-ai with the same tools"
    yield Row(name="light agent, a turn that writes a file", against=against, goal=goal, ours=ours, rival=rival)


if __name__ == "__main__":
    show(rows())
