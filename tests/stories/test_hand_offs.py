"""Where the work changes hands: what is free and what is gated, who answers from there on, and what is never shown as owned."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from consequence_worlds import FINANCE, LEAD, OWNER, PEOPLE, REFUNDS, Company, arguments, company, contract

from remit.contract.party import ToolEffect
from remit.web.board import Brief, tone_of

PAIRS = (("draft", "send"), ("suggest", "execute"), ("queue", "publish"))
TRANSITIONS = {
    "send": "draft to sent", "execute": "suggestion to decision", "publish": "internal to external",
    "edit": "reversible to irreversible",
}  # fmt: skip
DOES = 'does: {http: {url: "@SHOP@/acts", headers: {Authorization: $SHOP_TOKEN}, honours key: 24h}}'
TOOLS = f"""\
tools:
  do_read: {{effect: read}}
  do_draft: {{effect: draft, {DOES}}}
  do_suggest: {{effect: suggest, {DOES}}}
  do_queue: {{effect: queue, {DOES}}}
  do_send: {{effect: send, {DOES}}}
  do_execute: {{effect: execute, tier: high-risk, {DOES}}}
  do_publish: {{effect: publish, {DOES}}}
  do_edit: {{effect: draft, arguments: {{text: text, erase_the_original: {{type: truth, irreversible: true}}}}, {DOES}}}
