"""Limits and spend: how far a run may go, and how far it has gone."""

from typing import Literal

import msgspec

from remit.value import Value

MICRO = 1_000_000


class Sum(Value, frozen=True, kw_only=True, omit_defaults=True):
    """`{sum: tool.argument, per, within, to, then}`: a rolling total over an argument. `of` is `tool.argument`.

    `within` is seconds; `to` is decimal text; kept across the organisation's runs unless `scope` is `run`.
    """

    of: str
    per: str | None = None
    within: int | None = None
    to: str
    then: Literal["refuse", "ask"] = "refuse"
    scope: Literal["organisation", "run"] = "organisation"


class Count(Value, frozen=True, kw_only=True, omit_defaults=True):
    """`{count: tool or verb, per, within, to, then}`: how many granted actions within a rolling window of seconds."""

    of: str
    per: str | None = None
    within: int | None = None
    to: int
    then: Literal["refuse", "ask"] = "refuse"
    scope: Literal["organisation", "run"] = "organisation"


class Pace(Value, frozen=True, kw_only=True, omit_defaults=True):
    """`{usd, tokens, within}`: spending more than this within so many seconds trips a run as stuck (KILL-03).

    `usd` is in millionths of a dollar.
    """

    usd: int | None = None
    tokens: int | None = None
    within: int


class Limits(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Ceilings of one run. Time in seconds, usd in millionths of a dollar, memory, disk and file in bytes."""

    time: int | None = None
    turns: int | None = None
    calls: int | None = None
    tokens: int | None = None
    usd: int | None = None
    memory: int | None = None
    disk: int | None = None
    file: int | None = None
    processes: int | None = None
    output: int | None = None
    sums: tuple[Sum, ...] = ()
    counts: tuple[Count, ...] = ()
    pace: Pace | None = None


CEILINGS = ("time", "turns", "calls", "tokens", "usd")
"""what an organisation can cap for every run"""


def tightest(own: Limits, above: Limits) -> Limits:
    """The limits of a run, none of them above the ceilings of its organisation."""
    lower = {
        name: most
        for name in CEILINGS
        if (most := getattr(above, name)) is not None and ((have := getattr(own, name)) is None or have > most)
    }
    return msgspec.structs.replace(own, **lower) if lower else own


class Spend(Value, frozen=True, kw_only=True):
    """What has been used, in the units of `Limits`. Time is wall-clock seconds."""

    turns: int = 0
    calls: int = 0
    tokens: int = 0
    usd: int = 0
    time: float = 0.0

    def minus(self, other: "Spend") -> "Spend":
        """This without the other."""
        return Spend(
            turns=self.turns - other.turns,
            calls=self.calls - other.calls,
            tokens=self.tokens - other.tokens,
            usd=self.usd - other.usd,
            time=self.time - other.time,
        )

    def plus(self, other: "Spend") -> "Spend":
        """Both together."""
        return Spend(
            turns=self.turns + other.turns,
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
            time=self.time + other.time,
        )
