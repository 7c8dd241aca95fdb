"""An approval is bound to action, contract, person and moment (requirement APP-04, APP-05)."""

from datetime import timedelta
from typing import Any

import pytest
from authority_worlds import NOW, OWNER, act, contract, decided, lineage, rule, said

from remit.authority.approval import Approval
from remit.authority.decide import granted
from remit.authority.decision import Allow, Ask
from remit.contract.condition import Range
from remit.contract.party import Organisation, Person

LEAD, FINANCE = "lead@example.com", "finance@example.com"
ORGANISATION = Organisation(
    people=(
        Person(
            id=LEAD,
            roles=("support-lead",),
            may_sign=(rule("may", "call", "refund", where={"amount": Range(low="0", high="500")}),),
        ),
        Person(id=FINANCE, roles=("finance",)),
        Person(id=OWNER),
    )
)
ASKING = contract(
    rule("ask", "call", "refund", id="lead", where={"amount": Range(low="50", high="1000", over=True)}, who="support-lead"),
)
REFUND = act("call", "refund", amount=60, order_id="o1")


def yes(**changed: Any) -> Approval:
    given = {"action": REFUND.digest(), "contract": ASKING.hash(), "person": LEAD, "expires": NOW + timedelta(hours=1), **changed}
    return Approval(**given)


def test_the_right_yes_allows_and_is_named() -> None:
    under = lineage(ASKING, organisation=ORGANISATION)
    decision = decided(under, REFUND, approvals=(yes(),))
    assert isinstance(decision, Allow)
    assert [(reason.code, reason.rule) for reason in decision.reasons] == [("APPROVED", "lead")]
    assert LEAD in decision.reasons[0].why
    assert granted(under, REFUND, decision) == ((ASKING.hash(), "lead"),)


def test_without_an_organisation_the_answers_own_role_counts() -> None:
    assert said(lineage(ASKING), REFUND, approvals=(yes(person="somebody@example.com", roles=("support-lead",)),)) == "allow"
    assert said(lineage(ASKING), REFUND, approvals=(yes(person="somebody@example.com"),)) == "ask"


@pytest.mark.parametrize(
    "changed",
    [
        {"action": act("call", "refund", amount=61, order_id="o1").digest()},
        {"action": act("call", "refund", amount="60", order_id="o1").digest()},
        {"contract": contract(rule("may", "read", "**")).hash()},
        {"person": FINANCE},
        {"person": FINANCE, "roles": ("support-lead",)},
        {"person": ""},
        {"person": "support-lead"},
        {"expires": NOW},
        {"expires": NOW - timedelta(seconds=1)},
        {"assurance": "scripted"},
    ],
)
def test_any_other_yes_does_not_count(changed: dict[str, Any]) -> None:
    assert said(lineage(ASKING, organisation=ORGANISATION), REFUND, approvals=(yes(**changed),)) == "ask"


def test_a_signature_beyond_the_signing_authority_does_not_count_and_is_said() -> None:
    big = act("call", "refund", amount=600)
    decision = decided(lineage(ASKING, organisation=ORGANISATION), big, approvals=(yes(action=big.digest()),))
    assert isinstance(decision, Ask)
    assert [reason.why for reason in decision.considered if reason.code == "AUTHORITY"] == [
        f"this is beyond what {LEAD} may sign"
    ]


def test_scripted_answers_suffice_only_where_the_organisation_says_so() -> None:
    lax = Organisation(people=ORGANISATION.people, assurance="scripted")
    assert said(lineage(ASKING, organisation=lax), REFUND, approvals=(yes(assurance="scripted"),)) == "allow"


def test_what_cannot_be_undone_needs_the_organisations_assurance() -> None:
    strict = Organisation(people=ORGANISATION.people, assurance="person-signed")
    pushing = contract(rule("ask", "push", "main"), rule("ask", "write", "**"))
    for action, weak in ((act("push", "main"), "ask"), (act("write", "a"), "allow")):
        given = Approval(action=action.digest(), contract=pushing.hash(), person=OWNER)
        assert said(lineage(pushing, organisation=strict), action, approvals=(given,)) == weak
        signed = Approval(action=action.digest(), contract=pushing.hash(), person=OWNER, assurance="person-signed")
        assert said(lineage(pushing, organisation=strict), action, approvals=(signed,)) == "allow"


def test_every_contract_that_asks_needs_its_own_yes() -> None:
    parent, child = contract(rule("ask", "write", "**")), contract(rule("ask", "write", "docs/**"))
    action = act("write", "docs/a")
    first, second = (Approval(action=action.digest(), contract=each.hash(), person=OWNER) for each in (parent, child))
    assert said(lineage(parent, child), action, approvals=(first,)) == "ask"
    assert said(lineage(parent, child), action, approvals=(first, second)) == "allow"


def test_everyone_who_is_asked_must_say_yes() -> None:
    both = contract(rule("ask", "write", "**", who=LEAD), rule("ask", "write", "docs/**", who=FINANCE))
    action = act("write", "docs/a")
    one, two = (Approval(action=action.digest(), contract=both.hash(), person=person) for person in (LEAD, FINANCE))
    partly = decided(lineage(both), action, approvals=(one,))
    assert isinstance(partly, Ask)
    assert partly.of == (FINANCE,)
    assert said(lineage(both), action, approvals=(one, two)) == "allow"


def test_a_yes_never_lifts_a_never_or_covers_the_uncovered() -> None:
    guarded = contract(rule("ask", "write", "docs/**"), rule("never", "write", "docs/secret"))
    for path in ("docs/secret", "src/a"):
        action = act("write", path)
        given = Approval(action=action.digest(), contract=guarded.hash(), person=OWNER)
        assert said(lineage(guarded), action, approvals=(given,)) == "refuse"


def test_nobody_to_ask_is_refused_because_the_risk_has_no_owner() -> None:
    asking = contract(rule("ask", "write", "**", who="cfo"))
    decision = decided(lineage(asking, organisation=ORGANISATION), act("write", "a"))
    assert decision.reasons[0].code == "RISK-OWNER"


def test_the_ceilings_owner_is_the_owner_of_the_run() -> None:
    ceiling = Organisation(rules=(rule("ask", "push", "any"),))
    pushing = contract(rule("may", "push", "main"))
    under = lineage(pushing, organisation=ceiling)
    asked = decided(under, act("push", "main"))
    assert isinstance(asked, Ask)
    assert asked.of == ("owner",)
    given = Approval(action=act("push", "main").digest(), contract=under[0].hash, person=OWNER)
    assert said(under, act("push", "main"), approvals=(given,)) == "allow"
