"""Codex at work: JSON-RPC with its app server, which asks about every command and every change of files.

A refusal reaches its model as `rejected by user` and no more; so the reason follows it at once as a word to the running turn.
"""

from collections.abc import Mapping
from typing import Any

import anyio
from anyio.abc import TaskGroup

from remit.adapters.runtimes.codex.outfit import PRODUCT, instructions, outfit
from remit.adapters.runtimes.codex.tools import changes, command, server_call
from remit.adapters.runtimes.finding import find
from remit.adapters.runtimes.messages import Messages, line, table, text
from remit.adapters.runtimes.remembered import Memory
from remit.errors import RemitError
from remit.ports import Native, Outfit, Ruling, Seat, Task

UNDECIDED = Ruling(allowed=False, why="remit could not decide this, so it may not happen; leave it and say so in your answer")
KEPT = ("commandExecution", "fileChange", "mcpToolCall")
"""items that act"""
MOST_ITEMS = 256


class Codex:
    """See `remit.ports.Runtime`."""

    name = "codex"
    shows = True

    def __init__(self) -> None:
        self._seat: Seat | None = None
        self._task: Task | None = None
        self._memory: Memory | None = None
        self._items: dict[str, Mapping[str, Any]] = {}
        self._sent: dict[int, str] = {}
        self._number = 0
        self._thread = ""
        self._turn = ""
        self.final = ""
        """its last word"""
        self.failed = True
        """False once it says that it ended well; whether it did, only the checks say"""
        self.tokens = 0
        """as it counts them; the meter's count is the one that is charged"""

    async def outfit(self, task: Task) -> Outfit:
        """See `ports.Runtime`. Raises Unavailable."""
        return outfit(await find(PRODUCT, task.cwd), task)

    async def drive(self, seat: Seat, task: Task) -> None:
        """See `ports.Runtime`."""
        self._seat, self._task, self._memory = seat, task, Memory(task)
        if task.identity:
            await seat.loaded("identity", task.identity.encode())
        await seat.loaded("task", (self._memory.before + task.text).encode())
        about = {"name": "remit", "title": "remit", "version": "1"}
        await self._request("initialize", {"clientInfo": about})
        messages = Messages(seat)
        async with anyio.create_task_group() as group:
            while (message := await messages.next()) is not None:
                if await self._heard(message, group):
                    break
            group.cancel_scope.cancel()
        self._memory.said(self.final)
        if self.final.strip():
            await seat.report(self.final)
        await seat.close()

    async def cancel(self) -> None:
        """See `ports.Runtime`."""
        if self._seat is not None and self._turn:
            try:
                await self._request("turn/interrupt", {"threadId": self._thread, "turnId": self._turn})
            except (RemitError, OSError, ValueError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    # ------------------------------------------------------------------------------------------------------ heard

    async def _heard(self, message: Mapping[str, Any], group: TaskGroup) -> bool:
        """Act on one message; True once the task is over for it."""
        method, number = text(message.get("method")), message.get("id")
        if method and number is not None:
            group.start_soon(self._decide, number, method, table(message.get("params")))
            return False
        if method:
            return await self._told(method, table(message.get("params")))
        return await self._answered(number, message)

    async def _answered(self, number: object, message: Mapping[str, Any]) -> bool:
        """Its answers to what we asked lead from one step to the next. Where one of the steps fails, it is over."""
        assert self._task is not None and self._memory is not None
        method = self._sent.pop(number, "") if isinstance(number, int) else ""
        if method in ("", "turn/steer", "turn/interrupt"):
            return False
        if "result" not in message:
            self.failed = True
            self.final = text(table(message.get("error")).get("message"))
            return True
        result = table(message.get("result"))
        match method:
            case "initialize":
                await self._send({"method": "initialized"})
                await self._request("thread/start", self._beginning(self._task))
            case "thread/start":
                self._thread = text(table(result.get("thread")).get("id"))
                said = {"type": "text", "text": self._memory.before + self._task.text}
                await self._request("turn/start", {"threadId": self._thread, "input": [said]})
            case "turn/start":
                self._turn = text(table(result.get("turn")).get("id"))
        return False

    def _beginning(self, task: Task) -> dict[str, Any]:
        """Its own sandbox is off: ours is around it, and its would show and hide what the contract does not say."""
        start: dict[str, Any] = {"cwd": task.cwd, "approvalPolicy": "untrusted", "sandbox": "danger-full-access"}
        start |= {"approvalsReviewer": "user", "developerInstructions": instructions(task)}
        return start | ({"model": task.model} if task.model else {})

    async def _told(self, method: str, params: Mapping[str, Any]) -> bool:
        item = table(params.get("item"))
        match method:
            case "item/started" if item.get("type") in KEPT:
                self._keep(item)
            case "item/fileChange/patchUpdated":
                known = self._items.get(text(params.get("itemId")))
                if known is not None:
                    self._items[text(params.get("itemId"))] = {**known, "changes": params.get("changes")}
            case "item/completed":
                await self._ended(item)
            case "thread/tokenUsage/updated":
                total = table(table(params.get("tokenUsage")).get("total")).get("totalTokens")
                self.tokens = total if isinstance(total, int) else self.tokens
            case "turn/completed" if params.get("threadId") == self._thread:
                turn = table(params.get("turn"))
                self.failed = turn.get("status") != "completed"
                if self.failed and turn.get("error"):
                    self.final = text(table(turn.get("error")).get("message"))
                return True
        return False

    def _keep(self, item: Mapping[str, Any]) -> None:
        while len(self._items) >= MOST_ITEMS:
            self._items.pop(next(iter(self._items)))
        self._items[text(item.get("id"))] = item

    async def _ended(self, item: Mapping[str, Any]) -> None:
        assert self._seat is not None
        self._items.pop(text(item.get("id")), None)
        if item.get("type") in KEPT and item.get("status") == "completed":
            await self._seat.used(text(item.get("id")))
        if item.get("type") == "agentMessage":
            self.final = text(item.get("text"))

    # ------------------------------------------------------------------------------------------------------ decided

    async def _decide(self, number: object, method: str, params: Mapping[str, Any]) -> None:
        """Let the gate rule on what it wants. Anything that fails on the way is a refusal, and so is anything unknown."""
        ruling = await self._ruled(method, params)
        said = "accept" if ruling.allowed else "decline"
        match method:
            case "item/commandExecution/requestApproval" | "item/fileChange/requestApproval":
                answer: dict[str, Any] = {"result": {"decision": said}}
            case "mcpServer/elicitation/request":
                answer = {"result": {"action": said, "content": {} if ruling.allowed else None}}
            case _:
                answer = {"error": {"code": -32601, "message": f"remit does not answer `{method[:80]}`"}}
        if not ruling.allowed and ruling.why and "result" in answer:
            await self._explain(ruling.why, params)
        await self._send({"id": number, **answer})

    async def _ruled(self, method: str, params: Mapping[str, Any]) -> Ruling:
        assert self._seat is not None and self._memory is not None
        try:
            native = self._native(method, params)
            if native is None:
                return UNDECIDED
            ruling = await self._seat.rule(native)
            self._memory.called(native, ruling)
            return ruling
        except Exception:  # noqa: BLE001 - a no is the only safe answer, and leaving would end its conversation unanswered
            return UNDECIDED

    def _native(self, method: str, params: Mapping[str, Any]) -> Native | None:
        assert self._task is not None
        match method:
            case "item/commandExecution/requestApproval":
                return command(params, self._task.cwd)
            case "item/fileChange/requestApproval":
                return changes(params, self._items.get(text(params.get("itemId")), {}), self._task.cwd)
            case "mcpServer/elicitation/request":
                return server_call(params, tuple(self._items.values()))
        return None

    async def _explain(self, why: str, params: Mapping[str, Any]) -> None:
        said = {"type": "text", "text": f"[remit] {why}"}
        turn = {"threadId": text(params.get("threadId")), "expectedTurnId": text(params.get("turnId"))}
        try:
            await self._request("turn/steer", {**turn, "input": [said]})
        except ValueError:  # half a character in the reason; the refusal itself still goes out
            return

    # ------------------------------------------------------------------------------------------------------ said

    async def _request(self, method: str, params: Mapping[str, Any]) -> None:
        self._number += 1
        self._sent[self._number] = method
        await self._send({"id": self._number, "method": method, "params": params})

    async def _send(self, message: Mapping[str, Any]) -> None:
        assert self._seat is not None
        await self._seat.say(line(message))
