"""The outbox: effects that leave the workspace, each a draft until somebody answers for it, released at most once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from remit.authority.action import Action
from remit.run.effect import Confirmed, Drafted, Effected, HandedOff, InDoubt, Intended, Resolved, Withdrawn

DraftState = Literal["drafted", "asked", "answered", "publishing", "published", "refused", "expired", "abandoned", "unknown"]
OPEN: frozenset[DraftState] = frozenset({"drafted", "asked", "answered"})
"""not yet begun: it can still be withdrawn"""
ENDED: frozenset[DraftState] = frozenset({"published", "refused", "expired", "abandoned"})

EffectFact = Intended | Effected | HandedOff | Withdrawn | InDoubt | Resolved | Confirmed
change = msgspec.structs.replace


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One effect in the outbox. `action` is what it has become, `drafted.action` what was asked for.

    `collected`: the agent of the present attempt has been told how it ended. `conflict`: what
    is known contradicts what was decided.
    """

    drafted: Drafted
    at: datetime
    action: Action
    preview: str = ""
    state: DraftState = "drafted"
    begun: datetime | None = None
    tried: datetime | None = None
    looked: bool = False
    tries: int = 0
    receipt: str = ""
    output: str = ""
    why: str = ""
    responsible: tuple[str, ...] = ()
    resolved: Resolved | None = None
    collected: bool = False
    conflict: str = ""

    @property
    def shown(self) -> str:
        """What would happen, as it stands now."""
        return self.preview or self.drafted.preview

    @property
    def key(self) -> str:
        """What the provider sees, and what never changes."""
        return self.drafted.key


def after(draft: Draft, fact: EffectFact, at: datetime) -> Draft:
    """The draft after this fact. What contradicts an earlier fact is kept beside it as a conflict, never instead of it."""
    match fact:
        case HandedOff():
            return change(draft, responsible=fact.responsible)
        case Intended():
            return _begun(draft, fact, at)
        case Effected(ok=True):
            return _happened(draft, fact.receipt, fact.output)
        case Effected():
            if draft.state == "published":
                conflict = f"it did not happen ({fact.receipt}), though it was recorded as `published`"
                return change(draft, conflict=draft.conflict or conflict)
            return draft if draft.state in ENDED else change(draft, state="refused", receipt=fact.receipt, why=fact.receipt)
        case Withdrawn():
            state: DraftState = fact.how
            return change(draft, state=state, why=fact.why) if draft.state in OPEN else draft
        case InDoubt():
            doubtful = draft.state in {"publishing", "unknown"} or (draft.state == "answered" and draft.begun is not None)
            return change(draft, state="unknown", why=fact.why, looked=fact.looked) if doubtful else draft
        case Resolved():
            return _resolved(draft, fact)
        case Confirmed():
            return _happened(draft, fact.receipt, "")


def _begun(draft: Draft, fact: Intended, at: datetime) -> Draft:
    """What is begun although it had ended, or nobody knew what became of the first time, is a conflict for good."""
    conflict = draft.conflict
    if draft.state not in OPEN:
        conflict = conflict or f"it was begun again, though it was recorded as `{draft.state}`"
    state: DraftState = draft.state if draft.state in ENDED else "publishing"
    return change(
        draft,
        state=state,
        action=fact.action,
        begun=draft.begun or at,
        tried=at,
        looked=False,
        tries=draft.tries + 1,
        conflict=conflict,
    )


def _happened(draft: Draft, receipt: str, output: str) -> Draft:
    if draft.state == "published":
        return change(draft, output=draft.output or output)
    conflict = draft.conflict
    if draft.begun is None:
        conflict = conflict or f"it happened ({receipt}), though nobody had released it"
    elif draft.state in ENDED or (draft.resolved is not None and draft.state != "publishing"):
        said = draft.resolved.said if draft.resolved is not None else draft.state
        conflict = f"it happened after all ({receipt}), though it was recorded as `{said}`"
    return change(draft, state="published", receipt=receipt, output=output or draft.output, conflict=conflict)


def _resolved(draft: Draft, fact: Resolved) -> Draft:
    if draft.state != "unknown":
        return draft
    states: Mapping[str, DraftState] = {"happened": "published", "abandoned": "abandoned"}
    state = states.get(fact.said, "answered")
    return change(draft, state=state, resolved=fact, receipt=fact.receipt or draft.receipt)


def meant(drafts: Mapping[str, Draft], digest: str, ref: str = "") -> Draft | None:
    """The draft that a call means: the first of this digest, or of the caller's own name for it, not over or not told.

    So asking again while it waits is no second effect, nor is asking again in a new attempt; a further call is a new one.
    """
    for draft in drafts.values():
        untold = not draft.collected or draft.state not in ENDED
        if draft.drafted.digest == digest and draft.drafted.ref == ref and (ref or untold):
            return draft
    return None
