"""What the worst case of a model call is, and how long its answer may be so that it still fits into what is left."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal

from remit.authority.decision import Code
from remit.contract.limits import Limits, Spend
from remit.contract.models import Model, ModelPrice, named_model
from remit.ports import Cost, ModelCall, Prices, Usage
from remit.value import Value

LONGEST = 32_000
"""tokens an answer may have where neither the call nor the contract says less"""
SHORTEST = 256
"""an answer that may not even have this many tokens is not worth paying for its question"""


class Room(Value, frozen=True, kw_only=True):
    """A call that fits: the most tokens of its answer, what is set aside for it, and the price list."""

    output: int
    worst: Spend
    source: str


class TooMuch(Value, frozen=True, kw_only=True):
    """A call that does not fit. `limit` is what it would overrun, empty where it is no matter of limits.

    `later`: it would fit if the calls that are under way turned out to cost nothing.
    """

    code: Code
    why: str
    limit: str = ""
    later: bool = False


def not_allowed(call: ModelCall, lists: Iterable[Sequence[Model]]) -> TooMuch | None:
    """Every contract of the lineage that names models must name this one."""
    for models in lists:
        if models and named_model(models, call.model, call.provider) is None:
            known = ", ".join(each.name for each in models)
            return TooMuch(code=Code.AUTHORITY, why=f"the model `{call.model}` is not among those that may be called: {known}")
    return None


def fitting(
    call: ModelCall, limits: Limits, used: Spend, held: Spend, prices: Prices, price: ModelPrice | None, most: int | None
) -> Room | TooMuch:
    """How the call fits into what is left of the limits; `held` is the part of `used` that may still come back.

    `price` is what the contract says the model costs, `most` the longest answer it allows.
    """
    if limits.turns is not None and used.turns >= limits.turns:
        return _over("turns", limits.turns, later=False)  # a turn is used however its call ends
    output = min(each for each in (call.output, most, LONGEST) if each is not None)
    if limits.tokens is not None:
        left = limits.tokens - used.tokens - call.input
        if left < min(SHORTEST, output):
            return _over("tokens", limits.tokens, later=left + held.tokens >= min(SHORTEST, output))
        output = min(output, left)
    worst = _cost(call, output, prices, price)
    if worst is None:
        why = f"nobody knows what the model `{call.model}` costs"
        return TooMuch(code=Code.LIMIT, why=f"{why}; the contract can say it: `models: [{{model: {call.model}, price: …}}]`")
    if limits.usd is not None and worst.usd > limits.usd - used.usd:
        found = _shorter(call, output, limits.usd - used.usd, prices, price)
        if found is None:
            least = _cost(call, min(SHORTEST, output), prices, price)
            return _over("usd", limits.usd, later=least is not None and least.usd <= limits.usd - used.usd + held.usd)
        output, worst = found
    spend = Spend(turns=1, tokens=call.input + output, usd=worst.usd)
    return Room(output=output, worst=spend, source=worst.source)


def charged(call: ModelCall, usage: Usage, prices: Prices, price: ModelPrice | None) -> Cost | None:
    """What a call came to."""
    if price is not None:
        return _by(price, usage)
    return prices.cost(call.model, call.provider, usage)


# ---------------------------------------------------------------------------------------------------------------------


def _cost(call: ModelCall, output: int, prices: Prices, price: ModelPrice | None) -> Cost | None:
    """The dearest way to read that much and answer that much: what goes into a cache costs more than plain input."""
    plain = charged(call, Usage(input=call.input, output=output), prices, price)
    cached = charged(call, Usage(input=call.input, output=output, cache_write=call.input), prices, price)
    return max((each for each in (plain, cached) if each is not None), key=lambda each: each.usd, default=None)


def _shorter(call: ModelCall, output: int, left: int, prices: Prices, price: ModelPrice | None) -> tuple[int, Cost] | None:
    """The longest answer that can be paid for; None when it would be too short to be of use."""
    low, high, best = min(SHORTEST, output), output, None
    while low <= high:
        middle = (low + high) // 2
        cost = _cost(call, middle, prices, price)
        if cost is None or cost.usd > left:
            high = middle - 1
        else:
            best, low = (middle, cost), middle + 1
    return best


def _by(price: ModelPrice, usage: Usage) -> Cost:
    cached = price.cached if price.cached is not None else price.input
    fresh = max(0, usage.input - usage.cache_read)
    total = fresh * Decimal(price.input) + usage.cache_read * Decimal(cached) + usage.output * Decimal(price.output)
    return Cost(usd=int(total.to_integral_value(rounding=ROUND_CEILING)), source="the contract")


def _over(limit: str, most: int, *, later: bool) -> TooMuch:
    shown = f"{most / 1_000_000:.2f} usd" if limit == "usd" else f"{most} {limit}"
    return TooMuch(
        code=Code.LIMIT, why=f"what is left of {shown} does not suffice for another model call", limit=limit, later=later
    )
