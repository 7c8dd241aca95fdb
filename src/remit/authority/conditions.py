"""Conditions compiled to closures over one argument: true, false, or None where the value cannot be judged.

A `may` needs true; an `ask` or `never` is met by anything but false, so that a text where a number belongs slips past nothing.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import NoneType
from typing import Any, assert_never

import re2

from remit.authority.arguments import composed, number
from remit.authority.hosts import target, within
from remit.contract import condition as written
from remit.contract.condition import Condition, Scalar
from remit.contract.glob import compile_glob, normal_path

Judge = Callable[[Any, frozenset[str]], bool | None]
"""The value and what earlier calls of this run returned, to a judgement."""

Registers = Mapping[str, frozenset[str]]


def compile_condition(condition: Condition, registers: Registers) -> Judge:
    """The closure for one condition. Raises ValueError, naming the fault, when the condition itself makes no sense."""
    match condition:
        case written.Anything():
            return lambda _, __: True
        case written.Equals(value=scalar):
            return _one_of((scalar,))
        case written.OneOf(values=scalars):
            return _one_of(scalars)
        case written.Range():
            return _range(condition)
        case written.SubsetOf(values=scalars):
            return _every(_one_of(scalars), empty=True)
        case written.Contains(text=text):
            return _contains(composed(text))
        case written.Prefix(text=text):
            start = composed(text)
            return _of_text(lambda value: value.startswith(start))
        case written.Glob(pattern=pattern):
            return _glob(pattern)
        case written.Regex(pattern=pattern):
            return _regex(pattern)
        case written.Host(pattern=pattern):
            return _host(pattern)
        case written.Url(prefix=prefix):
            return _url(prefix)
        case written.Length(low=low, high=high):
            return lambda value, _: low <= len(value) <= high if isinstance(value, str | list | tuple) else None
        case written.Empty():
            return lambda value, _: not value if isinstance(value, str | list | tuple | Mapping) else None
        case written.Known(register=name):
            return _known(name, registers)
        case written.Created():
            return _every(_created, empty=False)
        case written.Not(condition=inner):
            return _not(compile_condition(inner, registers))
        case _:
            assert_never(condition)


def measures(condition: Condition) -> bool:
    """Whether the condition is about an amount. What is no amount is then refused outright, whichever rule asks."""
    while isinstance(condition, written.Not):
        condition = condition.condition
    return isinstance(condition, written.Range)


def decimal(text: str) -> Decimal:
    """The number a contract writes. Raises ValueError when it is none, or not finite."""
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise ValueError(f"`{text}` is not a number") from error
    if not value.is_finite():
        raise ValueError(f"`{text}` is not a finite number")
    return value


# ---------------------------------------------------------------------------------------------------------------------


_KINDS: dict[type, str] = {str: "text", bool: "truth", int: "number", Decimal: "number", NoneType: "nothing"}


def _kind(value: Any) -> str:
    if known := _KINDS.get(type(value)):
        return known
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | Decimal):
        return "number"
    return "nothing" if value is None else "many"


def _read(scalar: Scalar) -> tuple[str, Any]:
    match scalar.type:
        case "text":
            return "text", composed(scalar.text)
        case "number":
            return "number", decimal(scalar.text)
        case "truth":
            return "truth", scalar.text.lower() == "true"
        case "nothing":
            return "nothing", None


def _one_of(scalars: tuple[Scalar, ...]) -> Judge:
    allowed = frozenset(_read(scalar) for scalar in scalars)
    kinds = frozenset(kind for kind, _ in allowed)
    texts = frozenset(value for kind, value in allowed if kind == "text")

    def judge(value: Any, _: frozenset[str]) -> bool | None:
        if type(value) is str and value in texts:
            return True
        kind = _kind(value)
        if kind not in kinds:
            return None
        return (kind, composed(value) if kind == "text" else value) in allowed

    return judge


def _range(condition: written.Range) -> Judge:
    low, high, over = decimal(condition.low), decimal(condition.high), condition.over
    if low > high:
        raise ValueError(f"`{condition.low}` is above `{condition.high}`")
    from_zero = low >= 0

    def judge(value: Any, _: frozenset[str]) -> bool | None:
        amount = value if type(value) is Decimal else number(value)
        if amount is None or not amount.is_finite():
            return None
        if amount < low:
            return None if from_zero and amount < 0 else False
        return amount <= high and not (over and amount == low)

    return judge


def _every(judge: Judge, *, empty: bool) -> Judge:
    """Over the members of a list; a single value is judged alone."""

    def all_of(value: Any, created: frozenset[str]) -> bool | None:
        if not isinstance(value, list | tuple):
            return judge(value, created)
        answers = [judge(member, created) for member in value]
        if not answers:
            return empty
        return False if False in answers else None if None in answers else True

    return all_of


def _of_text(holds: Callable[[str], bool]) -> Judge:
    return lambda value, _: holds(composed(value)) if isinstance(value, str) else None


def _contains(text: str) -> Judge:
    def judge(value: Any, _: frozenset[str]) -> bool | None:
        if isinstance(value, str):
            return text in composed(value)
        if isinstance(value, list | tuple):
            if any(isinstance(member, str) and composed(member) == text for member in value):
                return True
            return False if all(isinstance(member, str) for member in value) else None
        return None

    return judge


def _glob(pattern: str) -> Judge:
    """A text that is no honest path (`docs/../x`, a newline inside) cannot be judged, so a `may` never covers it."""
    matches = compile_glob(pattern)

    def judge(value: Any, _: frozenset[str]) -> bool | None:
        path = normal_path(value) if isinstance(value, str) else None
        return None if path is None else matches(path)

    return judge


def _regex(pattern: str) -> Judge:
    options = re2.Options()
    options.log_errors = False
    try:
        expression = re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"`{pattern}` is not an expression that runs in linear time") from error
    return _of_text(lambda text: expression.fullmatch(text) is not None)


def _host(pattern: str) -> Judge:
    wanted = target(pattern, pattern=True)
    if wanted is None or wanted.scheme:
        raise ValueError(f"`{pattern}` is not a host")

    def judge(value: Any, _: frozenset[str]) -> bool | None:
        place = target(value) if isinstance(value, str) else None
        return None if place is None or place.scheme else within(wanted, place, strict=True)

    return judge


def _url(prefix: str) -> Judge:
    wanted = target(prefix, pattern=True)
    if wanted is None or not wanted.scheme:
        raise ValueError(f"`{prefix}` is not a URL")

    def judge(value: Any, _: frozenset[str]) -> bool | None:
        place = target(value) if isinstance(value, str) else None
        return None if place is None or not place.scheme else within(wanted, place, strict=True)

    return judge


def _known(name: str, registers: Registers) -> Judge:
    members = registers.get(name)
    if members is None:
        raise ValueError(f"there is no register `{name}` in the organisation file")

    def judge(value: Any, _: frozenset[str]) -> bool | None:
        return composed(value) in members if isinstance(value, str) else None

    return _every(judge, empty=False)


def _created(value: Any, created: frozenset[str]) -> bool | None:
    if isinstance(value, str):
        return value in created
    amount = number(value)
    return None if amount is None else str(value) in created


def _not(inner: Judge) -> Judge:
    def judge(value: Any, created: frozenset[str]) -> bool | None:
        answer = inner(value, created)
        return None if answer is None else not answer

    return judge
