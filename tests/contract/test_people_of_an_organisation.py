"""Who is asked, reminded and next: what a contract may say about people, and what is wrong with it before anybody is asked."""

import pytest
from contracts import REFUND

from remit.contract.contract import Finding
from remit.contract.outcome import Escalation
from remit.contract.parse import parse, parse_organisation
from remit.contract.party import Organisation, Person
from remit.contract.review import review

PEOPLE = """\
people:
  - {id: support-lead@example.com, roles: [support-lead], keys: [ssh-ed25519 AAAA1]}
  - {id: finance@example.com, roles: [finance, approver], keys: [ssh-ed25519 AAAA2]}
  - {id: second@example.com, roles: [approver], keys: [ssh-ed25519 AAAA3]}
known: {recipients: [customer@example.com]}
"""
TOOLS = "tools: {refund: {arguments: {order_id: text, reason: text, amount: number}}}\n"


def reviewed(contract: str = REFUND, organisation: str = PEOPLE) -> list[Finding]:
    known = parse_organisation(organisation, file="o").organisation
    assert known is not None
    return [
        finding for finding in review(parse(contract, file="c"), organisation=known).findings if finding.code != "SUM-CURRENCY"
    ]


def told(contract: str = REFUND, organisation: str = PEOPLE) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity, finding.where) for finding in reviewed(contract, organisation)]


def with_entry(entry: str) -> str:
    return REFUND[: REFUND.index("escalation:")] + f"escalation:\n  - {{for: refund, page: support-lead, {entry}}}\n"


def test_a_contract_whose_people_are_known_has_nothing_to_say_about_them() -> None:
    assert told() == []


def test_an_escalation_says_who_is_reminded_and_who_is_next() -> None:
    parsed = parse(with_entry("within: 2h, remind: 30m, then: [finance, owner], attach: order_id, otherwise: stop"), file="c")
    assert parsed.findings == ()
    assert parsed.draft.escalation == (
        Escalation(
            about="refund", page="support-lead", within=7200, remind=1800, then=("finance", "owner"), attach=("order_id",),
            otherwise="stop",
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("then: [finance]", "`then` names who is next, and without `within` nobody ever is"),
        ("within: 1h, remind: 1h", "the first reminder would come when the time is over"),
        ("within: 1h, remind: often", "`often` is not a length of time"),
        ("within: 1h, remnid: 5m", "unknown key `remnid`"),
    ],
)
def test_a_ladder_that_leads_nowhere_is_wrong(entry: str, found: str) -> None:
    parsed = parse(with_entry(entry), file="c")
    assert [finding.message for finding in parsed.findings] == [found]
    assert parsed.findings[0].mark is not None
    assert parsed.contract is None


def test_who_is_next_must_be_somebody() -> None:
    assert told(with_entry("within: 1h, then: [finanse]")) == [("WHO-UNKNOWN", "error", "escalation[0].then[0]")]


def test_a_question_can_only_carry_what_the_tool_takes() -> None:
    entry = with_entry("within: 1h, attach: [order_id, resaon]")
    assert told(entry) == []  # nothing is declared
    assert told(entry, PEOPLE + TOOLS) == [("ATTACH-UNKNOWN", "error", "escalation[0].attach")]
    assert "did you mean `reason`?" in [finding.hint for finding in reviewed(entry, PEOPLE + TOOLS)]


@pytest.mark.parametrize(
    ("who", "quorum", "reached"), [("approver", 2, True), ("approver", 3, False), ("finance", 2, False), ("owner", 2, False)]
)
def test_a_quorum_needs_as_many_people_as_it_counts(who: str, quorum: int, reached: bool) -> None:
    contract = REFUND.replace("    who: support-lead\n", f"    who: {who}\n    quorum: {quorum}\n", 1)
    assert parse(contract, file="c").findings == ()
    assert told(contract) == ([] if reached else [("QUORUM-UNREACHABLE", "error", "ask[0]")])


def test_somebody_without_a_key_is_named_once() -> None:
    bare = PEOPLE.replace(", keys: [ssh-ed25519 AAAA1]", "").replace(", keys: [ssh-ed25519 AAAA3]", "")
    contract = REFUND.replace("    who: support-lead\n", "    who: approver\n", 1)
    assert told(contract, bare) == [("NO-KEY", "warning", "owner"), ("NO-KEY", "warning", "ask[0]")]
    assert [finding.message for finding in reviewed(contract, bare)] == [
        "no key is known of support-lead@example.com, so their answer could not be verified",
        "no key is known of second@example.com, so their answer could not be verified",
    ]


def test_one_key_speaks_for_one_person() -> None:
    twice = PEOPLE.replace("AAAA3]", "AAAA1 under another comment]")
    parsed = parse_organisation(twice, file="o")
    assert [(each.code, each.severity, each.where) for each in parsed.findings] == [("KEY-TWICE", "error", "people[2].keys")]
    assert "support-lead@example.com's too" in parsed.findings[0].message
    assert parse_organisation(PEOPLE.replace("AAAA1]", "AAAA1, ssh-ed25519 AAAA1 laptop]"), file="o").findings == ()


def test_the_key_of_an_inbox_is_nobodys_own() -> None:
    assert told(organisation=PEOPLE + "inbox keys: [ssh-ed25519 AAAA4 inbox]\n") == []
    [found] = reviewed(organisation=PEOPLE + "inbox keys: [ssh-ed25519 AAAA2 inbox]\n")
    assert (found.code, found.severity) == ("KEY-TWICE", "error")
    assert "finance@example.com" in found.message


def test_two_people_with_one_key_cannot_be_told_apart_however_the_organisation_was_made() -> None:
    people = tuple(Person(id=name, keys=("ssh-ed25519 AAAA1",)) for name in ("support-lead@example.com", "finance@example.com"))
    found = review(parse(REFUND, file="c"), organisation=Organisation(people=people)).findings
    assert [each.severity for each in found if each.code == "KEY-TWICE"] == ["error"]


def test_test_mode_is_said_by_every_review() -> None:
    assert told(organisation=PEOPLE + "assurance: scripted\n") == [("TEST-MODE", "warning", "")]
    assert told(organisation=PEOPLE + "assurance: terminal\n") == []


def test_under_four_eyes_an_owner_who_is_asked_needs_a_second_pair() -> None:
    strict = PEOPLE + "four eyes: true\n"
    assert told(REFUND, strict) == [("FOUR-EYES-ALONE", "warning", "ask[1]")]
    substituted = strict.replace("roles: [support-lead]", "roles: [support-lead], substitutes: [finance@example.com]")
    assert told(REFUND, substituted) == []
    assert told(with_entry("within: 1h, then: [finance]"), strict) == []
