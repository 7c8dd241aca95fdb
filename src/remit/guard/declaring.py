"""`@remit.tool`: a plain Python function declared as a tool with a tier, an effect and its arguments."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast, overload

from remit.contract.party import Argument, Tier, Tool, ToolEffect
from remit.contract.review_party import tool_trouble
from remit.contract.tiers import usual_tier
from remit.errors import BadInput
from remit.guard.performing import PythonPerformer
from remit.guard.signature import KEY, Signature, read

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__remit__"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A function as a tool: what is declared about it, and what carries it out."""

    tool: Tool
    performer: PythonPerformer


@overload
def tool(name: F, /) -> F: ...


@overload
def tool(
    name: str | None = None, *, tier: Tier | None = None, effect: ToolEffect = "execute", irreversible: Iterable[str] = (),
    inert: Iterable[str] = (), window: timedelta | None = None, probe: Callable[..., Any] | None = None,
    preview: Callable[..., Any] | None = None,
) -> Callable[[F], F]: ...  # fmt: skip


def tool(
    name: str | F | None = None, *, tier: Tier | None = None, effect: ToolEffect = "execute", irreversible: Iterable[str] = (),
    inert: Iterable[str] = (), window: timedelta | None = None, probe: Callable[..., Any] | None = None,
    preview: Callable[..., Any] | None = None,
) -> F | Callable[[F], F]:  # fmt: skip
    """Declare a function, sync or async, as a tool; it stays callable as before.

    Its arguments are its parameters (text, number, truth, list, any; never float), those without default are required. A
    keyword-only parameter `key` receives the idempotency key: `window` says for how long the provider takes the same key for
    the same effect. `probe(key, **arguments)` gives what came of a key, None when it did not happen. `preview(**arguments)` is
    what people are shown. `tier` is by default what the name and effect call for. Raises BadInput.
    """
    if callable(name):
        return _declared(name, name.__name__, tier, effect, irreversible, inert, window, probe, preview)
    named = name

    def declare(function: F) -> F:
        return _declared(function, named or function.__name__, tier, effect, irreversible, inert, window, probe, preview)

    return declare


def _declared(
    function: F, name: str, tier: Tier | None, effect: ToolEffect, irreversible: Iterable[str], inert: Iterable[str],
    window: timedelta | None, probe: Callable[..., Any] | None, preview: Callable[..., Any] | None,
) -> F:  # fmt: skip
    signature = read(function, name)
    seconds = _seconds(name, signature, window)
    final, idle = _named(name, signature, irreversible), _named(name, signature, inert)
    arguments = tuple(
        Argument(
            name=each.name, type=each.kind, required=each.required, inert=each.name in idle, irreversible=each.name in final
        )
        for each in signature.parameters
    )  # fmt: skip
    declared = Tool(name=name, tier=tier or usual_tier(name, effect), effect=effect, arguments=arguments)
    for _, message, hint in tool_trouble(declared):
        raise BadInput(message, hint=hint)
    performer = PythonPerformer(name, function, signature, window=seconds, probe=probe, preview=preview)
    setattr(function, MARK, Declared(tool=declared, performer=performer))
    return function


def declared_tools(functions: Iterable[Callable[..., Any]]) -> Mapping[str, Declared]:
    """The declarations of these functions by the names of their tools. Raises BadInput."""
    found: dict[str, Declared] = {}
    for function in functions:
        declared = cast("Declared | None", getattr(function, MARK, None))
        if declared is None:
            name = getattr(function, "__name__", repr(function))
            raise BadInput(f"`{name}` is not declared as a tool", hint="put `@remit.tool(…)` above it")
        if declared.tool.name in found:
            raise BadInput(f"two functions are the tool `{declared.tool.name}`", hint="give one of them another name")
        found[declared.tool.name] = declared
    return found


def _named(name: str, signature: Signature, given: Iterable[str]) -> frozenset[str]:
    named = frozenset([given] if isinstance(given, str) else given)
    if strange := sorted(named - {each.name for each in signature.parameters}):
        raise BadInput(f"`{name}` has no argument {', '.join(f'`{each}`' for each in strange)}")
    return named


def _seconds(name: str, signature: Signature, window: timedelta | None) -> int | None:
    if window is None:
        return None
    if window < timedelta(seconds=1):
        raise BadInput(f"the window of `{name}` is shorter than a second", hint="leave it out where no key is honoured")
    if not signature.keyed:
        what = f"`{name}` has a window, and never gets the key that is honoured for it"
        raise BadInput(what, hint=f"give it a keyword-only parameter `{KEY}`, and pass that to the provider")
    return int(window.total_seconds())
