"""Every fact of a run, in the past tense. Unknown later fields are left alone; unknown kinds stop the fold."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from remit.authority.action import Action
from remit.authority.decision import Reason, Word
from remit.contract.contract import Contract, Level
from remit.contract.limits import Spend
from remit.contract.party import Organisation
from remit.plan.reported import Validation
from remit.plan.step import Pinned
from remit.run.chained import Chained
from remit.run.change import (
    ChangeSet,
    PublishAsked,
    Published,
    PublishFailed,
    PublishIntended,
    UndoFailed,
    UndoIntended,
    Undone,
)
from remit.run.effect import Confirmed, Drafted, Effected, HandedOff, InDoubt, Intended, Resolved, Told, Withdrawn
from remit.run.fact import Fact
from remit.run.metered import (
    ContextLoaded,
    Deescalated,
    Escalated,
    ModelRefused,
    ModelReserved,
    ModelSettled,
    RuntimeChosen,
    ToolReturned,
    Unasked,
)
from remit.run.people import (
    Acceptance,
    Accepted,
    AnswerRejected,
    Delivered,
    Notified,
    OwnershipAnswered,
    OwnershipOffered,
    QuestionAnswered,
    QuestionAsked,
    QuestionEscalated,
    QuestionExpired,
    QuestionReminded,
    Said,
    StopAsked,
)

SCHEMA = "remit.event/1"

Verdict = Literal["success", "success_with_exceptions", "failed", "refused", "exhausted", "stopped", "unknown"]


class Started(Fact, frozen=True, kw_only=True, tag="started"):
    """A contract was taken on: everything that decides is pinned here. `assessment` is the advice taken before, if any.

    `requester` is the person who started it. `hosted`: a loop of the caller's own works and asks the gate, in no box of remit's.
    `unattended`: nobody will answer, so what could only be asked is refused at once. `runtime` is who works; `command` is its
    argv, or what it is given beside the task. `model` is the model that was chosen, `soul` the text of SOUL.md. `brief` is the
    whole task in words where it is not made from the contract; `skills` are those it may invoke; `step` that of the chain above.
    """

    contract: Contract
    organisation: Organisation
    workspace: str
    command: tuple[str, ...]
    trigger: str
    parent: str | None = None
    key: str | None = None
    ancestors: tuple[str, ...] = ()
    accepted_level: Level | None = None
    accepted_by: str | None = None
    checklist: tuple[tuple[str, bool], ...] = ()
    context: tuple[tuple[str, str], ...] = ()
    visible: tuple[str, ...] = ()
    assessment: str = "not assessed"
    requester: str = ""
    hosted: bool = False
    unattended: bool = False
    runtime: str = "command"
    model: str = ""
    soul: str = ""
    brief: str = ""
    skills: tuple[Pinned, ...] = ()
    step: str = ""


class BoxStarted(Fact, frozen=True, kw_only=True, tag="box_started"):
    """The box is up: its first process as the host sees it, and when that process was born (clock ticks since boot)."""

    attempt: int
    pid: int
    born: int


class BoundarySet(Fact, frozen=True, kw_only=True, tag="boundary_set"):
    """The boundary as compiled and probed: what is there, and so what is absent."""

    attempt: int
    level: Level
    missing: tuple[str, ...] = ()
    stage: str = ""
    visible: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    limits: Mapping[str, str] = {}
    warnings: tuple[str, ...] = ()


class AttemptStarted(Fact, frozen=True, kw_only=True, tag="attempt_started"):
    """The runtime was about to be started in a fresh stage, or in one that carries on from what attempt `carried` had left."""

    attempt: int
    because: str = ""
    carried: int = 0


class Decided(Fact, frozen=True, kw_only=True, tag="decided"):
    """The gate answered. `at_door` says where the action was met: door, publish, observer, proxy, git, engine."""

    action: Action
    digest: str
    decision: Word
    reasons: tuple[Reason, ...]
    considered: tuple[Reason, ...] = ()
    at_door: str
    of: tuple[str, ...] = ()
    key: str | None = None


class Blocked(Fact, frozen=True, kw_only=True, tag="blocked"):
    """The kernel or the box stopped something, and the observer saw it."""

    what: str
    object: str
    by: str


class Charged(Fact, frozen=True, kw_only=True, tag="charged"):
    """Spend was settled against the run's limits."""

    spend: Spend
    what: str


class Warned(Fact, frozen=True, kw_only=True, tag="warned"):
    """A limit is near: at least four fifths used."""

    limit: str
    used: str
    of: str


class LimitReached(Fact, frozen=True, kw_only=True, tag="limit_reached"):
    """A limit stopped something."""

    limit: str
    used: str
    of: str


class Stuck(Fact, frozen=True, kw_only=True, tag="stuck"):
    """No progress: an identical action over and over, a storm of refusals, or silence."""

    why: str


class Output(Fact, frozen=True, kw_only=True, tag="output"):
    """What the runtime printed, kept outside the ledger: size, hash and the last lines."""

    attempt: int
    bytes: int
    sha256: str
    tail: str
    cut: bool = False


class WorkDone(Fact, frozen=True, kw_only=True, tag="work_done"):
    """The runtime ended, nothing of it is left, and its stage is sealed and durable. `ended` are processes that were killed."""

    attempt: int
    status: int | None
    why: Literal["ended", "limit", "stopped", "stuck"]
    sealed: str
    receipt: str
    ended: tuple[str, ...] = ()


