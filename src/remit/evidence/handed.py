"""What a run handed on to people, step by step, and whose the outcome is now: completed is not owned (OWN-01, OWN-04)."""

from collections.abc import Sequence
from datetime import datetime

from remit.evidence.row import signed
from remit.evidence.standing import standing
from remit.run.event import Accepted, HandedOff, OwnershipAnswered, OwnershipOffered, Recorded, Verdict
from remit.run.outbox import OPEN
from remit.run.people import Acceptance
from remit.run.state import Run
from remit.value import Value

SCHEMA = "remit.owned/1"


class Passed(Value, frozen=True, kw_only=True):
    """One moment at which somebody came to answer for something, or was asked to: its place and time, what, who, by what."""

    seq: int
    at: datetime
    what: str
    transition: str = ""
    who: tuple[str, ...]
    by: str
    proof: str = ""


class Owned(Value, frozen=True, kw_only=True):
    """Who answers for what. `owner` owns the outcome now; `offered_to` only once they accept; `waiting` are drafts.

    `done` is true only when the outcome was reached and taken: what is completed and unowned is not done.
    """

    schema: str = SCHEMA
    run: str
    goal: str
    owner: str
    offered_to: str
    verdict: Verdict | None
    acceptance: Acceptance
    done: bool
    says: str
    steps: tuple[Passed, ...]
    waiting: tuple[str, ...]


def owned(records: Sequence[Recorded], run: Run) -> Owned:
    """From the events of one run and its state."""
    stands = standing(records)
    offered = run.offer.to if run.offer is not None else ""
    said = {key: action.said() for (_, key), action in stands.actions.items()}
    waiting = [draft for draft in run.drafts.values() if draft.state in OPEN and draft.begun is None]
    good = run.verdict in {"success", "success_with_exceptions"}
    return Owned(
        run=run.id, goal=run.contract.goal, owner=run.owner, offered_to=offered, verdict=run.verdict, acceptance=run.acceptance,
        done=good and run.acceptance == "accepted" and not run.undone and not offered, says=_says(run, offered),
        steps=tuple(step for record in records for step in _passed(record, said)),
        waiting=tuple(f"{draft.key}: {draft.action.said()} ({draft.state})" for draft in waiting),
    )  # fmt: skip


def _says(run: Run, offered: str) -> str:
    """Where the outcome stands, in one line."""
    ours = f"stays with {run.owner} until {offered} accepts" if offered else f"{run.owner} owns it"
    if run.verdict is None:
        return f"not completed; {ours}"
    if run.undone:
        return f"undone; {ours}"
    match run.acceptance:
        case "accepted":
            return f"{run.verdict}, and {run.owner} has taken the outcome"
        case "declined":
            return f"{run.verdict}, and {run.owner} has declined the outcome"
        case _:
            return f"{run.verdict}, but nobody has taken the outcome; {ours}"


def _passed(record: Recorded, said: dict[str, str]) -> tuple[Passed, ...]:
    match record.event:
        case HandedOff(key=key) as event:
            what = said.get(key, key)
            return (_at(record, what, event.responsible, event.by, key, event.transition),)
        case OwnershipOffered() as event:
            return (_at(record, "the outcome is offered", (event.to,), f"offer of {event.by}", signed(event.signature)),)
        case OwnershipAnswered() as event:
            word = "the outcome is taken over" if event.accepted else "the offer is declined"
            return (_at(record, word, (event.person,), f"answer of {event.person}", signed(event.signature)),)
        case Accepted() as event:
            return (_at(record, f"the outcome is {event.acceptance}", (event.person,), "acceptance", signed(event.signature)),)
        case _:
            return ()


def _at(record: Recorded, what: str, who: tuple[str, ...], by: str, proof: str, transition: str = "") -> Passed:
    return Passed(seq=record.seq, at=record.at, what=what, transition=transition, who=who, by=by, proof=proof)
