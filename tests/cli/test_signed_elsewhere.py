"""`remit answer --print` and `--statement`: what is signed elsewhere is what counts here, word for word."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from remit.adapters.clock import SystemClock
from remit.cli.answer import command
from remit.errors import BadInput
from remit.evidence.signature import armour, signed_part
from remit.run.statement import ANSWER, read_statement
from remit.value import digest

sys.path.insert(0, str(Path(__file__).parent))
from records import KEY, LEAD, RAW, record, story


def run(*arguments: object) -> str:
    result = CliRunner().invoke(command, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_note_is_signed_where_the_key_is_and_counts_only_as_it_was_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    record(tmp_path / "home", *story(answer=None)[:-2], clock=SystemClock())
    text = run("rone1", "Q1", "no", "--as", LEAD, "--print", "--note", "ask me on Monday")
    fields = read_statement(text)
    assert (fields["note"], fields["assurance"]) == (digest("ask me on Monday"), "person-signed")
    statement, signature = tmp_path / "statement", tmp_path / "statement.sig"
    statement.write_text(text)
    signature.write_text(armour(RAW, KEY.sign(signed_part(text.encode(), ANSWER)), ANSWER))
    hand_in = ("--statement", statement, "--signature", signature, "--no-drive")
    with pytest.raises(BadInput, match="something else: note"):
        run(*hand_in, "--note", "do it twice")
    with pytest.raises(BadInput, match="something else: note"):
        run(*hand_in)
    run(*hand_in, "--note", "ask me on Monday")
