"""The life of a box: what it is given, what it may use, how it ends, and that nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from box_rig import Ground, Witness

from remit.adapters.sandboxes.limits import family
from remit.errors import BadInput, Broken, Conflict, Unavailable
from remit.ports import Box, BoxLimits, BoxPlan, Mount

DAEMONS = """
import os, signal, time
for n in range({count}):
    if os.fork() == 0:
        os.setsid()
        [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]
        if os.fork():
            os._exit(0)
        time.sleep(600)
print("ready", flush=True)
time.sleep({linger})
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def until(condition: object) -> None:
    with anyio.fail_after(20):
        while not condition():  # type: ignore[operator]
            await anyio.sleep(0.02)


def test_the_stage_holds_what_was_written_and_the_base_does_not(ground: Ground) -> None:
    ending = ground.run(ground.plan("sh", "-c", "echo new > made.txt; rm kept.txt; exit 5"), Witness())
    assert (ending.status, ending.why) == (5, "ended")
    assert (ground.upper / "made.txt").read_text() == "new\n"
    assert (ground.upper / "kept.txt").stat().st_rdev == 0 and not (ground.upper / "kept.txt").is_file()
    assert [each.name for each in ground.base.iterdir()] == ["kept.txt"]


def test_without_a_quota_the_writes_go_straight_to_disk(ground: Ground) -> None:
    ground.run(ground.plan("sh", "-c", "echo new > made.txt", mount=ground.mount()), Witness())
    assert (ground.upper / "made.txt").read_text() == "new\n"


def test_layers_lie_on_top_of_each_other(ground: Ground) -> None:
    above = ground.place / "above"
    above.mkdir()
    (above / "kept.txt").write_text("newer\n")
    witness = Witness()
    mount = ground.mount(lower=(str(above), str(ground.base)), upper=None, work=None)
    ground.run(ground.plan("cat", "kept.txt", mount=mount), witness)
    assert witness.printed == "newer\n"


def test_a_failing_command_says_why(ground: Ground) -> None:
    witness = Witness()
    assert ground.run(ground.plan("no-such-program"), witness).status == 127
    assert b"cannot start `no-such-program`" in witness.stderr
    assert ground.run(ground.plan("sh", "-c", "kill -9 $$"), Witness()).status == 137


def test_a_box_that_cannot_be_made_is_unavailable_in_the_words_of_the_machine(ground: Ground) -> None:
    mount = ground.mount(lower=(str(ground.place / "nowhere"),))
    with pytest.raises(Unavailable, match="nowhere"):
        ground.run(ground.plan("true", mount=mount), Witness())
    with pytest.raises(Unavailable, match="bwrap"):
        ground.run(ground.plan("true", visible=("/no/such/folder",)), Witness())
    with pytest.raises(Unavailable, match=r"No such file"):
        ground.run(ground.plan("true", cwd="/nowhere"), Witness())


@pytest.mark.parametrize(
    "at", ["/", "/usr", "/proc/x", "/tmp", "/etc", "/home/agent", "/run/remit/x", "relative", "/a/../b", "/home"]
)
def test_a_workspace_may_not_cover_the_box_itself(ground: Ground, at: str) -> None:
    with pytest.raises(BadInput):
        ground.run(ground.plan("true", mount=ground.mount(at=at), cwd="/"), Witness())


def test_nothing_is_ever_mounted_below_the_workspace(ground: Ground) -> None:
    """Mount destinations follow links in older bwrap (CVE-2026-87766), and the agent can write links here."""
    (ground.base / "evil").symlink_to("/oldroot/var/tmp")
    for changes in ({"visible": (str(ground.base / "evil"),)}, {"files": {str(ground.base / "evil" / "planted"): "x"}}):
        with pytest.raises(BadInput, match="inside the workspace"):
            ground.run(ground.plan("true", **changes), Witness())


def test_a_workspace_below_a_link_touches_nothing_else(ground: Ground) -> None:
    link = ground.place / "link"
    link.symlink_to(ground.base)
    witness = Witness()
    ground.run(ground.plan("cat", "kept.txt", mount=ground.mount(at=str(link), quota=1 << 20), cwd=str(link)), witness)
    assert witness.printed == "kept\n"


