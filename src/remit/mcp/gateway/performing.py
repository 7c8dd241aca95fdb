"""Carrying out a call by the server behind the gateway, and what its answer proves."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from remit.adapters.effects.arguments import json_text, readable, usable
from remit.authority.wire import read_json
from remit.errors import BadInput, Broken, Refused
from remit.guard.performing import receipt_of
from remit.mcp.gateway import messages
from remit.mcp.gateway.messages import Reply
from remit.mcp.gateway.passing import UNDER_WAY, Asks, Passing
from remit.ports import Receipt

LOOKED_INTO = 65536
"""bytes of an answer whose words are read for the receipt"""
KEPT = 1_000_000
"""bytes of an answer that is kept where nobody waits for it"""
ROUNDS = 20
"""times that a server may want more before it answers"""


class _Result(msgspec.Struct, rename="camel"):
    is_error: bool = False
    result_type: str = "complete"
    structured_content: msgspec.Raw = msgspec.Raw()
    content: msgspec.Raw = msgspec.Raw()
    task: msgspec.Raw = msgspec.Raw()


class Behind(Protocol):
    """Where the servers are, and what they said."""

    def reach(self, key: str) -> tuple[Asks, Passing | None]:
        """Who carries out what nobody is asking for just now, and the request that still waits for it. Raises Lost."""
        ...

    def keep(self, key: str, reply: Reply) -> None:
        """What the server said to a call."""
        ...


class ServerPerformer:
    """See `remit.ports.Performer`. `method` is what is asked of the server."""

    window: int | None = None
    probes = False
    settles = 0

    def __init__(self, name: str, method: str, behind: Behind) -> None:
        self._name, self._method, self._behind = name, method, behind

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """The name, and each argument on a line. Raises BadInput."""
        usable(arguments)
        shown = (f"{name}: {value if isinstance(value, str) else json_text(value)}" for name, value in sorted(arguments.items()))
        return readable("\n".join([self._name, *shown]))

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Ask the server. Raises Refused when it says that it failed; no answer leaves a doubt."""
        passing = UNDER_WAY.get()
        server = passing.server if passing is not None else None
        if server is None:
            server, passing = self._behind.reach(key)
        if passing is not None and passing.request.method == "subscriptions/listen":
            return Receipt(receipt="granted: it is asked for with everything else that is listened to")
        named = {"name": self._name, "arguments": arguments} if self._method == "tools/call" else dict(arguments)
        reply = await self._answered(server, passing, named)
        self._behind.keep(key, reply)
        if passing is not None:
            passing.reply = reply
        return _receipt(self._name, reply, kept=passing is None or passing.left.is_set())

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """No server of this protocol can be asked what became of a call. Raises Broken."""
        raise Broken("an MCP server cannot be asked what became of a call")

    async def _answered(self, server: Asks, passing: Passing | None, named: dict[str, Any]) -> Reply:
        beside = dict(passing.request.meta) if passing is not None else {}
        params = {**named, "_meta": beside} if beside else named
        reply = await server.ask(self._method, params, passing)
        for _ in range(ROUNDS):
            wanted = _wanted(reply)
            if wanted is None:
                return reply
            if passing is None:
                raise Broken("the server wants to know more, and nobody is there to say it")
            said = await passing.rounds.further(passing, wanted)
            if said is None:
                raise Broken("the server wanted to know more, and the host did not come back")
            state = {"requestState": wanted["requestState"]} if "requestState" in wanted else {}
            reply = await server.ask(self._method, {**params, "inputResponses": said, **state}, passing)
        raise Broken(f"the server wanted to know more {ROUNDS} times")


# ---------------------------------------------------------------------------------------------------------------------


def _wanted(reply: Reply) -> dict[str, Any] | None:
    """What the server wants to know before it answers (2026-07-28)."""
    if not reply.result or _looked(reply).result_type != "input_required":
        return None
    try:
        wanted = read_json(reply.result.decode())
    except BadInput as error:
        raise Broken(f"the server wants to know more, and not in a way that can be read: {error}") from error
    return wanted if isinstance(wanted, dict) else None


def _looked(reply: Reply) -> _Result:
    try:
        return msgspec.json.decode(reply.result, type=_Result)
    except msgspec.MsgspecError as error:
        raise Broken(f"the server answered with what is no result: {str(error)[:200]}") from error


def _receipt(name: str, reply: Reply, *, kept: bool) -> Receipt:
    if messages.lost(reply):
        raise Broken(messages.said(reply))
    if reply.error:
        raise Refused(f"the server refused `{name}`: {messages.said(reply)}")
    looked = _looked(reply)
    words = _words(looked)
    if looked.is_error:
        raise Refused(f"the server says that `{name}` failed: {words or 'it does not say why'}")
    if looked.task:
        raise Broken("the server answered with a task, which nobody had asked for")
    digest = hashlib.sha256(reply.result).hexdigest()
    returned = _returned(looked, words)
    output = reply.result.decode() if kept and len(reply.result) <= KEPT else ""
    return Receipt(receipt=f"{words or 'answered'} (sha256:{digest})", returned=returned, output=output)


def _words(looked: _Result) -> str:
    """The first text of an answer, cut to a line."""
    if not looked.content or len(looked.content) > LOOKED_INTO:
        return ""
    try:
        blocks = msgspec.json.decode(looked.content)
    except msgspec.MsgspecError:
        return ""
    texts = (each.get("text") for each in blocks if isinstance(each, dict)) if isinstance(blocks, list) else ()
    text = next((each for each in texts if isinstance(each, str)), "")
    line = " ".join(readable(text[:2000]).split())
    return line if len(line) <= 200 else f"{line[:200]}…"


def _returned(looked: _Result, words: str) -> tuple[str, ...]:
    """The single values that later calls may be held to (`{created: this run}`)."""
    if looked.structured_content and len(looked.structured_content) <= LOOKED_INTO:
        try:
            return receipt_of(read_json(bytes(looked.structured_content).decode())).returned
        except BadInput:
            return ()
    return (words,) if words and "…" not in words else ()
