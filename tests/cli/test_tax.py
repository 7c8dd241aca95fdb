"""`remit tax`."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from inline_snapshot import snapshot

from remit.cli.tax import command
from remit.errors import BadInput

sys.path.insert(0, str(Path(__file__).parent))
from records import record, started, story


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path))
    return tmp_path


def ask(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_screen_counts_by_kind_and_by_rule_and_suggests_what_history_shows(home: Path) -> None:
    record(home, *(event for at in range(10) for event in story(f"r{at}")))
    assert ask() == snapshot("""\
10 interruptions in 10 runs: 100 per 100 runs
  0 of 10 runs interrupted nobody; 10 questions in all
  approval             10  100 %
  missing context       0  0 %
  escalation            0  0 %
  doubt                 0  0 %
  recovery              0  0 %
  publish               0  0 %
first half of the runs 100 per 100, second half 100: flat
an answer took 2.0 s (median)
published elsewhere, for comparison (cited, not measured here):
  full auto-approve, share of new users' sessions: about 20 %
  full auto-approve, share of experienced users' sessions: about 40 %
  interruptions that supplied missing context: 32 %
by rule:
  ask-call-1              10 asked: 10 yes, 0 changed, 0 no, 0 without an answer, 0 open  (Answer the customer)
history suggests (yours to decide; nothing is changed):
  1. never used: rule may-write-1 of “Answer the customer”, owned by release-lead@example.com
     in 10 finished runs nothing was done under this rule: what is not needed need not be allowed
     to take out:
       may:
         - write: docs/**
  2. widen: rule ask-call-1 of “Answer the customer”, owned by release-lead@example.com
     all 10 questions were answered yes unchanged, by support-lead@example.com; these bounds were seen. In place of the rule: what lies outside is refused then, or asked as far as it says so
     to paste in place of it:
       may:
         - call: refund
           where: {amount: {from: 50.01, to: 50.01}}
""")


def test_the_document_says_the_same_and_changes_nothing(home: Path) -> None:
    record(home, *(event for at in range(10) for event in story(f"r{at}")))
    before = (home / "ledger.db").read_bytes()
    told = json.loads(ask("--json", "--since", "36500d"))
    assert (told["schema"], told["interruptions"], told["per_100_runs"], told["since"]) == ("remit.tax/1", 10, 100.0, "36500d")
    assert [(hint["about"], hint["do"]) for hint in told["suggestions"]] == [("never used", "take out"), ("widen", "paste")]
    assert (home / "ledger.db").read_bytes() == before


def test_an_empty_ledger_says_so_plainly(home: Path) -> None:
    told = ask()
    assert told.startswith("0 interruptions in 0 runs: 0 per 100 runs\n")
    assert told.endswith("history suggests nothing\n")


def test_a_goal_with_a_line_break_forges_no_line(home: Path) -> None:
    record(home, started("r1"))
    assert "too few runs to tell" in ask()


@pytest.mark.parametrize("window", ["", "soon", "30", "0d", "-1d", "999999d"])
def test_what_is_no_time_is_unusable_input(home: Path, window: str) -> None:
    with pytest.raises(BadInput):
        ask("--since", window)
