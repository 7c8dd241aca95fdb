"""S14, S16, S17 and S18: a promise by e-mail, a decision about a customer, a step of compliance, and what is said afterwards."""

import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consequence_worlds import FINANCE, LEAD, OWNER, PEOPLE, Company, arguments, company, contract

sys.path.append(str(Path(__file__).parent.parent / "adapters"))
from smtp_sink import Sink

TOOLS = """\
mail: {server: "@MAIL@", from: care@example.com, security: none}
tools:
  draft_email: {effect: draft, arguments: {to: text, subject: text, body: text}}
  send_email: {effect: send, tier: high-risk, arguments: {to: text, subject: text, body: text}, does: mail}
  suggest_closing: {effect: suggest, arguments: {customer: text, why: text}}
  close_account:
    effect: execute
    tier: human-approved
    arguments: {customer: {type: text, required: true}, why: {type: text, required: true}}
    does: {http: {url: "@SHOP@/accounts/{customer}/close", headers: {Authorization: $SHOP_TOKEN}, honours key: 24h}}
  file_report:
    effect: execute
    tier: high-risk
    arguments: {case_id: {type: text, required: true}, finding: {type: text, required: true}}
    does: {sql: {database: "@HERE@/register.db", statement: "insert into register values (:case_id, :finding)"}}
"""
RULES = """\
  - call: draft_email
    where: {to: any, subject: any, body: any}
  - call: suggest_closing
    where: {customer: any, why: any}
ask:
  - {id: promise, call: send_email, who: support-lead, because: a letter commits the company}
  - {id: closing, call: close_account, who: support-lead, because: a closed account cannot be opened again}
  - {id: register, call: file_report, who: finance, because: the register is shown to the auditor}
"""
LETTER = {"to": "customer@example.com", "subject": "Your order", "body": "We take 20 % off.\n\nThe desk"}
MAIL = json.dumps(LETTER)
CLOSE, SUGGEST = arguments(customer="c-9", why="asked for it"), arguments(customer="c-9", why="asked for it")
REPORT = arguments(case_id="2026-7", finding="nothing to declare")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@pytest.fixture
def care(tmp_path: Path, sink: Sink) -> Iterator[Company]:
    with company(tmp_path, PEOPLE + TOOLS, MAIL=sink.server) as world:
        with sqlite3.connect(tmp_path / "register.db") as register:
            register.execute("create table register (case_id text primary key, finding text)")
        yield world


def waiting(care: Company, *calls: tuple[str, str]) -> str:
    """The run that these calls leave waiting for a person."""
    run: str = care.hand_over(care.contract(contract(RULES)), *calls, code=4).end["run"]
    return run


def filed(care: Company) -> list[Any]:
    """What stands in the register."""
    with sqlite3.connect(care.folder / "register.db") as register:
        return register.execute("select case_id, finding from register").fetchall()


# S14 -----------------------------------------------------------------------------------------------------------------


def test_a_letter_is_drafted_freely_and_sent_once_as_it_was_shown_when_the_lead_says_yes(care: Company, sink: Sink) -> None:
    run = waiting(care, ("draft_email", MAIL), ("send_email", MAIL))
    assert [told["decision"] for told in care.told(run)] == ["allow", "ask"]
    assert (sink.letters, care.paged()) == ([], ["support-lead"])
    [draft] = care.drafts(run)
    assert draft["preview"] == f"From: care@example.com\nTo: customer@example.com\nSubject: Your order\n\n{LETTER['body']}"
    care.says(LEAD, run, "Q1", "yes")
    [letter] = sink.letters
    assert (letter.recipients, letter.sender) == (("customer@example.com",), "care@example.com")
    assert (letter.message["Subject"], letter.message.get_content().splitlines()) == (
        LETTER["subject"],
        LETTER["body"].splitlines(),
    )
    care.quick("resume", run, code=None)
    assert len(sink.letters) == 1
    said = care.explained()
    assert re.search(rf"call send_email: approved by {LEAD} \(person-signed\), \S+ \S+ UTC, hash sha256:\w+; it went out", said)


def test_after_a_no_nothing_is_sent_and_the_draft_says_so(care: Company, sink: Sink) -> None:
    run = waiting(care, ("send_email", MAIL))
    care.says(LEAD, run, "Q1", "no", "--note", "we never promised that")
    [draft] = care.drafts(run)
    assert (draft["state"], sink.letters) == ("refused", [])
    said = care.explained()
    assert f"call send_email: refused by {LEAD} (person-signed)" in said
    assert "it did not go out" in said
    assert [row for row in care.account()["approved"] if row["action"] == "approve"] == []


