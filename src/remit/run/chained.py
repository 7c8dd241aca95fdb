"""What happens in a chain, in the past tense: a plan pinned, steps taken by children, what they reported, what was validated."""

from typing import Literal

from remit.plan.reported import Report, Validation
from remit.plan.step import Plan
from remit.run.fact import Fact

Outcome = Literal["complete", "failed", "hung", "conflict", "needs input"]


class PlanPinned(Fact, frozen=True, kw_only=True, tag="plan_pinned"):
    """The plan this run carries out. `advised` is the mode that was recommended and `why` the reasons; `confirmed` says who
    agreed to it, empty where nobody was asked.
    """

    plan: Plan
    advised: str = ""
    why: tuple[str, ...] = ()
    confirmed: str = ""


class StepStarted(Fact, frozen=True, kw_only=True, tag="step_started"):
    """A step was handed to a fresh sub-agent: the child run, for the `number`-th time."""

    step: str
    number: int
    child: str
    because: str = ""


class StepEnded(Fact, frozen=True, kw_only=True, tag="step_ended"):
    """A step came back. `files` are those seen in what the child published, `flagged` claims that were not, `digest` is of its
    last words. `exceptions` are what a person took knowingly without, `effects` what
    left the workspace and that no second try calls back.
    """

    step: str
    number: int
    child: str
    outcome: Outcome
    why: str = ""
    report: Report = Report()
    files: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()
    digest: str = ""
    exceptions: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


class StepReopened(Fact, frozen=True, kw_only=True, tag="step_reopened"):
    """A step is to be taken once more: somebody said so (`question`), the contract did, or it owes what validation missed."""

    step: str
    why: str
    question: str = ""


class StepSkipped(Fact, frozen=True, kw_only=True, tag="step_skipped"):
    """A step is left out by somebody's recorded consent: the answer to `question`, or the contract's own recovery (ERR-02)."""

    step: str
    person: str
    question: str = ""
    why: str = ""


class SkillInvoked(Fact, frozen=True, kw_only=True, tag="skill_invoked"):
    """The text of a skill was asked for and given: this is activation, whatever is claimed. `changed`: it is no longer the text
    that was planned with.
    """

    skill: str
    digest: str
    bytes: int
    changed: bool = False


class Reported(Fact, frozen=True, kw_only=True, tag="reported"):
    """The last words of the runtime of this attempt. They are claims."""

    attempt: int
    text: str
    digest: str


class Validated(Fact, frozen=True, kw_only=True, tag="validated"):
    """The validation agent, with a fresh context and no right to write, has judged what there is."""

    child: str
    round: int
    found: Validation
    opinion: str = ""


class GapsAccepted(Fact, frozen=True, kw_only=True, tag="gaps_accepted"):
    """The owner takes what there is although something is missing; it stays PARTIAL (S7)."""

    person: str
    question: str
    missing: tuple[str, ...]


class PlanEnded(Fact, frozen=True, kw_only=True, tag="plan_ended"):
    """The coordinator is through: every step complete or skipped by consent, and validated; or somebody gave it up."""

    how: Literal["complete", "partial", "aborted"]
    why: str = ""


Chained = (
    PlanPinned | StepStarted | StepEnded | StepReopened | StepSkipped | SkillInvoked | Reported | Validated | GapsAccepted
    | PlanEnded
)  # fmt: skip