class AttemptLost(Fact, frozen=True, kw_only=True, tag="attempt_lost"):
    """An attempt did not get as far as a sealed stage; its stage was discarded."""

    attempt: int
    why: str


class ChangesJudged(Fact, frozen=True, kw_only=True, tag="changes_judged"):
    """Every changed path and ref was decided. `dropped` paths and `withheld` commits are not published.

    `held` are digests of questions that must be answered first.
    """

    attempt: int
    changes: ChangeSet
    dropped: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


class CheckRan(Fact, frozen=True, kw_only=True, tag="check_ran"):
    """One success check was run on exactly the tree that would be published. `found` is what a `deliverables` check found."""

    check: str
    round: int
    ok: bool
    evidence: str
    failing: tuple[str, ...] = ()
    control: str = ""
    found: Validation | None = None


class ChecksFinished(Fact, frozen=True, kw_only=True, tag="checks_finished"):
    """A round of checks is complete; `excused` names checks whose every failing item is a listed exception.

    `moved` are base paths that had changed since the stage was opened, and so were part of what was checked.
    """

    round: int
    failed: tuple[str, ...] = ()
    excused: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


class RecoveryEntered(Fact, frozen=True, kw_only=True, tag="recovery_entered"):
    """A rung of the ladder held and was taken: `entry` counts from 0."""

    entry: int
    when: str
    do: str
    why: str


class VerdictReached(Fact, frozen=True, kw_only=True, tag="verdict_reached"):
    """What the checks said, once and for all."""

    verdict: Verdict
    exceptions: tuple[str, ...] = ()
    why: str = ""


class Stopped(Fact, frozen=True, kw_only=True, tag="stopped"):
    """Nothing of the run is left running; the receipt says how that is known.

    `ended` is what was running and ended with it; `remains` effects that have left and that no stop can call back.
    """

    receipt: str
    ended: tuple[str, ...] = ()
    remains: tuple[str, ...] = ()


class ChildStarted(Fact, frozen=True, kw_only=True, tag="child_started"):
    """A child run was taken on; its limits are reserved here until it ends."""

    child: str
    key: str
    reserved: Spend


class ChildEnded(Fact, frozen=True, kw_only=True, tag="child_ended"):
    """A child run ended; its reservation is settled to what it spent."""

    child: str
    verdict: Verdict
    spend: Spend


class BodiesErased(Fact, frozen=True, kw_only=True, tag="bodies_erased"):
    """The bodies of an ended run were erased; the tree over its entries stands."""

    by: str
    because: str


Event = (
    Started | BoxStarted | BoundarySet | AttemptStarted | Decided | Blocked | Intended | Effected | Drafted | Told | HandedOff
    | Withdrawn | InDoubt | Resolved | Confirmed | Charged | Warned | LimitReached | Stuck | QuestionAsked | QuestionAnswered
    | AnswerRejected | QuestionEscalated | QuestionReminded | QuestionExpired | Output | WorkDone | AttemptLost
    | ChangesJudged | CheckRan | ChecksFinished | RecoveryEntered | VerdictReached | PublishIntended | Published
    | PublishFailed | PublishAsked | UndoIntended | Undone | UndoFailed | Accepted | Notified | Delivered | OwnershipOffered
    | OwnershipAnswered | StopAsked | Stopped | ChildStarted | ChildEnded | BodiesErased | RuntimeChosen | ModelReserved
    | ModelSettled | ModelRefused | Unasked | ToolReturned | ContextLoaded | Escalated | Deescalated | Chained
)  # fmt: skip


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the ledger holds it: its place among all events, when, and the event (None once erased)."""

    seq: int
    at: datetime
    run: str
    kind: str
    event: Event | None


def plain(event: Event) -> dict[str, Any]:
    """The event as JSON-ready built-in values, `kind` included."""
    built: dict[str, Any] = msgspec.to_builtins(event)
    return built


__all__ = [
    "SCHEMA",
    "Acceptance",
    "Accepted",
    "AnswerRejected",
    "AttemptLost",
    "AttemptStarted",
    "Blocked",
    "BodiesErased",
    "BoundarySet",
    "BoxStarted",
    "ChangesJudged",
    "Charged",
    "CheckRan",
    "ChecksFinished",
    "ChildEnded",
    "ChildStarted",
    "Confirmed",
    "ContextLoaded",
    "Decided",
    "Deescalated",
    "Delivered",
    "Drafted",
    "Effected",
    "Escalated",
    "Event",
    "Fact",
    "HandedOff",
    "InDoubt",
    "Intended",
    "LimitReached",
    "ModelRefused",
    "ModelReserved",
    "ModelSettled",
    "Notified",
    "Output",
    "OwnershipAnswered",
    "OwnershipOffered",
    "PublishAsked",
    "PublishFailed",
    "PublishIntended",
    "Published",
    "QuestionAnswered",
    "QuestionAsked",
    "QuestionEscalated",
    "QuestionExpired",
    "QuestionReminded",
    "Recorded",
    "RecoveryEntered",
    "Resolved",
    "RuntimeChosen",
    "Said",
    "Started",
    "StopAsked",
    "Stopped",
    "Stuck",
    "Told",
    "ToolReturned",
    "Unasked",
    "UndoFailed",
    "UndoIntended",
    "Undone",
    "Verdict",
    "VerdictReached",
    "Warned",
    "Withdrawn",
    "WorkDone",
    "plain",
]  # fmt: skip
