"""Conditions on one argument of an action, as a contract's `where` writes them."""

from typing import Literal

from remit.value import Value


class Scalar(Value, frozen=True, kw_only=True):
    """One YAML 1.2 scalar as written: its kind and its source text, so that money is never a float."""

    type: Literal["text", "number", "truth", "nothing"]
    text: str


class Anything(Value, frozen=True, kw_only=True, tag_field="is", tag="any"):
    """`any`: the argument is named and free."""


class Equals(Value, frozen=True, kw_only=True, tag_field="is", tag="equals"):
    """A bare scalar: equal in type and value; numbers compare as decimals."""

    value: Scalar


class OneOf(Value, frozen=True, kw_only=True, tag_field="is", tag="one of"):
    """A list: the argument equals one of these."""

    values: tuple[Scalar, ...]


class Range(Value, frozen=True, kw_only=True, tag_field="is", tag="range"):
    """`{from, to}` or `{over, to}`: a decimal between two bounds, both written; `over` excludes the lower one."""

    low: str
    high: str
    over: bool = False


class SubsetOf(Value, frozen=True, kw_only=True, tag_field="is", tag="subset of"):
    """`{subset of: […]}`: a list argument whose every member is one of these."""

    values: tuple[Scalar, ...]


class Contains(Value, frozen=True, kw_only=True, tag_field="is", tag="contains"):
    """`{contains: text}`: a text that contains this, or a list that has it as a member."""

    text: str


class Prefix(Value, frozen=True, kw_only=True, tag_field="is", tag="prefix"):
    """`{prefix: text}`."""

    text: str


class Glob(Value, frozen=True, kw_only=True, tag_field="is", tag="glob"):
    """`{glob: pattern}`: remit's own linear-time glob over a text."""

    pattern: str


class Regex(Value, frozen=True, kw_only=True, tag_field="is", tag="regex"):
    """`{regex: pattern}`: full match by a linear-time engine."""

    pattern: str


class Host(Value, frozen=True, kw_only=True, tag_field="is", tag="host"):
    """`{host: pattern}`: the argument is a host (or host:port), exact or label-wise `*.`."""

    pattern: str


class Url(Value, frozen=True, kw_only=True, tag_field="is", tag="url"):
    """`{url: prefix}`: a URL of the same scheme, host and port, below this path."""

    prefix: str


class Length(Value, frozen=True, kw_only=True, tag_field="is", tag="length"):
    """`{length: {from, to}}`: characters of a text or members of a list, both bounds included."""

    low: int
    high: int


class Empty(Value, frozen=True, kw_only=True, tag_field="is", tag="empty"):
    """`empty`: an empty text or list."""


class Known(Value, frozen=True, kw_only=True, tag_field="is", tag="known"):
    """`{known: REGISTER}`: a member of a register of the organisation file; every member, when a list."""

    register: str


class Created(Value, frozen=True, kw_only=True, tag_field="is", tag="created"):
    """`{created: this run}`: a value that an earlier granted call of this run returned."""


class Not(Value, frozen=True, kw_only=True, tag_field="is", tag="not"):
    """`{not: …}`: the argument is there and the inner condition does not hold."""

    condition: "Condition"


Condition = (
    Anything
    | Equals
    | OneOf
    | Range
    | SubsetOf
    | Contains
    | Prefix
    | Glob
    | Regex
    | Host
    | Url
    | Length
    | Empty
    | Known
    | Created
    | Not
)
