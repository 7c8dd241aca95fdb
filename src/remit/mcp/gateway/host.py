"""One host, as those see it who decide and ask for the gateway."""

from typing import Any, Protocol

from remit.mcp.gateway.desk import Desk
from remit.mcp.gateway.messages import Id, Request
from remit.mcp.gateway.passing import Passing
from remit.mcp.gateway.server import Server
from remit.mcp.gateway.shelf import Shelf


class Host(Protocol):
    """What is said to a host, and what is known of it."""

    shelf: Shelf
    desk: Desk
    server: Server

    def log(self, line: str) -> None:
        """A line for people."""
        ...

    async def send(self, message: bytes, about: Id | None = None) -> None:
        """Say something to the host; `about` is the id of its request that this has to do with."""
        ...

    def capabilities(self, request: Request) -> dict[str, Any]:
        """What the host says it can do."""
        ...

    def moved(self, passing: Passing, request: Request | None) -> None:
        """A request that takes a further round is under way under another id, or for now under none."""
        ...
