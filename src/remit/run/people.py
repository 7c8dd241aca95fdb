"""Facts about people: what they were asked and told, what they said, who owns the outcome."""

from datetime import datetime
from typing import Literal

from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.contract.party import Assurance
from remit.contract.rule import Rule
from remit.run.fact import Fact

Acceptance = Literal["pending", "accepted", "declined"]
Said = Literal[
    "yes", "no", "modify", "happened", "redo", "abandon", "retry", "skip", "abort", "generate", "accept"
]  # fmt: skip


class QuestionAsked(Fact, frozen=True, kw_only=True, tag="question_asked"):
    """A person must answer. A `context` question only supplies what the agent does not know: it grants nothing.

    `quorum` different people must say yes; one no is a no. `draft` is the key in the outbox, `preview` what would happen.
    `options` are what may be said to it where that is not yes or no; `step` is the step of the chain that is in trouble.
    """

    question: str
    about: Literal["action", "change", "recovery", "publish", "context", "doubt", "step", "gaps"]
    text: str
    of: tuple[str, ...]
    quorum: int = 1
    draft: str = ""
    preview: str = ""
    action: Action | None = None
    digest: str = ""
    contract: str = ""
    reasons: tuple[Reason, ...] = ()
    expires: datetime | None = None
    otherwise: str = ""
    options: tuple[Said, ...] = ()
    step: str = ""


class QuestionAnswered(Fact, frozen=True, kw_only=True, tag="question_answered"):
    """A person answered. The signature covers the bytes of `statement`.

    `modify` is a yes to something else: `action` is what it becomes, `text` and `preview` how that reads, `rules` bind the rest
    of the run. Of a doubt they say whether it `happened` (with a `receipt`), did not and is to be done (`redo`), or is given up
    (`abandon`). Of a step in trouble: `retry`, `skip`, `abort`; of gaps that validation found: `generate`, `accept`.
    """

    question: str
    answer: Said
    person: str
    roles: tuple[str, ...] = ()
    assurance: Assurance
    statement: str
    signature: str
    key: str
    note: str = ""
    action: Action | None = None
    digest: str = ""
    text: str = ""
    preview: str = ""
    rules: tuple[Rule, ...] = ()
    receipt: str = ""


class AnswerRejected(Fact, frozen=True, kw_only=True, tag="answer_rejected"):
    """An answer that does not count, and why: by the wrong person, beyond what they may sign, too late, or not theirs."""

    question: str
    answer: str
    person: str
    code: Code
    why: str
    assurance: Assurance
    statement: str = ""
    signature: str = ""
    key: str = ""


class QuestionEscalated(Fact, frozen=True, kw_only=True, tag="question_escalated"):
    """The question goes to the next person as well, with a deadline of its own."""

    question: str
    to: str
    why: str
    expires: datetime | None = None


class QuestionReminded(Fact, frozen=True, kw_only=True, tag="question_reminded"):
    """Those who were asked are reminded."""

    question: str
    count: int


class QuestionExpired(Fact, frozen=True, kw_only=True, tag="question_expired"):
    """Nobody answered in time; what the escalation says happens otherwise has happened."""

    question: str
    otherwise: str


class Accepted(Fact, frozen=True, kw_only=True, tag="accepted"):
    """The owner took the outcome, or declined it. The signature covers the bytes of `statement`."""

    acceptance: Literal["accepted", "declined"]
    person: str
    assurance: Assurance
    statement: str
    signature: str
    key: str
    note: str = ""


class Notified(Fact, frozen=True, kw_only=True, tag="notified"):
    """Somebody was told something; `ending` when it was how the run ended. `how` is `inbox`, or `page`: then it is sent too."""

    who: str
    how: str
    what: str
    ending: bool = False
    question: str = ""


class Delivered(Fact, frozen=True, kw_only=True, tag="delivered"):
    """A page was handed to a channel, or could not be. `page` is the place of its `notified` in the ledger."""

    page: int
    who: str
    how: str
    ok: bool
    receipt: str = ""


class OwnershipOffered(Fact, frozen=True, kw_only=True, tag="ownership_offered"):
    """The owner offers the outcome to another person; it stays theirs until that person accepts.

    The signature covers the bytes of `statement`.
    """

    by: str
    to: str
    assurance: Assurance
    statement: str
    signature: str
    key: str
    note: str = ""


class OwnershipAnswered(Fact, frozen=True, kw_only=True, tag="ownership_answered"):
    """The person it was offered to took the outcome over, or did not. The signature covers `statement`."""

    person: str
    accepted: bool
    assurance: Assurance
    statement: str
    signature: str
    key: str
    note: str = ""


class StopAsked(Fact, frozen=True, kw_only=True, tag="stop_asked"):
    """A person, or a limit, wants the run stopped."""

    by: str
    why: str = ""
