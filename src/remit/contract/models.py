"""Which models may be called, what each costs where no price list knows it, and the names of those who call them."""

from collections.abc import Sequence
from decimal import Decimal

from remit.value import Value

RUNTIMES = ("command", "agent", "claude", "codex", "gemini", "opencode", "acp")
"""names of runtimes; any other first word of `runtime:` is a program, which the command runtime starts"""
CHAIN = "chain"
"""the coordinator of a chain: it takes a plan, so it is no name that a contract or a command line gives"""
METERED_RUNTIMES = frozenset(RUNTIMES) - {"command"}
"""runtimes whose every model call passes the meter"""
HEAVY_RUNTIMES = METERED_RUNTIMES - {"agent"}
"""runtimes that work by themselves over many steps: to hand work to one of these is to escalate"""


class ModelPrice(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What a model costs: decimal text, dollars for a million tokens. A subscription or a local model costs nothing."""

    input: str = "0"
    output: str = "0"
    cached: str | None = None

    @property
    def free(self) -> bool:
        """Whether nothing it does costs anything."""
        return not any(Decimal(each) for each in (self.input, self.output, self.cached or "0"))


class Model(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A model that may be called: its name, where `*` stands for any letters, and its price where the contract sets one.

    The name is the model's own, or `PROVIDER:NAME`. `output` is the most tokens one answer may have.
    """

    name: str
    price: ModelPrice | None = None
    output: int | None = None


def runtime_of(command: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The name of a runtime and what follows it, from `runtime:` or the command line."""
    if command and command[0] in RUNTIMES:
        return command[0], command[1:]
    return "command", command


def named_model(models: Sequence[Model], model: str, provider: str = "") -> Model | None:
    """The first of these that means this model, by its name or as `PROVIDER:NAME`; None where none does."""
    names = (model, f"{provider}:{model}") if provider else (model,)
    return next((each for each in models if any(name_covers(each.name, name) for name in names)), None)


def may_call(models: Sequence[Model], model: str) -> bool:
    """Whether a model as `model:` writes it is one of these; none named means every one."""
    provider, _, name = model.partition(":")
    return not models or named_model(models, model) is not None or bool(name and named_model(models, name, provider))


def name_covers(outer: str, inner: str) -> bool:
    """Whether every name that `inner` means is meant by `outer`; without a `*` in `inner`, whether `outer` means it."""
    first, *rest = outer.split("*")
    if not rest:
        return outer == inner
    last = rest.pop()
    if not inner.startswith(first) or not inner.endswith(last) or len(inner) < len(first) + len(last):
        return False
    at, end = len(first), len(inner) - len(last)
    for part in rest:
        found = inner.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
