"""The doors to the outside world, in the words of the chapters. Adapters satisfy them; the engine uses nothing else.

Each is read when it is first named: a verb that only reads the ledger need not know what a box is.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remit.ports.effects import Performer, Receipt, Tools
    from remit.ports.ledger import Clock, Job, Leases, Ledger, Transaction
    from remit.ports.models import (
        Account,
        Cost,
        Dialect,
        Hold,
        ModelCall,
        ModelDoor,
        NoCall,
        Prices,
        ToolUse,
        Usage,
    )
    from remit.ports.people import Notifier, Page, Signer
    from remit.ports.runtime import Native, Outfit, Ruling, Runtime, Runtimes, Seat, Task
    from remit.ports.sandbox import METER, Box, BoxLimits, BoxPlan, Containment, Exec, Exit, Part, Sandbox, Watcher
    from remit.ports.workspace import Inspection, Mount, Publication, Stage, Workspace

__all__ = [
    "METER", "Account", "Box", "BoxLimits", "BoxPlan", "Clock", "Containment", "Cost", "Dialect", "Exec", "Exit", "Hold",
    "Inspection", "Job", "Leases", "Ledger", "ModelCall", "ModelDoor", "Mount", "Native", "NoCall", "Notifier", "Outfit",
    "Page", "Part", "Performer", "Prices", "Publication", "Receipt", "Ruling", "Runtime", "Runtimes", "Sandbox", "Seat",
    "Signer", "Stage", "Task", "ToolUse", "Tools", "Transaction", "Usage", "Watcher", "Workspace",
]  # fmt: skip

_PLACES = {
    "effects": ("Performer", "Receipt", "Tools"),
    "ledger": ("Clock", "Job", "Leases", "Ledger", "Transaction"),
    "models": ("Account", "Cost", "Dialect", "Hold", "ModelCall", "ModelDoor", "NoCall", "Prices", "ToolUse", "Usage"),
    "people": ("Notifier", "Page", "Signer"),
    "runtime": ("Native", "Outfit", "Ruling", "Runtime", "Runtimes", "Seat", "Task"),
    "sandbox": ("METER", "Box", "BoxLimits", "BoxPlan", "Containment", "Exec", "Exit", "Part", "Sandbox", "Watcher"),
    "workspace": ("Inspection", "Mount", "Publication", "Stage", "Workspace"),
}
_WHERE = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> object:
    """The port of that name. Raises AttributeError for another."""
    if name not in _WHERE:
        raise AttributeError(f"there is no port `{name}`")
    found: object = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    return found
