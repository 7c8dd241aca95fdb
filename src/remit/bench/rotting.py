"""An agent whose attention rots: a model with named parameters, pure and seeded. It is no measurement of any real model.

The chance that it takes up the next skill falls with the tokens it carries; a skill that it takes up may fail, hang or be lied
about. Every draw hangs on what it is about (seed, run, step, try), so that the order in which steps happen to run changes none.
"""

from hashlib import sha256
from random import Random
from typing import Literal

from remit.value import Value

LETTERS = 4
"""characters that count as one token: `len / 4`, never a tokeniser's count"""

Way = Literal["well", "misses", "fails", "hangs", "lies"]


class Habits(Value, frozen=True, kw_only=True):
    """What an agent is like. `keen` is the chance to take up a skill with little in mind; beyond `steady` tokens it halves with
    every `half` further ones. `leaves`: having left one out, it takes itself to be done. `work` are the fewest and most tokens
    that a skill adds. `validates` is the chance to check everything at the end, before rot. `fails`, `hangs` and `lies` are
    shares of what it takes up; a liar says that it is done, and has neither asked for the skill nor written anything.
    """

    keen: float = 0.98
    steady: int = 8_000
    half: int = 20_000
    leaves: float = 0.5
    work: tuple[int, int] = (3_000, 7_000)
    validates: float = 0.9
    fails: float = 0.2
    hangs: float = 0.02
    lies: float = 0.05

    def kept(self, context: int) -> float:
        """What is left of its attention with so many tokens in mind: 1 down to 0."""
        return float(0.5 ** (max(0, context - self.steady) / self.half))

    def invokes(self, context: int) -> float:
        """The chance that it takes up the next skill."""
        return self.keen * self.kept(context)


def tokens(text: str) -> int:
    """How many tokens a text counts for: a quarter of its characters, rounded up."""
    return -(-len(text) // LETTERS)


def drawn(seed: int, *about: object) -> Random:
    """Chance of its own for each thing it is about."""
    named = "/".join(map(str, (seed, *about)))
    return Random(int.from_bytes(sha256(named.encode()).digest()[:8], "big"))  # noqa: S311 - repeatable, no secret


def way(habits: Habits, chance: Random, context: int) -> Way:
    """What it does with the next skill."""
    if chance.random() >= habits.invokes(context):
        return "misses"
    at = chance.random()
    for name, share in (("fails", habits.fails), ("hangs", habits.hangs), ("lies", habits.lies)):
        if at < share:
            return name  # type: ignore[return-value]
        at -= share
    return "well"


def adds(habits: Habits, chance: Random) -> int:
    """Tokens that working on one skill adds to its context."""
    return chance.randint(*habits.work)


def looks_back(habits: Habits, chance: Random, context: int) -> bool:
    """Whether it checks everything once more at the end."""
    return chance.random() < habits.validates * habits.kept(context)
