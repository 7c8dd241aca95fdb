"""One line of an account, and how the tables of events write it."""

from datetime import datetime
from hashlib import sha256
from typing import Literal

from remit.authority.decision import Reason
from remit.run.event import Recorded
from remit.value import Value

Question = Literal["allowed", "considered", "refused", "notified", "approved", "evidence"]
AGENT, REMIT = "agent", "remit"


class Row(Value, frozen=True, kw_only=True):
    """One line of an account. `who` are people; `receipt` is what proves it; `contract` a hash."""

    seq: int
    at: datetime
    actor: str
    action: str
    object: str = ""
    rule: str = ""
    contract: str = ""
    reason: str = ""
    who: str = ""
    receipt: str = ""


def line(
    record: Recorded, actor: str, action: str, object_: str = "", *, rule: str = "", contract: str = "", reason: str = "",
    who: str = "", receipt: str = "",
) -> Row:  # fmt: skip
    """A row about what somebody did."""
    return Row(
        seq=record.seq, at=record.at, actor=actor, action=action, object=object_, rule=rule, contract=contract, reason=reason,
        who=who, receipt=receipt,
    )  # fmt: skip


def evidence(record: Recorded, action: str, object_: str = "", *, reason: str = "", receipt: str = "", who: str = "") -> Row:
    """A row about what remit itself saw or did."""
    return line(record, REMIT, action, object_, reason=reason, receipt=receipt, who=who)


def words(reason: Reason) -> str:
    """A reason as a person reads it: code, words, what to do instead."""
    instead = f"; instead: {reason.instead}" if reason.instead else ""
    return f"{reason.code.value}: {reason.why}{instead}"


def stated(statement: str, field: str) -> str:
    """A field of a signed statement, empty when it does not say."""
    return next((line.partition(": ")[2] for line in statement.splitlines() if line.startswith(f"{field}: ")), "")


def signed(signature: str) -> str:
    """What stands for a signature in a row: its hash."""
    return f"signature sha256:{sha256(signature.encode()).hexdigest()}" if signature else "unsigned"
