"""Conditions back into the form a contract writes them in."""

from typing import Any

from remit.contract.condition import (
    Anything,
    Condition,
    Contains,
    Created,
    Empty,
    Equals,
    Glob,
    Host,
    Known,
    Length,
    Not,
    OneOf,
    Prefix,
    Range,
    Regex,
    Scalar,
    SubsetOf,
    Url,
)
from remit.value import Value


class Plain(Value, frozen=True, kw_only=True):
    """A word that stands without quotes: a number, a truth, `any`."""

    text: str


def condition_tree(condition: Condition) -> Any:
    """A mapping, list or scalar that `parse_condition` reads back."""
    match condition:
        case Anything():
            return Plain(text="any")
        case Empty():
            return Plain(text="empty")
        case Equals(value=value):
            return scalar_tree(value)
        case OneOf(values=values):
            return [scalar_tree(value) for value in values]
        case Range():
            return {"over" if condition.over else "from": Plain(text=condition.low), "to": Plain(text=condition.high)}
        case Length():
            return {"length": {"from": Plain(text=str(condition.low)), "to": Plain(text=str(condition.high))}}
        case SubsetOf(values=values):
            return {"subset of": [scalar_tree(value) for value in values]}
        case Contains(text=text):
            return {"contains": text}
        case Prefix(text=text):
            return {"prefix": text}
        case Glob(pattern=text):
            return {"glob": text}
        case Regex(pattern=text):
            return {"regex": text}
        case Host(pattern=text):
            return {"host": text}
        case Url(prefix=text):
            return {"url": text}
        case Known(register=text):
            return {"known": text}
        case Created():
            return {"created": "this run"}
        case Not(condition=inner):
            return {"not": condition_tree(inner)}


def scalar_tree(scalar: Scalar) -> Any:
    """Quoted where it is text, bare where it is a number, truth or nothing."""
    return scalar.text if scalar.type == "text" else Plain(text=scalar.text)
