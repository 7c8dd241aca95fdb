"""One attempt of the light agent: the conversation it begins or takes up, and the loop until it is done, asks, or must end."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import anyio
import pydantic_ai
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ModelMessagesTypeAdapter, ToolApproved, UsageLimits
from pydantic_ai.exceptions import ModelAPIError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse
from pydantic_ai.models import Model

from remit.adapters.models.scrub import scrubbed
from remit.adapters.runtimes.agent.guard import Guard, library_tool
from remit.adapters.runtimes.agent.history import Book, Conversation
from remit.adapters.runtimes.agent.model import Metered, NotMade, resolved, tokens
from remit.adapters.runtimes.agent.tool import Bench, Tool
from remit.errors import Broken, Unavailable
from remit.ports.runtime import Task

pydantic_ai.BANNER_ENABLED = False

RETRIES = 3
"""how often in a row a tool may be called in a way it cannot be used, or an answer be none"""
HOUSE = (
    "You work through your tools, and every call is decided by a contract before it is made. A refused call says why, and what "
    "to do instead: do that, or leave it and say so; the same call will be refused again. Some calls wait for a person: they end "
    "your turn, and you are told the outcome when you go on. Look at the workspace with your tools instead of trusting what you "
    "remember. Call `done` when the work is done."
)
FURTHER = (
    "There is a further attempt at this task: {because}\nThe workspace may have been set back meanwhile: look before you go on."
)
"""what is said when an earlier conversation is taken up"""


class Kept:
    """The library's messages and their lines on disk, one for one."""

    def __init__(self, disk: Conversation) -> None:
        self._disk = disk
        self.messages: list[ModelMessage] = []
        self.tokens = 0
        self._last: ModelMessage | None = None

    def load(self) -> bytes:
        """Read what there is; gives it as it stands. Raises Unavailable where another version wrote it."""
        lines = self._disk.read()
        try:
            self.messages = [message for line in lines for message in ModelMessagesTypeAdapter.validate_json(line)]
        except ValueError as error:
            hint = "go on with the version of pydantic-ai that wrote it, or stop the run and begin anew"
            raise Unavailable(f"the conversation that was kept cannot be read: {error}"[:300], hint=hint) from None
        self.tokens = sum(map(tokens, self.messages))
        self._last = self.messages[-1] if self.messages else None
        return b"\n".join(lines)

    def forget(self) -> None:
        """Begin with nothing."""
        self._disk.rewrite([])

    def keep(self, messages: Sequence[ModelMessage]) -> None:
        """Put further messages down; all of them where the library has joined some meanwhile."""
        known = self._disk.count
        if known > len(messages) or (known and self._last != messages[known - 1]):
            self.all(messages)
            return
        self._disk.append([line(message) for message in messages[known:]])
        self.tokens += sum(map(tokens, messages[known:]))
        self._last = messages[-1] if messages else None

    def all(self, messages: Sequence[ModelMessage]) -> None:
        """Put these down in the place of whatever stood there."""
        self._disk.rewrite([line(message) for message in messages])
        self.tokens = sum(map(tokens, messages))
        self._last = messages[-1] if messages else None


def line(message: ModelMessage) -> bytes:
    """A message without the instructions, which every attempt is given anew."""
    bare = replace(message, instructions=None) if isinstance(message, ModelRequest) and message.instructions else message
    return ModelMessagesTypeAdapter.dump_json([bare])


async def work(model: str | Model, bench: Bench, task: Task, tools: Mapping[str, Tool]) -> str:
    """Work until the model says it is done, a person is asked, or no further call may be made; the last words.

    Raises Unavailable when the provider fails, and Broken when nothing the model says can be used.
    """
    with closing(Conversation(task.state)) as disk, closing(Book(task.state)) as book:
        kept = Kept(disk)
        prompt, results = await _begun(bench, task, kept, book)
        guard = Guard(bench=bench, tools=tools, book=book, keep=kept.keep)
        agent = await _agent(model, guard, kept, task)
        try:
            async with agent:  # closes what its model opened
                words = await _driven(agent, guard, kept, prompt, results)
        except NotMade as error:
            return error.no.why
        except UnexpectedModelBehavior as error:
            said = scrubbed(str(error))
            raise Broken(f"what the model answers cannot be used: {said}", hint="try a model that calls tools well") from None
        except ModelAPIError as error:
            said = scrubbed(str(error))
            raise Unavailable(f"the model's provider failed: {said}", hint="see that its key and address are right") from None
    if words.strip():
        await bench.seat.report(words)
    if words and not guard.done:
        await bench.seat.act({"schema": "remit.act/1", "verb": "done", "object": words[:2000], "arguments": {}, "wait": 0})
    return words


async def _agent(model: str | Model, guard: Guard, kept: Kept, task: Task) -> Any:
    """The library's agent: a metered model, the tools through the guard, and nothing else."""
    # the provider's own library takes its time
    found = model if isinstance(model, Model) else await anyio.to_thread.run_sync(resolved, model)
    metered = Metered(found, guard.bench.seat.account, most_output=task.most_output, said=lambda: kept.tokens)
    return Agent(
        metered, name="agent", instructions=[*filter(None, (task.identity, HOUSE))], output_type=[str, DeferredToolRequests],
        tools=[library_tool(guard, tool) for tool in guard.tools.values()], capabilities=[guard], retries=RETRIES,
    )  # fmt: skip


async def _begun(bench: Bench, task: Task, kept: Kept, book: Book) -> tuple[str | None, DeferredToolResults | None]:
    """What is said first, and which calls of an earlier process are taken up. What is loaded is on record."""
    if task.keeps or book.asked:
        whole = kept.load()
        if kept.messages:
            await bench.seat.loaded("history", whole)
            further = FURTHER.format(because=task.because) if task.because else None
            calls = unanswered(kept.messages)
            if calls:
                return further, DeferredToolResults(approvals={call: ToolApproved() for call in calls})
            return further or "Go on.", None
    kept.forget()
    book.clear()
    return task.text, None


async def _driven(agent: Any, guard: Guard, kept: Kept, prompt: str | None, results: DeferredToolResults | None) -> str:
    limits = UsageLimits(request_limit=None)  # the account bounds it
    async with agent.iter(
        prompt, message_history=kept.messages or None, deferred_tool_results=results, usage_limits=limits
    ) as run:
        async for node in run:
            if guard.done and Agent.is_model_request_node(node):
                kept.all([*run.all_messages(), node.request])
                return last_words(run.all_messages())
        kept.all(run.all_messages())
        return run.result.output if isinstance(run.result.output, str) else ""


def unanswered(messages: Sequence[ModelMessage]) -> list[str]:
    """Calls of the model's last answer that no result stands for."""
    at = next((at for at in reversed(range(len(messages))) if isinstance(messages[at], ModelResponse)), None)
    if at is None:
        return []
    response = messages[at]
    assert isinstance(response, ModelResponse)
    told = {getattr(part, "tool_call_id", "") for message in messages[at + 1 :] for part in message.parts}
    return [part.tool_call_id for part in response.tool_calls if part.tool_call_id not in told]


def last_words(messages: Sequence[ModelMessage]) -> str:
    """What the model said last before it called `done`, and what it said with that call."""
    answers = [message for message in messages if isinstance(message, ModelResponse)]
    spoken = next((text for each in reversed(answers) if (text := (each.text or "").strip())), "")
    calls = answers[-1].tool_calls if answers else []
    ending = next((str(call.args_as_dict().get("message") or "") for call in calls if call.tool_name == "done"), "").strip()
    return spoken if ending in spoken else f"{spoken}\n\n{ending}".strip()
