"""Carrying out a Python function as a tool: once, under its key, and what came back as a receipt."""

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread

from remit.adapters.effects.arguments import json_text, readable, usable
from remit.errors import BadInput, Broken, Refused, RemitError
from remit.guard.results import DidNotHappen
from remit.guard.signature import Signature
from remit.ports import Receipt

LONGEST = 200
"""characters of a receipt; the whole of what came back is its output"""
RELIED_ON = 1000
"""characters of a returned text that later calls may be held to"""
MOST = 1_000_000
"""characters of an output that is kept"""
NOT_ASKED = "this tool cannot be asked what became of it"


class PythonPerformer:
    """See `remit.ports.Performer`. A sync function runs in a thread of its own, so that it holds up nobody else."""

    def __init__(
        self, name: str, function: Callable[..., Any], signature: Signature, *, window: int | None,
        probe: Callable[..., Any] | None, preview: Callable[..., Any] | None,
    ) -> None:  # fmt: skip
        self.window, self.probes, self.settles = window, probe is not None, 0
        self._name, self._function, self._signature = name, function, signature
        self._probe, self._preview = probe, preview

    def preview(self, arguments: Mapping[str, Any]) -> str:
        """What the tool's own `preview` says, else its name and each argument on a line. Raises BadInput."""
        given = self._given(arguments)
        if self._preview is None:
            lines = [f"{name}: {_shown(arguments[name])}" for name in sorted(arguments)]
            return readable("\n".join([self._name, *lines]))
        try:
            return readable(str(self._preview(**given)))
        except Exception as error:
            raise BadInput(f"`{self._name}` cannot be shown with these arguments: {_said(error)}") from error

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        """Call it. Raises DidNotHappen as the tool did, BadInput before it began; whatever else it raises is a doubt."""
        given = self._given(arguments)
        try:
            value = await _called(self._function, given | ({"key": key} if self._signature.keyed else {}))
        except DidNotHappen:
            raise
        except (Refused, BadInput) as error:  # of a remit inside the tool: it says nothing about what the tool has done
            raise Broken(_said(error)) from error
        except anyio.get_cancelled_exc_class() as error:  # nobody cancels an effect from outside: the tool did it itself
            raise Broken(f"it was cancelled in the middle: {_said(error)}") from error
        return receipt_of(value)

    async def probe(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt | None:
        """What the tool's own `probe` says of this key. Raises Broken when it cannot say."""
        if self._probe is None:
            raise Broken(NOT_ASKED)
        try:
            value = await _called(partial(self._probe, key), self._given(arguments))
        except RemitError as error:
            raise Broken(_said(error)) from error
        except Exception as error:
            raise Broken(_said(error)) from error
        return None if value is None else receipt_of(value)

    def _given(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        usable(arguments)
        return self._signature.fitted(arguments)


def receipt_of(value: Any) -> Receipt:
    """What a tool returned. It has happened by now, so nothing about the value can make it a failure."""
    try:
        output = json_text(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return Receipt(receipt=f"done; it returned a {type(value).__name__}, which cannot be kept")
    if len(output) > MOST:
        return Receipt(receipt=f"done; it returned {len(output)} characters, which is too much to keep")
    returned = tuple(dict.fromkeys(text for each in _members(value) if (text := _relied_on(each))))
    return Receipt(receipt=_short(value, output), returned=returned, output=output)


# ---------------------------------------------------------------------------------------------------------------------


async def _called(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    inner = function.func if isinstance(function, partial) else function
    if inspect.iscoroutinefunction(inner):
        return await function(**given)
    value = await anyio.to_thread.run_sync(partial(function, **given))
    return await value if inspect.isawaitable(value) else value


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _members(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def _relied_on(value: Any) -> str:
    """A single value that a later call can be held to have from here (`{created: this run}`)."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    text = str(value)
    return text if len(text) <= RELIED_ON and text.isprintable() else ""


def _short(value: Any, output: str) -> str:
    """One line that proves it: the text itself, the `receipt` or `id` of a mapping, else the beginning of all of it."""
    named = [value.get(name) for name in ("receipt", "id")] if isinstance(value, Mapping) else [value]
    text = next((text for each in named if (text := _relied_on(each))), "")
    if not text:
        text = "done" if value is None else output
    line = " ".join(readable(text).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
