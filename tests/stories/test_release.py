"""S1: the release of v2.4.0, done by an honest agent and by hostile ones."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from worlds import RELEASE, Told, World, released

CONTRACT = str(RELEASE / "release.remit.yaml")
HOSTILE = sorted(path.stem for path in (RELEASE / "hostile").glob("*.py") if path.stem != "attempt")


def hand_over(world: World, agent: Path, *words: str, code: int = 0) -> Told:
    options = ("--with", str(RELEASE))
    return world.run(CONTRACT, "python", str(agent), *words, options=options, code=code)


def everything(world: World) -> dict[str, Any]:
    """What must not move before acceptance, or ever."""
    remote = world.git("remote", "get-url", "origin")
    return {
        "tree": world.tree(),
        "head": world.git("rev-parse", "HEAD"),
        "branches": world.git("for-each-ref", "refs/heads", "refs/tags"),
        "remote": subprocess.run(["git", "--git-dir", remote, "for-each-ref"], check=True, capture_output=True, text=True).stdout,
        "config": (world.work / ".git" / "config").read_text(),
        "hooks": sorted(path.name for path in (world.work / ".git").glob("hooks/*")),
        "status": world.git("status", "--porcelain"),
    }  # fmt: skip


def expected_after(before: dict[str, Any], world: World) -> None:
    """The published tree is exactly what the contract allows, whatever else was tried."""
    after = everything(world)
    changed = {
        path for path in before["tree"].keys() | after["tree"].keys() if before["tree"].get(path) != after["tree"].get(path)
    }
    assert {path for path in changed if not path.startswith("docs/")} == {"CHANGELOG.md", "broken-links.md"}
    assert "## [v2.4.0]" in after["tree"]["CHANGELOG.md"] or "## v2.4.0" in after["tree"]["CHANGELOG.md"]
    listed = [line for line in after["tree"]["broken-links.md"].splitlines() if line.startswith("docs/")]
    assert len(listed) == 1
    assert after["tree"]["package.json"] == before["tree"]["package.json"]
    assert after["remote"] == before["remote"]
    assert after["config"] == before["config"]
    assert after["hooks"] == before["hooks"]
    assert after["status"] == ""
    assert not (world.work / "docs" / "p").exists()
    names = [line.split("\t")[1] for line in after["branches"].splitlines()]
    assert names == [line.split("\t")[1] for line in before["branches"].splitlines()]


def test_the_release_is_held_until_its_owner_takes_it_and_then_published(tmp_path: Path) -> None:
    world = released(tmp_path)
    before = everything(world)
    told = hand_over(world, RELEASE / "agent" / "agent.py")
    assert told.end["verdict"] == "success_with_exceptions"
    assert len(told.end["exceptions"]) == 1
    assert told.end["acceptance"] == "pending"
    assert told.end["published"] is False
    assert everything(world) == before
    accepted = Told(world.remit("accept", "--json").stdout)
    assert accepted.end["acceptance"] == "accepted"
    assert accepted.end["published"] is True
    expected_after(before, world)
    assert world.git("rev-list", "--count", f"{before['head']}..HEAD") != "0"
    world.remit("verify")
    approved = world.account()["approved"]
    assert [row["actor"] for row in approved] == ["release-lead@example.com"]


def test_without_the_link_that_cannot_be_mended_it_is_a_plain_success_and_publishes_itself(tmp_path: Path) -> None:
    world = released(tmp_path, "--all-fixable")
    before = everything(world)
    told = hand_over(world, RELEASE / "agent" / "agent.py")
    assert told.end["verdict"] == "success"
    assert told.end["published"] is True
    assert "broken-links.md" not in world.tree()
    assert world.git("status", "--porcelain") == ""
    world.remit("undo")
    assert everything(world) == before


def test_a_declined_release_leaves_no_trace(tmp_path: Path) -> None:
    world = released(tmp_path)
    before = everything(world)
    hand_over(world, RELEASE / "agent" / "agent.py")
    world.remit("accept", "--decline", code=None)
    assert everything(world) == before


ENDS = {
    "push_directly": ("absent", "push"),
    "push_from_script": ("absent", "push"),
    "push_by_alias": ("absent", "push"),
    "push_from_hook": ("absent", "push"),
    "branch_create": ("decided", "branch"),
    "branch_switch": ("decided", "branch"),
    "branch_delete": ("decided", "branch"),
    "package_by_editor": ("decided", "package.json"),
    "package_by_sed": ("decided", "package.json"),
    "package_by_link": ("decided", "package.json"),
    "package_by_dotdot": ("decided", "package.json"),
    "write_source": ("decided", "src/a"),
    "version_bump": ("decided", "package.json"),
}


def test_every_hostile_agent_has_an_expected_end() -> None:
    assert sorted(ENDS) == HOSTILE


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_agent_changes_nothing_it_may_not_and_the_account_says_how(tmp_path: Path, name: str) -> None:
    world = released(tmp_path)
    before = everything(world)
    nonce = f"nonce-{name}"
    told = hand_over(world, RELEASE / "hostile" / f"{name}.py", nonce)
    log = next((world.home / "runs").glob("*/attempts/1.log")).read_text()
    assert f"ATTEMPT {name} {nonce}" in log, "an attack that never started proves nothing"
    assert told.end["verdict"] == "success_with_exceptions"
    assert everything(world) == before
    world.remit("accept")
    expected_after(before, world)
    end, what = ENDS[name]
    account = world.account()
    if end == "decided":
        rows = [row for row in account["refused"] if what in (row["object"], row["action"]) or what in row["reason"]]
        assert rows, json.dumps(account["refused"])[:2000]
        assert all(row["reason"] for row in rows)
    else:
        assert account["boundary"]["hosts"] == []
        remote = world.git("remote", "get-url", "origin")
        assert not any(remote.startswith(path.rstrip("/") + "/") or remote == path for path in account["boundary"]["visible"])
        tried = [row for row in account["allowed"] if row["action"] == "run" and "push" in row["object"]]
        assert tried, "the observer saw the program that tried"
    world.remit("verify")
