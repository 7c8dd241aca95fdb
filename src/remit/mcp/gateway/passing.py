"""One request of a host on its way through the gateway, and the rounds it may take until it is answered."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

import anyio

from remit.mcp.gateway.messages import Id, Reply, Request


class Asks(Protocol):
    """Whoever a request is handed on to."""

    async def ask(self, method: str, params: Mapping[str, Any], passing: "Passing | None" = None) -> Reply:
        """The answer. Raises Lost when none comes."""
        ...


class Rounds(Protocol):
    """What a host is asked in the middle of a request (2026-07-28)."""

    async def further(self, passing: "Passing", wanted: dict[str, Any]) -> dict[str, Any] | None:
        """What the host says to these requests by their names; None when it does not come back."""
        ...


class Passing:
    """A request under way. `id` is the host's; a further round of the same request comes under a new one."""

    def __init__(self, request: Request, server: Asks, rounds: Rounds) -> None:
        self.request, self.server, self.rounds = request, server, rounds
        self.id: Id = request.id
        self.left = anyio.Event()
        self.waking: list[Callable[[], None]] = []
        self.silent = False
        self.reply: Reply | None = None

    def leave(self, *, silent: bool = False) -> None:
        """Whoever asked does not wait any more; `silent`: and wants no answer."""
        self.silent = self.silent or silent
        self.left.set()
        for wake in self.waking:
            wake()

    @property
    def token(self) -> Id | None:
        """What progress of this request is told under."""
        token = self.request.meta.get("progressToken")
        return token if isinstance(token, str | int) and not isinstance(token, bool) else None


UNDER_WAY: ContextVar[Passing | None] = ContextVar("remit_mcp_under_way", default=None)
"""the request that is being carried out by this task"""


async def polled(holds: Callable[[], bool]) -> None:
    """Until this holds: for what nothing tells of."""
    while not holds():  # noqa: ASYNC110
        await anyio.sleep(0.01)
