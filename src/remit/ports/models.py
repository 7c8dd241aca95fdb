"""Model calls: what one may cost, who keeps the account, and what serves the calls that come out of a box."""

import socket
from collections.abc import Sequence
from typing import Literal, Protocol

from remit.value import Value

Dialect = Literal["anthropic", "responses", "chat", "gemini"]
"""wire formats: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions, Gemini generateContent"""


class Usage(Value, frozen=True, kw_only=True):
    """Tokens of one call, as the provider counted them. `input` holds what was read from or written to a cache, too."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


class ModelCall(Value, frozen=True, kw_only=True):
    """One call before it is made. `input` is an upper estimate in tokens; `output` the most it asks for (None: no bound).

    `provider` is the price list's name of who serves it (`anthropic`, `openai`, `google` …), empty where nobody knows.
    `hosted` names tools that would run at the vendor, outside every boundary.
    """

    model: str
    provider: str = ""
    input: int
    output: int | None = None
    hosted: tuple[str, ...] = ()


class ToolUse(Value, frozen=True, kw_only=True):
    """A tool call as the model wrote it: the provider's id of it, the tool's name, and its arguments as JSON text."""

    id: str
    name: str
    arguments: str = ""


class Hold(Value, frozen=True, kw_only=True):
    """A reservation on record: its key, and the most tokens the answer may have. Hosted tools are to be left out."""

    key: str
    output: int


class NoCall(Value, frozen=True, kw_only=True):
    """The call is not made. `first`: nothing was refused to this attempt before, so it may end with a soft word."""

    code: str
    why: str
    first: bool = True


class Cost(Value, frozen=True, kw_only=True):
    """Money in millionths of a dollar, rounded up, and the price list with its version."""

    usd: int
    source: str


class Prices(Protocol):
    """What models cost."""

    def cost(self, model: str, provider: str, usage: Usage) -> Cost | None:
        """None for a model the list does not know."""
        ...


class Account(Protocol):
    """One run's account of model calls. Every reservation ends settled, whatever happens to the call."""

    token: str
    """what the runtime shows instead of a key"""

    async def reserve(self, call: ModelCall) -> Hold | NoCall:
        """Set the worst case aside in the ledger, before anything is sent."""
        ...

    async def settle(self, hold: Hold, usage: Usage | None, tools: Sequence[ToolUse] = ()) -> None:
        """Charge what was used; None: nobody knows, so the whole reservation is charged."""
        ...

    async def release(self, hold: Hold, why: str) -> None:
        """Give everything back but the turn: the provider surely did nothing for it."""
        ...

    async def refused(self, what: str, why: str) -> None:
        """Put on record what was turned away before it was a call: a wrong token, a body that cannot be read."""
        ...


class ModelDoor(Protocol):
    """Serves model calls that come out of a box, in every wire format, between the account and the real provider."""

    async def serve(self, connection: socket.socket, account: Account) -> None:
        """One connection of HTTP/1.1 until it ends. Never raises for what the other side does."""
        ...
