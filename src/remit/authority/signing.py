"""Asked before a yes is taken: whether this person may answer, and why their yes would not count."""

from collections.abc import Sequence
from datetime import UTC, datetime

from remit.authority.action import Action
from remit.authority.answer import answer
from remit.authority.case import Case
from remit.authority.compile import Authority
from remit.authority.counting import answerable, four_eyes, may_answer, objected, own_contract
from remit.authority.decision import Code, Reason
from remit.authority.spent import Spent
from remit.authority.subject import subject
from remit.contract.party import Assurance

__all__ = ["answerable", "may_answer", "objection"]

FAR_AHEAD = datetime(9999, 1, 1, tzinfo=UTC)
"""a moment at which every window has moved on"""


def objection(
    lineage: Sequence[Authority],
    action: Action,
    person: str,
    asked: str,
    *,
    assurance: Assurance = "terminal",
    requester: str = "",
    owner: str = "",
    roles: tuple[str, ...] = (),
    spent: Spent | None = None,
    now: datetime | None = None,
) -> Reason | None:
    """Why a yes of this person for `asked` (as in `Ask.of`, or the owner by name) would not count; None when `decide` counts it.

    `owner` is the owner of the run's own contract, which is taken from the lineage unless given. `spent` and `now` are those of
    the decision that asked: without them, what only a window asks for is judged by every contract of the lineage.
    """
    case = _case(lineage, action, requester, owner, spent or Spent(), now or FAR_AHEAD)
    if isinstance(case, Reason):
        return case
    try:
        asking = _asking(lineage, case, asked)
        found = [
            (authority, objected(
                asked, authority, case.subject, person, roles=roles, assurance=assurance, owner=case.owner,
                requester=case.requester,
            ))
            for authority in asking or lineage
        ]  # fmt: skip
    except Exception as error:  # noqa: BLE001 - what cannot be judged is not signed either
        return Reason(code=Code.RULE_ERROR, rule=None, contract="", why=f"this could not be judged: {type(error).__name__}")
    if not asking and any(not why for _, why in found):
        return None  # nothing here tells which contract asked; `decide` has the last word
    do = "whoever else was asked may answer, or the next of the escalation"
    return next((Reason(code=Code.AUTHORITY, rule=None, contract=at.hash, why=why, instead=do) for at, why in found if why), None)


# ---------------------------------------------------------------------------------------------------------------------


def _asking(lineage: Sequence[Authority], case: Case, asked: str) -> list[Authority]:
    """The contracts that ask for `asked`; the owner of the run goes by `owner` and by name."""
    asks = [(authority, answer(authority, case).asks) for authority in lineage]
    exact = [authority for authority, names in asks if asked in names]
    if exact or asked not in ("owner", case.owner):
        return exact
    return [authority for authority, names in asks if {"owner", case.owner} & {*names}]


def _case(lineage: Sequence[Authority], action: Action, requester: str, owner: str, spent: Spent, now: datetime) -> Case | Reason:
    ready = subject(action)
    if isinstance(ready, str):
        return Reason(code=Code.INPUTS, rule=None, contract="", why=ready)
    innermost = own_contract(lineage)
    if innermost is None:
        return Reason(code=Code.UNCOVERED, rule=None, contract="", why="there is no contract to act under")
    barred = requester if four_eyes(lineage) else ""
    return Case(subject=ready, spent=spent, approvals=(), now=now, owner=owner or innermost.owner, requester=barred)
