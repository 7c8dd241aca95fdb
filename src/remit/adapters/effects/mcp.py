"""A tool, a resource or a prompt of an MCP server as an effect: a server for this call alone, held to its pin (MCP-01).

What certainly did not happen: the server could not be started or reached, its definition is another one, or it says by the
protocol that it took no such request (-32700, -32600, -32601, -32602). Everything else that goes wrong once the call is sent
leaves a doubt, an answer that is an error too, unless the binding says that errors of this tool prove that nothing happened.
"""

import hashlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from remit.adapters.effects import mcp_ask
from remit.adapters.effects.answers import single
from remit.adapters.effects.arguments import json_text, readable, usable
from remit.adapters.effects.mcp_pin import held
from remit.adapters.effects.mcp_seen import changed_since
from remit.adapters.effects.secret import Secrets
from remit.contract.binding import McpTool
from remit.errors import BadInput, Broken, Refused, RemitError
from remit.ports.effects import Receipt

if TYPE_CHECKING:
    from mcp.client import ClientSession

STARTING = 30.0
"""seconds until the server has said what it is"""
PATIENCE = 60.0
"""seconds for the call itself"""
READING = STARTING + PATIENCE


@dataclass
class _Talk:
    """How far it got: whether the call was sent, what came back, or what went wrong."""

    began: bool = False
    first: str = ""
    answer: mcp_ask.Said | None = None
    error: Exception | None = None


class McpEffect:
    """See `remit.ports.Performer`. `home` is where definitions are pinned at their first use."""

    window: int | None = None
    probes = False
    settles = 0

    def __init__(
        self, binding: McpTool, environment: Mapping[str, str], home: Path | None, *, patience: float = PATIENCE
    ) -> None:  # fmt: skip
        self._binding, self._environment, self._home, self._patience = binding, environment, home, patience

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """The server and how it is reached, the thing of it, each argument on a line."""
        usable(arguments)
        self._ask.fitting(arguments)
        server = self._binding.server
        lines = [f"{self._binding.what} {self._binding.name}", f"server {server.name}: {server.url or ' '.join(server.run)}"]
        lines += [f"{name}: {value if isinstance(value, str) else json_text(value)}" for name, value in arguments.items()]
        return readable("\n".join(lines))

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Ask the server. Raises Refused or BadInput when it certainly did not happen, Broken when nobody knows."""
        self.preview(arguments)
        secrets, given = Secrets(self._environment), self._ask.fitting(arguments)
        talk = await self._talked(given, secrets)
        if talk.answer is None:
            raise self._failed(talk, secrets)
        said = talk.answer.covered(secrets)
        if said.failed:
            raise self._doubtful(f"the server says that `{self._binding.name}` failed: {secrets.line(said.words) or 'not why'}")
        mark = hashlib.sha256(said.output.encode()).hexdigest()
        notes = [f"sha256:{mark}"]
        if talk.first:
            notes.append(f"seen for the first time, and pinned as {talk.first}")
        if self._binding.errors == "nothing happened" and (stale := changed_since(self._home, self._binding, given, key, mark)):
            notes.append(stale)
        words = f"{secrets.line(said.words) or 'answered'} ({'; '.join(notes)})"
        return Receipt(receipt=words, returned=single(said.value), output=said.output)

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """No server of this protocol can be asked what became of a call. Raises Broken."""
        raise Broken("an MCP server cannot be asked what became of a call")

    @cached_property
    def _ask(self) -> mcp_ask.Ask:
        return mcp_ask.ask_of(self._binding)

    def _doubtful(self, words: str) -> RemitError:
        return Refused(words) if self._binding.errors == "nothing happened" else Broken(words)

    def _failed(self, talk: _Talk, secrets: Secrets) -> RemitError:
        """What went wrong, as what it proves."""
        error = talk.error
        if isinstance(error, BadInput | Refused):
            return error
        hint = error.hint if isinstance(error, RemitError) else ""
        name = self._binding.server.name
        words = secrets.line("no answer came in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__)
        if not talk.began:
            return Refused(f"the server `{name}` was not asked: {words}", hint=hint)
        if mcp_ask.never_taken(error):
            return Refused(f"the server `{name}` did not take it: {words}")
        return self._doubtful(f"the server `{name}` was asked, and then: {words}")

    async def _talked(self, given: dict[str, Any], secrets: Secrets) -> _Talk:
        talk = _Talk()
        try:
            with anyio.fail_after(STARTING) as scope:
                async with self._session(secrets) as session:
                    try:
                        mark = await self._ask.fingerprint(session, given)
                        talk.first = mark if mark and held(self._binding, mark, self._home) else ""
                        talk.began, scope.deadline = True, anyio.current_time() + self._patience
                        talk.answer = await self._ask.asked(session, given)
                    except Exception as error:  # noqa: BLE001 - judged below; what the SDK raises has no common kind
                        talk.error = error
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - the same, while starting and ending
            talk.error = talk.error or _first(error)
        return talk

    @asynccontextmanager
    async def _session(self, secrets: Secrets) -> "AsyncIterator[ClientSession]":
        """A session with a server that lives as long as this."""
        from mcp.client import Client

        from remit.adapters.effects.mcp_process import Muttering, spoken_to
        from remit.adapters.effects.mcp_remote import over_http

        logging.getLogger("mcp").addHandler(logging.NullHandler())  # what matters of it is told by what is raised
        server, muttering = self._binding.server, Muttering()
        transport: Any
        if server.url:
            transport = over_http(server.url, [(name, secrets.read(text)) for name, text in server.headers], READING)
        else:
            transport = spoken_to(server.run, {name: secrets.read(text) for name, text in server.env}, muttering)
        begun = False
        try:
            async with Client(transport, cache=None) as client:
                begun = True
                yield client.session
        except (Exception, BaseExceptionGroup) as error:
            said = muttering.text.strip()
            if begun or not said:
                raise
            raise Broken(f"{_first(error)}; it said: {secrets.line(said[-400:])}") from error


# ---------------------------------------------------------------------------------------------------------------------


def _first(error: BaseException) -> Exception:
    """The error that a group of them is about."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, Exception):
        raise error
    return error
