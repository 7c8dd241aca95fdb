"""S2, S18 and S22: refused for what is missing, explained afterwards, and held at the kernel."""

import json
from pathlib import Path

import pytest
from worlds import SMALL, World, small


@pytest.fixture
def world(tmp_path: Path) -> World:
    return small(tmp_path)


def test_an_under_specified_wish_is_refused_with_what_each_gap_leads_to(world: World) -> None:
    said = json.loads(world.remit("check", "--text", "Update the docs for the release.", "--json", code=2).stdout)
    missing = [finding for finding in said["findings"] if finding["code"].startswith("MISSING-")]
    assert [finding["code"].removeprefix("MISSING-").lower() for finding in missing] == ["constraints", "success", "recovery"]
    consequences = " ".join(finding["message"] for finding in missing)
    for words in ("scope exceeded", "irreversible changes", "runs forever", "stops at an arbitrary point", "stalls on a blocker"):
        assert words in consequences
    own = {finding["code"] for finding in said["findings"]} - {finding["code"] for finding in missing}
    assert {"OWNER-MISSING", "LIMIT-MISSING"} <= own, "remit's own additions are reported apart"
    assert said["ok"] is False


def test_afterwards_nobody_can_say_they_assumed_somebody_approved_it(world: World) -> None:
    world.run(
        world.contract(SMALL + "publish: ask\n"), "sh", "-c", "echo hello > docs/hello.md; remit act push origin; true", code=4
    )
    said = world.remit("account", "last", "--explain").stdout
    assert "no one approved; it did not go out" in said
    assert "push origin" in said
    world.remit("publish")
    again = world.remit("account", "last", "--explain").stdout
    assert "no one approved" not in again
    approved = world.account()["approved"]
    assert [row["actor"] for row in approved] == ["release-lead@example.com"]
    assert all(row["at"] and row["receipt"] for row in approved)
    procedure = world.remit("account", "last", "--procedure").stdout
    numbered = [line for line in procedure.splitlines() if line[:4].strip().rstrip(".").isdigit()]
    assert len(numbered) >= 10


OVERREACH = """
import os, socket, sys, time
print("NONCE-22 started", flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.3)
        for what in (lambda: open("{canary}", "w").write("out"), lambda: socket.create_connection(("127.0.0.1", {port}), 1)):
            try:
                what()
                print("NONCE-22 got out", flush=True)
            except OSError as error:
                print("NONCE-22 held:", error.strerror, flush=True)
        print("NONCE-22 tried", flush=True)
        time.sleep(60)
    os._exit(0)
time.sleep({stay})
"""


@pytest.mark.parametrize(("stay", "seen"), [(1.5, True), (0, False)])
def test_what_an_allowed_program_leaves_behind_reaches_nothing_and_dies_with_the_box(
    world: World, stay: float, seen: bool
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        canary = Path(f"/usr/local/remit-canary-{world.folder.name}")
        script = OVERREACH.format(canary=canary, port=server.getsockname()[1], stay=stay)
        told = world.run(world.contract(SMALL), "python", "-c", f"open('docs/hello.md','w').write('hello')\n{script}")
        log = next((world.home / "runs").glob("*/attempts/1.log")).read_text()
        assert "NONCE-22 started" in log
        assert ("NONCE-22 tried" in log) is seen
        assert "NONCE-22 got out" not in log
        assert not canary.exists()
        with pytest.raises(TimeoutError):
            server.accept()
    ended = next(event for event in told.events if event["kind"] == "work_done")
    assert "is empty" in ended["receipt"]
    boundary = world.account()["boundary"]
    assert boundary["hosts"] == []
