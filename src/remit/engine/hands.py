"""What the engine works with: every port it uses, handed in once by the wiring."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from remit.contract.party import Organisation
from remit.engine.folds import Folds
from remit.engine.lineage import Lineages
from remit.ports import (
    Box,
    Clock,
    Leases,
    Ledger,
    ModelDoor,
    Notifier,
    Prices,
    Runtimes,
    Sandbox,
    Signer,
    Tools,
    Workspace,
)
from remit.run.event import Event, QuestionAsked, Recorded
from remit.run.state import Run

Asker = Callable[[QuestionAsked], Awaitable[str | None]]
"""Somebody at a terminal: `yes`, `no`, or None when nobody answered."""

Channel = Callable[[str, Organisation], Notifier | None]
"""What reaches a contact: None where nothing does."""


Turn = Callable[[str], Awaitable[None]]
"""Until the step of that name may be merged."""


@dataclass(frozen=True, kw_only=True)
class Hands:
    """The ports, the folder where runs are kept, and the person at the terminal if there is one."""

    ledger: Ledger
    clock: Clock
    leases: Leases
    workspace: Workspace
    sandbox: Sandbox
    home: Path
    signer: Signer | None = None
    asker: Asker | None = None
    above: Box | None = None
    """the live box of the parent run, where a child publishes"""
    tools: Tools | None = None
    """what carries out the tools that leave the workspace"""
    channel: Channel | None = None
    runtimes: Runtimes | None = None
    """who can do the work, beside a plain command"""
    models: ModelDoor | None = None
    """what serves model calls that come out of a box"""
    prices: Prices | None = None
    """what models cost"""
    folds: Folds = field(default_factory=Folds)
    """runs as they stood when this process looked last"""
    lineages: Lineages = field(default_factory=Lineages)
    """contracts that are compiled already"""
    turn: Turn | None = None
    """in a chain: waits until it is this run's turn to be merged into the one above"""

    def place(self, run: str, attempt: int) -> Path:
        """The folder of one attempt's stage."""
        return self.home / "runs" / run / "attempts" / str(attempt)

    def contents(self, run: str) -> Path:
        """The folder of what was asked to be written and waits for a person."""
        return self.home / "runs" / run / "contents"

    async def record(self, *events: Event) -> list[Recorded]:
        """Append these facts together, or none of them."""
        async with self.ledger.transaction() as transaction:
            return [transaction.append(event) for event in events]

    async def replay(self, run: str, known: Run | None = None) -> Run:
        """Where the run stands now; from `known` on only what is new is folded."""
        return await self.folds.of(self.ledger, run, known)
