"""One conversation with an ACP agent: the SDK's connection on the seat, and what the agent may ask of its client."""

import hashlib
import posixpath
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any, Literal, cast

import anyio
from acp import PROTOCOL_VERSION, Client, RequestError, connect_to_agent, text_block
from acp.client import ClientSideConnection
from acp.schema import (
    AllowedOutcome,
    ClientCapabilities,
    DeniedOutcome,
    FileSystemCapabilities,
    Implementation,
    McpServerStdio,
    PermissionOption,
    RequestPermissionResponse,
    ToolCallUpdate,
    WriteTextFileResponse,
)
from msgspec.structs import replace
from pydantic import ValidationError

from remit.adapters.runtimes.acp.calls import Call, call, native, paths, written
from remit.adapters.runtimes.acp.line import ASKED, WRITTEN, SeatLine
from remit.adapters.runtimes.acp.manner import Manner
from remit.errors import Conflict
from remit.ports.runtime import Native, Ruling, Seat

AT_HAND = 64
"""tool calls that are remembered between their announcement and their question, with all that was told of them"""
MOST = 4096
"""grants, returned calls and letters that are remembered"""
MOST_SAID = 64 * 1024
"""characters of a turn that are remembered: its end"""
ENDED = (RequestError, ValidationError, ConnectionError)
"""what a conversation ends with when the agent breaks off, refuses, or speaks something else"""


class Desk:
    """What the agent meets as its client: each want is ruled, and refusals are kept for the next prompt."""

    def __init__(self, seat: Seat, cwd: str, manner: Manner) -> None:
        self._seat = seat
        self._cwd = cwd
        self._manner = manner
        self._known: dict[str, Call] = {}
        self._granted: list[tuple[str, str]] = []
        self._writes = 0
        self.line = SeatLine(seat, self.hear, (ASKED, WRITTEN) if manner.writes else (ASKED,))  # some write unasked for
        self.refused: list[tuple[str, str]] = []
        """what was refused since the last prompt, and why"""
        self.said = ""
        """the agent's last words"""
        self._returned: set[str] = set()

    async def hear(self, update: Mapping[str, Any]) -> None:
        """What the agent tells about its work, in order: tool calls to come, tool calls that returned, its words."""
        match update.get("sessionUpdate"):
            case "tool_call" | "tool_call_update" if isinstance(update.get("toolCallId"), str):
                about = self._tell(update)
                self.said += "\n" if self.said and not self.said.endswith("\n") else ""  # what it says next is another message
                if update.get("status") == "completed":
                    await self._used(about.id)
            case "agent_message_chunk" if isinstance(content := update.get("content"), dict):
                self.said = (self.said + str(content.get("text") or ""))[-MOST_SAID:]
            case _:
                return

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **more: Any
    ) -> RequestPermissionResponse:
        """Rule it, and choose among the options one that holds for this once only."""
        told = tool_call.model_dump(mode="python", by_alias=True, exclude_none=True)
        wanted = native(self._tell(told), self._cwd, whole=self._manner.whole)
        ruling = await self._rule(wanted)
        if ruling.allowed:
            self._granted = [*self._granted, *((path, named(wanted.content)) for path in written(wanted))][-MOST:]
        chosen = option(options, "allow_once" if ruling.allowed else "reject_once")
        if chosen is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=chosen))

    async def write_text_file(self, session_id: str, path: str, content: str, **more: Any) -> WriteTextFileResponse:
        """Rule it, unless a question about just this file was granted before; then the stage has it."""
        data = content.encode()
        wanted = native(self._writing(path, content), self._cwd, whole=True)
        inside = written(wanted)
        if len(inside) != 1 or len(wanted.actions) != 1 or not path.startswith("/"):
            raise RequestError(-32602, "only files of the workspace are written here")
        granted = next((each for each in self._granted if each in ((inside[0], ""), (inside[0], named(data)))), None)
        if granted is not None:
            self._granted.remove(granted)
        else:
            ruling = await self._rule(wanted)
            if not ruling.allowed:
                raise RequestError(-32000, ruling.why)
        try:
            await self._seat.write(inside[0], data)
        except (Conflict, OSError, ValueError) as error:  # what the path is made of is the agent's doing
            raise RequestError(-32000, str(error)) from None
        except Exception as error:  # noqa: BLE001 - `drive` raises it
            raise self._broken(error) from None
        return WriteTextFileResponse()

    def _writing(self, path: str, content: str) -> Call:
        """The tool call that a write belongs to: the last that was announced for just this file, else one of its own."""
        same = (
            each for each in reversed(self._known.values()) if each.kind == "edit" and paths(each) == (posixpath.normpath(path),)
        )
        self._writes += 1
        about = next(same, Call(id=f"fs-{self._writes}", name="write_text_file", kind="edit"))
        return replace(about, places=(path,), given={}, leaves=content)

    def _tell(self, told: Mapping[str, Any]) -> Call:
        """A further piece of what is known of a tool call."""
        id_ = str(told["toolCallId"])
        about = self._known.pop(id_, None)
        while len(self._known) >= AT_HAND:
            del self._known[next(iter(self._known))]
        self._known[id_] = call(told, about, joint=self._manner.joint)
        return self._known[id_]

    async def _used(self, id_: str) -> None:
        if id_ not in self._returned and len(self._returned) < MOST:
            self._returned.add(id_)
            await self._seat.used(id_)

    def _broken(self, error: Exception) -> RequestError:
        """It failed on our side: the conversation ends, and what was asked for is not granted."""
        self.line.fail(error)
        return RequestError(-32603, "remit could not decide this, so it may not happen")

    async def _rule(self, wanted: Native) -> Ruling:
        try:
            ruling = await self._seat.rule(wanted)
        except Exception as error:  # noqa: BLE001 - `drive` raises it
            raise self._broken(error) from None
        if not ruling.allowed:
            self.refused.append((wanted.text or wanted.tool, ruling.why))
        return ruling


