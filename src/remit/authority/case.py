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
    """Everything an answer depends on besides the contract. `owner` is the owner of the run's own contract."""

    subject: Subject
    spent: Spent
    approvals: Sequence[Approval]
    now: datetime
    owner: str


class Answer(Value, frozen=True, kw_only=True):
    """How strict, why, who must be asked, what was met and beaten. `neutral`: a ceiling that says nothing about this verb."""

    strictness: int
    reasons: tuple[Reason, ...]
    asks: tuple[str, ...] = ()
    considered: tuple[Reason, ...] = ()
    neutral: bool = False


class Question(Value, frozen=True, kw_only=True):
    """One person or role that must say yes, and the reason."""

    who: str
    reason: Reason
