"""Whether one rule is inside another, by their structure alone; a yes is always right, a no may be cautious."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from remit.authority.conditions import compile_condition, decimal
from remit.authority.hosts import target, within
from remit.contract import condition as written
from remit.contract.command import covers_argv, template
from remit.contract.condition import Condition, Scalar
from remit.contract.glob import covers
from remit.contract.rule import PATH_VERBS, Rule


def object_inside(outer: Rule, inner_object: str) -> bool:
    """Whether every action on this object pattern is on an object of the outer rule."""
    return any(_object_covers(outer, text, inner_object) for text in outer.objects)


def condition_inside(outer: Condition, inner: Condition) -> bool:
    """Whether every value that `inner` holds of is one that `outer` holds of."""
    if isinstance(outer, written.Anything) or outer == inner:
        return True
    match inner:
        case written.Equals(value=value):
            return _holds(outer, (value,))
        case written.OneOf(values=values):
            return _holds(outer, values)
        case written.Range():
            return isinstance(outer, written.Range) and _range_inside(outer, inner)
        case written.SubsetOf(values=values):
            return isinstance(outer, written.SubsetOf) and _holds(written.OneOf(values=outer.values), values)
        case written.Prefix(text=text):
            return isinstance(outer, written.Prefix) and text.startswith(outer.text)
        case written.Glob(pattern=pattern):
            return isinstance(outer, written.Glob) and covers(outer.pattern, pattern)
        case written.Length(low=low, high=high):
            return isinstance(outer, written.Length) and outer.low <= low and high <= outer.high
        case written.Host(pattern=pattern):
            return isinstance(outer, written.Host) and _place_inside(outer.pattern, pattern)
        case written.Url(prefix=prefix):
            return isinstance(outer, written.Url) and _place_inside(outer.prefix, prefix)
        case _:
            return False


# ---------------------------------------------------------------------------------------------------------------------


def _object_covers(outer: Rule, text: str, inner: str) -> bool:
    if text == inner or (text == "any" and outer.verb not in PATH_VERBS):
        return True
    if inner == "any" and outer.verb not in PATH_VERBS:
        return text == "**"
    if outer.verb == "run":
        return _quietly(lambda: covers_argv(template(text), template(inner)))
    if outer.verb == "fetch":
        return _place_inside(text, inner)
    return covers(text.removeprefix("/"), inner.removeprefix("/")) if outer.verb in PATH_VERBS else covers(text, inner)


def _place_inside(outer: str, inner: str) -> bool:
    wide, narrow = target(outer, pattern=True), target(inner, pattern=True)
    return wide is not None and narrow is not None and within(wide, narrow, strict=True)


def _range_inside(outer: written.Range, inner: written.Range) -> bool:
    def inside() -> bool:
        low, high, least, most = decimal(outer.low), decimal(outer.high), decimal(inner.low), decimal(inner.high)
        starts = low < least or (low == least and (inner.over or not outer.over))
        return starts and most <= high

    return _quietly(inside)


def _holds(outer: Condition, scalars: tuple[Scalar, ...]) -> bool:
    """Whether the outer condition holds of each of these values. Registers are not at hand, so `known` is never sure."""

    def holds() -> bool:
        judge = compile_condition(outer, {})
        return all(judge(_value(scalar), frozenset()) is True for scalar in scalars)

    return _quietly(holds)


def _value(scalar: Scalar) -> Any:
    match scalar.type:
        case "text":
            return scalar.text
        case "number":
            return Decimal(scalar.text)
        case "truth":
            return scalar.text.lower() == "true"
        case "nothing":
            return None


def _quietly(holds: Callable[[], bool]) -> bool:
    """A rule that makes no sense is inside nothing."""
    try:
        return holds()
    except (ValueError, ArithmeticError):
        return False