def test_files_and_environment_are_laid_in_and_nothing_else_is(ground: Ground) -> None:
    witness = Witness()
    files = {"/etc/gitconfig": "[user]\n", "/home/agent/.settings": "s\n"}
    code = "cat /etc/gitconfig ~/.settings; echo x > ~/.settings; env | sort"
    ground.run(ground.plan("sh", "-c", code, files=files, environment={"NAME": "v=a\nb", "LD_PRELOAD": ""}), witness)
    assert "[user]\ns\n" in witness.printed
    assert b"Read-only" in witness.stderr or b"denied" in witness.stderr
    names = {line.partition("=")[0] for line in witness.printed.splitlines() if "=" in line}
    assert names == {"PATH", "HOME", "TMPDIR", "LANG", "USER", "REMIT_DOOR", "NAME", "LD_PRELOAD", "PWD"}


def test_python_is_the_interpreter_remit_runs_on(ground: Ground) -> None:
    for name in ("python", "python3"):
        witness = Witness()
        ground.run(ground.plan(name, "-c", "import sys, json, ssl; print(sys.version)"), witness)
        assert witness.printed.strip() == sys.version


def test_a_granted_file_appears_in_the_live_workspace(ground: Ground) -> None:
    witness = Witness()

    async def grant(box: Box) -> None:
        await box.write("a/b/granted.txt", b"granted", 0o755)
        await box.write("kept.txt", b"changed")
        await box.write("gone.txt", b"x")
        await box.remove("gone.txt")
        await box.remove("never-there.txt")
        await box.write("go", b"")

    code = "while ! test -e go; do sleep 0.02; done; cat a/b/granted.txt kept.txt; ls; stat -c %a a/b/granted.txt"
    ground.run(ground.plan("sh", "-c", code), witness, grant)
    assert witness.printed == "grantedchangeda\ngo\nkept.txt\n755\n"
    assert (ground.base / "kept.txt").read_text() == "kept\n"


@pytest.mark.parametrize("path", ["out/x", "l", "deep/out/x", "../x", "/etc/x", "a/../../x", "", ".", "d"])
def test_a_granted_write_never_follows_a_link(ground: Ground, path: str) -> None:
    async def grant(box: Box) -> None:
        await until(lambda: b"ready" in witness.stdout)
        with pytest.raises(Conflict):
            await box.write(path, b"pwned")
        if path != "l":  # a link itself may be removed
            with pytest.raises(Conflict):
                await box.remove(path + "/x" if path in ("out/x", "deep/out/x") else path)
        await box.stop("stopped")

    witness = Witness()
    ground.place.joinpath("outside").mkdir()
    code = f"mkdir d deep; ln -s {ground.place}/outside out; ln -s ../out deep/out; ln -s {ground.canary} l; echo ready; sleep 60"
    ending = ground.run(ground.plan("sh", "-c", code), witness, grant)
    assert (ending.why, ending.status) == ("stopped", None)
    assert ground.canary.read_text() == ground.nonce
    assert not any(ground.place.joinpath("outside").iterdir())
    assert not [each for each in ground.upper.rglob("*") if each.name.startswith(".remit-")]


def test_the_box_can_no_longer_be_written_once_it_has_ended(ground: Ground) -> None:
    async def story() -> None:
        async with ground.sandbox.open(ground.plan("true"), Witness()) as box:
            await box.wait()
            with pytest.raises(Conflict):
                await box.write("late.txt", b"x")

    anyio.run(story)


@pytest.mark.parametrize("count", [20, 200])
def test_stop_leaves_nothing_of_any_daemon_within_two_seconds(ground: Ground, count: int) -> None:
    witness = Witness()
    took = 0.0
    seen: list[int] = []

    async def stop(box: Box) -> None:
        nonlocal took
        await until(lambda: b"ready" in witness.stdout and len(family(box.pid)) >= count)
        seen.extend(family(box.pid))
        began = time.monotonic()
        await box.stop("stopped")
        await box.wait()
        took = time.monotonic() - began

    plan = ground.plan("python3", "-ISc", DAEMONS.format(count=count, linger=600))
    ending = ground.run(plan, witness, stop)
    assert ending.why == "stopped"
    assert len(seen) >= count
    assert not [pid for pid in seen if alive(pid)]
    assert took < 2


def test_daemons_die_with_the_command_that_started_them(ground: Ground) -> None:
    witness = Witness()
    seen: list[int] = []

    async def look(box: Box) -> None:
        await until(lambda: b"ready" in witness.stdout)
        seen.extend(family(box.pid))

    ending = ground.run(ground.plan("python3", "-ISc", DAEMONS.format(count=5, linger=0.3)), witness, look)
    assert ending.status == 0
    assert len(seen) > 5
    assert not [pid for pid in seen if alive(pid)]


