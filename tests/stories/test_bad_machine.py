"""Bad machines: full and read-only disks, lost folders, dirty trees, wrong clocks, killed and competing processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from test_crash import nothing_left
from worlds import OWNER, SMALL, Told, World, released, small

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.run.event import Notified

HELLO = "mkdir -p docs; echo hello > docs/hello.md"
UNTOUCHED = {"README.md": "read me\n"}
DONE = {"README.md": "read me\n", "docs/hello.md": "hello\n"}
ROOT = os.geteuid() == 0
mounts = pytest.mark.skipif(not ROOT, reason="only root can mount; an ordinary user is `test_a_folder_that_may_not_be_written…`")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return small(tmp_path)


def words(world: World, *argv: str, contract: str = SMALL) -> tuple[str, ...]:
    """The words of a run in this world."""
    return ("run", world.contract(contract), "--workspace", str(world.work), "--json", "--", *argv)


def cut_after(world: World, kind: str, *argv: str, contract: str = SMALL) -> None:
    """A run whose supervisor is killed right after the first fact of this kind; an undisturbed one before it tells when."""
    given = words(world, *argv, contract=contract)
    number = Told(world.quick(*given, code=None).stdout).kinds().index(kind) - 1
    world.quick("undo", code=None)
    world.quick(*given, code=-signal.SIGKILL, REMIT_TEST_CRASH=f"after:{number}")
    assert world.last_kind() == kind


# ------------------------------------------------------------ folders that are not there


@pytest.mark.parametrize("kind", ["boundary_set", "work_done", "verdict_reached"])
def test_a_workspace_lost_between_crash_and_resume_is_said_and_the_run_can_be_ended(world: World, kind: str) -> None:
    cut_after(world, kind, "sh", "-c", HELLO)
    shutil.move(world.work, world.folder / "elsewhere")
    done = world.quick("resume", code=None)
    assert done.returncode in {1, 2}
    assert str(world.work) in done.stdout + done.stderr
    assert not world.work.exists()
    world.quick("verify")
    world.quick("account")
    if kind != "verdict_reached":
        world.quick("stop")
        assert world.quick("resume").stderr.strip() == "nothing was interrupted"


@pytest.mark.parametrize("kind", ["boundary_set", "work_done", "publish_intended"])
def test_a_workspace_that_is_back_lets_the_run_go_on(world: World, kind: str) -> None:
    cut_after(world, kind, "sh", "-c", HELLO)
    shutil.move(world.work, world.folder / "elsewhere")
    world.quick("resume", code=None)
    shutil.move(world.folder / "elsewhere", world.work)
    world.quick("resume", code=None)
    if world.tree() == UNTOUCHED:
        world.quick("publish")
    assert world.tree() == DONE
    world.quick("undo")
    assert world.tree() == UNTOUCHED
    world.quick("verify")


def test_a_run_that_cannot_go_on_does_not_keep_the_others_from_it(world: World) -> None:
    cut_after(world, "boundary_set", "sh", "-c", HELLO)
    work, world.work = world.work, world.folder / "second"
    shutil.copytree(work, world.work)
    cut_after(world, "boundary_set", "sh", "-c", HELLO)
    shutil.rmtree(work)
    said = world.quick("resume", code=None).stderr
    assert str(work) in said
    assert world.tree() == DONE


def test_a_stage_lost_from_the_home_is_said(world: World) -> None:
    world.quick(*words(world, "sh", "-c", HELLO))
    shutil.rmtree(world.home / "runs")
    assert "is gone" in world.quick("undo", code=1).stderr
    assert "is gone" in world.quick("diff", code=1).stderr
    assert world.tree() == DONE
    world.quick("verify")


# ------------------------------------------------------------ git as people leave it


def contents(folder: Path) -> dict[str, bytes]:
    """Every file outside .git with its bytes, and the mode and target of everything."""
    return {
        str(path.relative_to(folder)): (path.read_bytes() if path.is_file() and not path.is_symlink() else b"")
        + str((path.lstat().st_mode, path.readlink() if path.is_symlink() else "")).encode()
        for path in sorted(folder.rglob("*"))
        if ".git" not in path.relative_to(folder).parts
    }


GIT = SMALL.replace("  - write: docs/**\n", "  - write: docs/**\n  - commit: HEAD\n")
COMMITS = "echo hello > docs/hello.md; git add docs; git commit -qm hello"


def test_uncommitted_work_inside_writable_paths_is_refused_with_the_list(tmp_path: Path) -> None:
    world = released(tmp_path)
    (world.work / "docs" / "install.md").write_text("changed\n")
    (world.work / "docs" / "new file.md").write_text("new\n")
    (world.work / "docs" / "index.md").unlink()
    before = contents(world.work)
    done = world.quick(*words(world, "true", contract=GIT), code=2)
    for name in ("docs/install.md", "docs/new file.md", "docs/index.md"):
        assert f"`{name}`" in done.stderr
    assert contents(world.work) == before
    assert json.loads(world.quick("runs", "--json").stdout)["runs"] == []


def test_uncommitted_work_elsewhere_is_left_byte_for_byte_through_publish_and_undo(tmp_path: Path) -> None:
    world = released(tmp_path)
    (world.work / "src" / "index.js").write_bytes(b"mine \xff\x00\r\n")
    (world.work / "notes").mkdir()
    (world.work / "notes" / "a").write_text("untracked\n")
    (world.work / "README.md").write_text("staged\n")
    world.git("add", "README.md")
    (world.work / "README.md").write_text("and changed again\n")
    before, status, head = contents(world.work), world.git("status", "--porcelain"), world.git("rev-parse", "HEAD")
    told = Told(world.quick(*words(world, "sh", "-c", f"{COMMITS} -- docs", contract=GIT)).stdout)
    assert told.end["published"] is True
    after = contents(world.work)
    assert after.pop("docs/hello.md").startswith(b"hello\n")
    assert after == before
    assert world.git("status", "--porcelain") == status
    world.quick("undo")
    assert contents(world.work) == before
    assert (world.git("status", "--porcelain"), world.git("rev-parse", "HEAD")) == (status, head)
    world.quick("verify")


def test_a_detached_head_is_published_to_and_put_back(tmp_path: Path) -> None:
    world = released(tmp_path)
    world.git("checkout", "-q", "--detach")
    head = world.git("rev-parse", "HEAD")
    world.quick(*words(world, "sh", "-c", COMMITS, contract=GIT))
    assert world.git("rev-parse", "HEAD^") == head
    assert world.git("status", "--porcelain") == ""
    assert world.git("show", "HEAD:docs/hello.md") == "hello"
    world.quick("undo")
    assert world.git("rev-parse", "HEAD") == head
    assert world.git("status", "--porcelain") == ""
    world.quick("verify")


def test_an_unborn_branch_is_born_by_publishing_and_unborn_by_undo(world: World) -> None:
    world.git("init", "-q", "-b", "trunk")
    world.quick(*words(world, "sh", "-c", COMMITS, contract=GIT))
    assert world.git("symbolic-ref", "HEAD") == "refs/heads/trunk"
    assert world.git("ls-tree", "-r", "--name-only", "HEAD") == "docs/hello.md"
    assert world.tree() == DONE
    world.quick("undo")
    assert world.tree() == UNTOUCHED
    assert world.git("for-each-ref") == ""
    world.quick("verify")


# ------------------------------------------------------------ disks


def with_mounts(world: World, script: str) -> str:
    """A shell script with mounts of its own, as root; `remit` is the program. What it printed, without any traceback."""
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", f'remit() {{ "$PYTHON" -m remit.cli.main "$@"; }}\n{script}'],
        check=False, capture_output=True, text=True, cwd=world.folder, timeout=120,
        env={**world.env, "PYTHON": sys.executable, "WORK": str(world.work), "HOME_OF": str(world.home), "C": world.contract(SMALL)},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done.stdout + done.stderr


READ_ONLY = 'ro() { mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"; }; rw() { umount "$1"; }\n'


@mounts
def test_a_read_only_workspace_is_a_clear_reason_and_publishing_works_once_it_is_writable(world: World) -> None:
    (world.work / "docs" / "old.md").write_text("old\n")
    before = contents(world.work)
    deleting = world.contract(SMALL.replace("never:", "  - delete: docs/**\nnever:"), "deleting.remit.yaml")
    run = f'remit run {deleting} --workspace "$WORK" -- sh -c "{HELLO}; rm docs/old.md"'
    said = with_mounts(world, f'{READ_ONLY} ro "$WORK"; {run}; echo "exit $?"; remit verify')
    assert "exit 1" in said
    assert "ead-only file system" in said
    assert "verified" in said
    assert contents(world.work) == before
    world.quick("publish")
    assert world.tree() == DONE
    said = with_mounts(world, f'{READ_ONLY} ro "$WORK"; remit undo; echo "exit $?"')
    assert "exit 1" in said
    assert "not undone" in said
    assert world.tree() == DONE
    world.quick("undo")
    assert contents(world.work) == before
    world.quick("verify")


def test_a_folder_that_may_not_be_written_is_a_clear_reason_and_nothing_is_half(world: World) -> None:
    """The same by modes, for an ordinary user; root writes everywhere, so there it just succeeds."""
    (world.work / "docs" / "old.md").write_text("old\n")
    (world.work / "docs").chmod(0o555)
    world.quick(*words(world, "sh", "-c", f"rm -rf docs/old.md; {HELLO}"), code=None)
    (world.work / "docs").chmod(0o755)
    assert set(world.tree()) in ({"README.md", "docs/old.md"}, {"README.md", "docs/hello.md"}, {"README.md"})
    world.quick("verify")


@mounts
def test_a_workspace_disk_that_is_full_takes_all_or_nothing(world: World) -> None:
    big = "mkdir -p docs; echo hello > docs/hello.md; for i in 1 2 3 4 5 6 7 8; do head -c 100000 /dev/zero > docs/big$i; done"
    said = with_mounts(
        world,
        f"""mount -t tmpfs -o size=512k tmpfs "$WORK"; mkdir "$WORK/docs"; echo kept > "$WORK/docs/big1"
        remit run "$C" --workspace "$WORK" -- sh -c '{big}'; echo "first $?"; (cd "$WORK"; find . -type f | xargs grep -H .)
        remit publish; echo "second $?"
        mount -o remount,size=4m "$WORK"; remit publish; echo "third $?"; ls "$WORK/docs" | tr '\\n' ' '
        remit undo; echo "undone $?"; (cd "$WORK"; find . -type f | xargs grep -H . | sed 's/^/left /'); remit verify""",
    )  # fmt: skip
    assert "No space left on device" in said
    assert "first 1" in said
    assert "\n./docs/big1:kept\n" in said.partition("second")[0]
    assert "second 1" in said
    assert "third 0" in said
    assert "big1 big2 big3 big4 big5 big6 big7 big8 hello.md" in said
    assert [line for line in said.splitlines() if line.startswith("left ")] == ["left ./docs/big1:kept"]
    assert "undone 0" in said
    assert "verified" in said


SIZES = [64, 132, 180, 230, 280, 340, 420, 500, 560, 600, 620, 640, 700, 800]


@mounts
@pytest.mark.parametrize("size", [pytest.param(size, marks=() if size in {132, 420} else pytest.mark.thorough) for size in SIZES])
def test_a_full_disk_of_the_records_is_one_clear_error_and_with_room_the_run_goes_on(world: World, size: int) -> None:
    script = f"{HELLO}; head -c 150000 /dev/zero > docs/a; head -c 200000 /dev/zero | tr '\\0' a; for i in 1 2 3 4 5; do remit act read x; done"
    said = with_mounts(
        world,
        f"""cp -r "$HOME_OF" "$HOME_OF.x"; mount -t tmpfs -o size={size}k tmpfs "$HOME_OF"; cp -r "$HOME_OF.x/." "$HOME_OF/"
        cat > s.sh <<'END'
{script}
END
        remit run "$C" --workspace "$WORK" --json --with "$PWD/s.sh" -- sh "$PWD/s.sh" > out 2> err; echo "code $?"
        grep -c '^remit: ' err | sed 's/^/errors /'; grep '^remit: ' err; (cd "$WORK"; find . -type f | sort | tr '\\n' ' ')
        mount -o remount,size=16m "$HOME_OF"; remit verify; echo "verify $?"
        remit resume > out 2> err; echo "resume $?"; grep -q 'nothing was interrupted' err && remit publish >/dev/null 2>&1
        remit runs | grep -q . && cat "$WORK/docs/hello.md"; remit verify; echo "verify $?" """,
    )  # fmt: skip
    assert said.count("verify 0") == 2, said
    if "code 0" not in said:
        assert "errors 1" in said or "not published" in said, said
        assert " ./docs/a" not in said, "half published"
    if "no runs" not in said and "nothing was recorded" not in said:
        assert "\nhello\n" in said, said


@mounts
def test_a_read_only_home_is_refused_before_anything_happens_and_what_is_recorded_can_still_be_proven(world: World) -> None:
    run = 'remit run "$C" --workspace "$WORK" -- touch docs/hello.md; echo "exit $?"'
    said = with_mounts(world, f'{READ_ONLY} ro "$HOME_OF"; {run}')
    assert "exit 1" in said
    assert "ead-only file system" in said
    assert world.tree() == UNTOUCHED
    world.quick(*words(world, "sh", "-c", HELLO))
    said = with_mounts(world, f'{READ_ONLY} ro "$HOME_OF"; {run}; remit undo; echo "undo $?"; remit verify')
    assert "exit 1" in said
    assert "undo 1" in said
    assert "verified" in said
    assert world.tree() == DONE


@mounts
def test_without_bwrap_nothing_starts_and_the_cure_is_named(world: World) -> None:
    said = with_mounts(
        world,
        f"""mount --bind /dev/null "$(command -v bwrap)"
        remit run "$C" --workspace "$WORK" -- sh -c "{HELLO}"; echo "run $?"; remit doctor; echo "doctor $?"; remit runs --json""",
    )  # fmt: skip
    assert "run 3" in said
    assert "install the package `bubblewrap`" in said
    assert "doctor 3" in said
    assert '"runs":[]' in said
    assert world.tree() == UNTOUCHED


# ------------------------------------------------------------ the clock


class Backwards:
    """A clock that somebody sets back a minute, now and then."""

    def __init__(self) -> None:
        self.looked = 0

    def now(self) -> datetime:
        self.looked += 1
        return SystemClock().now() - timedelta(minutes=1 if self.looked % 2 else 0)


def test_a_clock_that_goes_back_breaks_neither_records_nor_a_run(world: World) -> None:
    """Two supervisors a minute apart: the first is killed, the second lives in the past."""
    cut_after(world, "work_done", "sh", "-c", HELLO)
    run = json.loads(world.quick("runs", "--json").stdout)["runs"][-1]["run"]

    async def told() -> None:
        ledger = open_ledger(world.home, clock=Backwards())
        try:
            for number in range(4):
                async with ledger.transaction() as transaction:
                    transaction.append(Notified(run=run, who=OWNER, how="inbox", what=f"note {number}"))
            found = await ledger.events(run)
            assert any(later.at < earlier.at for earlier, later in pairwise(found))
        finally:
            ledger.close()

    anyio.run(told)
    assert Told(world.quick("resume", "--json").stdout).end["published"] is True
    world.quick("verify")
    numbers = [row["seq"] for row in world.account()["evidence"]]
    assert numbers == sorted(numbers)


# ------------------------------------------------------------ at the same time


def started(world: World, file: str) -> tuple[str, ...]:
    """A run that writes one more file after a while, so that several overlap."""
    return words(world, "sh", "-c", f"{HELLO}; echo {file} > docs/{file}.md; sleep 0.7; rm -f docs/none")


def test_two_runs_on_one_workspace_publish_different_files_one_after_the_other(world: World) -> None:
    (world.work / "docs" / "hello.md").write_text("hello\n")
    with world.start(*started(world, "a")) as one, world.start(*started(world, "b")) as two:
        ends = [one.end(), two.end()]
    assert [end["published"] for end in ends] == [True, True]
    assert world.tree() == {**DONE, "docs/a.md": "a\n", "docs/b.md": "b\n"}
    for end in ends:
        world.quick("undo", end["run"])
    assert world.tree() == DONE
    world.quick("verify")


def test_two_runs_that_change_the_same_file_end_with_one_conflict_and_nothing_half(world: World) -> None:
    script = "mkdir -p docs; sleep 0.7; echo hello $0 > docs/hello.md; echo $0 > docs/other-$0.md"
    with (
        world.start(*words(world, "sh", "-c", script, "one")) as one,
        world.start(*words(world, "sh", "-c", script, "two")) as two,
    ):
        ends = {"one": one.end(None), "two": two.end(None)}
    won = [name for name, end in ends.items() if end["published"]]
    assert len(won) == 1
    assert world.tree() == {**UNTOUCHED, "docs/hello.md": f"hello {won[0]}\n", f"docs/other-{won[0]}.md": f"{won[0]}\n"}
    lost = next(end for end in ends.values() if not end["published"])
    assert lost["verdict"] == "success"
    assert "docs/hello.md" in lost["why"] or "moved meanwhile" in lost["why"]
    world.quick("verify")


def test_two_resumes_at_once_carry_the_run_on_once(world: World) -> None:
    cut_after(world, "boundary_set", "sh", "-c", f"sleep 0.5; {HELLO}")
    with world.start("resume", "--json") as one, world.start("resume", "--json") as two:
        ends = [one.end(None), two.end(None)]
    assert {one.process.returncode, two.process.returncode} == {0}
    assert any(end.get("verdict") == "success" for end in ends)
    assert world.tree() == DONE
    kinds = [row["action"] for row in world.account()["evidence"]]
    assert kinds.count("published") <= 1
    world.quick("verify")


def test_an_answer_reaches_an_agent_that_is_waiting_at_the_door(world: World) -> None:
    asking = SMALL.replace("never:", "ask:\n  - write: src/**\n    who: owner\nnever:")
    script = f"{HELLO}; echo 1 | remit act write src/a --content-file - --wait 20"
    with world.start(*words(world, "sh", "-c", script, contract=asking)) as running:
        question = running.until("question_asked")
        began = time.monotonic()
        said = world.quick("answer", question["run"], question["question"], "yes")
        assert "driven by another process" in said.stderr
        end = running.end()
    assert time.monotonic() - began < 15
    assert end["verdict"] == "success"
    assert world.tree() == {**DONE, "src/a": "1\n"}
    world.quick("verify")


def test_what_a_live_process_records_is_seen_by_others_that_came_and_went_meanwhile(world: World) -> None:
    """A closing process must never take itself for the last one: it would delete the log that the live one writes to."""
    with world.start(*words(world, "sh", "-c", f"{HELLO}; sleep 1; remit act read README.md; sleep 1.5")) as running:
        running.until("boundary_set")
        world.quick("runs")
        assert (world.home / "ledger.db-wal").exists(), "the log of a live ledger was deleted under it"
        running.until("decided")
        running.until("decided")
        seen = world.account()["evidence"]
        running.process.kill()
        running.process.wait()
    assert seen
    assert "verified" in world.quick("verify").stdout
    assert Told(world.quick("resume", "--json").stdout).end["verdict"] == "success"
    world.quick("verify")


FLOOD = "remit-flood-nonce"


def test_a_supervisor_killed_under_a_flood_of_output_leaves_nothing_running(world: World) -> None:
    with world.start(
        *words(world, "sh", "-c", f"{HELLO}; [ -e docs/../README.md ] && yes {FLOOD} | head -c 20000000; sleep 2; : {FLOOD}")
    ) as running:
        running.until("box_started")
        time.sleep(0.1)
        running.process.kill()
        running.process.wait()
        assert nothing_left(FLOOD)
    assert world.tree() == UNTOUCHED
    assert Told(world.quick("resume", "--json").stdout).end["verdict"] == "success"
    assert world.tree() == DONE
    assert nothing_left(FLOOD)
    world.quick("verify")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_and_all_of_it_and_resume_carries_on(world: World, number: signal.Signals) -> None:
    nonce = f"remit-signal-nonce-{number}"
    if number is signal.SIGHUP:  # whoever started these tests may have it ignored, and children inherit that
        signal.signal(number, signal.SIG_DFL)
    with world.start(*words(world, "sh", "-c", f"{HELLO}; sleep 3; : {nonce}")) as running:
        running.until("box_started")
        running.process.send_signal(number)
        running.end(None)
        assert running.process.returncode in {6, -number}
        assert nothing_left(nonce)
    assert world.tree() == UNTOUCHED
    world.quick("verify")
    assert Told(world.quick("resume", "--json").stdout).end["verdict"] == "success"
    assert world.tree() == DONE
