"""The refund policy of S15 as a decision table: up to 50 by itself, up to 500 the lead, beyond that, VIP or legal: finance."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from authority_worlds import NOW
from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.compile import Authority, compile_contract, compile_organisation
from remit.authority.decide import decide, numbers
from remit.authority.decision import Allow, Ask, Decision, Refuse, word
from remit.authority.responsible import responsible
from remit.authority.signing import objection
from remit.authority.spent import Spent, Used
from remit.contract.contract import Contract
from remit.contract.parse import parse, parse_organisation
from remit.contract.party import Organisation
from remit.contract.review import review

LEAD, FINANCE, OWNER = "support-lead@example.com", "finance@example.com", "desk-owner@example.com"
ORGANISATION_TEXT = """\
people:
  - id: support-lead@example.com
    roles: [support-lead]
    keys: [ssh-ed25519 AAAAC3Nza1]
    answers to: finance@example.com
    signs tier: high-risk
    may sign:
      - call: refund
        where: {amount: {from: 0.01, to: 500}, currency: EUR, customer_tier: standard}
  - id: finance@example.com
    roles: [finance]
    keys: [ssh-ed25519 AAAAC3Nza2]
  - id: desk-owner@example.com
    keys: [ssh-ed25519 AAAAC3Nza3]
    may sign:
      - call: refund
        where: {amount: {from: 0.01, to: 50}, currency: EUR}
tools:
  refund:
    tier: high-risk
    effect: execute
    arguments:
      amount: {type: number, required: true}
      currency: {type: text, required: true}
      customer: {type: text, required: true}
      order_id: {type: text, required: true}
      customer_tier: text
      legal: truth
      reason: {type: text, inert: true}
"""
CONTRACT_TEXT = """\
goal: Answer the open refund requests of today
owner: desk-owner@example.com
may:
  - call: refund
    where: {amount: {from: 0.01, to: 50}, currency: EUR, customer_tier: standard, legal: false, customer: any, order_id: any}
    examples:
      match: [{call: refund, with: {amount: 50.00, currency: EUR, customer_tier: standard, legal: false, customer: c, order_id: o}}]
      no match: [{call: refund, with: {amount: 50.01, currency: EUR, customer_tier: standard, legal: false, customer: c, order_id: o}}]
ask:
  - {id: lead, call: refund, where: {amount: {over: 50, to: 500}, currency: EUR, customer_tier: standard, legal: false}, who: support-lead}
  - {id: large, call: refund, where: {amount: {over: 500, to: 10000}, currency: EUR}, who: finance}
  - {id: vip, call: refund, where: {customer_tier: {not: standard}, currency: EUR}, who: finance}
  - {id: legal, call: refund, where: {legal: {not: false}, currency: EUR}, who: finance}
limits:
  turns: 40
  time: 30m
  sums: [{sum: refund.amount, per: customer, within: 1h, to: 450, then: ask}]
success: [{id: log, file: refunds.md, exists: true}]
recovery: [{when: failed, do: undo}]
escalation:
  - {for: refund, page: support-lead, within: 2h, remind: 30m, then: [finance], attach: [order_id, reason], otherwise: refuse}
