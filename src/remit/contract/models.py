"""Which models may be called, and what each costs where no price list knows it."""

from remit.value import Value

RUNTIMES = ("command", "agent", "claude", "codex", "gemini", "opencode", "acp")
"""names of runtimes; any other first word of `runtime:` is a program, which the command runtime starts"""
METERED_RUNTIMES = frozenset(RUNTIMES) - {"command"}
"""runtimes whose every model call passes the meter"""


class ModelPrice(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What a model costs: decimal text, dollars for a million tokens. A subscription or a local model costs nothing."""

    input: str = "0"
    output: str = "0"
    cached: str | None = None


class Model(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A model that may be called: its name, where `*` stands for any letters, and its price where the contract sets one.

    `output` is the most tokens one answer may have.
    """

    name: str
    price: ModelPrice | None = None
    output: int | None = None


def runtime_of(command: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The name of a runtime and what follows it, from `runtime:` or the command line."""
    if command and command[0] in RUNTIMES:
        return command[0], command[1:]
    return "command", command
