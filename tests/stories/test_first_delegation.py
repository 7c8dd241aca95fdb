"""A delegation from the command line: refused, fixed, enforced, proven."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from worlds import SMALL, Told, World, small


@pytest.fixture
def world(tmp_path: Path) -> World:
    return small(tmp_path)


HELLO = "mkdir -p docs; echo hello > docs/hello.md"


def test_what_the_contract_covers_is_published_and_the_rest_is_refused_and_recorded(world: World) -> None:
    told = world.run(world.contract(SMALL), "sh", "-c", f"{HELLO}; echo x > docs/secret.md; echo y > src.txt")
    assert told.end["verdict"] == "success"
    assert told.end["published"] is True
    assert told.end["acceptance"] == "pending"
    assert told.end["refusals"] == 2
    assert world.tree() == {"README.md": "read me\n", "docs/hello.md": "hello\n"}
    refused = world.account()["refused"]
    assert {row["object"] for row in refused} == {"docs/secret.md", "src.txt"}
    assert "it is nobody's business" in next(row["reason"] for row in refused if row["object"] == "docs/secret.md")


def test_completed_and_owned_are_two_things_until_the_owner_signs(world: World) -> None:
    world.run(world.contract(SMALL), "sh", "-c", HELLO)
    assert "has not taken it" in world.remit("show").stdout
    told = Told(world.remit("accept", "--json").stdout)
    assert told.end["acceptance"] == "accepted"
    assert "acceptance  accepted" in world.remit("show").stdout
    world.remit("verify")


def test_undo_puts_everything_back_and_leaves_later_work_alone(world: World) -> None:
    before = world.tree()
    world.run(world.contract(SMALL), "sh", "-c", HELLO)
    (world.work / "mine.txt").write_text("later\n")
    world.remit("undo")
    assert world.tree() == {**before, "mine.txt": "later\n"}


def test_undo_is_refused_when_somebody_has_built_on_it(world: World) -> None:
    world.run(world.contract(SMALL), "sh", "-c", HELLO)
    (world.work / "docs" / "hello.md").write_text("hello, and more\n")
    world.remit("undo", code=1)
    assert world.tree()["docs/hello.md"] == "hello, and more\n"


def test_a_failed_check_publishes_nothing(world: World) -> None:
    before = world.tree()
    told = world.run(world.contract(SMALL), "sh", "-c", "echo goodbye > docs/hello.md", code=1)
    assert told.end["verdict"] == "failed"
    assert told.end["published"] is False
    assert world.tree() == before


def test_an_incomplete_contract_runs_nothing(world: World) -> None:
    marker = world.folder / "ran"
    bad = world.contract("goal: Update the docs for the release.\n", "bad.remit.yaml")
    world.remit("run", bad, "--workspace", str(world.work), "--", "touch", str(marker), code=2)
    assert not marker.exists()
    assert json.loads(world.remit("runs", "--json").stdout)["runs"] == []


def test_the_turn_after_the_last_one_never_starts(world: World) -> None:
    text = SMALL.replace("turns: 10", "turns: 3")
    script = f"{HELLO}; for n in 1 2 3 4 5 6; do remit act read README.md; done; sleep 30"
    told = world.run(world.contract(text), "sh", "-c", script, code=5)
    assert told.end["verdict"] == "exhausted"
    assert told.end["spend"]["turns"] <= 4
    assert [event["limit"] for event in told.events if event["kind"] == "limit_reached"] == ["turns"]
    assert any(event["kind"] == "warned" for event in told.events)
    assert "docs/hello.md" not in world.tree()


def test_time_is_up_when_it_is_up(world: World) -> None:
    told = world.run(world.contract(SMALL.replace("60s", "1s")), "sh", "-c", f"{HELLO}; sleep 30", code=5)
    assert told.end["verdict"] == "exhausted"
    assert told.end["spend"]["time"] < 5
    assert "docs/hello.md" not in world.tree()


def test_an_agent_that_repeats_itself_against_a_refusal_is_stopped_before_its_cap(world: World) -> None:
    text = SMALL.replace("turns: 10", "turns: 1000")
    told = world.run(world.contract(text), "sh", "-c", "while true; do remit act push origin; done", code=4)
    assert "stuck" in told.kinds()
    assert told.end["spend"]["turns"] < 100
    assert told.end["questions"] == ["Q1"]


def test_a_granted_write_beyond_the_view_lands_in_the_stage_and_a_refused_one_says_why(world: World) -> None:
    script = (
        f"{HELLO}; echo door | remit act write docs/door.md --content-file - && echo no | remit act write src/a --content-file -"
    )
    told = world.run(world.contract(SMALL), "sh", "-c", f"{script}; true")
    assert world.tree()["docs/door.md"] == "door\n"
    assert "src/a" not in world.tree()
    decisions = [(event["action"]["object"], event["decision"]) for event in told.events if event.get("at_door") == "door"]
    assert decisions == [("docs/door.md", "allow"), ("src/a", "refuse")]


ASKING = SMALL.replace("never:", "ask:\n  - write: src/**\n    who: owner\nnever:")


@pytest.mark.parametrize(("said", "published"), [("yes", True), ("no", False)])
def test_a_changed_path_that_must_be_asked_waits_for_a_signed_answer(world: World, said: str, published: bool) -> None:
    told = world.run(world.contract(ASKING), "sh", "-c", f"{HELLO}; mkdir src; echo 1 > src/a", code=4)
    assert told.end["verdict"] is None
    assert told.end["questions"] == ["Q1"]
    assert world.tree() == {"README.md": "read me\n"}
    assert "Q1" in world.remit("show").stdout
    answered = Told(world.remit("answer", "last", "Q1", said, "--json").stdout)
    assert answered.end["verdict"] == "success"
    assert ("src/a" in world.tree()) is published
    world.remit("answer", "last", "Q1", "yes", code=2)


@pytest.mark.parametrize(("said", "published"), [("yes", True), ("no", False)])
def test_what_the_agent_asked_for_at_the_door_can_be_granted_after_it_has_gone(world: World, said: str, published: bool) -> None:
    script = f"{HELLO}; echo 1 | remit act write src/a --content-file -; echo code $?"
    told = world.run(world.contract(ASKING), "sh", "-c", script, code=4)
    assert told.end["questions"] == ["Q1"]
    answered = Told(world.remit("answer", "last", "Q1", said, "--json").stdout)
    assert answered.end["verdict"] == "success"
    assert ("src/a" in world.tree()) is published


def test_publishing_can_be_kept_for_a_person(world: World) -> None:
    told = world.run(world.contract(SMALL + "publish: ask\n"), "sh", "-c", HELLO, code=4)
    assert told.end["verdict"] == "success"
    assert told.end["published"] is False
    assert "docs/hello.md" not in world.tree()
    world.remit("publish")
    assert world.tree()["docs/hello.md"] == "hello\n"


def test_two_edits_of_one_file_are_a_conflict_and_nothing_is_written(world: World) -> None:
    (world.work / "docs" / "hello.md").write_text("start\n")
    told = world.run(world.contract(SMALL + "publish: ask\n"), "sh", "-c", f"{HELLO}; echo two > docs/two.md", code=4)
    assert told.end["verdict"] == "success"
    (world.work / "docs" / "hello.md").write_text("mine\n")
    world.remit("publish", code=1)
    assert world.tree() == {"README.md": "read me\n", "docs/hello.md": "mine\n"}


def test_a_run_in_a_folder_that_is_not_there_says_so(world: World) -> None:
    done = world.remit("run", world.contract(SMALL), "--workspace", "nowhere", "--", "true", code=2)
    assert "there is no workspace `nowhere`" in done.stderr


def test_remit_never_keeps_its_records_in_the_workspace(world: World) -> None:
    done = world.remit(
        "run", world.contract(SMALL), "--workspace", str(world.work), "--", "true", code=2, REMIT_HOME=str(world.work / ".remit")
    )
    assert "REMIT_HOME" in done.stderr


NARROW = SMALL.replace('  - read: "**"\n', "  - read: README.md\n")


def test_what_may_not_be_read_is_not_there(world: World) -> None:
    (world.work / "plans").mkdir()
    (world.work / "plans" / "next.md").write_text("not yours\n")
    (world.work / "docs" / "a.md").write_text("a\n")
    told = world.run(world.contract(NARROW), "sh", "-c", "find . -type f | sort; ls; echo hello > docs/hello.md")
    log = (world.home / "runs" / told.end["run"] / "attempts" / "1.log").read_text()
    assert log.split() == ["./README.md", "./docs/a.md", "README.md", "docs"]
    assert "plans" in world.account()["boundary"]["hidden"]
    assert world.tree()["plans/next.md"] == "not yours\n"


def test_secrets_are_not_there_unless_they_are_named(world: World) -> None:
    (world.work / ".env").write_text("TOKEN=1\n")
    (world.work / "docs" / "tls.key").write_text("key\n")
    told = world.run(world.contract(SMALL), "sh", "-c", "cat .env docs/tls.key; echo hello > docs/hello.md")
    log = (world.home / "runs" / told.end["run"] / "attempts" / "1.log").read_text()
    assert "TOKEN" not in log
    assert world.account()["boundary"]["hidden"] == [".env", "docs/tls.key"]
    named = SMALL.replace('  - read: "**"\n', '  - read: ["**", .env]\n')
    told = world.run(world.contract(named), "sh", "-c", "cat .env docs/tls.key; echo hello > docs/hello.md")
    assert "TOKEN" in (world.home / "runs" / told.end["run"] / "attempts" / "1.log").read_text()
    assert world.tree()[".env"] == "TOKEN=1\n"


def test_a_question_nobody_answers_in_time_is_refused_as_the_contract_says(world: World) -> None:
    text = ASKING + "escalation:\n  - for: write\n    page: release-lead@example.com\n    within: 1s\n    otherwise: refuse\n"
    told = world.run(world.contract(text), "sh", "-c", f"{HELLO}; mkdir src; echo 1 > src/a", code=4)
    paged = [event["who"] for event in told.events if event["kind"] == "notified"]
    assert paged == ["release-lead@example.com"]
    until = datetime.fromisoformat(next(event["expires"] for event in told.events if event["kind"] == "question_asked"))
    while datetime.now(UTC) <= until:
        time.sleep(0.05)
    assert "is over" in world.remit("answer", "last", "Q1", "yes", code=2).stderr
    resumed = Told(world.remit("resume", "--json").stdout)
    assert "question_expired" in resumed.kinds()
    assert resumed.end["verdict"] == "success"
    assert "src/a" not in world.tree()
