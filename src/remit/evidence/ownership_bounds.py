"""The strongest acts that a rule covers, as arguments: what somebody must be able to sign who answers for the rule."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice, product
from typing import Any

from remit.contract.condition import Anything, Condition, Equals, Known, OneOf, Range, Scalar
from remit.contract.party import Organisation
from remit.contract.rule import Rule

MOST = 64
"""combinations of listed values that are tried"""
FREE = "anything"


def upper_bounds(rule: Rule, organisation: Organisation, *, bounded: bool = False) -> Iterator[dict[str, Any]]:
    """Arguments at the upper bounds of `where`, one for each combination of listed values.

    What is free is a text that no amount is, so that only a signing authority that leaves it free as well covers it. `bounded`:
    nothing for a rule that sets no upper bound at all.
    """
    if bounded and not any(isinstance(where.condition, Range) for where in rule.where):
        return
    choices = [[(where.argument, value) for value in _strongest(where.condition, organisation)] for where in rule.where]
    for chosen in islice(product(*choices), MOST):
        yield dict(chosen)


def _strongest(condition: Condition, organisation: Organisation) -> list[Any]:
    match condition:
        case Range(high=high):
            return [Decimal(high)]
        case Equals(value=scalar):
            return [_value(scalar)]
        case OneOf(values=values):
            return [_value(scalar) for scalar in values]
        case Known(register=name):
            return next(([each.members[0]] for each in organisation.registers if each.name == name and each.members), [FREE])
        case Anything():
            return [FREE]
        case _:
            return [FREE]


def _value(scalar: Scalar) -> Any:
    match scalar.type:
        case "number":
            return Decimal(scalar.text)
        case "truth":
            return scalar.text == "true"
        case "nothing":
            return None
        case _:
            return scalar.text