"""
FREE = "  - {call: [do_draft, do_suggest, do_queue], where: {text: any}}\nask:\n  - {id: right, call: [do_send, do_execute, do_publish], who: support-lead}\n"
SELF = "  - {call: [do_send, do_execute, do_publish], where: {text: any}}\n  - {call: do_edit, where: {text: any, erase_the_original: true}}\n"
SIGNS_LITTLE = PEOPLE.replace("    contact: @PAGER@/owner\n", "    contact: @PAGER@/owner\n    may sign: [{call: do_read}]\n")


def given(tool: str) -> tuple[str, str]:
    """One call of the tool."""
    return f"do_{tool}", arguments(text="hello", **({"erase_the_original": True} if tool == "edit" else {}))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Company]:
    with company(tmp_path, PEOPLE + TOOLS) as world:
        yield world


def test_the_kinds_of_effect_are_reading_and_three_pairs() -> None:
    assert get_args(ToolEffect) == ("read", *(side for pair in PAIRS for side in pair))


def test_the_left_side_of_each_pair_is_done_and_the_right_side_waits_for_its_person(desk: Company) -> None:
    run = desk.hand_over(desk.contract(contract(FREE)), *(given(side) for pair in PAIRS for side in pair), code=4).end["run"]
    states = [(told["decision"], told["state"]) for told in desk.told(run)]
    assert states == [("allow", "done"), ("ask", "waiting")] * 3
    assert len(desk.lines("act")) == 3
    desk.says(LEAD, run, "Q1,Q2,Q3", "yes")
    assert len(desk.lines("act")) == 6


@pytest.mark.parametrize("right", [right for _, right in PAIRS])
def test_unattended_the_right_side_is_refused_as_irreversible(desk: Company, right: str) -> None:
    ended = desk.hand_over(desk.contract(contract(FREE)), given(right), options=("--unattended",)).end
    [told] = desk.told(ended["run"])
    assert (told["decision"], told["reasons"][0]["code"]) == ("refuse", "IRREVERSIBLE")
    assert desk.lines("act") == []


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("49.99", "allow"),
        ("50", "allow"),
        ("50.00", "allow"),
        ("50.001", "ask"),
        ("50.01", "ask"),
        ("500", "ask"),
        ("500.01", "ask"),
    ],
)
def test_a_threshold_is_an_amount_and_the_amount_itself_is_still_below_it(desk: Company, amount: str, said: str) -> None:
    organisation = desk.contract(
        (REFUNDS / "org.remit.yaml.in").read_text().replace("@PAGER@", desk.at).replace("@SHOP@", desk.at), "o.yaml"
    )
    call = arguments(
        order_id="A", customer="c", customer_tier="standard", legal=False, currency="EUR", reason="late", amount=amount
    )
    line = f'{{"verb": "call", "object": "refund", "arguments": {call}}}'
    told = desk.quick("decide", str(REFUNDS / "refunds.remit.yaml"), "--org", organisation, stdin=line, code=None)
    decided = json.loads(told.stdout)
    assert decided["decision"] == said
    assert "finance" in (decided["of"] or ()) or amount != "500.01"


@pytest.mark.parametrize("tool", TRANSITIONS)
def test_at_each_transition_a_person_is_named_who_answers_from_there_on(desk: Company, tool: str) -> None:
    ended = desk.hand_over(desk.contract(contract(SELF)), given(tool))
    [handed] = [event for event in ended.events if event["kind"] == "handed_off"]
    assert (handed["transition"], handed["responsible"]) == (TRANSITIONS[tool], [OWNER])
    assert len(desk.lines("act")) == 1


@pytest.mark.parametrize("tool", TRANSITIONS)
def test_where_nobody_can_answer_for_it_nothing_is_handed_off_and_nothing_happens(tmp_path: Path, tool: str) -> None:
    with company(tmp_path, SIGNS_LITTLE + TOOLS) as desk:
        ended = desk.hand_over(desk.contract(contract(SELF)), given(tool))
        [told] = desk.told(ended.end["run"])
        assert (told["decision"], told["reasons"][0]["code"]) == ("refuse", "NO-OWNER")
        assert "handed_off" not in ended.kinds()
        assert desk.lines("act") == []


def test_what_is_approved_is_answered_for_by_whoever_said_yes(desk: Company) -> None:
    run = desk.hand_over(desk.contract(contract(FREE)), given("send"), code=4).end["run"]
    desk.says(FINANCE, run, "Q1", "yes", "--note", "the lead answers to me")
    assert [draft["responsible"] for draft in desk.drafts(run)] == [[FINANCE]]


def test_done_and_owned_are_two_things_on_every_screen(desk: Company) -> None:
    run = desk.hand_over(desk.contract(contract(FREE))).end["run"]
    for taken in (False, True):
        word = "accepted" if taken else "pending"
        for verb in ("runs", "show"):
            said = desk.quick(verb, *([run] if verb == "show" else []))
            assert "success" in said.stdout.lower()
            assert word in said.stdout
        told = json.loads(desk.quick("show", run, "--json").stdout)
        assert (told["verdict"], told["acceptance"]) == ("success", word)
        if not taken:
            desk.quick("accept", run)


def test_no_screen_of_the_terminal_colours_a_success_that_nobody_took(desk: Company) -> None:
    """Asked at a real terminal, where colours are."""
    desk.hand_over(desk.contract(contract(FREE)))
    for words in (["runs"], ["show", "last"], ["account", "last"]):
        said = at_terminal(words, {**desk.env, "TERM": "xterm-256color", "NO_COLOR": ""}, desk.folder)
        assert "success" in said.lower()
        assert not [code for code in ("\x1b[32m", "\x1b[92m", "\x1b[42m") if code in said]


def test_in_the_browser_only_what_its_owner_took_is_good() -> None:
    tones = {
        (verdict, taken): tone_of(brief(verdict, taken))
        for verdict in ("success", "failed")
        for taken in ("pending", "accepted", "declined")
    }
    assert [case for case, tone in tones.items() if tone == "good"] == [("success", "accepted")]


def test_a_refusal_is_no_failure_and_is_told_but_not_tried_again(desk: Company) -> None:
    ended = desk.hand_over(desk.contract(contract(FREE)), ("do_erase", arguments(text="x")))
    assert (ended.end["verdict"], ended.end["refusals"]) == ("success", 1)
    assert ended.kinds().count("attempt_started") == 1
    refused = [event for event in ended.events if event["kind"] == "decided" and event["decision"] == "refuse"]
    assert len(refused) == 1
    [told] = [event for event in ended.events if event["kind"] == "notified" and event["ending"]]
    assert (told["who"], told["what"]) == (OWNER, "success; 1 refused")


def brief(verdict: str, acceptance: str) -> Brief:
    """A run as the browser lists it."""
    from datetime import UTC, datetime

    now = datetime(2026, 3, 1, tzinfo=UTC)
    given = {"run": "r", "goal": "g", "owner": OWNER, "at": now, "ended": now, "verdict": verdict, "acceptance": acceptance}
    return Brief(**{name: value for name, value in given.items() if name in Brief.__struct_fields__})  # type: ignore[arg-type]


def at_terminal(words: list[str], env: dict[str, str], folder: Path) -> str:
    """What `remit` writes to a terminal."""
    ours, theirs = pty.openpty()
    env = {name: value for name, value in env.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "remit.cli.main", *words], stdout=theirs, stderr=theirs, stdin=theirs, env=env, cwd=folder
    ) as process:  # fmt: skip
        os.close(theirs)
        said = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:
                break
            if not chunk:
                break
            said += chunk
        assert process.wait(60) == 0
    os.close(ours)
    return said.decode()