def test_leaving_the_context_kills_what_is_left(ground: Ground) -> None:
    async def story() -> int:
        async with ground.sandbox.open(ground.plan("sleep", "600"), Witness()) as box:
            return box.pid

    assert not alive(anyio.run(story))


def test_cancelling_the_supervisor_leaves_nothing(ground: Ground) -> None:
    async def story() -> int:
        pid = 0
        with anyio.move_on_after(0.5):
            async with ground.sandbox.open(ground.plan("sleep", "600"), Witness()) as box:
                pid = box.pid
                await box.wait()
        return pid

    assert not alive(anyio.run(story))


DRIVER = """
import sys, anyio
from pathlib import Path
sys.path[:0] = {path!r}
from box_rig import Ground, Witness
async def main():
    ground = Ground(Path({place!r}))
    witness = Witness()
    async with ground.sandbox.open(ground.plan("python3", "-ISc", {code!r}), witness) as box:
        while b"ready" not in witness.stdout:
            await anyio.sleep(0.02)
        from remit.adapters.sandboxes.limits import family
        print(*family(box.pid), flush=True)
        await box.wait()
anyio.run(main)
"""


def test_everything_dies_with_the_supervisor(ground: Ground) -> None:
    place = str(ground.place / "second")
    code = DRIVER.format(path=[str(Path(__file__).parent), *sys.path], place=place, code=DAEMONS.format(count=10, linger=600))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        pids = [int(each) for each in driver.stdout.readline().split()]
        assert len(pids) > 10
        driver.kill()
    deadline = time.monotonic() + 2
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [pid for pid in pids if alive(pid)]


def test_the_wall_clock_ends_a_box(ground: Ground) -> None:
    began = time.monotonic()
    ending = ground.run(ground.plan("sleep", "600", limits=BoxLimits(time=0.5)), Witness())
    assert (ending.why, ending.limit, ending.status) == ("limit", "time", None)
    assert time.monotonic() - began < 2.5


def test_a_flood_of_output_ends_a_box(ground: Ground) -> None:
    witness = Witness()
    ending = ground.run(ground.plan("yes", limits=BoxLimits(time=30, output=1 << 20)), witness)
    assert (ending.why, ending.limit) == ("limit", "output")
    assert len(witness.stdout) == 1 << 20


def test_a_full_stage_ends_a_box_and_what_was_written_is_bounded(ground: Ground) -> None:
    witness = Witness()
    plan = ground.plan("dd", "if=/dev/zero", "of=big", "bs=64k", mount=ground.mount(quota=4 << 20))
    ending = ground.run(plan, witness)
    assert (ending.why, ending.limit) == ("limit", "disk")
    assert b"No space left" in witness.stderr or not witness.stderr
    assert (ground.upper / "big").stat().st_size <= 4 << 20


def test_a_disk_limit_without_a_quota_is_watched(ground: Ground) -> None:
    limits = BoxLimits(time=30, disk=4 << 20)
    code = "i=0; while :; do dd if=/dev/zero of=f$i bs=1M count=1 status=none; i=$((i+1)); done"
    ending = ground.run(ground.plan("sh", "-c", code, mount=ground.mount(), limits=limits), Witness())
    assert (ending.why, ending.limit) == ("limit", "disk")


def test_room_outside_the_workspace_is_bounded_too(ground: Ground) -> None:
    code = "for p in /tmp /home/agent /dev/shm /var/tmp; do df --output=size $p | tail -1; done"
    witness = Witness()
    ground.run(ground.plan("sh", "-c", code), witness)
    assert {int(each) for each in witness.printed.split()} == {512 * 1024}


def test_a_file_has_a_largest_size(ground: Ground) -> None:
    code = "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nopen('big', 'wb').write(bytes(1 << 21))"
    ending, witness = ground.python(code, limits=BoxLimits(time=30, file=1 << 20))
    assert ending.status == 1
    assert b"File too large" in witness.stderr


def test_a_memory_hog_is_stopped(ground: Ground) -> None:
    ending, witness = ground.python("x = bytearray(1 << 31)", limits=BoxLimits(time=30, memory=256 << 20))
    assert (ending.limit == "memory") or b"MemoryError" in witness.stderr


