"""Hand an AI agent an outcome, with an owner, a boundary and a way back."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from remit.guard.declaring import tool as tool
    from remit.guard.guarding import Guard as Guard
    from remit.guard.opened import guard as guard
    from remit.guard.results import DidNotHappen as DidNotHappen
    from remit.guard.results import Done as Done
    from remit.guard.results import Outcome as Outcome
    from remit.guard.results import Refused as Refused
    from remit.guard.results import Waiting as Waiting

__all__ = ["DidNotHappen", "Done", "Guard", "Outcome", "Refused", "Waiting", "guard", "tool"]


def __getattr__(name: str) -> Any:
    """What a program uses of remit, loaded when it is first named: importing remit costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    chapter = import_module("remit.guard")
    return chapter if name == "guard" else getattr(chapter, name)
