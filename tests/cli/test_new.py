"""`remit new` writes what is to be filled in, and never over anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from remit.cli.new import command
from remit.contract.parse import parse
from remit.contract.review import review

PROSE = "Goal: Prepare the release.\nConstraints:\n- Only modify files in /docs\n- Be careful\nSuccess: all links resolve\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def new(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_every_line_of_prose_waits_under_unenforced_until_a_rule_binds_it() -> None:
    Path("prose.txt").write_text(PROSE)
    assert new("release", "--from", "prose.txt").exit_code == 0
    parsed = parse(Path("release.remit.yaml").read_text(), file="release.remit.yaml")
    assert parsed.findings == ()
    assert parsed.draft.goal == "Prepare the release."
    assert parsed.draft.unenforced == ("Only modify files in /docs", "Be careful", "all links resolve")
    assert not review(parsed).ok
    assert "# constraints: `may: - write: docs/**`" in Path("release.remit.yaml").read_text()


def test_a_bare_skeleton_lacks_what_only_a_person_can_say() -> None:
    new()
    parsed = parse(Path("task.remit.yaml").read_text(), file="task.remit.yaml")
    assert parsed.findings == ()
    assert review(parsed).missing == ("goal", "success")


def test_a_file_that_is_there_is_never_overwritten() -> None:
    Path("task.remit.yaml").write_text("mine")
    assert "is there already" in str(new().exception)
    assert Path("task.remit.yaml").read_text() == "mine"


def test_a_link_is_not_followed_out_of_the_folder() -> None:
    Path("task.remit.yaml").symlink_to("elsewhere")
    assert "is there already" in str(new().exception)
    assert not Path("elsewhere").exists()
