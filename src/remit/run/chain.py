"""Where a chain stands: a fold over its facts. Small on purpose: names, states and summaries, never bodies (SUB-01)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from remit.plan.reported import Report, Validation
from remit.plan.step import CONVERSATION, Plan
from remit.run.chained import (
    GapsAccepted,
    PlanEnded,
    PlanPinned,
    StepEnded,
    StepReopened,
    StepSkipped,
    StepStarted,
    Validated,
)
from remit.run.fact import Fact

Standing = Literal["pending", "in_progress", "complete", "failed", "skipped"]


class Stood(msgspec.Struct, frozen=True, kw_only=True):
    """Where one step stands. `tries` counts sub-agents, `children` are their runs, `outcome` how the last one came back."""

    status: Standing = "pending"
    tries: int = 0
    children: tuple[str, ...] = ()
    outcome: str = ""
    why: str = ""
    report: Report = Report()
    files: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()
    digest: str = ""
    exceptions: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    """what left the workspace in any of its tries"""
    person: str = ""
    handed: bool = False
    """whether somebody really had it the last time, or it was refused before"""
    ended_seq: int = -1
    """the place in the ledger where it ended last"""
    began: datetime | None = None
    ended: datetime | None = None


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A plan and how far it is. `round` counts validations; `again` are steps to be taken once more for gaps that were found."""

    plan: Plan
    advised: str = ""
    why: tuple[str, ...] = ()
    confirmed: str = ""
    steps: Mapping[str, Stood]
    merged: tuple[str, ...] = ()
    """runs of complete steps in the order in which they came back"""
    paths: Mapping[str, tuple[int, str]] = {}
    """paths that steps have changed: the place in the ledger and the step that did it last"""
    sealed: int = 0
    """how many of them the stage held when it was sealed last"""
    round: int = 0
    current: bool = False
    """whether the validation is of what there is now"""
    validation: Validation | None = None
    accepted: tuple[str, ...] = ()
    accepted_by: str = ""
    accepted_in: str = ""
    over: str = ""
    over_why: str = ""

    @property
    def exceptions(self) -> tuple[str, ...]:
        """What somebody took the chain, or a step of it, knowingly without."""
        below = (f"{name}: {each}" for name, stood in self.steps.items() for each in stood.exceptions)
        return (*(f"deliverables: {name}" for name in self.accepted), *below)

    @property
    def complete(self) -> int:
        """How many steps are complete."""
        return sum(each.status == "complete" for each in self.steps.values())


def fold(chain: Chain | None, event: Fact, at: datetime, seq: int = 0) -> Chain | None:
    """The chain after this fact, which stands at `seq` in the ledger; facts about other things leave it as it is."""
    if isinstance(event, PlanPinned):
        steps = {step.id: Stood() for step in event.plan.steps}
        if event.plan.mode == "standard":
            steps[CONVERSATION] = Stood()
        return Chain(plan=event.plan, advised=event.advised, why=event.why, confirmed=event.confirmed, steps=steps)
    if chain is None:
        return None
    replace = msgspec.structs.replace
    match event:
        case StepStarted() if event.step in chain.steps:
            stood = chain.steps[event.step]
            now = replace(
                stood, status="in_progress", tries=event.number, children=(*stood.children, event.child), began=at, ended=None,
                outcome="", why=event.because,
            )  # fmt: skip
            return replace(chain, steps={**chain.steps, event.step: now})
        case StepEnded() if event.step in chain.steps:
            done = event.outcome == "complete"
            now = replace(
                chain.steps[event.step], status="complete" if done else "failed", outcome=event.outcome, why=event.why,
                report=event.report, files=event.files, flagged=event.flagged, digest=event.digest, ended=at,
                exceptions=event.exceptions, effects=(*chain.steps[event.step].effects, *event.effects),
                tries=max(chain.steps[event.step].tries, event.number), handed=bool(event.child), ended_seq=seq,
            )  # fmt: skip
            new = done and event.child and event.child not in chain.merged
            paths = {**chain.paths, **dict.fromkeys(event.files, (seq, event.step))} if new else chain.paths
            merged = (*chain.merged, event.child) if new else chain.merged
            if event.outcome == "conflict" and event.child in merged:  # what its tries had made is not in the stage any more
                merged = tuple(child for child in merged if child not in chain.steps[event.step].children)
            return replace(chain, steps={**chain.steps, event.step: now}, merged=merged, paths=paths, current=False)
        case StepReopened() if event.step in chain.steps:
            now = replace(chain.steps[event.step], status="pending", why=event.why)
            return replace(chain, steps={**chain.steps, event.step: now})
        case StepSkipped() if event.step in chain.steps:
            now = replace(chain.steps[event.step], status="skipped", person=event.person, why=event.why, ended=at)
            return replace(chain, steps={**chain.steps, event.step: now}, current=False)
        case Validated():
            return replace(chain, round=event.round, validation=event.found, current=True)
        case GapsAccepted():
            partial = None if chain.validation is None else replace(chain.validation, status="PARTIAL")  # taken, and never a PASS
            taken = replace(chain, accepted=event.missing, accepted_by=event.person, accepted_in=event.question)
            return replace(taken, validation=partial)
        case PlanEnded():
            return replace(chain, over=event.how, over_why=event.why)
        case _:
            return chain
