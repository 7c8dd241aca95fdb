"""The gate in the model loop: no tool acts without its grant, a refusal reaches the model, an open question ends the turn.

Only documented seams of the library are used: a hook defers a call before it runs, and another denies what was refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai import (
    ApprovalRequired,
    DeferredToolRequests,
    DeferredToolResults,
    ModelRetry,
    RunContext,
    SkipToolExecution,
    ToolDenied,
    ToolFailed,
)  # fmt: skip
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.tools import Tool as LibraryTool
from pydantic_ai.tools import ToolDefinition

from remit.adapters.runtimes.agent.brokered import exact
from remit.adapters.runtimes.agent.hands import HandsFailed
from remit.adapters.runtimes.agent.history import Book, compact
from remit.adapters.runtimes.agent.tool import Bench, CannotUse, Failed, Plan, Tool
from remit.authority.action import typed
from remit.ports.runtime import Native
from remit.value import digest

UNKNOWN = (
    "remit: this call was begun before, and the process ended before it was over: nobody knows whether it happened. "
    "Look first; do it again only when you have seen that it did not happen."
)
RECOGNISED = frozenset({"call", "delegate"})
"""what remit itself knows again when it is asked for once more, so that it is no second effect"""
OTHER = "remit refused this call: a person was asked about other arguments, and no answer to those counts for these."


@dataclass
class Guard(AbstractCapability[object]):
    """Every tool call, decided on its own: it is planned, and acts only after its grant. `keep` puts the conversation down."""

    bench: Bench
    tools: Mapping[str, Tool]
    book: Book
    keep: Callable[[Sequence[ModelMessage]], object]
    done: bool = False
    granted: dict[str, Plan] = field(default_factory=dict)

    async def before_tool_execute(
        self, ctx: RunContext[object], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        """Decide before anything runs. That a call was `approved` is never looked at: the gate answers for these arguments."""
        tool = self.tools.get(call.tool_name)
        if tool is None or not isinstance(args, dict):
            raise ApprovalRequired(metadata={"refused": f"there is no tool `{call.tool_name}` that takes this"})
        bound = named(tool.name, args)
        try:
            self._recall(tool, call, bound)
            plan = await tool.plan(self.bench, call.tool_call_id, tool.read(args))
        except CannotUse as error:
            await self._shown(call)
            raise ModelRetry(str(error)) from None
        except HandsFailed as error:
            await self._shown(call)
            raise ToolFailed(str(error)) from None
        ruling = await self.bench.seat.rule(plan.native)
        if not ruling.allowed:
            self._turned_away(call.tool_call_id, bound, ruling.why, ruling.question)
        self.granted[call.tool_call_id] = plan
        return args

    async def execute(self, tool: Tool, call: str, args: Mapping[str, Any]) -> str:
        """Act as planned. Without a grant nothing happens."""
        plan = self.granted.pop(call, None)
        if plan is None:
            raise ToolFailed("remit: nothing was granted for this call")
        bound = named(tool.name, args)
        known = self.book.of(call)
        if tool.changes:
            self.book.begin(call, bound)
        try:
            if plan.act is not None:
                result = await self._acted(tool, call, bound, plan, known.question if known else "")
            else:
                assert plan.do is not None
                result = await plan.do()
        except (Failed, HandsFailed) as error:
            self.book.end(call, str(error))
            await self.bench.seat.used(call)
            raise ToolFailed(str(error)) from None
        self.book.end(call, result)
        await self.bench.seat.used(call)
        return result

    async def before_model_request(self, ctx: RunContext[object], request_context: ModelRequestContext) -> ModelRequestContext:
        """What the model will now read is kept, so how its calls ended need not be remembered any longer."""
        self.keep(ctx.messages)
        self.book.clear()
        return request_context

    async def after_model_request(
        self, ctx: RunContext[object], *, request_context: ModelRequestContext, response: ModelResponse
    ) -> ModelResponse:
        """What the model wants is kept before any of it is done."""
        self.keep([*ctx.messages, response])
        for call in response.tool_calls:
            if call.tool_name not in self.tools or not readable(call):
                await self._shown(call)
        return response

    async def handle_deferred_tool_calls(
        self, ctx: RunContext[object], *, requests: DeferredToolRequests
    ) -> DeferredToolResults | None:
        """What was refused is denied here and now; what a person is asked stays open."""
        refused = {
            call.tool_call_id: ToolDenied(str(why))
            for call in requests.approvals
            if (why := requests.metadata.get(call.tool_call_id, {}).get("refused"))
        }
        return requests.build_results(approvals=refused) if refused else None

    # -----------------------------------------------------------------------------------------------------------------

    async def _shown(self, call: ToolCallPart) -> None:
        """A call that comes to nothing is shown all the same: the gate has seen every call the model wrote."""
        await self.bench.seat.rule(Native(id=call.tool_call_id, tool=call.tool_name, actions=(), text="cannot be used"))

    def _recall(self, tool: Tool, call: ToolCallPart, bound: str) -> None:
        """What is known of this call from before: it ran, may have run, or was asked about with these very arguments."""
        known = self.book.of(call.tool_call_id)
        if known is None:
            return
        if known.digest != bound:
            raise ApprovalRequired(metadata={"refused": OTHER})
        if known.stage == "ended":
            raise SkipToolExecution(known.result)
        if known.stage == "begun" and not set(tool.verbs) <= RECOGNISED:
            raise ToolFailed(UNKNOWN)

    def _turned_away(self, call: str, bound: str, why: str, question: str) -> None:
        if not question:
            raise ApprovalRequired(metadata={"refused": why or "remit refused this call"})
        self.book.wait(call, bound, question)
        raise ApprovalRequired(metadata={"question": question, "why": why, "digest": bound})

    async def _acted(self, tool: Tool, call: str, bound: str, plan: Plan, question: str) -> str:
        assert plan.act is not None
        message = dict(plan.act) | ({"question": question} if question and plan.act["verb"] == "ask" else {})
        answer = await self.bench.seat.act(message)
        if answer.get("draft") and answer.get("state") in ("done", "refused"):
            await self.bench.seat.act({"schema": answer["schema"], "verb": "got", "object": answer["draft"]})
        match answer.get("decision"):
            case "allow" if plan.then is not None:
                return await plan.then(answer)
            case "allow":
                self.done = self.done or tool.name == "done"
                return told(answer)
            case "ask" if answer.get("question"):
                self._turned_away(call, bound, reasons(answer), str(answer["question"]))
            case "ask":
                raise Failed(str(answer.get("note") or reasons(answer)))
        self.book.end(call, reasons(answer))
        raise ApprovalRequired(metadata={"refused": reasons(answer)})


def named(tool: str, args: Mapping[str, Any]) -> str:
    """What a call is bound to: the tool and exactly its arguments."""
    return digest([tool, typed(exact(args))])


def readable(call: ToolCallPart) -> bool:
    """Whether its arguments are a JSON object."""
    if not isinstance(call.args, str):
        return True
    try:
        return isinstance(json.loads(call.args or "{}"), dict)
    except ValueError:
        return False


def library_tool(guard: Guard, tool: Tool) -> LibraryTool[object]:
    """A tool as the library has it; it acts through the guard only."""

    async def run(ctx: RunContext[object], **args: Any) -> str:
        assert ctx.tool_call_id is not None
        return await guard.execute(tool, ctx.tool_call_id, args)

    return LibraryTool.from_schema(
        run, name=tool.name, description=tool.says, json_schema=tool.schema(), takes_ctx=True, sequential=tool.changes
    )


def told(answer: Mapping[str, Any]) -> str:
    """What an act that was allowed came to, for the model."""
    if "answer" in answer:
        return f"the owner answers: {answer['answer']}" + (f": {answer['note']}" if answer.get("note") else "")
    names = ("output", "receipt", "child", "verdict", "exceptions", "why", "note")
    shown = {name: answer[name] for name in names if answer.get(name)}
    return compact(shown) if shown else "done"


def reasons(answer: Mapping[str, Any]) -> str:
    """Why not, and what to do instead, for the model."""
    found = [each for each in answer.get("reasons") or () if isinstance(each, Mapping)]
    why = "; ".join(dict.fromkeys(f"{each.get('why')} ({each.get('code')})" for each in found)) or str(answer.get("note") or "")
    if not why and answer.get("question"):
        return "remit: nobody answered in time. Go on with what you know, or leave it and say so."
    instead = "; ".join(dict.fromkeys(str(each["instead"]) for each in found if each.get("instead")))
    return f"remit refused this: {why or 'no rule allows it'}." + (f" Instead: {instead}." if instead else "")