class Conversation:
    """An open session: prompts go in, the words they ended with come back."""

    def __init__(self, connection: ClientSideConnection, desk: Desk, session: str) -> None:
        self._connection = connection
        self._session = session
        self.desk = desk

    async def prompt(self, *texts: str) -> str:
        """One turn. How it ended: ACP's stop reason, or empty when the agent broke off."""
        self.desk.said = ""
        self.desk.refused.clear()
        blocks = [text_block(text) for text in texts if text]
        try:
            answer = await self._connection.prompt(session_id=self._session, prompt=list(blocks))
        except ENDED:
            return ""
        return answer.stop_reason

    async def cancel(self) -> None:
        """Ask it to leave off. Never raises."""
        with suppress(*ENDED):
            await self._connection.cancel(session_id=self._session)


@asynccontextmanager
async def conversation(seat: Seat, cwd: str, manner: Manner) -> AsyncIterator[Conversation | None]:
    """A session with the agent in the box; None when it does not come to one. Raises what went wrong on our side."""
    desk = Desk(seat, cwd, manner)
    connection = connect_to_agent(cast(Client, desk), desk.line)
    try:
        yield await _opened(connection, desk, cwd, manner)
    finally:
        with anyio.CancelScope(shield=True):
            await connection.close()
    if desk.line.trouble is not None:
        raise desk.line.trouble


async def _opened(connection: ClientSideConnection, desk: Desk, cwd: str, manner: Manner) -> Conversation | None:
    offered = ClientCapabilities(fs=FileSystemCapabilities(read_text_file=False, write_text_file=manner.writes), terminal=False)
    named = [McpServerStdio(name=name, command=argv[0], args=list(argv[1:]), env=[]) for name, argv in manner.servers]
    try:
        await connection.initialize(
            protocol_version=PROTOCOL_VERSION,
            client_capabilities=offered,
            client_info=Implementation(name="remit", version=version("remit")),
        )
        session = await connection.new_session(cwd=cwd, mcp_servers=list(named))
    except ENDED:
        return None
    return Conversation(connection, desk, session.session_id)


def named(content: bytes | None) -> str:
    """The bytes that a yes was bound to, by their hash; empty where they were not shown."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def option(options: Sequence[PermissionOption], kind: Literal["allow_once", "reject_once"]) -> str | None:
    """The option that holds for this once. One that holds for longer is never chosen: every call is decided."""
    return next((each.option_id for each in options if each.kind == kind), None)