def test_many_small_hogs_are_one_hog(ground: Ground) -> None:
    code = "import os, time\nfor n in range(8):\n  if os.fork() == 0: x = os.urandom(40 << 20); time.sleep(60)\ntime.sleep(60)"
    ending, _ = ground.python(code, limits=BoxLimits(time=30, memory=160 << 20))
    assert (ending.why, ending.limit) == ("limit", "memory")


def test_a_fork_bomb_is_contained(ground: Ground) -> None:
    code = (
        "import os, time\nn = 0\ntry:\n  while n < 2000:\n    if os.fork() == 0: time.sleep(60); os._exit(0)\n    n += 1\n"
        "except OSError as e: print('held', n, flush=True)\ntime.sleep(1)"
    )
    ending, witness = ground.python(code, limits=BoxLimits(time=30, processes=64))
    if os.geteuid() == 0:  # the kernel exempts root: counted instead
        assert (ending.why, ending.limit) == ("limit", "processes")
    else:
        assert witness.printed.startswith("held") and int(witness.printed.split()[1]) <= 64


def test_as_root_the_box_can_belong_to_somebody_else(ground: Ground) -> None:
    if os.geteuid() != 0:
        return  # an ordinary user is somebody else already: see the run as such
    witness = Witness()
    hidden = ground.place / "only-root"
    hidden.mkdir(mode=0o700)
    for each in ("ws", "upper", "work"):
        (hidden / each).mkdir()
    (hidden / "ws" / "kept.txt").write_text("kept\n")
    for quota in (None, 1 << 20):
        mount = Mount(
            at="/workspace",
            kind="overlay",
            lower=(str(hidden / "ws"),),
            upper=str(hidden / "upper"),
            work=str(hidden / "work"),
            quota=quota,
        )

        async def grant(box: Box) -> None:
            assert f"\nUid:\t{61234}\t" in Path(f"/proc/{box.pid}/status").read_text()
            await box.write("granted.txt", b"granted")

        plan = BoxPlan(
            argv=("sh", "-c", "id -u; while ! test -e granted.txt; do :; done; cat k* granted.txt; echo mine > granted.txt"),
            mount=mount, cwd="/workspace", uid=61234, gid=61234, limits=BoxLimits(time=20),
        )  # fmt: skip
        assert ground.run(plan, witness, grant).status == 0
        assert witness.printed.startswith("61234\nkept\ngranted")
        assert (hidden / "upper" / "granted.txt").stat().st_uid == 61234
        (hidden / "upper" / "granted.txt").unlink()


def test_a_watcher_that_breaks_ends_the_box(ground: Ground) -> None:
    class Breaking(Witness):
        async def output(self, stream: str, data: bytes) -> None:  # type: ignore[override]
            raise RuntimeError("the ledger is gone")

    async def story() -> int:
        async with ground.sandbox.open(ground.plan("sh", "-c", "echo x; sleep 600"), Breaking()) as box:
            with pytest.raises(Broken, match="the ledger is gone"):
                await box.wait()
            return box.pid

    assert not alive(anyio.run(story))


def test_silent_overreach_is_denied_by_the_kernel_and_told(ground: Ground) -> None:
    """S22: an allowed test command leaves a process behind that writes outside and opens a socket."""
    code = (
        f"(setsid sh -c 'sleep 0.2; echo {ground.nonce} began; echo pwned > {ground.canary}; echo pwned > /etc/x;"
        ' python3 -ISc "import socket; socket.create_connection((\\"203.0.113.9\\", 443), 2)"; echo finished\' &) ; sleep 1.5'
    )
    witness = Witness()
    ground.run(ground.plan("sh", "-c", code), witness)
    assert f"{ground.nonce} began" in witness.printed and "finished" in witness.printed
    assert b"Network is unreachable" in witness.stderr and b"/etc/x" in witness.stderr
    assert ground.canary.read_text() == ground.nonce
    assert ("connect", "203.0.113.9:443", "network namespace") in witness.told
    assert any(program.argv[:1] == ("python3",) for program in witness.programs)


def test_signals_that_were_ignored_outside_work_inside(ground: Ground) -> None:
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ending = ground.run(ground.plan("sh", "-c", "kill -INT $$; sleep 5"), Witness())
    finally:
        signal.signal(signal.SIGINT, ignored)
    assert ending.status == 130
