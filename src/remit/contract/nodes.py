"""The small tree a contract file is read into: source text kept, places kept, nothing guessed."""

import re
from typing import Literal

from remit.contract.condition import Scalar
from remit.contract.contract import Mark
from remit.value import Value

Kind = Literal["text", "number", "truth", "nothing", "other base", "not finite", "clock"]

NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
TRUTH = {"true": "true", "True": "true", "TRUE": "true", "false": "false", "False": "false", "FALSE": "false"}
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_CLOCK = re.compile(r"[-+]?[0-9]{1,9}(?::[0-5]?[0-9])+(?:\.[0-9]*)?", re.ASCII)


class Leaf(Value, frozen=True, kw_only=True):
    """One scalar: its text, and whether it stood without quotes."""

    mark: Mark
    text: str
    plain: bool

    @property
    def kind(self) -> Kind:
        """What YAML 1.2 core takes it for; quoted is always text."""
        return kind_of(self.text) if self.plain else "text"

    def scalar(self) -> Scalar | None:
        """As a value of a condition; None where the kind is not one a contract may hold."""
        match self.kind:
            case "truth":
                return Scalar(type="truth", text=TRUTH[self.text])
            case "nothing":
                return Scalar(type="nothing", text="null")
            case "number":
                return Scalar(type="number", text=self.text)
            case "text":
                return Scalar(type="text", text=self.text)
            case _:
                return None


class Sequence(Value, frozen=True, kw_only=True):
    """A list."""

    mark: Mark
    items: tuple["Node", ...]


class Table(Value, frozen=True, kw_only=True):
    """A mapping, in the order of the file; keys are unique."""

    mark: Mark
    pairs: tuple[tuple[Leaf, "Node"], ...]

    def get(self, key: str) -> "Node | None":
        """The value under a key."""
        return next((value for name, value in self.pairs if name.text == key), None)


Node = Leaf | Sequence | Table


def kind_of(text: str) -> Kind:
    """What a plain scalar is in YAML 1.2 core: `no`, `yes`, `on` and `off` are text, and `1:30` is none of our numbers."""
    if text in NOTHING:
        return "nothing"
    if text in TRUTH:
        return "truth"
    if _NUMBER.fullmatch(text):
        return "number"
    if _OTHER_BASE.fullmatch(text):
        return "other base"
    if _NOT_FINITE.fullmatch(text):
        return "not finite"
    if _CLOCK.fullmatch(text):
        return "clock"
    return "text"
