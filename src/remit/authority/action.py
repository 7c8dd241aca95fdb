"""An action: the one thing that is decided, recorded and granted."""

from collections.abc import Mapping
from typing import Any

from remit.contract.rule import Verb
from remit.value import Value, digest


class Action(Value, frozen=True, kw_only=True):
    """Verb, object, arguments. For `run` the object is an argv; a shell line is a plain text.

    Arguments are JSON values whose numbers are `int` or `Decimal`, never float.
    """

    verb: Verb
    object: str | tuple[str, ...]
    arguments: Mapping[str, Any] = {}

    def digest(self) -> str:
        """What an approval and a grant are bound to."""
        return digest([self.verb, self.object, typed(self.arguments)])

    def said(self) -> str:
        """The action as a person reads it."""
        shown = self.object if isinstance(self.object, str) else " ".join(self.object)
        return f"{self.verb} {shown}"


def typed(value: Any) -> Any:
    """JSON values with their types spelled out, so that `50`, `"50"` and `true` never share a digest."""
    match value:
        case None | bool() | str():
            return value
        case Mapping():
            return {"map": [[str(key), typed(value[key])] for key in sorted(value)]}
        case list() | tuple():
            return {"list": [typed(item) for item in value]}
        case _:
            return {"number": str(value)}
