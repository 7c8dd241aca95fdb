"""Effects: what carries out a tool, and finds out afterwards whether it did."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from remit.contract.party import Tool
from remit.value import Value


class Receipt(Value, frozen=True, kw_only=True):
    """What an effect gave back: words that prove it, the single values later calls may rely on, and all of it as JSON text."""

    receipt: str
    returned: tuple[str, ...] = ()
    output: str = ""


class Performer(Protocol):
    """What carries out the effect of one tool. It never decides: whoever calls it has recorded the intent."""

    window: int | None
    """seconds for which the provider takes the same key for the same effect; None: it does not"""
    probes: bool
    """whether the provider can be asked what became of a key"""
    settles: int
    """seconds a request may still be on its way, during which the provider's having nothing proves nothing"""

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """Exactly what would happen, as a person reads it; no secrets. Raises BadInput when the arguments cannot be used."""
        ...

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Do it once, under this key. `workspace` is the published tree.

        Raises Refused or BadInput when it certainly did not happen. Anything else raised means nobody knows.
        """
        ...

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """What became of this key: the receipt, None when it certainly did not happen. Raises Broken when that cannot be told."""
        ...


class Tools(Protocol):
    """Finds what carries out a declared tool."""

    def find(self, tool: Tool) -> Performer | None:
        """None when nothing here carries it out."""
        ...

    def lacks(self, tool: Tool) -> str:
        """What this process lacks to carry it out now, such as a variable with its password; empty when nothing."""
        ...
