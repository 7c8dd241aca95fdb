"""`remit verify`."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from remit.cli.export import command as export
from remit.cli.verify import command
from remit.errors import BadInput
from remit.evidence.signature import armour, public_text, signed_part
from remit.run.event import QuestionAnswered, QuestionAsked
from remit.run.statement import ANSWER

sys.path.insert(0, str(Path(__file__).parent))
from records import record, story


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    record(tmp_path / "home", *story())
    return tmp_path / "home"


def check(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_an_untouched_ledger_verifies(home: Path) -> None:
    code, text = check()
    assert code == 0
    assert text.startswith(f"verified: {len(story())} entries under {len(story())} signed heads")
    assert json.loads(check("--home", home, "--json")[1])["ok"] is True


def test_the_first_fault_is_named_and_the_exit_is_1(home: Path) -> None:
    db = sqlite3.connect(home / "ledger.db", isolation_level=None)
    db.execute("UPDATE entries SET body = replace(body, 'refund-77', 'refund-78')")
    db.close()
    seq = [event.__struct_config__.tag for event in story()].index("effected")
    assert check() == (1, f"not what was recorded: entry {seq}: the body is not the one that was recorded\n")
    assert json.loads(check("--json")[1]) == {
        "schema": "remit.verify/1", "ok": False, "seq": seq, "until": seq, "what": "the body is not the one that was recorded",
    }  # fmt: skip


def test_an_export_verifies_with_nothing_else(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "records.jsonl"
    assert CliRunner().invoke(export, ["--all", "-o", str(file)]).exit_code == 0
    key = (home / "keys" / "ledger.pub").read_text().strip()
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "elsewhere"))
    assert check(file)[0] == 0
    assert check(file, "--key", key)[0] == 0
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    assert check(file)[0] == 1


def test_an_export_signed_with_another_key_fails_against_the_key_one_trusts(home: Path, tmp_path: Path) -> None:
    key = (home / "keys" / "ledger.pub").read_text().strip()
    record(tmp_path / "forger", *story())
    file = tmp_path / "forged.jsonl"
    CliRunner(env={"REMIT_HOME": str(tmp_path / "forger")}).invoke(export, ["--all", "-o", str(file)])
    assert check(file)[0] == 0
    code, text = check(file, "--key", key)
    assert code == 1
    assert "unknown key" in text


def test_no_ledger_is_unusable_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no ledger"):
        check("--home", tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        check(tmp_path / "nothing")


def test_it_says_how_many_answers_are_signed_and_how_many_nobody_signed(home: Path, tmp_path: Path) -> None:
    assert "signed answers, acceptances and transfers: 1\n" in check()[1]
    nobody = {"assurance": "scripted", "statement": "", "signature": "", "key": ""}
    stripped = [replace(event, **nobody) if isinstance(event, QuestionAnswered) else event for event in story()]
    record(tmp_path / "stripped", *stripped)
    code, text = check("--home", tmp_path / "stripped")
    assert (code, "nobody signed the answer of `support-lead@example.com`" in text) == (1, True)
    asked = [replace(event, about="context") if isinstance(event, QuestionAsked) else event for event in stripped]
    record(tmp_path / "context", *asked)
    code, text = check("--home", tmp_path / "context")
    assert (code, "transfers: 0, and 1 that nobody signed, where nobody had to" in text) == (0, True)
    assert json.loads(check("--home", tmp_path / "context", "--json")[1])["unsigned"] == 1


OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"answer": "no"}, "signed something else than what is recorded"),
        ({"person": "owner@example.com"}, "the key is not one that the organisation"),
        ({"signature": ""}, "does not cover the statement"),
        ({"statement": "remit.answer/1\n"}, "does not cover the statement"),
    ],
)
def test_an_answer_that_was_not_given_like_this_is_found(tmp_path: Path, change: dict[str, str], what: str) -> None:
    events = [replace(event, **change) if isinstance(event, QuestionAnswered) else event for event in story()]
    record(tmp_path, *events)
    done = CliRunner().invoke(command, ["--home", str(tmp_path)])
    assert done.exit_code == 1
    assert what in done.output


def test_an_answer_signed_with_a_key_that_nobody_knows_is_found(tmp_path: Path) -> None:
    raw = OTHER.public_key().public_bytes_raw()

    def forged(event: QuestionAnswered) -> QuestionAnswered:
        signature = armour(raw, OTHER.sign(signed_part(event.statement.encode(), ANSWER)), ANSWER)
        return replace(event, signature=signature, key=public_text(raw))

    record(tmp_path, *[forged(event) if isinstance(event, QuestionAnswered) else event for event in story()])
    done = CliRunner().invoke(command, ["--home", str(tmp_path)])
    assert done.exit_code == 1
    assert "the key is not one that the organisation" in done.output
