"""The contract: one outcome, its owner, its boundary, its proof and its way back."""

from typing import Literal

from remit.contract.address import address
from remit.contract.limits import Limits
from remit.contract.models import Model
from remit.contract.outcome import Check, Escalation, Recovery
from remit.contract.party import Tool
from remit.contract.rule import Rule
from remit.value import Value

Level = Literal["L0", "L1", "L2", "L3"]
LEVELS: tuple[Level, ...] = ("L0", "L1", "L2", "L3")


class Contract(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What was promised; immutable, addressed by its hash. `rules` keep the order of the file.

    `principal` is whom the agent acts for (SOUL.md); `runtime` the start argv, or the name of a runtime; `unenforced` prose that
    no rule binds. `model` is the model to use, `models` those that may be called (none named: every one with a known price).
    `history` says whether an attempt reads the conversation of the one before.
    """

    goal: str
    owner: str
    rules: tuple[Rule, ...]
    limits: Limits
    success: tuple[Check, ...]
    recovery: tuple[Recovery, ...]
    escalation: tuple[Escalation, ...] = ()
    tools: tuple[Tool, ...] = ()
    runtime: tuple[str, ...] = ()
    principal: str | None = None
    containment: Level = "L3"
    publish: Literal["auto", "ask"] = "auto"
    environment: tuple[str, ...] = ()
    unenforced: tuple[str, ...] = ()
    model: str = ""
    models: tuple[Model, ...] = ()
    history: Literal["none", "keep"] = "none"

    def hash(self) -> str:
        """The address of this contract."""
        return address(self)


class Mark(Value, frozen=True, kw_only=True):
    """A place in a text: 1-based line and column."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Severity = Literal["error", "warning", "note"]


class Finding(Value, frozen=True, kw_only=True):
    """One thing wrong or worth knowing: code (UPPER-CASE), where in the contract (`may[0].where.amount`), what, what to do.

    `excerpt` is the source line with a caret line below it, where there is a source.
    """

    code: str
    severity: Severity
    where: str
    message: str
    hint: str = ""
    mark: Mark | None = None
    excerpt: str = ""
