"""`remit account`."""

import json
import re
import sys
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner
from inline_snapshot import snapshot

from remit.adapters.signers.local import create
from remit.cli.account import command
from remit.contract.limits import Spend
from remit.errors import BadInput
from remit.run.event import ChildStarted

sys.path.insert(0, str(Path(__file__).parent))
from records import HASH, LEAD, REFUND, record, started, story


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path))
    return tmp_path


def ask(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def shown(text: str) -> str:
    """The screen with its hashes shortened and long lines folded, so that a test can show it."""
    short = re.sub(r"signature sha256:[0-9a-f]{64}", "signature", text.replace(HASH, "CONTRACT"))
    short = re.sub(r"sha256:([0-9a-f]{4})[0-9a-f]{60}", r"sha256:\1", short)
    return "\n".join(part for line in short.splitlines() for part in textwrap.wrap(line, 120, subsequent_indent=" " * 10))


def test_the_screen_answers_the_five_questions(home: Path) -> None:
    record(home, *story())
    assert shown(ask("last")) == snapshot("""\
run rone1: Answer the customer
What was it allowed to do?
  may   write docs/**  [may-write-1]
  ask   call refund  [ask-call-1]
  never push any  [never-push-1]
      8  2030-01-01 00:00:09 UTC  agent: call refund  (APPROVED: approved by support-lead@example.com; rule ask-call-1;
          refund-77)
What did it refuse, and why?
      2  2030-01-01 00:00:03 UTC  agent: push origin\\nforged: row  (AUTHORITY: the release job pushes; instead: leave
          it; rule never-push-1; sha256:7e3d)
      3  2030-01-01 00:00:04 UTC  agent: connect example.com:443  (blocked by the box)
  absent: whatever is not listed here was not there to be reached (level L3; hosts: none; hidden: .env)
What did it consider?
      4  2030-01-01 00:00:05 UTC  agent: call refund  (asked of support-lead@example.com: APPROVAL: over 50; rule ask-
          call-1; sha256:6bdb)
      5  2030-01-01 00:00:06 UTC  remit: ask May the agent call refund?  (APPROVAL: over 50; sha256:6bdb)
Who was notified?
      6  2030-01-01 00:00:07 UTC  remit: tell Q1: May the agent call refund?  (by inbox; to support-lead@example.com)
Who explicitly approved?
      7  2030-01-01 00:00:08 UTC  support-lead@example.com: approve Q1: call refund  (terminal; rule ask-call-1;
          sha256:6bdb; signature)
What evidence exists?
      0  2030-01-01 00:00:01 UTC  remit: start python agent.py  (by hand; CONTRACT)
      0  2030-01-01 00:00:01 UTC  remit: decide to delegate  (not assessed)
      1  2030-01-01 00:00:02 UTC  remit: set the boundary L3  (nothing missing)
      9  2030-01-01 00:00:10 UTC  remit: intend call refund  (k1)
     10  2030-01-01 00:00:11 UTC  remit: effect k1  (refund-77)
     12  2030-01-01 00:00:13 UTC  remit: verdict success
     13  2030-01-01 00:00:14 UTC  remit: publish docs/a.md  (journal 1)
  and 1 charges against its limits (--json lists them)\
""")


def test_every_attempt_is_in_the_document(home: Path) -> None:
    record(home, *story())
    told = json.loads(ask("rone1", "--json"))
    assert list(told) == snapshot(["allowed", "approved", "boundary", "considered", "evidence", "notified", "refused", "schema"])
    assert [(row["action"], row["object"], row["rule"]) for row in told["refused"]] == snapshot(
        [
            (
                "push",
                """\
origin
forged: row\
""",
                "never-push-1",
            ),
            ("connect", "example.com:443", ""),
        ]
    )
    assert told["refused"][0]["contract"] == HASH
    assert [row["who"] for row in told["approved"]] == [LEAD]
    assert told["approved"][0]["receipt"].startswith(f"{REFUND.digest()}; signature sha256:")
    assert [(row["action"], row["receipt"]) for row in told["allowed"]] == [("call", "refund-77")]
    fields = {"seq", "at", "actor", "action", "object", "rule", "contract", "reason", "who", "receipt"}
    assert set(told["allowed"][0]) == fields


def test_a_line_break_in_an_object_cannot_forge_a_row(home: Path) -> None:
    record(home, *story())
    told = ask("last") + ask("last", "--procedure") + ask("last", "--explain")
    assert not any(line.startswith("forged") for line in told.splitlines())


def test_what_people_say_afterwards_is_answered(home: Path) -> None:
    record(home, *story())
    assert shown(ask("last", "--explain")) == snapshot("""\
“I thought the system handled it.”
  it was allowed: may write docs/**; ask call refund; never push any
  it did: call refund
  it refused: push origin\\nforged: row, AUTHORITY: the release job pushes; instead: leave it
  it refused: connect example.com:443, blocked by the box
  the outcome is owned by release-lead@example.com, who has not taken it
“I assumed someone approved it.”
  call refund: approved by support-lead@example.com (terminal), 2030-01-01 00:00:08 UTC, hash sha256:6bdb; it went out
“I didn't realize it actually went out.”
  it went out 2030-01-01 00:00:14 UTC: docs/a.md; receipt journal 1
  call refund: it went out 2030-01-01 00:00:11 UTC; receipt refund-77
  support-lead@example.com was told 2030-01-01 00:00:07 UTC by inbox: Q1: May the agent call refund?\
""")


@pytest.mark.parametrize("answer", [None])
def test_without_an_approval_nothing_went_out_and_it_says_so(home: Path, answer: str | None) -> None:
    record(home, *story(answer=answer))
    text = ask("last", "--explain")
    assert "call refund: no one approved; it did not go out" in text
    assert "nothing went out" in text
    refused = json.loads(ask("last", "--json"))["refused"]
    assert refused[-1]["reason"] == "no one approved; it did not go out"


def test_a_no_is_a_refusal_by_a_named_person(home: Path) -> None:
    record(home, *story(answer="no"))
    assert f"call refund: refused by {LEAD}" in ask("last", "--explain")
    assert LEAD in [row["who"] for row in json.loads(ask("last", "--json"))["refused"]]


def test_the_procedure_numbers_every_step(home: Path) -> None:
    record(home, *story())
    steps = json.loads(ask("last", "--procedure", "--json"))["steps"]
    assert [step["step"] for step in steps] == list(range(1, len(story()) + 1))
    assert all(step["actor"] and step["action"] and step["evidence"] for step in steps)
    assert steps[4]["input"] == 'refund {"amount":50.01}'
    assert steps[4]["decision"].startswith("ask by ask-call-1")
    assert steps[1]["after"] == 1.0


def test_children_are_in_the_account_and_named(home: Path) -> None:
    record(home, started("rone1"), ChildStarted(run="rone1", child="rtwo2", key="k", reserved=Spend()), *story("rtwo2"))
    told = json.loads(ask("rone1", "--json"))
    assert told["refused"][0]["actor"] == "agent of rtwo2"


def test_a_run_is_named_by_its_beginning_or_what_is_near_is_said(home: Path) -> None:
    record(home, started("rone1"), started("rone2"))
    assert "run rone2" in ask("last")
    with pytest.raises(BadInput, match="begins 2 runs"):
        ask("rone")
    with pytest.raises(BadInput) as error:
        ask("rune1")
    assert "`rone1`" in error.value.hint


def test_erasing_needs_somebody_and_leaves_the_entries(home: Path) -> None:
    record(home, *story())
    with pytest.raises(BadInput, match="nobody is known"):
        ask("last", "--erase", "asked to")
    create(home, "owner@example.com")
    ask("last", "--erase", "asked to")
    told = json.loads(ask("last", "--json"))
    assert "50.01" not in json.dumps(told)
    assert told["evidence"][0]["reason"] == "the body was erased; the entry stands"
    assert told["evidence"][-1]["who"] == "owner@example.com"


@pytest.mark.parametrize(
    ("number", "heading", "within"),
    [
        (1, "What was it allowed to do?", "agent: call refund  (APPROVED"),
        (2, "What did it refuse, and why?", "AUTHORITY: the release job pushes"),
        (3, "Who was notified?", "by inbox; to support-lead@example.com"),
        (4, "Who explicitly approved?", "support-lead@example.com: approve Q1: call refund"),
        (5, "What evidence exists?", "publish docs/a.md"),
    ],
)
def test_each_of_the_five_questions_is_answered_alone(home: Path, number: int, heading: str, within: str) -> None:
    record(home, *story())
    told = ask("last", "--question", str(number))
    assert told.splitlines()[:2] == ["run rone1", heading]
    assert within in told
    assert sum(line.endswith("?") for line in told.splitlines()) == 1
    document = json.loads(ask("last", "--question", str(number), "--json"))
    assert (document["number"], document["question"], document["run"]) == (number, heading, "rone1")
    assert document["rows"]


def test_one_question_and_another_view_exclude_one_another(home: Path) -> None:
    record(home, *story())
    with pytest.raises(BadInput, match="exclude one another"):
        ask("last", "--question", "1", "--procedure")
    assert CliRunner().invoke(command, ["last", "--question", "6"]).exit_code == 2