def test_where_nobody_is_there_to_ask_it_is_refused_kept_as_a_draft_and_the_owner_is_paged(care: Company, sink: Sink) -> None:
    calls = (("draft_email", MAIL), ("send_email", MAIL))
    ended = care.hand_over(care.contract(contract(RULES)), *calls, options=("--unattended",)).end
    drafted, sent = care.told(ended["run"])
    assert drafted["decision"] == "allow"
    assert (sent["decision"], sent["reasons"][0]["code"]) == ("refuse", "IRREVERSIBLE")
    assert (sink.letters, ended["refusals"], ended["questions"]) == ([], 1, [])
    [draft] = care.drafts("--all")
    assert (draft["state"], draft["preview"].splitlines()[-1]) == ("refused", "The desk")
    assert set(care.paged()) == {"owner"}
    assert any("kept as a draft, since nobody is there to ask: call send_email" in page["subject"] for page in care.lines("page"))
    assert "no one approved; it did not go out" in care.explained()


def test_the_five_questions_about_a_letter_are_answered(care: Company, sink: Sink) -> None:
    run = waiting(care, ("draft_email", MAIL), ("send_email", MAIL))
    care.says(LEAD, run, "Q1", "yes")
    told = care.account()
    assert [(row["object"], row["rule"]) for row in told["allowed"] if row["action"] == "call"] == [
        ("draft_email", "may-call-2"), ("send_email", "promise"),
    ]  # fmt: skip
    assert told["refused"] == []
    assert {row["who"] for row in told["notified"] if row["action"] == "tell"} == {LEAD, OWNER}
    assert [row["action"] for row in told["approved"]] == ["approve", "hand off"]
    [effect] = [row for row in told["evidence"] if row["action"] == "effect"]
    assert sink.letters[0].message["Message-ID"] in f"{effect['receipt']} {effect['reason']}"
    care.quick("verify")


# S16 and S17 ---------------------------------------------------------------------------------------------------------


def test_closing_an_account_is_suggested_freely_and_done_only_by_whoever_may_decide_it(care: Company) -> None:
    run = waiting(care, ("suggest_closing", SUGGEST), ("close_account", CLOSE))
    assert [told["decision"] for told in care.told(run)] == ["allow", "ask"]
    assert care.lines("account") == []
    assert f"asks support-lead, not {OWNER}" in care.quick("answer", run, "Q1", "yes", code=3).stderr
    care.says(LEAD, run, "Q1", "yes")
    [closed] = care.lines("account")
    assert closed["at"] == "/accounts/c-9/close"
    assert closed["request"] == {"why": "asked for it"}


def test_a_step_of_compliance_is_a_numbered_procedure_with_its_hand_off_and_its_signature(care: Company) -> None:
    run = waiting(care, ("file_report", REPORT))
    assert filed(care) == []
    care.says(FINANCE, run, "Q1", "yes", "--note", "checked against the books")
    assert filed(care) == [("2026-7", "nothing to declare")]
    told = json.loads(care.quick("account", run, "--procedure", "--json").stdout)
    steps = told["steps"]
    assert [step["step"] for step in steps] == list(range(1, len(steps) + 1))
    assert [step["seq"] for step in steps] == sorted(step["seq"] for step in steps)
    entries = [line for line in care.quick("export", run).stdout.splitlines() if "entry" in json.loads(line)]
    assert len(steps) == len(entries), "no fact of the run is left out"
    assert all(step["actor"] and step["action"] and step["evidence"] for step in steps)
    about = [step for step in steps if "file_report" in step["input"]]
    assert [step["action"] for step in about if step["action"] in ("approve", "hand off", "intend")] == [
        "approve",
        "hand off",
        "intend",
    ]
    approve, handed = (next(step for step in about if step["action"] == action) for action in ("approve", "hand off"))
    assert (approve["actor"], approve["decision"].partition(" ")[0]) == (FINANCE, "yes")
    assert '"finding":"nothing to declare"' in approve["input"]
    assert "signature sha256:" in approve["evidence"]
    assert f"{FINANCE} answers from here: approved in Q1" in handed["decision"]
    numbered = care.quick("account", run, "--procedure").stdout
    assert re.match(r"   1\. \d{4}-\d\d-\d\d ", numbered)


# S18 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "given", "who"), [("send_email", MAIL, LEAD), ("close_account", CLOSE, LEAD), ("file_report", REPORT, FINANCE)]
)
def test_afterwards_nobody_can_say_they_assumed_somebody_approved_it(care: Company, tool: str, given: str, who: str) -> None:
    run = waiting(care, (tool, given))
    assert f"call {tool}: no one approved; it did not go out" in care.explained()
    care.says(who, run, "Q1", "yes")
    said = care.explained()
    assert "no one approved" not in said
    assert f"call {tool}: approved by {who} (person-signed)" in said
    assert re.search(rf"call {tool}: it went out \d{{4}}-", said), said
    assert f"{who} was told" in said
