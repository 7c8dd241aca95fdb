"""`remit ownership`."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from inline_snapshot import snapshot

from remit.adapters.signers.local import create, load
from remit.cli.ownership import command
from remit.cli.verify import command as verify
from remit.contract.party import Organisation, Person
from remit.errors import BadInput, Refused
from remit.run import event as e

sys.path.insert(0, str(Path(__file__).parent))
from records import CONTRACT, LEAD, OWNER, record, story

FILE = """\
goal: Answer the customers of July
owner: release-lead@example.com
may:
  - write: replies/**
ask:
  - call: send_email
    who: support-lead
limits: {turns: 40, time: 30m}
success: [{id: a, file: replies/a.md, exists: true}]
recovery: [{when: failed, do: undo}]
"""
ORG = """\
people:
  - id: release-lead@example.com
    keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f]
  - id: support-lead@example.com
    roles: [support-lead]
    keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4g]
tools:
  send_email: {effect: send}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REMIT_ORG", raising=False)
    (tmp_path / "org.remit.yaml").write_text(ORG)
    return tmp_path


def ask(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_contract_prints_the_step_where_a_person_becomes_responsible(home: Path) -> None:
    (home / "c.remit.yaml").write_text(FILE)
    result = ask(home / "c.remit.yaml", "--org", home / "org.remit.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == snapshot("""\
Answer the customers of July
owner: release-lead@example.com
  1. call send_email  (draft to sent; ask-call-1)
       from here support-lead@example.com is responsible; recorded: signed answer bound to the action
       silence: it waits: nothing happens until somebody answers
  2. publish the workspace  (suggestion to decision; publish: auto)
       from here release-lead@example.com is responsible; recorded: kept by the owner, whose checks decide; it can be undone
       silence: nobody is asked: the checks decide
  3. take the outcome  (suggestion to decision; owner)
       from here release-lead@example.com is responsible; recorded: signed acceptance bound to the outcome
       silence: it stays pending: completed is not owned
every step has its person
""")


def test_what_is_only_implied_ends_with_2_and_its_code_and_place(home: Path) -> None:
    (home / "c.remit.yaml").write_text(FILE.replace("who: support-lead", "who: nobody"))
    result = ask(home / "c.remit.yaml", "--org", home / "org.remit.yaml")
    assert result.exit_code == 2
    assert result.stdout.endswith("somebody is only implied: that is no delegation\n")
    assert "from here NOBODY is responsible" in result.stdout
    assert result.stderr.startswith(f"OWNERSHIP-IMPLIED  {home}/c.remit.yaml:6:5: rule ask-call-1: `nobody` is to be asked")
    told = json.loads(ask(home / "c.remit.yaml", "--org", home / "org.remit.yaml", "--json").stdout)
    assert (told["schema"], told["ok"]) == ("remit.ownership/1", False)
    assert [finding["code"] for finding in told["findings"]] == ["OWNERSHIP-IMPLIED"]


@pytest.mark.parametrize("owner", ["", "owner: [a@example.com, b@example.com]\n"])
def test_no_owner_or_two_is_an_error(home: Path, owner: str) -> None:
    (home / "c.remit.yaml").write_text(FILE.replace("owner: release-lead@example.com\n", owner))
    result = ask(home / "c.remit.yaml", "--org", home / "org.remit.yaml")
    assert result.exit_code == 2
    assert "OWNERSHIP-IMPLIED" in result.stderr


def test_a_file_that_is_not_there_or_is_no_contract_is_unusable_input(home: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        ask(home / "none.remit.yaml")
    (home / "c.remit.yaml").write_text("goal: [")
    assert ask(home / "c.remit.yaml").exit_code == 2
    with pytest.raises(BadInput, match="only the outcome of a run"):
        ask(home / "c.remit.yaml", "--accept")
    with pytest.raises(BadInput, match="exclude one another"):
        ask("last", "--accept", "--decline")


def test_a_completed_run_that_nobody_took_is_not_shown_as_done(home: Path) -> None:
    record(home / "home", *_worked())
    told = ask().stdout
    assert "success, but nobody has taken the outcome; release-lead@example.com owns it" in told
    assert "nothing was handed off: no effect has left the workspace" in told
    assert json.loads(ask("--json").stdout)["done"] is False


def _worked(*people: Person) -> list[e.Event]:
    begin = e.Started(
        run="rone1", contract=CONTRACT, organisation=Organisation(people=people), workspace="/w", command=("true",), trigger="t"
    )
    return [
        begin,
        e.AttemptStarted(run="rone1", attempt=1),
        e.WorkDone(run="rone1", attempt=1, status=0, why="ended", sealed="s", receipt="gone"),
        e.VerdictReached(run="rone1", verdict="success"),
    ]


def test_an_outcome_is_offered_and_stays_until_the_other_person_has_accepted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = home / "home"
    people = []
    for person in (OWNER, LEAD):
        create(state, person)
        signer = load(state)
        assert signer is not None
        people.append(Person(id=person, keys=(signer.public,)))
        (state / "identity").rename(home / person)
    record(state, *_worked(*people))

    def as_(person: str) -> None:
        if (state / "identity").is_symlink():
            (state / "identity").unlink()
        (state / "identity").symlink_to(home / person)

    as_(LEAD)
    with pytest.raises(Refused, match="only they can offer it"):
        ask("rone1", "--offer", LEAD)
    as_(OWNER)
    assert f"offered to {LEAD}; it stays with {OWNER} until they accept" in ask("rone1", "--offer", LEAD).stderr
    assert f"stays with {OWNER} until {LEAD} accepts" in ask().stdout
    with pytest.raises(Refused, match=r"is offered to support-lead@example\.com, not to release-lead@example\.com"):
        ask("rone1", "--accept")
    as_(LEAD)
    assert "declined the outcome" in ask("rone1", "--decline").stderr
    assert json.loads(ask("--json").stdout)["owner"] == OWNER
    as_(OWNER)
    ask("rone1", "--offer", LEAD, "--note", "I am away")
    as_(LEAD)
    assert "taken over the outcome of rone1, signed and recorded" in ask("rone1", "--accept").stderr
    told = json.loads(ask("--json").stdout)
    assert (told["owner"], told["offered_to"], told["done"]) == (LEAD, "", False)
    assert CliRunner().invoke(verify, []).exit_code == 0


def test_a_line_break_in_what_was_handed_off_forges_no_line(home: Path) -> None:
    push = e.HandedOff(run="rone1", key="k\nforged: row", transition="draft to sent", responsible=(LEAD,), by="x\nforged: row")
    record(home / "home", story()[0], push)
    assert not any(line.startswith("forged") for line in ask().stdout.splitlines())
