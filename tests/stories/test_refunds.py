"""S15: the refund policy of the example, whole: who decides about which amount, and what the record says of each."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consequence_worlds import FINANCE, LEAD, OWNER, REFUNDS, Company, arguments, company
from worlds import Told

CONTRACT = str(REFUNDS / "refunds.remit.yaml")
ORGANISATION = (REFUNDS / "org.remit.yaml.in").read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path, ORGANISATION) as world:
        yield world


def refund(amount: str, **other: object) -> tuple[str, str]:
    """One refund; `None` takes an argument away."""
    usual = {
        "order_id": "A-1",
        "customer": "c-1",
        "customer_tier": "standard",
        "legal": False,
        "currency": "EUR",
        "reason": "late",
    }
    given = {name: value for name, value in (usual | other).items() if value is not None}
    return "refund", arguments(**given, amount=amount)


def paid(shop: Company) -> list[str]:
    """The amounts that were really refunded."""
    return [each["request"]["amount"] for each in shop.lines("refund")]


def one(shop: Company, call: tuple[str, str], *, code: int) -> tuple[Told, dict[str, Any]]:
    """Hand over one refund: how the run ended, and what the agent was told."""
    ended = shop.hand_over(CONTRACT, call, code=code)
    [told] = shop.told(ended.end["run"])
    return ended, told


def test_fifty_is_paid_and_logged_without_anybody_being_asked(shop: Company) -> None:
    ended, told = one(shop, refund("50.00"), code=0)
    assert (told["decision"], told["state"], told["receipt"]) == ("allow", "done", "HTTP 201 Created, id refund-1")
    assert paid(shop) == ["50.00"]
    assert (ended.end["verdict"], ended.end["questions"], shop.paged(), shop.inbox()) == ("success", [], [], [])
    [draft] = shop.drafts(ended.end["run"])
    assert (draft["state"], draft["responsible"], draft["receipt"]) == ("published", [OWNER], "HTTP 201 Created, id refund-1")
    [row] = [row for row in shop.account()["allowed"] if row["object"] == "refund"]
    assert (row["rule"], row["receipt"]) == ("may-call-3", "HTTP 201 Created, id refund-1")


def test_a_cent_more_waits_for_the_lead_and_is_paid_once_with_their_signed_yes(shop: Company) -> None:
    ended, told = one(shop, refund("50.01"), code=4)
    run = ended.end["run"]
    assert (told["decision"], told["state"], told["question"]) == ("ask", "waiting", "Q1")
    assert (paid(shop), shop.paged()) == ([], ["support-lead"])
    [asked] = shop.inbox()
    assert (asked["run"], asked["question"], asked["of"], asked["rule"]) == (run, "Q1", ["support-lead"], "above-50")
    shop.says(LEAD, run, "Q1", "yes", "--note", "seen the photo")
    assert (paid(shop), shop.paged(), shop.inbox()) == (["50.01"], ["support-lead"], [])
    assert "was answered" in shop.says(LEAD, run, "Q1", "yes", code=2)
    shop.quick("resume", run, code=None)
    assert paid(shop) == ["50.01"], "one yes pays once"
    [draft] = shop.drafts(run)
    assert (draft["state"], draft["responsible"]) == ("published", [LEAD])


def test_a_no_pays_nothing_and_the_account_says_who_refused_it(shop: Company) -> None:
    ended, _ = one(shop, refund("50.01"), code=4)
    shop.says(LEAD, ended.end["run"], "Q1", "no", "--note", "not ours")
    assert paid(shop) == []
    [draft] = shop.drafts(ended.end["run"])
    assert draft["state"] == "refused"
    said = shop.explained()
    assert f"call refund: refused by {LEAD} (person-signed)" in said
    assert "it did not go out" in said
    assert "call refund: it went out" not in said


def test_what_a_changed_answer_makes_of_it_is_what_is_paid(shop: Company) -> None:
    ended, _ = one(shop, refund("80.00"), code=4)
    shop.says(LEAD, ended.end["run"], "Q1", "modify", "--set", "amount=60.00")
    assert paid(shop) == ["60.00"]


def test_a_condition_binds_what_is_answered_after_it(shop: Company) -> None:
    run = shop.hand_over(CONTRACT, refund("80.00"), refund("150.00", order_id="A-2"), code=4).end["run"]
    rules = "never: [{call: refund, where: {amount: {over: 100, to: 10000}}}]"
    words = ("answer", run, "Q1", "modify", "--rules", "-", "--as", LEAD, "--key", str(shop.key(LEAD)))
    shop.quick(*words, stdin=rules, code=4)
    assert paid(shop) == ["80.00"]
    shop.says(LEAD, run, "Q2", "yes", code=None)
    assert paid(shop) == ["80.00"]
    assert [draft["state"] for draft in shop.drafts(run)] == ["published", "refused"]


def test_an_answer_that_was_signed_where_nothing_else_is_counts_as_the_documents_say(shop: Company) -> None:
    run = one(shop, refund("60.00"), code=4)[0].end["run"]
    statement = shop.folder / "statement"
    statement.write_text(shop.quick("answer", run, "Q1", "yes", "--as", LEAD, "--print").stdout)
    sign = ["ssh-keygen", "-Y", "sign", "-n", "remit-answer", "-f", str(shop.key(LEAD)), str(statement)]
    subprocess.run(sign, check=True, capture_output=True)
    shop.quick("answer", "--statement", str(statement), "--signature", f"{statement}.sig")
    assert (paid(shop), shop.drafts(run)[0]["responsible"]) == (["60.00"], [LEAD])


def test_answers_of_a_file_are_scripted_and_release_no_money(shop: Company) -> None:
    answers = shop.folder / "answers.yaml"
    answers.write_text(f'- {{about: "call refund*", where: {{customer: c-1}}, person: {LEAD}, answer: "yes", times: 3}}\n')
    shop.hand_over(CONTRACT, refund("60.00"), code=4, options=("--answers", str(answers)))
    assert paid(shop) == []
    rejected = [row["reason"] for row in shop.account()["refused"] if row["actor"] == LEAD]
    assert rejected
    assert all("scripted" in reason for reason in rejected)


def test_six_hundred_is_beyond_the_lead_however_they_answer(shop: Company) -> None:
    ended, _ = one(shop, refund("600.00"), code=4)
    run = ended.end["run"]
    assert {each["question"]: each["of"] for each in shop.inbox()} == {"Q1": ["finance"], "Q2": [OWNER, FINANCE]}, (
        "and the sum asks too"
    )
    for question in ("Q1", "Q2"):
        assert LEAD in shop.says(LEAD, run, question, "yes", code=3)
    assert paid(shop) == []
    rejected = [row for row in shop.account()["refused"] if row["actor"] == LEAD]
    assert len(rejected) == 2
    assert all("does not count: AUTHORITY" in row["reason"] for row in rejected)
    shop.says(FINANCE, run, "Q1,Q2", "yes")
    assert paid(shop) == ["600.00"]
    assert shop.drafts(run)[0]["responsible"] == [FINANCE]


def test_who_is_asked_beyond_what_they_may_sign_is_recorded_and_the_next_is_asked(shop: Company) -> None:
    wider = (REFUNDS / "refunds.remit.yaml").read_text().replace("{over: 50, to: 500}", "{over: 50, to: 700}", 1)
    ended = shop.hand_over(shop.contract(wider.replace("{over: 500,", "{over: 700,")), refund("600.00"), code=4)
    run = ended.end["run"]
    said = shop.says(LEAD, run, "Q1", "yes", code=3)
    assert "may not sign" in said or "sign" in said
    assert paid(shop) == []
    assert [each["of"] for each in shop.inbox() if each["question"] == "Q1"] == [["support-lead", "finance"]]
    told = {row["who"] for row in shop.account()["notified"]}
    assert {LEAD, FINANCE} <= told
    shop.says(FINANCE, run, "Q1,Q2", "yes")
    assert (paid(shop), shop.drafts(run)[0]["responsible"]) == (["600.00"], [FINANCE])


@pytest.mark.parametrize("other", [{"customer_tier": "vip"}, {"legal": True}], ids=lambda other: next(iter(other)))
def test_who_is_special_or_goes_to_court_is_for_finance_whatever_the_amount(shop: Company, other: dict[str, object]) -> None:
    ended, _ = one(shop, refund("5.00", **other), code=4)
    assert shop.inbox()[0]["of"] == ["finance"]
    shop.says(LEAD, ended.end["run"], "Q1", "yes", code=3)
    assert paid(shop) == []
    shop.says(FINANCE, ended.end["run"], "Q1", "yes")
    assert paid(shop) == ["5.00"]


def test_ten_refunds_of_fifty_to_one_customer_within_the_hour_trip_the_sum(shop: Company) -> None:
    ended = shop.hand_over(CONTRACT, *(refund("50.00", order_id=f"A-{number}") for number in range(10)), code=4)
    run = ended.end["run"]
    states = [told["state"] for told in shop.told(run)]
    assert states == ["done"] * 9 + ["waiting"], "450 EUR within the hour are free, the tenth refund waits"
    assert paid(shop) == ["50.00"] * 9
    why = shop.told(run)[9]["reasons"][0]["why"]
    assert "450" in why
    assert "customer" in why
    [asked] = shop.inbox()
    assert asked["of"] == [OWNER, FINANCE]
    assert f"{OWNER} asked for this" in shop.quick("answer", run, "Q1", "yes", code=3).stderr
    shop.says(FINANCE, run, "Q1", "yes", "--note", "for the owner, who started it")
    assert (paid(shop), shop.drafts(run)[9]["responsible"]) == (["50.00"] * 10, [FINANCE])


def test_the_sum_is_per_customer_and_outlasts_the_run(shop: Company) -> None:
    shop.hand_over(CONTRACT, *(refund("50.00", order_id=f"A-{number}") for number in range(9)), code=0)
    shop.hand_over(CONTRACT, refund("50.00", customer="c-2"), code=0)
    shop.hand_over(CONTRACT, refund("0.01", order_id="A-9"), code=4)
    assert paid(shop) == ["50.00"] * 10


def test_without_its_order_it_is_refused_and_says_what_is_missing(shop: Company) -> None:
    _, told = one(shop, refund("20.00", order_id=None), code=0)
    assert (told["decision"], told["reasons"][0]["code"], told["reasons"][0]["why"]) == (
        "refuse",
        "INPUTS",
        "`refund` needs `order_id`",
    )
    assert (paid(shop), shop.drafts("--all")) == ([], [])


def test_in_another_currency_nothing_covers_it(shop: Company) -> None:
    _, told = one(shop, refund("20.00", currency="USD"), code=0)
    assert (told["decision"], {reason["code"] for reason in told["reasons"]}) == ("refuse", {"IRREVERSIBLE"})
    assert told["reasons"][0]["why"] == "no rule lets `refund` be called, and it cannot be undone"
    assert paid(shop) == []


@pytest.mark.parametrize("amount", ["0", "-5", '"20"', "true", "10000.01"])
def test_what_is_no_amount_of_the_policy_pays_nothing(shop: Company, amount: str) -> None:
    _, told = one(shop, refund(amount), code=0)
    assert told["decision"] == "refuse"
    assert paid(shop) == []


def test_a_refund_that_nobody_owns_is_refused_before_and_at_the_gate(shop: Company) -> None:
    text = (REFUNDS / "refunds.remit.yaml").read_text().replace(f"owner: {OWNER}\n", "")
    unowned = shop.contract(text)
    ended = shop.hand_over(unowned, refund("20.00"), code=2)
    assert "OWNER-MISSING" in json.dumps(ended.end["findings"])
    asked = json.dumps({"verb": "call", "object": "refund", "arguments": json.loads(refund("20.00")[1])})
    decided = json.loads(shop.quick("decide", unowned, stdin=asked, code=None).stdout)
    assert (decided["decision"], decided["reasons"][0]["code"]) == ("refuse", "RISK-OWNER")
    assert paid(shop) == []


def test_the_five_questions_are_answered_exactly(shop: Company) -> None:
    calls = (refund("50.00"), refund("50.01", order_id="A-2"), refund("20.00", order_id=None), refund("20", currency="USD"))
    run = shop.hand_over(CONTRACT, *calls, code=4).end["run"]
    shop.says(LEAD, run, "Q1", "yes")
    told = shop.account()
    allowed = [(row["object"], row["rule"], row["receipt"]) for row in told["allowed"] if row["action"] == "call"]
    assert allowed == [
        ("refund", "may-call-3", "HTTP 201 Created, id refund-1"), ("refund", "above-50", "HTTP 201 Created, id refund-2"),
    ]  # fmt: skip
    refused = [row["reason"].partition(":")[0] for row in told["refused"] if row["object"] == "refund"]
    assert refused == ["INPUTS", "IRREVERSIBLE"]
    paged = [(row["who"], row["reason"]) for row in told["notified"] if row["who"] == LEAD]
    assert (LEAD, "by page") in paged
    assert any("delivered by webhook" in row["reason"] for row in told["notified"])
    [approved] = [row for row in told["approved"] if row["actor"] == LEAD]
    assert approved["rule"] == "above-50"
    assert "person-signed" in approved["reason"]
    assert "signature sha256:" in approved["receipt"]
    handed = [row["reason"].partition(" ")[0] for row in told["approved"] if row["action"] == "hand off"]
    assert handed == [OWNER, LEAD]
    effects = [row["receipt"] or row["reason"] for row in told["evidence"] if row["action"] == "effect"]
    assert len(effects) == 2
    shop.quick("verify")
