"""`remit export`."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from remit.cli.export import command
from remit.errors import BadInput

sys.path.insert(0, str(Path(__file__).parent))
from records import record, story


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    record(tmp_path / "home", *story("rone1"), *story("rtwo2", answer="no"))
    return tmp_path / "home"


def export(*arguments: str) -> str:
    return CliRunner().invoke(command, arguments, catch_exceptions=False).stdout


def test_the_same_record_gives_the_same_bytes() -> None:
    assert export("--all") == export("--all")


def test_one_run_comes_with_every_entry_but_no_body_of_another() -> None:
    lines = [json.loads(line) for line in export("rone1").splitlines()]
    head, entries = lines[0], [line for line in lines if "entry" in line]
    assert head["runs"] == ["rone1"]
    assert len(entries) == head["entries"] == len(story()) + len(story(answer="no"))
    assert {json.loads(line["entry"])["run"] for line in entries if "body" in line} == {"rone1"}
    assert len([line for line in lines if "head" in line]) == head["heads"]


@pytest.mark.parametrize("arguments", [(), ("rone1", "--all")])
def test_what_to_export_must_be_said(arguments: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="say which"):
        export(*arguments)
