"""Where the work changes hands: who answers for an effect from here on, recorded with the grant (APP-07, OWN-02)."""

from collections.abc import Sequence

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decision import Allow, Refuse
from remit.authority.responsible import becomes, leaves, responsible
from remit.contract.party import Tool
from remit.engine.lineage import approvals
from remit.ports import Transaction
from remit.run.event import HandedOff
from remit.run.state import Asked, Run

NEW = "new"
"""the draft of what was never asked: it has no answers yet"""


def responsible_for(
    run: Run, authorities: tuple[Authority, ...], action: Action, tool: Tool | None, decision: Allow, *, draft: str = NEW
) -> tuple[str, ...] | Refuse:
    """Who answers for an effect that leaves; nobody has to for one that does not."""
    if not leaves(action, tool):
        return ()
    assert run.started is not None
    yes = approvals(run, unused=True, draft=draft)
    return responsible(authorities, action, decision, yes, owner=run.owner, requester=run.started.requester)


def hand_off(
    transaction: Transaction, run: str, key: str, action: Action, tool: Tool | None, named: tuple[str, ...], by: str
) -> None:
    """Record who answers from here on, and why it is they."""
    if named:
        moved = becomes(action, tool)
        transaction.append(HandedOff(run=run, key=key, transition=moved, responsible=named, by=by))


def answering(mine: Sequence[Asked]) -> tuple[str, ...]:
    """Those who said yes to it as it is now, or made it so: they answer for it, whether or not a rule still asks."""
    return tuple(dict.fromkeys(each.person for asked in mine for each in asked.counting if each.answer in {"yes", "modify"}))


def why_they(mine: Sequence[Asked], decision: Allow) -> str:
    """Why it is they who answer, in words."""
    if mine:
        return f"approved in {', '.join(asked.question.question for asked in mine)}"
    return f"kept under rule {next((reason.rule for reason in decision.reasons if reason.rule), '')}"
