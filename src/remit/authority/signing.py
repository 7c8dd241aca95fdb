"""Asked before a yes is taken: whether this person may answer, and why their yes would not count."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from remit.authority.action import Action
from remit.authority.answer import answer
from remit.authority.case import ASK, Case
from remit.authority.compile import Authority
from remit.authority.counting import answerable, four_eyes, may_answer, objected, own_contract
from remit.authority.decision import Code, Reason
from remit.authority.spent import Spent
from remit.authority.subject import Subject, subject
from remit.contract.party import Assurance

__all__ = ["answerable", "may_answer", "objection"]

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


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
    """Why a yes of this person for `asked` (as in `Ask.of`) would not count; None when `decide` will count it.

    `owner` is the owner of the run's own contract, which is taken from the lineage unless given. `spent` and `now` are those of
    the decision that asked: without them, what only a window asks for is judged by every contract of the lineage.
    """
    ready = subject(action)
    if isinstance(ready, str):
        return Reason(code=Code.INPUTS, rule=None, contract="", why=ready)
    innermost = own_contract(lineage)
    if innermost is None:
        return Reason(code=Code.UNCOVERED, rule=None, contract="", why="there is no contract to act under")
    case = Case(
        subject=ready, spent=spent or Spent(), approvals=(), now=now or LONG_AGO, owner=owner or innermost.owner,
        requester=requester if four_eyes(lineage) else "",
    )  # fmt: skip
    asking = [(authority, name) for authority in lineage for name in _asks(authority, case, asked)]
    found = [
        (authority, _objected(authority, case, name, person, roles, assurance))
        for authority, name in asking or [(authority, asked) for authority in lineage]
    ]
    if not asking and any(not why for _, why in found):
        return None  # nothing tells which contract asked; `decide` has the last word
    return next((_reason(authority, why) for authority, why in found if why), None)


# ---------------------------------------------------------------------------------------------------------------------


def _asks(authority: Authority, case: Case, asked: str) -> Iterator[str]:
    """The names by which this contract asks for `asked`: itself, or `owner` where that is whom it means."""
    given = answer(authority, case)
    if given.strictness == ASK and asked in given.asks:
        yield asked


def _objected(authority: Authority, case: Case, asked: str, person: str, roles: tuple[str, ...], assurance: Assurance) -> str:
    return objected(
        asked, authority, case.subject, person, roles=roles, assurance=assurance, owner=case.owner, requester=case.requester
    )


def _reason(authority: Authority, why: str) -> Reason:
    do = "whoever else was asked may answer, or the next of the escalation"
    return Reason(code=Code.AUTHORITY, rule=None, contract=authority.hash, why=why, instead=do)
