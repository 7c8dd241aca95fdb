"""Where a run stands: a fold over its facts, and nothing else."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from remit.contract.contract import Contract
from remit.contract.limits import Spend
from remit.errors import Tampered
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


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question, its answer when there is one, whether its time ran out, and whether a grant has used it up."""

    question: QuestionAsked
    answer: QuestionAnswered | None = None
    expired: bool = False
    used: bool = False

    @property
    def said(self) -> str:
        """yes or no once it is settled, empty while it is open; what ran out of time is a no."""
        if self.answer is not None:
            return self.answer.answer
        return "no" if self.expired else ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about one run. `seq` is the place of the last fact folded; `rung` the one being carried out."""

    id: str = ""
    phase: Phase = "new"
    seq: int = -1
    at: datetime | None = None
    started: Started | None = None
    started_at: datetime | None = None
    attempt: int = 0
    attempt_at: datetime | None = None
    box: tuple[int, int] | None = None
    spend: Spend = Spend()
    reserved: Spend = Spend()
    intents: Mapping[str, Intended] = {}
    settled: frozenset[str] = frozenset()
    created: frozenset[str] = frozenset()
    questions: Mapping[str, Asked] = {}
    work: WorkDone | None = None
    trouble: str = ""
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
        return tuple(asked.question for asked in self.questions.values() if not asked.said)
