"""The doors to the outside world, in the words of the chapters. Adapters satisfy them; the engine uses nothing else."""

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
