"""Where a run stands: a fold over its facts, and nothing else."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from remit.contract.contract import Contract
from remit.contract.limits import Limits, Spend, tightest
from remit.errors import Tampered
from remit.run.chain import Chain
from remit.run.event import (
    Acceptance,
    ChangesJudged,
    CheckRan,
    ChecksFinished,
    Intended,
    QuestionAnswered,
    QuestionAsked,
    RecoveryEntered,
    Started,
    Verdict,
    WorkDone,
)
from remit.run.lifecycle import Phase
from remit.run.outbox import ENDED, Draft
from remit.run.people import Notified, OwnershipOffered

RESUMING = frozenset({"agent"})
"""runtimes that keep their conversation, and go on with it in another process"""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it stands, what people said to it, whether its time ran out, whether a grant has used it up, and
    whether the agent has heard the answer.

    `question` names those it was escalated to as well, and the present deadline;
    `since` is when it was passed on last. `asked` is whom it asked first.
    """

    question: QuestionAsked
    at: datetime
    seq: int = -1
    answers: tuple[QuestionAnswered, ...] = ()
    times: tuple[datetime, ...] = ()
    expired: bool = False
    used: bool = False
    told: bool = False
    since: datetime | None = None
    reminders: int = 0
    rung: int = 0
    digest: str = ""

    @property
    def asked(self) -> str:
        """The person or role it was put to first."""
        return self.question.of[0]

    @property
    def counting(self) -> tuple[QuestionAnswered, ...]:
        """The answers to what it asks now: a change of the action makes earlier ones void."""
        start = max((at for at, each in enumerate(self.answers) if each.answer == "modify" and each.action), default=0)
        return self.answers[start:]

    @property
    def said(self) -> str:
        """yes, no or what became of a doubt, once it is settled; empty while it is open. What ran out of time is a no."""
        counting = self.counting
        if any(each.answer == "no" for each in counting):
            return "no"
        if len({each.person for each in counting}) >= self.question.quorum and counting:
            last = counting[-1].answer
            return "yes" if last == "modify" else last
        return "no" if self.expired else ""

    @property
    def answer(self) -> QuestionAnswered | None:
        """The answer that settled it."""
        return self.answers[-1] if self.answers and self.said and not (self.expired and self.said == "no") else None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A page that is not delivered yet: how often it was tried, and when last."""

    page: Notified
    tries: int = 0
    tried: datetime | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about one run. `seq` is the place of the last fact folded; `rung` the one being carried out."""

    id: str = ""
    phase: Phase = "new"
    seq: int = -1
    at: datetime | None = None
    started: Started | None = None
    started_at: datetime | None = None
    attempt: int = 0
    because: str = ""
    carried: int = 0
    attempt_at: datetime | None = None
    attempt_seq: int = -1
    """the place in the ledger where the present attempt began"""
    sealed_at: datetime | None = None
    box: tuple[int, int] | None = None
    spend: Spend = Spend()
    reserved: Spend = Spend()
    intents: Mapping[str, Intended] = {}
    settled: frozenset[str] = frozenset()
    holds: Mapping[str, Spend] = {}
    modelled: int = 0
    created: frozenset[str] = frozenset()
    questions: Mapping[str, Asked] = {}
    work: WorkDone | None = None
    trouble: str = ""
    stuck: str = ""
    judged: ChangesJudged | None = None
    round: int = 0
    checks: Mapping[str, CheckRan] = {}
    finished: ChecksFinished | None = None
    rungs: tuple[RecoveryEntered, ...] = ()
    rung: RecoveryEntered | None = None
    verdict: Verdict | None = None
    exceptions: tuple[str, ...] = ()
    why: str = ""
    acceptance: Acceptance = "pending"
    published: tuple[str, ...] | None = None
    publish_failed: str = ""
    undone: bool = False
    stop: str = ""
    stopped: str = ""
    refusals: int = 0
    storm: int = 0
    last_digest: str = ""
    repeats: int = 0
    warned: frozenset[str] = frozenset()
    children: Mapping[str, Spend] = {}
    keys: Mapping[str, str] = {}
    told: bool = False
    drafts: Mapping[str, Draft] = {}
    pages: Mapping[int, Sent] = {}
    offer: OwnershipOffered | None = None
    taken_by: str = ""
    conditions: tuple[QuestionAnswered, ...] = ()
    chain: Chain | None = None
    invoked: tuple[str, ...] = ()
    """skills whose text it asked for and was given, in that order"""
    words: str = ""
    """the last words of its runtime"""

    @property
    def limits(self) -> Limits:
        """How far it may go: what its contract says, and never beyond the ceilings of its organisation."""
        assert self.started is not None
        return tightest(self.started.contract.limits, self.started.organisation.limits)

    @property
    def held(self) -> Spend:
        """What model calls that are under way have set aside; it is part of `reserved`."""
        total = Spend()
        for each in self.holds.values():
            total = total.plus(each)
        return total

    @property
    def owner(self) -> str:
        """Who answers for the outcome now: the owner of the contract until somebody has accepted it from them (OWN-04)."""
        return self.taken_by or self.contract.owner

    @property
    def doubts(self) -> tuple[Draft, ...]:
        """Effects of which nobody knows whether they happened."""
        return tuple(draft for draft in self.drafts.values() if draft.state == "unknown")

    @property
    def contract(self) -> Contract:
        """The contract this run was started under. Raises Tampered when there is no start."""
        if self.started is None:
            raise Tampered(f"run `{self.id}` has no start in the ledger")
        return self.started.contract

    @property
    def blocking(self) -> tuple[QuestionAsked, ...]:
        """Open questions that hold the run up; what the agent merely wanted to know does not."""
        return tuple(question for question in self.open_questions if question.about != "context")

    @property
    def open_questions(self) -> tuple[QuestionAsked, ...]:
        """Questions nobody has answered yet, oldest first."""
        return tuple(asked.question for asked in self.questions.values() if not asked.said and not self._moot(asked.question))

    def _moot(self, question: QuestionAsked) -> bool:
        """Whether no answer can matter any more: its draft has ended, or the run was stopped or undone."""
        draft = self.drafts.get(question.draft)
        if question.about == "doubt":
            return draft is not None and draft.state != "unknown"
        return bool(self.stop) or self.undone or (draft is not None and draft.state in ENDED)
