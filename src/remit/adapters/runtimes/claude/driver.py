"""Claude Code at work: its stdio control protocol, in which it asks about every tool call.

By itself it asks about few: reading and commands it thinks harmless go unasked. So a hook for every tool is registered that
answers `ask`, after which it comes with `can_use_tool`, and that is where the gate answers. Whatever fails on our side is a no.
"""

from collections.abc import Mapping
from typing import Any

import anyio
from anyio.abc import TaskGroup

from remit.adapters.runtimes.claude.outfit import PRODUCT, outfit
from remit.adapters.runtimes.claude.tools import native, tightened
from remit.adapters.runtimes.finding import find
from remit.adapters.runtimes.messages import Messages, line, table, text
from remit.adapters.runtimes.remembered import Memory
from remit.errors import RemitError
from remit.ports import Outfit, Ruling, Seat, Task

HOOK = "remit"
HOOK_TIME = 3600
"""seconds after which it would stop waiting for the hook, and go on without"""
UNDECIDED = Ruling(allowed=False, why="remit could not decide this, so it may not happen; leave it and say so in your answer")


class Claude:
    """See `remit.ports.Runtime`."""

    name = "claude"
    shows = True

    def __init__(self) -> None:
        self._seat: Seat | None = None
        self._task: Task | None = None
        self._memory: Memory | None = None
        self._asked: dict[str, anyio.CancelScope] = {}
        self._number = 0
        self.final = ""
        """its last word"""
        self.failed = True
        """False once it says that it ended well; whether it did, only the checks say"""

    async def outfit(self, task: Task) -> Outfit:
        """See `ports.Runtime`. Raises Unavailable."""
        return outfit(await find(PRODUCT, task.cwd), task)

    async def drive(self, seat: Seat, task: Task) -> None:
        """See `ports.Runtime`."""
        self._seat, self._task, self._memory = seat, task, Memory(task)
        if task.identity:
            await seat.loaded("identity", task.identity.encode())
        await seat.loaded("task", (self._memory.before + task.text).encode())
        hook = {"matcher": "*", "hookCallbackIds": [HOOK], "timeout": HOOK_TIME}
        await self._request({"subtype": "initialize", "hooks": {"PreToolUse": [hook]}})
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
        if self._seat is not None:
            try:
                await self._request({"subtype": "interrupt"})
            except (RemitError, OSError, ValueError, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    # ------------------------------------------------------------------------------------------------------ heard

    async def _heard(self, message: Mapping[str, Any], group: TaskGroup) -> bool:
        """Act on one message; True once the task is over for it."""
        match message.get("type"):
            case "control_request":
                await self._wanted(text(message.get("request_id")), table(message.get("request")), group)
            case "control_cancel_request":
                scope = self._asked.pop(text(message.get("request_id")), None)
                if scope is not None:
                    scope.cancel()
            case "control_response":
                return await self._answered(table(message.get("response")))
            case "user":
                await self._returned(table(message.get("message")).get("content"))
            case "result":
                await self._over(message)
                return True
        return False

    async def _answered(self, response: Mapping[str, Any]) -> bool:
        """Its answer to what we asked: once it knows the hook it is given the task, and without the hook it gets none."""
        if response.get("request_id") != "remit-1":
            return False
        if response.get("subtype") != "success":
            self.failed = True
            return True
        assert self._task is not None and self._memory is not None
        said = {"role": "user", "content": self._memory.before + self._task.text}
        await self._send({"type": "user", "session_id": "", "parent_tool_use_id": None, "message": said})
        return False

    async def _wanted(self, request: str, wanted: Mapping[str, Any], group: TaskGroup) -> None:
        match wanted.get("subtype"):
            case "hook_callback":
                await self._reply(request, asking(wanted))
            case "can_use_tool":
                group.start_soon(self._decide, request, wanted)
            case other:
                why = f"remit does not answer `{text(other)[:80]}` requests"
                error = {"subtype": "error", "request_id": request, "error": why}
                await self._send({"type": "control_response", "response": error})

    async def _decide(self, request: str, wanted: Mapping[str, Any]) -> None:
        """Let the gate rule on a tool call. Anything that fails on the way is a refusal."""
        given = wanted.get("input")
        with anyio.CancelScope() as scope:
            self._asked[request] = scope
            ruling = await self._ruled(request, wanted)
            said: dict[str, Any] = {"behavior": "deny", "message": ruling.why or UNDECIDED.why}
            if ruling.allowed:
                said = {"behavior": "allow", "updatedInput": tightened(text(wanted.get("tool_name")), table(given))}
            try:
                await self._reply(request, said)
            except ValueError:  # arguments that are no text
                await self._reply(request, {"behavior": "deny", "message": UNDECIDED.why})
        self._asked.pop(request, None)

    async def _ruled(self, request: str, wanted: Mapping[str, Any]) -> Ruling:
        assert self._seat is not None and self._task is not None and self._memory is not None
        tool, given = wanted.get("tool_name"), wanted.get("input")
        if not isinstance(tool, str) or not tool or not isinstance(given, dict):
            return UNDECIDED
        try:
            call = native(text(wanted.get("tool_use_id")) or request, tool, given, self._task.cwd)
            ruling = await self._seat.rule(call)
            self._memory.called(call, ruling)
            return ruling
        except Exception:  # noqa: BLE001 - a no is the only safe answer, and leaving would make it go on unasked
            return UNDECIDED

    async def _returned(self, content: object) -> None:
        assert self._seat is not None
        for block in content if isinstance(content, list) else ():
            found = table(block)
            if found.get("type") == "tool_result" and not found.get("is_error"):
                await self._seat.used(text(found.get("tool_use_id")))

    async def _over(self, result: Mapping[str, Any]) -> None:
        """Its `subtype` says success even where it failed; `is_error` is right."""
        self.failed = result.get("is_error") is not False
        self.final = text(result.get("result"))

    # ------------------------------------------------------------------------------------------------------ said

    async def _request(self, request: Mapping[str, Any]) -> None:
        self._number += 1
        await self._send({"type": "control_request", "request_id": f"remit-{self._number}", "request": request})

    async def _reply(self, request: str, response: Mapping[str, Any]) -> None:
        answer = {"subtype": "success", "request_id": request, "response": response}
        await self._send({"type": "control_response", "response": answer})

    async def _send(self, message: Mapping[str, Any]) -> None:
        assert self._seat is not None
        await self._seat.say(line(message))


def asking(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What the hook says: ask. To anything that is not our hook before a tool: no."""
    known = wanted.get("callback_id") == HOOK
    output = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "ask" if known else "deny",
        "permissionDecisionReason": "remit decides every tool call",
    }
    return {"hookSpecificOutput": output}
