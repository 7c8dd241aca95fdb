"""A provider in memory that does, refuses, forgets or goes silent as it is told: for driving the outbox without a network."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from remit.authority.action import typed
from remit.contract.party import Tool
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Performer, Receipt
from remit.ports.ledger import Clock
from remit.testing.clock import JumpingClock
from remit.value import encode


class MemoryEffects:
    """See `remit.ports.Performer`. `happened` holds every effect, in order, with its key; each one counts.

    `refuses`: it surely does not happen. `dies`: nobody knows, because the answer is lost `before` or `after` it happened.
    `reachable`: whether the provider can be spoken to at all. `window`: seconds for which it takes a key for the same effect.
    """

    def __init__(
        self, *, window: int | None = None, probes: bool = False, clock: Clock | None = None, name: str = "tool",
        settles: int = 0,
    ) -> None:  # fmt: skip
        self.window, self.probes, self.name, self.settles = window, probes, name, settles
        self.refuses = ""
        self.dies: Literal["", "before", "after"] = ""
        self.reachable = True
        self.happened: list[tuple[str, Mapping[str, Any]]] = []
        self._clock = clock or JumpingClock()
        self._first: dict[str, tuple[datetime, Receipt]] = {}

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """The name and each argument on a line."""
        if any(
            isinstance(value, float) or (isinstance(value, Decimal) and not value.is_finite()) for value in arguments.values()
        ):
            raise BadInput("a number is not exact")
        return "\n".join([self.name, *(f"{name}: {arguments[name]}" for name in sorted(arguments))])

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Do it as the knobs say."""
        self.preview(arguments)
        if not self.reachable:
            raise Refused("nobody is there, nothing was sent")
        if self.refuses:
            raise Refused(self.refuses)
        if self.dies == "before":
            raise Broken("the connection broke")
        receipt = self._known(key) or self._done(key, arguments)
        if self.dies == "after":
            raise Broken("the connection broke")
        return receipt

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """What became of the key, however long ago."""
        if not self.probes:
            raise Broken("this provider cannot be asked")
        if not self.reachable:
            raise Broken("nobody is there")
        found = self._first.get(key)
        return found[1] if found else None

    def times(self, key: str) -> int:
        """How often it happened under this key."""
        return sum(1 for known, _ in self.happened if known == key)

    def _known(self, key: str) -> Receipt | None:
        found = self._first.get(key)
        if found is None or self.window is None or self._clock.now() - found[0] > timedelta(seconds=self.window):
            return None
        return found[1]

    def _done(self, key: str, arguments: Mapping[str, Any]) -> Receipt:
        self.happened.append((key, dict(arguments)))
        given = f"{self.name}-{len(self.happened)}"
        output = encode({"id": given, "arguments": typed(arguments)}).decode()
        receipt = Receipt(receipt=f"done as {given}", returned=(given,), output=output)
        self._first.setdefault(key, (self._clock.now(), receipt))
        return receipt


class MemoryTools:
    """See `remit.ports.Tools`: performers by the name of their tool."""

    def __init__(self, performers: Mapping[str, Performer]) -> None:
        self._performers = performers

    def find(self, tool: Tool) -> Performer | None:
        """The performer of that name."""
        return self._performers.get(tool.name)

    def lacks(self, tool: Tool) -> str:
        """Nothing: they are all here."""
        return ""
