"""kill -9 around every append of a run: afterwards nothing is lost, doubled, left running, or half published."""

import os
import signal
import time
from pathlib import Path

import pytest
from worlds import RELEASE, SMALL, Told, World, released, small

NONCE = "remit-crash-nonce"
SCRIPT = f"mkdir -p docs; echo hello > docs/hello.md; echo door | remit act write docs/door.md --content-file -; : {NONCE}"
DONE = {"README.md": "read me\n", "docs/hello.md": "hello\n", "docs/door.md": "door\n"}
UNTOUCHED = {"README.md": "read me\n"}
CONTRACT = SMALL.replace("turns: 10", "turns: 100")


def left_running(nonce: str) -> list[str]:
    """Processes that still carry the nonce in their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                said = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if nonce in said:
                found.append(said)
    return found


def nothing_left(nonce: str) -> bool:
    """Whether everything that carries the nonce dies within two seconds of the kill (KILL-01)."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        if not left_running(nonce):
            return True
        time.sleep(0.01)
    return False


def crashed(world: World, where: str, contract: str, *argv: str) -> int:
    """Start the run that is killed at this place; its exit code."""
    done = world.remit("run", contract, "--workspace", str(world.work), "--json", "--", *argv, code=None, REMIT_TEST_CRASH=where)
    return done.returncode


def no_fact_twice(world: World) -> None:
    """Effects happened once: one publication, one verdict, and every intent has at most one outcome."""
    run = world.account()
    assert run["schema"] == "remit.account/1"
    told = [row["action"] for row in run["evidence"]]
    assert told.count("published") <= 1
    assert told.count("verdict_reached") <= 1


def survives(world: World, where: str) -> bool:
    """One crash and its resume; False once the run has fewer appends than that."""
    contract = world.contract(CONTRACT)
    code = crashed(world, where, contract, "sh", "-c", SCRIPT)
    if code == 0:
        return False
    assert code == -signal.SIGKILL
    assert nothing_left(NONCE)
    assert world.tree() in (UNTOUCHED, DONE), "before or after, never between (a publication that was cut is finished by resume)"
    resumed = world.remit("resume", "--json", code=0)
    world.remit("verify")
    if not resumed.stdout:
        assert world.tree() in (UNTOUCHED, DONE)
        return True
    assert Told(resumed.stdout).end["verdict"] == "success"
    assert world.tree() == DONE
    assert world.remit("resume", "--json").stdout == ""
    no_fact_twice(world)
    return True


@pytest.mark.parametrize("where", [f"{side}:{number}" for side in ("before", "after") for number in (0, 3, 7, 11, 15, 19)])
def test_a_supervisor_killed_around_an_append_is_carried_on(tmp_path: Path, where: str) -> None:
    survives(small(tmp_path), where)


@pytest.mark.thorough
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_supervisor_killed_around_any_append_is_carried_on(tmp_path: Path, side: str) -> None:
    number = 0
    while survives(small(tmp_path / f"{number}"), f"{side}:{number}"):
        number += 1
    assert number > 15, "the run has more appends than were tried"


@pytest.mark.parametrize("number", [4, 6, 8])
def test_an_agent_killed_in_the_middle_never_publishes_what_fails_its_checks(tmp_path: Path, number: int) -> None:
    world = small(tmp_path)
    done = world.remit(
        "run", world.contract(CONTRACT), "--workspace", str(world.work), "--json", "--", "sh", "-c", f"sleep 0.2; {SCRIPT}",
        code=None, REMIT_TEST_CRASH=f"agent-after:{number}",
    )  # fmt: skip
    told = Told(done.stdout)
    assert world.tree() in (UNTOUCHED, DONE)
    assert told.end["published"] is (world.tree() == DONE)
    assert nothing_left(NONCE)
    world.remit("verify")


RELEASE_RUN = ("python", "agent.py")


def release_survives(world: World, where: str) -> bool:
    """The main job, killed at this place, resumed, accepted: exactly what an undisturbed run gives."""
    before = (world.tree(), world.git("rev-parse", "HEAD"), world.git("status", "--porcelain"))
    done = world.remit(
        "run", str(RELEASE / "release.remit.yaml"), "--workspace", str(world.work), "--with", str(RELEASE / "agent"), "--json",
        "--", "python", str(RELEASE / "agent" / "agent.py"), code=None, REMIT_TEST_CRASH=where,
    )  # fmt: skip
    if done.returncode == 0:
        return False
    assert done.returncode == -signal.SIGKILL
    assert (world.tree(), world.git("rev-parse", "HEAD"), world.git("status", "--porcelain")) == before
    resumed = world.remit("resume", "--json", code=0)
    world.remit("verify")
    if not resumed.stdout:
        return True
    assert Told(resumed.stdout).end["verdict"] == "success_with_exceptions"
    world.remit("accept", code=None, REMIT_TEST_CRASH=where.replace(where.split(":")[1], "3"))
    world.remit("resume")
    assert "## [v2.4.0]" in world.tree()["CHANGELOG.md"]
    assert world.git("status", "--porcelain") == ""
    assert nothing_left("agent.py")
    no_fact_twice(world)
    return True


@pytest.mark.parametrize("where", ["before:5", "after:20", "before:40"])
def test_the_release_survives_a_crash(tmp_path: Path, where: str) -> None:
    release_survives(released(tmp_path), where)


@pytest.mark.thorough
@pytest.mark.parametrize("side", ["before", "after"])
def test_the_release_survives_a_crash_at_any_append(tmp_path: Path, side: str) -> None:
    number = 0
    while release_survives(released(tmp_path / f"{number}"), f"{side}:{number}"):
        number += 1
    assert number > 30


@pytest.mark.thorough
def test_the_release_survives_an_agent_killed_at_any_append(tmp_path: Path) -> None:
    number, events = 0, 1
    while number < events:
        world = released(tmp_path / f"{number}")
        before = (world.tree(), world.git("rev-parse", "HEAD"), world.git("status", "--porcelain"))
        done = world.remit(
            "run", str(RELEASE / "release.remit.yaml"), "--workspace", str(world.work), "--with", str(RELEASE / "agent"), "--json",
            "--", "python", str(RELEASE / "agent" / "agent.py"), code=None, REMIT_TEST_CRASH=f"agent-after:{number}",
        )  # fmt: skip
        told = Told(done.stdout)
        assert told.end["verdict"] in {"failed", "success_with_exceptions"}
        assert told.end["published"] is False
        assert (world.tree(), world.git("rev-parse", "HEAD"), world.git("status", "--porcelain")) == before
        assert nothing_left("agent.py")
        world.remit("verify")
        number, events = number + 1, len(told.events)
    assert number > 30
