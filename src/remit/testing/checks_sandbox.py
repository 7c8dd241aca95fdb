"""What every sandbox must do, containment aside; run it on yours: `await check_sandbox(make, room)`.

Containment is not checked here: that needs attacks, and a double has none of it.
"""

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import anyio

from remit.errors import Conflict
from remit.ports import Box, BoxLimits, BoxPlan, Exec, Exit, Mount, Sandbox
from remit.testing.sandbox import Inside, Script

Deed = Literal["speaks", "writes", "asks", "starts", "stays", "floods", "hears", "calls"]

_ASKS = """
import json, subprocess
done = subprocess.run(["remit", "act", "push", "origin"], capture_output=True, text=True)
print(json.loads(done.stdout)["decision"], flush=True)
"""
_STARTS = """
import subprocess
try:
    subprocess.run(["/bin/true"], check=True)
    print("started", flush=True)
except OSError:
    print("kept back", flush=True)
"""
_CALLS = """
import socket
try:
    with socket.create_connection(("127.0.0.1", 8100), 10) as line:
        line.sendall(b"hello")
        print(line.recv(100).decode() or "closed", flush=True)
except OSError:
    print("refused", flush=True)
"""
PROGRAMS: Mapping[Deed, tuple[str, ...]] = {
    "speaks": ("sh", "-c", "echo hello; echo trouble >&2; exit 7"),
    "writes": ("sh", "-c", "echo new > made.txt; echo changed > kept.txt"),
    "asks": ("python3", "-IS", "-c", _ASKS),
    "starts": ("python3", "-IS", "-c", _STARTS),
    "stays": ("sh", "-c", "echo up; sleep 600"),
    "floods": ("sh", "-c", "head -c 100000 /dev/zero; sleep 600"),
    "hears": ("sh", "-c", "tr a-z A-Z; echo over"),
    "calls": ("python3", "-IS", "-c", _CALLS),
}
"""real programs for each deed, for sandboxes that start some"""


async def _speaks(inside: Inside) -> int:
    await inside.say("hello\n")
    await inside.say("trouble\n", "stderr")
    return 7


async def _writes(inside: Inside) -> None:
    (inside.folder / "made.txt").write_text("new\n")
    (inside.folder / "kept.txt").write_text("changed\n")


async def _asks(inside: Inside) -> None:
    await inside.say((await inside.act("push", "origin"))["decision"] + "\n")


async def _starts(inside: Inside) -> None:
    await inside.say("started\n" if await inside.starts("/bin/true") else "kept back\n")


async def _stays(inside: Inside) -> None:
    await inside.say("up\n")
    await inside.stays()


async def _floods(inside: Inside) -> None:
    await inside.say("\0" * 100_000)
    await inside.stays()


async def _hears(inside: Inside) -> None:
    while heard := await inside.hears_line():
        await inside.say(heard.decode().upper())
    await inside.say("over\n")


async def _calls(inside: Inside) -> None:
    try:
        line = await inside.calls_model()
    except ConnectionRefusedError:
        await inside.say("refused\n")
        return
    with line:
        line.send(b"hello")
        await inside.say(((await _some(line)).decode() or "closed") + "\n")


SCRIPTS: Mapping[str, Script] = {
    "speaks": _speaks, "writes": _writes, "asks": _asks, "starts": _starts, "stays": _stays, "floods": _floods,
    "hears": _hears, "calls": _calls,
}  # fmt: skip
"""the same deeds for `UnconfinedScripts`"""


class Listener:
    """A watcher that remembers, and allows all but what it was told to refuse; `breaks` at its first model call."""

    def __init__(self, *, refuse: str = "", breaks: bool = False) -> None:
        self.refuse = refuse
        self.breaks = breaks
        self.asked: list[dict[str, Any]] = []
        self.started: list[Exec] = []
        self.said: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.heard = anyio.Event()
        self.calls = 0

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """Everything is refused at this door."""
        self.asked.append(message)
        return {"schema": "remit.act/1", "decision": "refuse", "reasons": [], "done": False}

    async def exec(self, program: Exec) -> bool:
        """A program may start unless it is the one."""
        self.started.append(program)
        return not self.refuse or program.path.rpartition("/")[2] != self.refuse

    async def connect(self, host: str, port: int) -> bool:
        """No host."""
        return False

    async def model(self, connection: socket.socket) -> None:
        """What is said comes back in capitals."""
        self.calls += 1
        while data := await _some(connection):
            if self.breaks and self.calls == 1:
                raise RuntimeError("no account")
            connection.send(data.upper())

    async def blocked(self, what: str, object_: str, by: str) -> None:
        """Not looked at."""

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """Kept."""
        self.said[stream] += data
        self.heard.set()


