"""Allow, Ask or Refuse, and their order: the strictest stands."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from remit.value import Value


class Code(StrEnum):
    """Why, in one word that programs can match on."""

    ALLOWED = "ALLOWED"
    AUTHORITY = "AUTHORITY"
    IRREVERSIBLE = "IRREVERSIBLE"
    INPUTS = "INPUTS"
    RISK_OWNER = "RISK-OWNER"
    NO_OWNER = "NO-OWNER"
    LIMIT = "LIMIT"
    UNCOVERED = "UNCOVERED"
    RULE_ERROR = "RULE-ERROR"
    STOPPED = "STOPPED"
    APPROVAL = "APPROVAL"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    PLANT = "PLANT"
    SECRET = "SECRET"  # noqa: S105 - a reason code
    NEUTRAL = "NEUTRAL"
    NOT_JUSTIFIED = "NOT-JUSTIFIED"


class Reason(Value, frozen=True, kw_only=True):
    """One reason: code, rule id, which contract of the lineage, the words, and what to do instead."""

    code: Code
    rule: str | None
    contract: str
    why: str
    instead: str = ""

    @property
    def token(self) -> str:
        """What asked, for an approval to be bound to: the rule, or that a window is full."""
        return self.rule or "a window"


class Allow(Value, frozen=True, kw_only=True, tag_field="decision", tag="allow"):
    """It may happen."""

    reasons: tuple[Reason, ...]
    considered: tuple[Reason, ...] = ()


class Ask(Value, frozen=True, kw_only=True, tag_field="decision", tag="ask"):
    """It may happen when every one of these people, or roles, says so. `owner` stands for the contract's owner.

    `quorum` says of how many different people each must be the yes, where that is more than one.
    """

    of: tuple[str, ...]
    reasons: tuple[Reason, ...]
    considered: tuple[Reason, ...] = ()
    quorum: Mapping[str, int] = {}


class Refuse(Value, frozen=True, kw_only=True, tag_field="decision", tag="refuse"):
    """It may not happen."""

    reasons: tuple[Reason, ...]
    considered: tuple[Reason, ...] = ()


Decision = Allow | Ask | Refuse
Word = Literal["allow", "ask", "refuse"]


def strictness(decision: Decision) -> int:
    """0 allow, 1 ask, 2 refuse."""
    match decision:
        case Allow():
            return 0
        case Ask():
            return 1
        case Refuse():
            return 2


def word(decision: Decision) -> Word:
    """The decision as a contract and the CLI say it."""
    match decision:
        case Allow():
            return "allow"
        case Ask():
            return "ask"
        case Refuse():
            return "refuse"
