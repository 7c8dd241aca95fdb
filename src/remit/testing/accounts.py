"""An account of model calls in memory, for tests of what serves them."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from remit.ports.models import Cost, Hold, ModelCall, NoCall, Prices, ToolUse, Usage

TOKEN = "run-token"  # noqa: S105 - what a box shows instead of a key
OUTPUT = 4096
"""tokens of an answer where nobody says"""


@dataclass(frozen=True, kw_only=True)
class Flat:
    """A price list that knows each model, or only some, and asks a flat price in millionths of a dollar for a token."""

    input: int = 1
    output: int = 5
    models: tuple[str, ...] = ("*",)

    def cost(self, model: str, provider: str, usage: Usage) -> Cost | None:
        """See `remit.ports.models.Prices`."""
        if not any(fnmatch.fnmatchcase(model, known) for known in self.models):
            return None
        return Cost(usd=usage.input * self.input + usage.output * self.output, source="flat 1")


@dataclass
class MemoryAccount:
    """See `remit.ports.models.Account`. What a limit is not set for is not limited; `usd` is in millionths of a dollar.

    `most` is the highest that spent and reserved together ever were, for tokens and for money.
    """

    token: str = TOKEN
    calls: int | None = None
    tokens: int | None = None
    usd: int | None = None
    prices: Prices = field(default_factory=Flat)
    models: tuple[str, ...] = ("*",)
    output: int = OUTPUT
    made: list[ModelCall] = field(default_factory=list)
    settled: list[tuple[str, Usage | None, tuple[ToolUse, ...]]] = field(default_factory=list)
    released: list[tuple[str, str]] = field(default_factory=list)
    no_calls: list[NoCall] = field(default_factory=list)
    turned_away: list[tuple[str, str]] = field(default_factory=list)
    spent: tuple[int, int] = (0, 0)
    most: tuple[int, int] = (0, 0)
    open: dict[str, tuple[ModelCall, tuple[int, int]]] = field(default_factory=dict)
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    async def reserve(self, call: ModelCall) -> Hold | NoCall:
        """Set the worst case aside, or say which limit stands in the way."""
        async with self._lock:
            await anyio.lowlevel.checkpoint()
            if not any(fnmatch.fnmatchcase(call.model, name) for name in self.models):
                return self._no("model", f"the model `{call.model}` is not among those that may be called.")
            if self.calls is not None and len(self.made) >= self.calls:
                return self._no("calls", f"The limit of {self.calls} model calls is reached.")
            output = min(call.output or self.output, self.output)
            worst = self._spend(call, Usage(input=call.input, output=output, cache_write=call.input))
            if worst is None:
                return self._no("price", f"nobody knows what the model `{call.model}` costs.")
            tokens, usd = (spent + held + more for spent, held, more in zip(self.spent, self.reserved, worst, strict=True))
            if self.tokens is not None and tokens > self.tokens:
                return self._no("tokens", f"The limit of {self.tokens} tokens could be exceeded by the next call.")
            if self.usd is not None and usd > self.usd:
                return self._no("usd", f"The limit of {self.usd} millionths of a dollar could be exceeded by the next call.")
            self.made.append(call)
            self.most = (max(self.most[0], tokens), max(self.most[1], usd))
            key = f"call-{len(self.made)}"
            self.open[key] = (call, worst)
            return Hold(key=key, output=output)

    async def settle(self, hold: Hold, usage: Usage | None, tools: Sequence[ToolUse] = ()) -> None:
        """Charge what was used, or the whole reservation."""
        async with self._lock:
            await anyio.lowlevel.checkpoint()
            call, worst = self.open.pop(hold.key)
            used = (self._spend(call, usage) if usage else None) or worst
            self.spent = (self.spent[0] + used[0], self.spent[1] + used[1])
            self.settled.append((hold.key, usage, tuple(tools)))

    async def release(self, hold: Hold, why: str) -> None:
        """Give everything back but the turn."""
        async with self._lock:
            await anyio.lowlevel.checkpoint()
            del self.open[hold.key]
            self.released.append((hold.key, why))

    async def refused(self, what: str, why: str) -> None:
        """Put it on record."""
        self.turned_away.append((what, why))

    @property
    def reserved(self) -> tuple[int, int]:
        """Tokens and money set aside now."""
        worst = [held for _, held in self.open.values()]
        return sum(tokens for tokens, _ in worst), sum(usd for _, usd in worst)

    def _spend(self, call: ModelCall, usage: Usage) -> tuple[int, int] | None:
        cost = self.prices.cost(call.model, call.provider, usage)
        return None if cost is None else (usage.input + usage.output, cost.usd)

    def _no(self, code: str, why: str) -> NoCall:
        no = NoCall(code=code, why=why, first=not self.no_calls)
        self.no_calls.append(no)
        return no