class Ground:
    """A folder to work on, and boxes around it."""

    def __init__(self, make: Callable[[Path], Sandbox], room: Path, programs: Mapping[Deed, Sequence[str]]) -> None:
        self.folder = room / "ws"
        self.folder.mkdir(parents=True)
        (self.folder / "kept.txt").write_text("kept\n")
        self.sandbox = make(room / "cache")
        self.programs = programs

    def plan(self, deed: Deed, *, writable: bool = True, **more: Any) -> BoxPlan:
        """A box for this deed."""
        at = str(self.folder)
        mount = Mount(at=at, kind="bind", lower=(at,), upper=at if writable else None)
        return BoxPlan(argv=tuple(self.programs[deed]), mount=mount, cwd=at, **{"limits": BoxLimits(time=60.0), **more})

    async def run(self, plan: BoxPlan, listener: Listener) -> Exit:
        """Until it has ended."""
        async with self.sandbox.open(plan, listener) as box:
            return await box.wait()


async def what_it_prints_and_how_it_ends_is_told(ground: Ground) -> None:
    """Both streams apart, the exit status, a receipt."""
    listener = Listener()
    ended = await ground.run(ground.plan("speaks"), listener)
    assert (ended.status, ended.why, ended.limit) == (7, "ended", "")
    assert ended.receipt
    assert listener.said == {"stdout": b"hello\n", "stderr": b"trouble\n"}


async def writes_land_on_the_stage(ground: Ground) -> None:
    """Through a writable mount."""
    ended = await ground.run(ground.plan("writes"), Listener())
    assert ended.status == 0
    assert {path.name: path.read_text() for path in ground.folder.iterdir()} == {"made.txt": "new\n", "kept.txt": "changed\n"}


async def a_read_only_mount_stays_as_it_is(ground: Ground) -> None:
    """Whether the writer fails or its writes go nowhere."""
    await ground.run(ground.plan("writes", writable=False), Listener())
    assert {path.name: path.read_text() for path in ground.folder.iterdir()} == {"kept.txt": "kept\n"}


async def a_want_reaches_the_watcher_and_its_answer_the_program(ground: Ground) -> None:
    """By the door."""
    listener = Listener()
    await ground.run(ground.plan("asks"), listener)
    assert [(asked["verb"], asked["object"]) for asked in listener.asked] == [("push", "origin")]
    assert listener.said["stdout"] == b"refuse\n"


async def a_program_starts_only_when_the_watcher_lets_it(ground: Ground) -> None:
    """Observed before it runs; refused it does not."""
    for refuse, printed in (("", b"started\n"), ("true", b"kept back\n")):
        listener = Listener(refuse=refuse)
        await ground.run(ground.plan("starts"), listener)
        assert "true" in [program.path.rpartition("/")[2] for program in listener.started]
        assert listener.said["stdout"] == printed


async def a_stop_ends_it_and_the_first_reason_stands(ground: Ground) -> None:
    """And what comes after its end is refused."""
    listener = Listener()
    async with ground.sandbox.open(ground.plan("stays"), listener) as box:
        await listener.heard.wait()
        await box.stop("limit", "turns")
        await box.stop("stopped")
        ended = await box.wait()
        assert (ended.status, ended.why, ended.limit) == (None, "limit", "turns")
        await _refused(box.write("late.txt", b"x"))
    assert listener.said["stdout"] == b"up\n"


async def leaving_ends_what_is_left(ground: Ground) -> None:
    """Nobody has to ask for it."""
    listener = Listener()
    async with ground.sandbox.open(ground.plan("stays"), listener) as box:
        await listener.heard.wait()
    await _refused(box.write("late.txt", b"x"))
    assert (await box.wait()).why == "stopped"


async def an_error_beside_the_box_goes_up_as_it_is(ground: Ground) -> None:
    """The box ends with it."""
    kept: list[Box] = []
    try:
        async with ground.sandbox.open(ground.plan("stays"), Listener()) as box:
            kept.append(box)
            raise Conflict("beside")
    except Conflict as error:
        assert str(error) == "beside"
    await _refused(kept[0].write("late.txt", b"x"))


async def what_is_said_is_heard_until_its_end(ground: Ground) -> None:
    """By a box that talks; in any other nothing is heard, and nothing goes wrong."""
    for talks, printed in ((True, b"ONE\nTWO\nover\n"), (False, b"over\n")):
        listener = Listener()
        async with ground.sandbox.open(ground.plan("hears", talks=talks), listener) as box:
            await box.say(b"one\ntw")
            await box.say(b"o\n")
            await box.close()
            await box.close()
            await box.say(b"three\n")
            assert (await box.wait()).status == 0
            await box.say(b"four\n")
        assert listener.said["stdout"] == printed


