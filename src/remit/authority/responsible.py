"""Who answers for an effect that cannot be called back, and what it turns the work into (requirement APP-07, OWN-02, OWN-05)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.compile import Authority
from remit.authority.consequence import by_argument
from remit.authority.counting import approvers, four_eyes, may_sign
from remit.authority.decision import Allow, Code, Reason, Refuse
from remit.authority.subject import Subject, subject
from remit.contract.party import Tool
from remit.contract.rule import Verb

Transition = Literal["draft to sent", "suggestion to decision", "internal to external", "reversible to irreversible"]

LEAVING = frozenset({"send", "execute", "queue", "publish"})


def responsible(
    lineage: Sequence[Authority],
    action: Action,
    decision: Allow,
    approvals: Sequence[Approval],
    *,
    owner: str,
    requester: str = "",
) -> tuple[str, ...] | Refuse:
    """The people who answer for this effect from here on: those whose yes was counted, else the owner who keeps it.

    The owner can keep it only as far as they may sign it themselves; where nobody can answer for it, it is refused.
    """
    ready = subject(action)
    if isinstance(ready, str):
        return _nobody(lineage, Code.INPUTS, ready, "write it plainly")
    barred = requester if four_eyes(lineage) else ""
    named = dict.fromkeys(_counted(lineage, ready, action, decision, approvals, owner, barred))
    if named:
        return tuple(named)
    if not owner:
        why = "nobody answers for this: it was approved by nobody, and the run has no owner"
        return _nobody(lineage, Code.NO_OWNER, why, "name an owner, or let a person approve it with an `ask` rule")
    known = {person.id for authority in lineage for person in authority.organisation.people}
    if known and owner not in known and not any(authority.owner == owner for authority in lineage):
        why = f"nobody answers for this: {owner}, who owns the run, is no person the organisation knows"
        return _nobody(lineage, Code.NO_OWNER, why, "name an owner the organisation knows")
    beyond = next((authority for authority in lineage if not may_sign(authority, ready, owner)), None)
    if beyond is not None:
        why = f"nobody answers for this: it is beyond what {owner}, who owns the run, may sign"
        do = "add an `ask` rule with `who:` somebody who may sign it, or hand the run to such a person"
        return _nobody((beyond,), Code.NO_OWNER, why, do)
    return (owner,)


def transition(tool: Tool | None, verb: Verb) -> Transition:
    """What the effect turns the work into."""
    effect = tool.effect if tool is not None and verb == "call" else None
    if effect == "send":
        return "draft to sent"
    if effect in ("execute", "suggest"):
        return "suggestion to decision"
    if effect in ("queue", "publish") or verb in ("publish", "push"):
        return "internal to external"
    return "reversible to irreversible"


def becomes(action: Action, tool: Tool | None) -> Transition:
    """What this very call turns the work into: an argument may make final what otherwise could be taken back."""
    mild = tool is not None and (tool.effect not in LEAVING or (tool.effect == "execute" and tool.tier == "bounded"))
    if tool is not None and mild and by_argument(action.arguments, tool):
        return "reversible to irreversible"
    return transition(tool, action.verb)


def leaves(action: Action | Subject, tool: Tool | None) -> bool:
    """Whether the effect leaves the workspace, and so is drafted in the outbox first."""
    if action.verb == "call":
        return tool is not None and (tool.effect in LEAVING or by_argument(action.arguments, tool))
    return action.verb in ("publish", "push")


# ---------------------------------------------------------------------------------------------------------------------


def _counted(
    lineage: Iterable[Authority],
    ready: Subject,
    action: Action,
    decision: Allow,
    approvals: Sequence[Approval],
    owner: str,
    requester: str,
) -> Iterator[str]:
    """Everyone whose yes closed a question of this decision, in the order of its reasons."""
    digest = action.digest()
    about = [approval for approval in approvals if approval.action == digest and approval.person]
    answering = {authority.hash: authority for authority in lineage}
    for reason in (*decision.reasons, *decision.considered):
        authority = answering.get(reason.contract)
        if reason.code is Code.APPROVED and authority is not None:
            people, _ = approvers(
                _asked(authority, ready, reason), authority, ready, about, owner=owner, requester=requester, token=reason.token
            )
            yield from (person for person in people if reason.why.startswith(f"{person} said yes: "))


def _asked(authority: Authority, ready: Subject, reason: Reason) -> str:
    """Whom the rule of an approved question asked; the owner where no rule did."""
    shelf = authority.shelves.get(ready.verb)
    rules = (held.rule for held in shelf.rules if held.rule.id == reason.rule) if shelf is not None else ()
    return next((rule.who or "owner" for rule in rules if rule.effect == "ask"), "owner")


def _nobody(lineage: Sequence[Authority], code: Code, why: str, do: str) -> Refuse:
    at = lineage[-1].hash if lineage else ""
    return Refuse(reasons=(Reason(code=code, rule=None, contract=at, why=why, instead=do),))
