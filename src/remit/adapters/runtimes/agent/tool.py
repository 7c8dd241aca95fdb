"""The tools of the light agent: what each takes, how dangerous it is, and what one call of it amounts to.

A tool plans first: which actions a call is. Only when these are granted does the plan act.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from remit.adapters.runtimes.agent.hands import Hands
from remit.contract.party import Tier
from remit.ports.runtime import Native, Seat
from remit.value import Value

Do = Callable[[], Awaitable[str]]
Then = Callable[[Mapping[str, Any]], Awaitable[str]]


class CannotUse(Exception):
    """What the model gave cannot be used: it is told why, and may try again."""


class Failed(Exception):
    """It was done, or tried, and did not work: the model is told."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a call amounts to. `native` is decided; then `do` acts in the box or on the stage.

    An `act` is a `remit.act/1` request that remit decides and carries out itself; once it was allowed, `then` goes on in the box.
    """

    native: Native
    do: Do | None = None
    act: Mapping[str, Any] | None = None
    then: Then | None = None


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What tools work with."""

    seat: Seat
    hands: Hands
    cwd: str


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool as the model has it. `changes` ones have an effect, so what is about to run is put down before it does.

    `takes` is a value, or the JSON Schema of a declared tool, whose own name is `calls`. `verbs` are those whose rules decide it.
    """

    name: str
    says: str
    takes: type[Value] | Mapping[str, Any]
    tier: Tier
    plan: Callable[[Bench, str, Any], Awaitable[Plan]]
    changes: bool = False
    verbs: tuple[str, ...] = ()
    calls: str = ""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments."""
        if isinstance(self.takes, Mapping):
            return dict(self.takes)
        found = msgspec.json.schema(self.takes)["$defs"][self.takes.__name__]
        return {"type": "object", "additionalProperties": False} | {
            name: found[name] for name in ("properties", "required") if name in found
        }

    def read(self, given: Mapping[str, Any]) -> Any:
        """The arguments as the tool takes them. Raises CannotUse with words for the model."""
        if isinstance(self.takes, Mapping):
            return given
        try:
            return msgspec.convert(given, self.takes)
        except msgspec.ValidationError as error:
            raise CannotUse(f"{self.name}: {error}") from None


def field(words: str) -> Any:
    """What an argument is, said to the model."""
    return msgspec.Meta(description=words)