async def saying_ends_with_the_box(ground: Ground) -> None:
    """Whoever speaks to what does not listen waits, and no longer than it lives."""
    listener = Listener()
    async with ground.sandbox.open(ground.plan("stays", talks=True), listener) as box:
        await listener.heard.wait()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_says_much, box)
                await anyio.sleep(0.05)
                await box.stop("stopped")
        assert (await box.wait()).why == "stopped"


async def a_model_is_called_at_the_meter_and_only_where_there_is_one(ground: Ground) -> None:
    """Each connection is the watcher's; one that breaks is closed, and nothing else is."""
    for meter, breaks, printed in ((True, False, b"HELLO\n"), (True, True, b"closed\n"), (False, False, b"refused\n")):
        listener = Listener(breaks=breaks)
        assert (await ground.run(ground.plan("calls", meter=meter), listener)).status == 0
        assert (listener.said["stdout"], listener.calls) == (printed, int(meter))


async def limits_end_it_by_name(ground: Ground) -> None:
    """Time, and what may be printed."""
    ended = await ground.run(ground.plan("stays", limits=BoxLimits(time=0.3)), Listener())
    assert (ended.why, ended.limit) == ("limit", "time")
    listener = Listener()
    ended = await ground.run(ground.plan("floods", limits=BoxLimits(time=60.0, output=1000)), listener)
    assert (ended.why, ended.limit) == ("limit", "output")
    assert len(listener.said["stdout"]) == 1000


async def the_engine_writes_into_the_live_stage_but_through_no_link(ground: Ground) -> None:
    """Files and deletions, folders made on the way."""
    (ground.folder / "link").symlink_to("kept.txt")
    (ground.folder / "away").symlink_to("/tmp")  # noqa: S108 - where no link may lead
    listener = Listener()
    async with ground.sandbox.open(ground.plan("stays"), listener) as box:
        await listener.heard.wait()
        await box.write("deep/er/new.txt", b"new\n", 0o755)
        await _refused(box.write("link", b"x"))
        await _refused(box.write("away/x", b"x"))
        await box.remove("kept.txt")
        await box.remove("kept.txt")
    made = ground.folder / "deep" / "er" / "new.txt"
    assert made.read_text() == "new\n"
    assert made.stat().st_mode & 0o777 == 0o755
    assert not (ground.folder / "kept.txt").exists()


async def boxes_do_not_mix(ground: Ground) -> None:
    """Two at once, each with its own watcher."""
    one, two = Listener(), Listener()
    async with ground.sandbox.open(ground.plan("stays"), one) as first:
        await one.heard.wait()
        assert (await ground.run(ground.plan("speaks"), two)).status == 7
        await first.stop("stopped")
        assert (await first.wait()).why == "stopped"
    assert (one.said["stdout"], two.said["stdout"]) == (b"up\n", b"hello\n")


async def it_says_what_it_contains(ground: Ground) -> None:
    """A level, and every part of it."""
    found = await ground.sandbox.probe()
    assert found.level in ("L0", "L1", "L2", "L3")
    assert found.parts
    assert all(part.ok or part.detail for part in found.parts)


CHECKS: Sequence[Callable[[Ground], Awaitable[None]]] = (
    what_it_prints_and_how_it_ends_is_told,
    writes_land_on_the_stage,
    a_read_only_mount_stays_as_it_is,
    a_want_reaches_the_watcher_and_its_answer_the_program,
    a_program_starts_only_when_the_watcher_lets_it,
    a_stop_ends_it_and_the_first_reason_stands,
    leaving_ends_what_is_left,
    an_error_beside_the_box_goes_up_as_it_is,
    what_is_said_is_heard_until_its_end,
    saying_ends_with_the_box,
    a_model_is_called_at_the_meter_and_only_where_there_is_one,
    limits_end_it_by_name,
    the_engine_writes_into_the_live_stage_but_through_no_link,
    boxes_do_not_mix,
    it_says_what_it_contains,
)


async def check_sandbox(
    make: Callable[[Path], Sandbox], room: Path, *, programs: Mapping[Deed, Sequence[str]] = PROGRAMS
) -> None:
    """Run every check below `room`. `make` gives a sandbox whose cache is the folder it gets; `programs` is the argv of each
    deed. Raises AssertionError.
    """
    for check in CHECKS:
        await check(Ground(make, room / check.__name__, programs))


async def _says_much(box: Box) -> None:
    for _ in range(100):
        await box.say(bytes(1 << 16))


async def _some(connection: socket.socket) -> bytes:
    await anyio.wait_readable(connection)
    return connection.recv(65536)


async def _refused(act: Awaitable[None]) -> None:
    try:
        await act
    except Conflict:
        return
    raise AssertionError("it was not refused")
