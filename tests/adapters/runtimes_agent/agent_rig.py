"""A light agent at work on a folder of this machine: scripted answers of a model, and rulings of a real contract."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from remit.adapters.runtimes.agent.runtime import LightAgent
from remit.adapters.sandboxes.argv import HANDS
from remit.adapters.sandboxes.inside import source
from remit.authority.compile import compile_contract
from remit.authority.decide import decide
from remit.authority.decision import Allow
from remit.authority.spent import Spent
from remit.contract.parse import parse
from remit.engine.doorkeeper import read_request, reply
from remit.ports.runtime import Native, Ruling, Task
from remit.testing.seat import AllowingAccount, TestSeat, allowed, done, seated

HEAD = "goal: Tidy the docs\nowner: release-lead@example.com\nsuccess:\n  - {id: hello, file: docs/hello.md, exists: true}\nrecovery:\n  - {when: failed, do: undo}\nlimits: {turns: 40, time: 10m}\n"
Step = Sequence[ToolCallPart] | str | Exception


class Script:
    """A model that answers with these steps, one each turn, and keeps what it was sent."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.seen: list[list[ModelMessage]] = []
        self.infos: list[AgentInfo] = []

    @property
    def model(self) -> FunctionModel:
        return FunctionModel(self._answer)

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.seen.append(list(messages))
        self.infos.append(info)
        step = self.steps.pop(0) if self.steps else "nothing more to do"
        if isinstance(step, Exception):
            raise step
        return ModelResponse(parts=[TextPart(step)] if isinstance(step, str) else list(step))

    def told(self) -> list[tuple[str, str, str]]:
        """The results the model was told in all: tool, outcome, words."""
        found: dict[str, tuple[str, str, str]] = {}
        for messages in self.seen:
            for message in messages:
                for part in message.parts if isinstance(message, ModelRequest) else ():
                    if isinstance(part, ToolReturnPart):
                        found[part.tool_call_id] = part.tool_name, part.outcome, str(part.content)
        return list(found.values())


def use(tool: str, /, call: str | None = None, **arguments: Any) -> ToolCallPart:
    """A tool call as a model writes it."""
    return ToolCallPart(tool, arguments, tool_call_id=call) if call else ToolCallPart(tool, arguments)


class Place:
    """A workspace, and what a run keeps between its attempts."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.state = folder / "state"
        self.work.mkdir()
        (self.work / "docs").mkdir()
        (self.work / "docs" / "hello.md").write_text("hello\nworld\n")
        tools = folder / "inside"
        tools.mkdir()
        self.hands = tools / "hands"
        self.hands.write_bytes(b"#!" + sys.executable.encode() + b" -IS\n" + source("hands"))
        self.hands.chmod(0o755)
        (tools / "eyes.py").write_bytes(source("eyes"))

    def task(self, **given: Any) -> Task:
        usual: dict[str, Any] = {
            "run": "r1",
            "attempt": 1,
            "text": "Tidy the docs.",
            "cwd": str(self.work),
            "state": self.state,
            "token": "t",
        }
        return Task(**(usual | given))

    @asynccontextmanager
    async def seat(
        self, task: Task, *, rule: Callable[[Native], Awaitable[Ruling]] = allowed,
        act: Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]] = done, account: AllowingAccount | None = None,
    ) -> AsyncIterator[TestSeat]:  # fmt: skip
        outfit = await LightAgent("test").outfit(task)
        async with seated(outfit, self.work, rule=rule, act=act, account=account, instead={HANDS: str(self.hands)}) as seat:
            yield seat

    async def run(self, script: Script, **given: Any) -> tuple[TestSeat, LightAgent]:
        """One attempt from beginning to end."""
        about = {name: given.pop(name) for name in ("rule", "act", "account") if name in given}
        task = self.task(**given)
        agent = LightAgent(script.model)
        async with self.seat(task, **about) as seat:
            await agent.drive(seat, task)
        return seat, agent


class Gate:
    """A contract that rules: its real decisions, with yes to the digests of actions that a person approved."""

    def __init__(self, rules: str) -> None:
        parsed = parse(HEAD + rules, file="c.remit.yaml")
        assert parsed.contract is not None, parsed.findings
        self.authorities = (compile_contract(parsed.contract),)
        self.yes: set[str] = set()
        self.no: set[str] = set()
        self.asked: list[str] = []

    def _decided(self, action: Any) -> tuple[Any, str]:
        decision = decide(self.authorities, action, spent=Spent(), approvals=(), now=datetime(2026, 11, 20, tzinfo=UTC))
        return decision, action.digest()

    async def rule(self, native: Native) -> Ruling:
        for action in native.actions:
            decision, digest = self._decided(action)
            if type(decision).__name__ == "Ask" and digest in self.yes:
                self.yes.discard(digest)
                continue
            if type(decision).__name__ == "Ask" and digest not in self.no:
                self.asked.append(digest)
                return Ruling(allowed=False, why="a person is asked", question=f"Q{len(self.asked)}")
            if not isinstance(decision, Allow):
                return Ruling(allowed=False, why="; ".join(f"{each.why} Instead: {each.instead}" for each in decision.reasons))
        return Ruling(allowed=True)

    async def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        if message["verb"] == "done":
            return {"schema": "remit.act/1", "decision": "allow", "reasons": [], "done": True}
        action, _, _ = read_request(dict(message))
        decision, digest = self._decided(action)
        if type(decision).__name__ == "Ask" and digest in self.yes:
            return {"schema": "remit.act/1", "decision": "allow", "reasons": [], "done": True, "receipt": "done once"}
        if type(decision).__name__ == "Ask":
            self.asked.append(digest)
            return reply(decision, "r1", question=f"Q{len(self.asked)}")
        return reply(decision, "r1")
