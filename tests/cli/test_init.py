"""`remit init` makes one identity and one organisation file, once."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from remit.adapters.signers.local import load
from remit.cli.init import command, usual_person
from remit.cli.load import load_organisation
from remit.cli.place import local_identity


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REMIT_ORG", raising=False)


def init(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_the_person_is_known_with_their_key_from_then_on(tmp_path: Path) -> None:
    assert init("--person", "release-lead@example.com").exit_code == 0
    organisation, signer = load_organisation(None), load(tmp_path / "home")
    assert organisation is not None
    assert signer is not None
    assert [(person.id, person.keys) for person in organisation.people] == [("release-lead@example.com", (signer.public,))]
    assert local_identity() == "release-lead@example.com"


def test_nothing_is_ever_made_twice(tmp_path: Path) -> None:
    init("--person", "release-lead@example.com")
    (tmp_path / "home" / "org.remit.yaml").write_text("people: []\n")
    key = (tmp_path / "home" / "identity" / "key").read_bytes()
    assert json.loads(init("--json").stdout)["made"] == []
    assert (tmp_path / "home" / "identity" / "key").read_bytes() == key
    assert (tmp_path / "home" / "org.remit.yaml").read_text() == "people: []\n"


def test_another_person_does_not_take_over_an_identity() -> None:
    init("--person", "release-lead@example.com")
    assert "is `release-lead@example.com`" in str(init("--person", "deputy@example.com").exception)


def test_a_person_without_a_name_is_named_after_user_and_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert "@" in usual_person()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    (tmp_path / "gitconfig").write_text("[user]\n\temail = release-lead@example.com\n")
    assert usual_person() == "release-lead@example.com"


def test_even_a_person_with_an_awkward_name_gets_a_file_that_reads_back() -> None:
    init("--person", "no:'x\"@example.com")
    organisation = load_organisation(None)
    assert organisation is not None
    assert organisation.people[0].id == "no:'x\"@example.com"
