"""A Python function read as a tool: which arguments it takes, of which kind, and whether given ones fit."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from remit.errors import BadInput

Kind = Literal["text", "number", "truth", "list", "any"]
KEY = "key"
"""a keyword-only parameter of this name gets the idempotency key, and is no argument"""

_KINDS: dict[Any, Kind] = {str: "text", int: "number", Decimal: "number", bool: "truth"}
_WORDS = {str: "a text", int: "a whole number", Decimal: "a whole or decimal number", bool: "true or false"}
_LISTS = (list, tuple, Sequence)
_MAPS = (dict, Mapping)
_UNIONS = (typing.Union, types.UnionType)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One argument of a tool."""

    name: str
    hint: Any
    kind: Kind
    required: bool


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The arguments of a tool in their order, and whether the function wants the idempotency key."""

    name: str
    parameters: tuple[Parameter, ...]
    keyed: bool

    def fitted(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the function takes them. Raises BadInput, naming the first one that does not fit."""
        known = {each.name: each for each in self.parameters}
        if extra := sorted(set(arguments) - set(known)):
            raise BadInput(f"`{self.name}` has no argument {_listed(extra)}", hint=f"it takes {_listed(list(known)) or 'none'}")
        if absent := [each.name for each in self.parameters if each.required and each.name not in arguments]:
            raise BadInput(f"`{self.name}` needs {_listed(absent)}")
        return {name: _fitted(name, known[name].hint, value) for name, value in arguments.items()}


def read(function: Callable[..., Any], name: str) -> Signature:
    """The signature as a tool's. Raises BadInput for what cannot be called by names, and for floats: money is Decimal."""
    try:
        given = inspect.signature(function)
        hints = typing.get_type_hints(function)
    except (NameError, TypeError, ValueError) as error:
        raise BadInput(f"the signature of `{name}` cannot be read: {error}") from None
    parameters, keyed = [], False
    for each in given.parameters.values():
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD, each.POSITIONAL_ONLY):
            raise BadInput(f"`{name}` takes `{each}`, and a tool's arguments all have names", hint="name every argument")
        if each.name == KEY and each.kind == each.KEYWORD_ONLY:
            keyed = True
            continue
        hint = hints.get(each.name, Any)
        if _holds_float(hint):
            raise BadInput(f"`{each.name}` of `{name}` is a float, which is not exact", hint="make it a Decimal or an int")
        required = each.default is each.empty
        parameters.append(Parameter(name=each.name, hint=hint, kind=kind_of(hint), required=required))
    return Signature(name=name, parameters=tuple(parameters), keyed=keyed)


def kind_of(hint: Any) -> Kind:
    """How the argument is declared; `any` where Python says more than a declaration can."""
    hint = _bare(hint)
    origin = typing.get_origin(hint) or hint
    if origin in _UNIONS:
        kinds = {kind_of(each) for each in typing.get_args(hint) if each is not type(None)}
        return kinds.pop() if len(kinds) == 1 else "any"
    if origin is Literal:
        kinds = {_KINDS.get(type(each), "any") for each in typing.get_args(hint) if each is not None}
        return kinds.pop() if len(kinds) == 1 else "any"
    return "list" if origin in _LISTS else _KINDS.get(origin, "any")


# ---------------------------------------------------------------------------------------------------------------------


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _holds_float(hint: Any) -> bool:
    return _bare(hint) is float or any(_holds_float(each) for each in typing.get_args(hint))


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _fitted(name: str, hint: Any, value: Any) -> Any:
    hint = _bare(hint)
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in _UNIONS:
        return _either(name, inner, value)
    if origin is Literal:
        if not any(type(each) is type(value) and each == value for each in inner):
            raise BadInput(f"`{name}` must be one of {', '.join(map(repr, inner))}")
        return value
    if origin is type(None) and value is not None:
        raise BadInput(f"`{name}` must be left out")
    if origin in _KINDS:
        return _scalar(name, origin, value)
    if origin in _LISTS:
        return _items(name, origin, inner, value)
    if origin in _MAPS and not isinstance(value, Mapping):
        raise BadInput(f"`{name}` must be an object with names")
    return value


def _scalar(name: str, origin: Any, value: Any) -> Any:
    fits = {
        str: isinstance(value, str),
        bool: isinstance(value, bool),
        int: isinstance(value, int) and not isinstance(value, bool),
        Decimal: isinstance(value, int | Decimal) and not isinstance(value, bool),
    }
    if not fits[origin]:
        raise BadInput(f"`{name}` must be {_WORDS[origin]}")
    return Decimal(value) if origin is Decimal else value


def _items(name: str, origin: Any, inner: tuple[Any, ...], value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise BadInput(f"`{name}` must be a list")
    of = inner[0] if inner and (origin is not tuple or inner[1:] == (...,)) else Any
    items = [_fitted(name, of, item) for item in value]
    return tuple(items) if origin is tuple else items


def _either(name: str, inner: tuple[Any, ...], value: Any) -> Any:
    """The first of these that fits; none of them is the fault of the last."""
    for hint in inner[:-1]:
        try:
            return _fitted(name, hint, value)
        except BadInput:
            continue
    if value is None and type(None) in inner:
        return None
    last = next(each for each in reversed(inner) if each is not type(None))
    return _fitted(name, last, value)
