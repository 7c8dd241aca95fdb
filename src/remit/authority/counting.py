"""Whose yes counts: bound to this action and this contract, in time, by who was asked, within what they may sign."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.compile import Authority
from remit.authority.consequence import irreversible
from remit.authority.subject import Subject, subject
from remit.contract.party import ASSURANCES, TIERS, Assurance, Person


def own_contract(lineage: Sequence[Authority]) -> Authority | None:
    """The run's own contract: the last that is no ceiling."""
    if lineage and not lineage[-1].ceiling:
        return lineage[-1]
    return next((authority for authority in reversed(lineage) if not authority.ceiling), None)


def four_eyes(lineage: Iterable[Authority]) -> bool:
    """Whether whoever wants the act may not approve it; one contract that says so speaks for the whole lineage."""
    return any(authority.organisation.four_eyes for authority in lineage)


def live(approvals: Iterable[Approval], digest: str, now: datetime) -> list[Approval]:
    """The approvals that are about this very action and have not run out."""
    return [
        approval
        for approval in approvals
        if approval.action == digest and approval.person and (approval.expires is None or now < approval.expires)
    ]


def approvers(
    asked: str, authority: Authority, subject: Subject, approvals: Sequence[Approval], *, owner: str, requester: str,
    token: str = "",
) -> tuple[tuple[str, ...], str]:  # fmt: skip
    """The different people whose yes to `asked` counts here, and why an answer that was given does not; each may be empty.

    `owner` is the owner of the run's own contract; `requester` may not approve. `token` is the reason it is asked for.
    """
    counted: dict[str, None] = {}
    rejected = ""
    for approval in approvals:
        if approval.contract != authority.hash or approval.person in counted:
            continue
        if approval.reasons is not None and token and token not in approval.reasons:
            continue
        fault = objected(
            asked, authority, subject, approval.person, roles=approval.roles, assurance=approval.assurance, owner=owner,
            requester=requester,
        )  # fmt: skip
        if not fault:
            counted[approval.person] = None
        elif not rejected or not fault.endswith(f" is not {asked}"):
            rejected = fault
    return tuple(counted), rejected


def objected(
    asked: str,
    authority: Authority,
    subject: Subject,
    person: str,
    *,
    roles: tuple[str, ...],
    assurance: Assurance,
    owner: str,
    requester: str,
) -> str:
    """Why a yes of this person to `asked` does not count under this contract; empty when it does."""
    if not may_answer(asked, person, authority, subject, owner=owner, roles=roles):
        return f"{person} is not {asked}"
    if requester and person == requester:
        return f"{person} asked for this, and the organisation wants another pair of eyes"
    if not _assured(assurance, authority, subject):
        return f"an answer by `{assurance}` does not suffice for this"
    if not may_sign(authority, subject, person):
        return f"this is beyond what {person} may sign"
    return ""


def may_answer(
    asked: str,
    person: str,
    authority: Authority,
    about: Action | Subject | None = None,
    *,
    owner: str = "",
    roles: tuple[str, ...] = (),
) -> bool:
    """Whether this person may stand for whom the contract asked: themselves, a holder of the role, a substitute, whoever such
    a person answers to, and the next on the ladder of the contract's escalations about this (requirement OWN-15).

    `owner` is the owner of the run's own contract. `roles` are what the answer itself claims: they count only where the
    organisation names nobody.
    """
    if not person:
        return False
    own = _owner(authority, owner)
    people = authority.organisation.people
    names = (asked, *_next_asked(authority, about))
    if not people:
        return any(person == own if name in ("owner", own) else person == name or name in roles for name in names if name)
    if any(person == each for name in names for each in _called(name, people, own)):
        return True
    return any(person in _behind(each, people) for each in _called(asked, people, own))


def answerable(asked: str, authority: Authority, *, owner: str) -> bool:
    """Whether anybody can be asked: a person or role the organisation knows, or the owner (requirement OWN-09)."""
    own = _owner(authority, owner)
    if asked == "owner":
        return bool(own)
    people = authority.organisation.people
    return not people or asked == own or any(asked == person.id or asked in person.roles for person in people)


def may_sign(authority: Authority, subject: Subject, person: str) -> bool:
    """Within the person's tier and `may_sign` rules, or anything where the organisation set none (requirement APP-04)."""
    known = next((each for each in authority.organisation.people if each.id == person), None)
    tool = authority.tools.get(subject.name) if subject.verb == "call" else None
    if known is not None and tool is not None and TIERS.index(tool.tier) > TIERS.index(known.signs_tier):
        return False
    rules = authority.signing.get(person)
    if rules is None:
        return True
    try:
        met = [
            rule
            for rule in rules
            if rule.rule.verb == subject.verb
            and any(pattern.meets(subject) for pattern in rule.patterns)
            and rule.hits(subject, frozenset(), frozenset())
        ]
    except ValueError:
        return False  # what cannot be measured is beyond anybody's limit
    return any(rule.may for rule in met) and all(rule.may for rule in met)


# ---------------------------------------------------------------------------------------------------------------------


def _owner(authority: Authority, owner: str) -> str:
    """The ceiling has no owner of its own: whoever owns the run stands there."""
    return authority.owner or (owner if authority.ceiling else "")


def _next_asked(authority: Authority, about: Action | Subject | None) -> Iterator[str]:
    """Who is next on the contract's ladder about this. Whoever is only paged is told, and no more."""
    if not authority.escalation:
        return
    ready = subject(about) if isinstance(about, Action) else about
    named = {"any", ready.name, ready.verb} if isinstance(ready, Subject) else {"any"}
    for entry in authority.escalation:
        if entry.about in named:
            yield from entry.then


def _called(name: str, people: Sequence[Person], owner: str) -> Iterator[str]:
    """The people a name means: the owner, a person, the holders of a role."""
    if name in ("owner", owner):
        if owner:
            yield owner
        return
    yield from (person.id for person in people if person.id == name or name in person.roles)


def _behind(name: str, people: Sequence[Person]) -> set[str]:
    """A person's substitutes, and everyone they answer to, step by step."""
    by_id = {person.id: person for person in people}
    person = by_id.get(name)
    found = set(person.substitutes) if person is not None else set()
    above: set[str] = set()
    while person is not None and person.answers_to and person.answers_to not in above:
        above.add(person.answers_to)
        person = by_id.get(person.answers_to)
    return (found | above) & by_id.keys()


def _assured(assurance: Assurance, authority: Authority, subject: Subject) -> bool:
    """`scripted` never suffices unless the organisation says so; what cannot be undone needs the organisation's minimum."""
    least = ASSURANCES.index(authority.organisation.assurance)
    tool = authority.tools.get(subject.name) if subject.verb == "call" else None
    if not irreversible(subject, tool):
        least = min(least, ASSURANCES.index("terminal"))
    return ASSURANCES.index(assurance) >= least