"""


def policy() -> tuple[Contract, Organisation]:
    organisation = parse_organisation(ORGANISATION_TEXT, file="o").organisation
    assert organisation is not None
    parsed = parse(CONTRACT_TEXT, file="c")
    assert parsed.findings == ()
    assert parsed.contract is not None
    return parsed.contract, organisation


CONTRACT, ORGANISATION = policy()
UNDER: tuple[Authority, ...] = (compile_organisation(ORGANISATION), compile_contract(CONTRACT, ORGANISATION))


def refund(amount: Any = Decimal(20), **changed: Any) -> Action:
    usual = {"currency": "EUR", "customer": "c1", "order_id": "o1", "customer_tier": "standard", "legal": False}
    given = {name: value for name, value in {"amount": amount, **usual, **changed}.items() if value is not ...}
    return Action(verb="call", object="refund", arguments=given)


def ruled(
    action: Action, *people: str, spent: Spent | None = None, under: tuple[Authority, ...] = UNDER, **more: Any
) -> Decision:
    """The decision with a signed yes of each of these people."""
    return decide(under, action, spent=spent or Spent(), approvals=yes(action, *people), now=NOW, **more)


def yes(action: Action, *people: str) -> list[Approval]:
    return [
        Approval(action=action.digest(), contract=each.hash, person=person, assurance="person-signed")
        for person in people
        for each in UNDER
    ]


def shown(decision: Decision) -> str:
    match decision:
        case Ask():
            return "ask " + ", ".join(decision.of)
        case Refuse():
            return f"refuse {decision.reasons[0].code}"
        case Allow():
            return word(decision)


TABLE: list[tuple[Action, str]] = [
    # amount, at every bound
    (refund(Decimal("0.01")), "allow"),
    (refund(1), "allow"),
    (refund(Decimal("49.99")), "allow"),
    (refund(50), "allow"),
    (refund(Decimal("50.00")), "allow"),
    (refund(Decimal("50.000")), "allow"),
    (refund(Decimal("50.01")), "ask support-lead"),
    (refund(Decimal("50.0000000001")), "ask support-lead"),
    (refund(Decimal("499.99")), "ask support-lead, owner"),
    (refund(Decimal("450.00")), "ask support-lead"),
    (refund(Decimal("450.01")), "ask support-lead, owner"),
    (refund(500), "ask support-lead, owner"),
    (refund(Decimal("500.01")), "ask finance, owner"),
    (refund(10000), "ask finance, owner"),
    (refund(Decimal("10000.01")), "refuse IRREVERSIBLE"),
    (refund(0), "refuse IRREVERSIBLE"),
    (refund(Decimal("0.009")), "refuse IRREVERSIBLE"),
    # what is no amount
    (refund(-5), "refuse INPUTS"),
    (refund(Decimal("-0.01")), "refuse INPUTS"),
    (refund("50"), "refuse INPUTS"),
    (refund("fifty"), "refuse INPUTS"),
    (refund(True), "refuse INPUTS"),
    (refund([50]), "refuse INPUTS"),
    (refund(None), "refuse INPUTS"),
    (refund(Decimal("NaN")), "refuse INPUTS"),
    (refund(Decimal("Infinity")), "refuse INPUTS"),
    (refund(Decimal("-Infinity")), "refuse INPUTS"),
    (refund(50.0), "refuse INPUTS"),
    (refund(2**200), "refuse INPUTS"),
    # currency
    (refund(20, currency="USD"), "refuse IRREVERSIBLE"),
    (refund(20, currency="eur"), "refuse IRREVERSIBLE"),
    (refund(20, currency=" EUR"), "refuse IRREVERSIBLE"),
    (refund(20, currency=...), "refuse INPUTS"),
    (refund(20, currency=978), "refuse INPUTS"),
    # customer tier, alone and together with the amount
    (refund(20, customer_tier="vip"), "ask finance"),
    (refund(20, customer_tier="Standard"), "ask finance"),
    (refund(20, customer_tier=""), "ask finance"),
    (refund(20, customer_tier=...), "ask finance"),
    (refund(60, customer_tier="vip"), "ask finance"),
    (refund(600, customer_tier="vip"), "ask finance, owner"),
    # the legal flag
    (refund(20, legal=True), "ask finance"),
    (refund(60, legal=True), "ask finance"),
    (refund(20, legal="no"), "refuse INPUTS"),
    (refund(20, legal=True, customer_tier="vip"), "ask finance"),
    # what is missing, and what is too much
    (refund(20, order_id=...), "refuse INPUTS"),
    (refund(20, order_id=None), "refuse INPUTS"),
    (refund(20, customer=...), "refuse INPUTS"),
    (refund(20, reason="late"), "allow"),
    (refund(20, to_account="DE00"), "refuse UNCOVERED"),
]


@pytest.mark.parametrize(("action", "expected"), TABLE, ids=lambda value: str(getattr(value, "arguments", value)))
def test_the_policy_decides_every_boundary_as_written(action: Action, expected: str) -> None:
    assert shown(ruled(action)) == expected


def test_a_missing_order_id_is_said() -> None:
    decision = ruled(refund(20, order_id=...))
    assert [(reason.code, reason.why) for reason in decision.reasons][:1] == [("INPUTS", "`refund` needs `order_id`")]


@pytest.mark.parametrize(
    ("action", "person", "expected"),
    [
        (refund(Decimal("50.01")), LEAD, "allow"),
        (refund(Decimal("450.00")), LEAD, "allow"),
        (refund(60), FINANCE, "allow"),  # the lead answers to finance
        (refund(60), OWNER, "ask support-lead"),
        (refund(600), LEAD, "ask finance, owner"),
        (refund(600), FINANCE, "allow"),  # paged as the next, so finance may stand for the owner too
        (refund(20, customer_tier="vip"), LEAD, "ask finance"),
        (refund(20, customer_tier="vip"), FINANCE, "allow"),
        (refund(20, legal=True), FINANCE, "allow"),
        (refund(20, currency="USD"), FINANCE, "refuse IRREVERSIBLE"),
        (refund(20, order_id=...), FINANCE, "refuse INPUTS"),
    ],
)
def test_a_yes_counts_as_far_as_it_may(action: Action, person: str, expected: str) -> None:
    assert shown(ruled(action, person)) == expected


def test_the_lead_has_no_authority_over_six_hundred_and_hears_so_before_answering() -> None:
    action = refund(600)
    found = objection(UNDER, action, LEAD, "finance", assurance="person-signed")
    assert found is not None
    assert (found.code, found.why) == ("AUTHORITY", f"{LEAD} is not finance")
    assert objection(UNDER, action, FINANCE, "finance", assurance="person-signed") is None
    decision = ruled(action, LEAD)
    assert [reason.why for reason in decision.considered if reason.code == "AUTHORITY"][:1] == [found.why]


def spent_on(*refunds: tuple[int, str, Decimal]) -> Spent:
    """Earlier refunds: minutes ago, customer, amount."""
    used = [
        Used(
            at=NOW - timedelta(minutes=ago), run="r", verb="call", object="refund",
            arguments=numbers(UNDER, refund(amount, customer=customer)),
        )
        for ago, customer, amount in refunds
    ]  # fmt: skip
    return Spent(used=tuple(used), run="r")


def test_the_tenth_refund_of_fifty_within_an_hour_to_one_customer_asks() -> None:
    fifty = Decimal("50.00")
    said = [shown(ruled(refund(fifty), spent=spent_on(*[(at, "c1", fifty) for at in range(before)]))) for before in range(11)]
    assert said == [*["allow"] * 9, "ask owner", "ask owner"]
    ten = [(at, "c1", fifty) for at in range(10)]
    assert shown(ruled(refund(fifty, customer="c2"), spent=spent_on(*ten))) == "allow"
    long_ago = [(60 + at, "c1", fifty) for at in range(10)]
    assert shown(ruled(refund(fifty), spent=spent_on(*long_ago))) == "allow"
    assert shown(ruled(refund(Decimal("50.01")), spent=spent_on(*ten))) == "ask support-lead, owner"
    decision = ruled(refund(fifty), spent=spent_on(*ten))
    assert decision.reasons[0].why == "`refund.amount` would come to 550.00 for one `customer` within 1h, and 450 is the limit"


def test_the_cumulative_trigger_is_answered_by_who_may_sign_for_it() -> None:
    spent = spent_on(*[(at, "c1", Decimal(50)) for at in range(9)])
    assert shown(ruled(refund(50), OWNER, spent=spent)) == "allow"
    assert shown(ruled(refund(50), LEAD, spent=spent)) == "ask owner"  # paged about refunds, and no more
    assert shown(ruled(refund(50), "customer@example.com", spent=spent)) == "ask owner"


def test_without_an_owner_the_risk_is_nobodys_and_nothing_is_paid() -> None:
    orphan = replace(CONTRACT, owner="")
    under = (compile_organisation(ORGANISATION), compile_contract(orphan, ORGANISATION))
    assert shown(ruled(refund(20), under=under)) == "refuse RISK-OWNER"
    assert shown(ruled(refund(500), under=under)) == "refuse RISK-OWNER"


def test_unattended_nothing_waits_and_what_cannot_be_undone_is_said() -> None:
    assert shown(ruled(refund(50), attended=False)) == "allow"
    decision = ruled(refund(60), attended=False)
    assert isinstance(decision, Refuse)
    assert [(reason.code, reason.rule) for reason in decision.reasons] == [("IRREVERSIBLE", "lead"), ("APPROVAL", "lead")]
    assert "support-lead would have to say yes" in decision.reasons[0].why
    assert "kept in the outbox" in decision.reasons[0].instead
    assert shown(ruled(refund(60), LEAD, attended=False)) == "allow"


def test_somebody_always_answers_for_the_money() -> None:
    def answering(action: Action, *people: str) -> tuple[str, ...] | Refuse:
        decision = ruled(action, *people)
        assert isinstance(decision, Allow)
        return responsible(UNDER, action, decision, yes(action, *people), owner=OWNER)

    assert answering(refund(50)) == (OWNER,)
    assert answering(refund(60), LEAD) == (LEAD,)
    assert answering(refund(600), FINANCE) == (FINANCE,)
    assert answering(refund(60), OWNER, LEAD) == (LEAD,)


def test_the_policy_passes_its_own_review() -> None:
    found = review(parse(CONTRACT_TEXT, file="c"), organisation=ORGANISATION)
    assert found.ok
    assert [finding.code for finding in found.findings if finding.severity == "error"] == []
