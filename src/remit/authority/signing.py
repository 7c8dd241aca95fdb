"""Whose yes counts: bound to this action and this contract, in time, by who was asked, within what they may sign."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from remit.authority.approval import Approval
from remit.authority.compile import Authority
from remit.authority.subject import Subject
from remit.contract.party import ASSURANCES, Person


def live(approvals: Iterable[Approval], digest: str, now: datetime) -> list[Approval]:
    """The approvals that are about this very action and have not run out."""
    return [
        approval
        for approval in approvals
        if approval.action == digest and approval.person and (approval.expires is None or now < approval.expires)
    ]


def approver(
    asked: str, authority: Authority, subject: Subject, approvals: Sequence[Approval], *, owner: str, irreversible: bool
) -> tuple[str, str]:
    """Who answered for `asked`, and why an answer that was given does not count; each empty when there is none."""
    rejected = ""
    for approval in approvals:
        if approval.contract != authority.hash:
            continue
        person = _person(authority, approval.person)
        if not _is(asked, approval, person, owner, strangers=not authority.organisation.people):
            rejected = rejected or f"{approval.person} is not {asked}"
        elif not _assured(approval, authority, irreversible=irreversible):
            rejected = f"an answer by `{approval.assurance}` does not suffice for this"
        elif not _may_sign(authority, subject, approval.person):
            rejected = f"this is beyond what {approval.person} may sign"
        else:
            return approval.person, ""
    return "", rejected


def answerable(asked: str, authority: Authority, *, owner: str) -> bool:
    """Whether anybody can be asked: a person or role the organisation knows, or the owner (requirement OWN-09)."""
    if asked == "owner":
        return bool(owner)
    people = authority.organisation.people
    return not people or asked == owner or any(asked == person.id or asked in person.roles for person in people)


# ---------------------------------------------------------------------------------------------------------------------


def _person(authority: Authority, name: str) -> Person | None:
    return next((person for person in authority.organisation.people if person.id == name), None)


def _is(asked: str, approval: Approval, person: Person | None, owner: str, *, strangers: bool) -> bool:
    """Where the organisation names its people, roles are its word and strangers answer only for what they own."""
    if asked in ("owner", owner):
        return bool(owner) and approval.person == owner
    if strangers:
        return approval.person == asked or asked in approval.roles
    return person is not None and (person.id == asked or asked in person.roles)


def _assured(approval: Approval, authority: Authority, *, irreversible: bool) -> bool:
    """`scripted` never suffices unless the organisation says so; what cannot be undone needs the organisation's minimum."""
    least = ASSURANCES.index(authority.organisation.assurance)
    if not irreversible:
        least = min(least, ASSURANCES.index("terminal"))
    return ASSURANCES.index(approval.assurance) >= least


def _may_sign(authority: Authority, subject: Subject, person: str) -> bool:
    """Within the `may_sign` rules of the person, or anything where the organisation set none for them (requirement APP-04)."""
    rules = authority.signing.get(person)
    if rules is None:
        return True
    met = [
        rule
        for rule in rules
        if rule.rule.verb == subject.verb
        and any(pattern.meets(subject) for pattern in rule.patterns)
        and rule.hits(subject, frozenset(), frozenset())
    ]
    return any(rule.may for rule in met) and all(rule.may for rule in met)
