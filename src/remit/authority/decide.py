"""The one function that decides. Everything else in remit asks it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from remit.authority.action import Action
from remit.authority.answer import answer
from remit.authority.approval import Approval
from remit.authority.case import ALLOW, ASK, Answer, Case
from remit.authority.compile import Authority
from remit.authority.consequence import irreversible_anywhere
from remit.authority.counting import four_eyes, live, own_contract
from remit.authority.decision import Allow, Ask, Code, Decision, Reason, Refuse
from remit.authority.spent import Spent
from remit.authority.subject import subject
from remit.authority.windows import counted


def decide(
    lineage: Sequence[Authority],
    action: Action,
    *,
    spent: Spent,
    approvals: Sequence[Approval] = (),
    now: datetime,
    requester: str = "",
    attended: bool = True,
) -> Decision:
    """Every contract of the lineage answers, outermost first, and the strictest answer stands; it never raises.

    `spent` is what earlier granted actions of this run, and of the organisation's windows, used up. `approvals` are unused ones;
    each satisfies only the ask of the contract it is bound to. `requester` is who wants the act: where the organisation says four
    eyes, their yes does not count. Not `attended`: nobody will answer, so what would be asked is refused. Refusals and questions
    carry the reasons of every contract that gave that answer; `considered` holds what was met and beaten.
    """
    try:
        decision = _decide(lineage, action, spent, approvals, now, requester)
        return decision if attended or not isinstance(decision, Ask) else _unattended(lineage, action, decision)
    except Exception as error:  # noqa: BLE001 - what cannot be judged is refused, never let through by an accident
        why = f"this could not be judged: {type(error).__name__}"
        return Refuse(reasons=(Reason(code=Code.RULE_ERROR, rule=None, contract="", why=why),))


def granted(
    lineage: Iterable[Authority],
    action: Action,  # noqa: ARG001 - the decision was made about it
    decision: Decision,
) -> tuple[tuple[str, str], ...]:
    """The (contract hash, rule id) pairs of the rules that let it happen, which is what `times` counts; empty unless allowed."""
    if not isinstance(decision, Allow):
        return ()
    answering = {authority.hash for authority in lineage}
    pairs = ((reason.contract, reason.rule) for reason in decision.reasons if reason.rule is not None)
    return tuple(dict.fromkeys(pair for pair in pairs if pair[0] in answering))


def numbers(lineage: Iterable[Authority], action: Action) -> dict[str, str]:
    """The arguments, as text, that sums and counts of any contract of the lineage add up or group by."""
    ready = subject(action)
    if isinstance(ready, str):
        return {}
    return {name: text for authority in lineage for name, text in counted(authority.limits, ready)}


PLAIN = "write paths inside the workspace, plain hosts, and JSON values with finite numbers"

# ---------------------------------------------------------------------------------------------------------------------


def _decide(
    lineage: Sequence[Authority], action: Action, spent: Spent, approvals: Sequence[Approval], now: datetime, requester: str
) -> Decision:
    ready = subject(action)
    if isinstance(ready, str):
        at = lineage[-1].hash if lineage else ""
        return Refuse(reasons=(Reason(code=Code.INPUTS, rule=None, contract=at, why=ready, instead=PLAIN),))
    innermost = own_contract(lineage)
    if innermost is None:
        return Refuse(reasons=(Reason(code=Code.UNCOVERED, rule=None, contract="", why="there is no contract to act under"),))
    counting = live(approvals, action.digest(), now) if approvals else ()
    barred = requester if requester and four_eyes(lineage) else ""
    case = Case(subject=ready, spent=spent, approvals=counting, now=now, owner=innermost.owner, requester=barred)
    answers = [answer(authority, case) for authority in lineage]
    strictest, quiet = ALLOW, True
    reasons: tuple[Reason, ...] = ()
    for given in answers:
        quiet = quiet and not given.neutral and not given.considered
        if given.strictness > strictest:
            strictest, reasons, quiet = given.strictness, given.reasons, False
        elif given.strictness == strictest:
            reasons += given.reasons
        else:
            quiet = False
    considered = () if quiet else tuple(_considered(answers, lineage, strictest))
    if strictest == ALLOW:
        return Allow(reasons=reasons, considered=considered)
    if strictest == ASK:
        people = tuple(dict.fromkeys(person for given in answers for person in given.asks))
        return Ask(of=people, reasons=reasons, considered=considered, quorum=_quorum(answers))
    return Refuse(reasons=reasons, considered=considered)


def _quorum(answers: list[Answer]) -> dict[str, int]:
    """The largest number of people that any contract wants of those it asks, where it is more than one."""
    found: dict[str, int] = {}
    for given in answers:
        for who, least in given.quorum:
            found[who] = max(least, found.get(who, 0))
    return found


def _unattended(lineage: Sequence[Authority], action: Action, decision: Ask) -> Refuse:
    """Nobody will answer: refused, with who would have been asked (requirement CON-10)."""
    ready = subject(action)
    final = not isinstance(ready, str) and irreversible_anywhere(lineage, ready)
    code = Code.IRREVERSIBLE if final else Code.APPROVAL
    why = f"nobody is there to ask; {', '.join(decision.of)} would have to say yes" + (
        ", and it cannot be undone" if final else ""
    )
    first = decision.reasons[0]
    instead = "it was not sent; what it would have been is kept in the outbox: go on with what needs no answer"
    reason = Reason(code=code, rule=first.rule, contract=first.contract, why=why, instead=instead)
    return Refuse(reasons=(reason, *decision.reasons), considered=decision.considered)


def _considered(answers: list[Answer], lineage: Sequence[Authority], strictest: int) -> Iterable[Reason]:
    for given, authority in zip(answers, lineage, strict=True):
        if given.neutral:
            yield _neutral(authority)
        elif given.strictness < strictest:
            yield from given.reasons
        if given.considered:
            yield from given.considered


def _neutral(authority: Authority) -> Reason:
    return Reason(code=Code.NEUTRAL, rule=None, contract=authority.hash, why=f"{authority.name} has no `may` for this verb")
