"""One question put to one contract, and its answer: the values that pass between the parts of `decide`."""

from collections.abc import Sequence
from datetime import datetime

from remit.authority.approval import Approval
from remit.authority.decision import Reason
from remit.authority.spent import Spent
from remit.authority.subject import Subject
from remit.value import Value

ALLOW, ASK, REFUSE = 0, 1, 2


class Case(Value, frozen=True, kw_only=True):
    """Everything an answer depends on besides the contract. `owner` is the owner of the run's own contract.

    `requester` is who may not approve, because they asked for it; empty where the organisation does not mind.
    """

    subject: Subject
    spent: Spent
    approvals: Sequence[Approval]
    now: datetime
    owner: str
    requester: str = ""


class Answer(Value, frozen=True, kw_only=True):
    """How strict, why, who must be asked, what was met and beaten. `neutral`: a ceiling that says nothing about this verb.

    `quorum` holds how many different people of those asked must say yes, where that is more than one.
    """

    strictness: int
    reasons: tuple[Reason, ...]
    asks: tuple[str, ...] = ()
    considered: tuple[Reason, ...] = ()
    neutral: bool = False
    quorum: tuple[tuple[str, int], ...] = ()


class Question(Value, frozen=True, kw_only=True):
    """One person or role that must say yes, how many of them, and the reason."""

    who: str
    reason: Reason
    quorum: int = 1
