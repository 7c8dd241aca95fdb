"""The doors to the outside world, in the words of the chapters. Adapters satisfy them; the engine uses nothing else."""

from remit.ports.effects import Performer, Receipt, Tools
from remit.ports.ledger import Clock, Job, Leases, Ledger, Transaction
from remit.ports.people import Notifier, Page, Signer
from remit.ports.sandbox import Box, BoxLimits, BoxPlan, Containment, Exec, Exit, Part, Runtime, Sandbox, Watcher
from remit.ports.workspace import Inspection, Mount, Publication, Stage, Workspace

__all__ = [
    "Box", "BoxLimits", "BoxPlan", "Clock", "Containment", "Exec", "Exit", "Inspection", "Job", "Leases", "Ledger",
    "Mount", "Notifier", "Page", "Part", "Performer", "Publication", "Receipt", "Runtime", "Sandbox", "Signer", "Stage",
    "Tools", "Transaction", "Watcher", "Workspace",
]  # fmt: skip
