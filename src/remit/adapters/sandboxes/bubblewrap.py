"""The sandbox of Linux: bwrap, seccomp, Landlock, a staged mount and a first process of our own.

Never fails open: whatever of it cannot be had ends in Unavailable, with the machine's own words.
"""

import marshal
import os
import resource
import select
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import anyio

from remit.adapters.sandboxes import argv, control, kernel, landlock, probe, seccomp
from remit.adapters.sandboxes.door import Door
from remit.adapters.sandboxes.egress import Proxy
from remit.adapters.sandboxes.launch import Launch, memory_file, start
from remit.adapters.sandboxes.limits import Monitor
from remit.adapters.sandboxes.live import Held, Live, Service, kill, readable
from remit.adapters.sandboxes.meter import Meter
from remit.adapters.sandboxes.mount import MERGED, Order
from remit.adapters.sandboxes.observer import Observer
from remit.adapters.sandboxes.speech import Speech
from remit.errors import Unavailable
from remit.ports import METER, Box, BoxPlan, Containment, Watcher

STARTUP = 20.0
FIRST = 7
"""the descriptor of the first file laid in: before it the three of every program, the line, the order, arguments, filter"""
CURE = "run `remit doctor` to see what is missing and how to get it"


class Bubblewrap:
    """Satisfies `Sandbox`. `cache` is a folder of remit's own for probe results.

    `dangerously_allow_loopback` lets the egress proxy reach this machine itself: for tests with local servers only.
    """

    def __init__(self, cache: Path, *, dangerously_allow_loopback: bool = False, egress: int | None = None) -> None:
        self._cache = cache
        self._loopback = dangerously_allow_loopback
        self._egress = egress

    async def probe(self, *, fresh: bool = False) -> Containment:
        """What this machine can do, found by doing it; cached per boot and binary."""
        return await probe.probe(self.open, self._cache, fresh=fresh)

    @asynccontextmanager
    async def open(self, plan: BoxPlan, watcher: Watcher) -> AsyncIterator[Box]:
        """A started box; leaving the context kills what is left. Raises Unavailable when it cannot be made."""
        argv.check(plan)
        async with AsyncExitStack() as held:
            starting = Starting(plan, held)
            with anyio.CancelScope() as scope:
                scope.deadline = anyio.current_time() + STARTUP
                live_parts = await starting.start()
            if scope.cancelled_caught:
                raise Unavailable(f"the box did not start within {STARTUP:.0f} s", hint=CURE)
            live = Live(plan, watcher, live_parts)
            failure: Exception | None = None
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(live.run, self._services(plan, watcher, live, starting))
                try:
                    yield live
                except Exception as error:  # noqa: BLE001 - raised again below, not wrapped into a group
                    failure = error
                finally:
                    with anyio.CancelScope(shield=True):
                        await live.stop("stopped")
                        await live.ended.wait()
            if failure is not None:
                raise failure

    def _services(self, plan: BoxPlan, watcher: Watcher, live: Live, starting: "Starting") -> list[Service]:
        services: list[Service] = [Monitor(plan, live, starting.upper).run]
        doors = list(starting.doors)
        if plan.door:
            services.append(partial(Door(watcher).serve, doors.pop(0)))
        if plan.network:
            proxy = Proxy(watcher, budget=self._egress, dangerously_allow_loopback=self._loopback)
            services.append(partial(proxy.serve, doors.pop(0)))
        if plan.meter:
            services.append(partial(Meter(watcher).serve, doors.pop(0)))
        if starting.listener is not None:
            services.append(partial(Observer(watcher).serve, starting.listener))
        return services


class Starting:
    """One box on its way up: what is opened here is closed with the stack, whatever happens."""

    def __init__(self, plan: BoxPlan, held: AsyncExitStack) -> None:
        self.plan = plan
        self.held = held
        self.drop = plan.uid is not None and os.geteuid() == 0
        self.uid = plan.uid if self.drop and plan.uid is not None else os.geteuid()
        self.gid = (self.uid if plan.gid is None else plan.gid) if self.drop else os.getegid()
        self.doors: list[socket.socket] = []
        self.listener: int | None = None
        self.merged: int | None = None
        self.upper: int | None = None
        self.speech: Speech | None = None

    async def start(self) -> Held:
        """Fork, mount, exec, and hear the first process. Raises Unavailable."""
        bwrap = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
        if bwrap is None:
            raise Unavailable("bwrap is not installed", hint="install the package `bubblewrap`")
        machine = kernel.machine()
        order = self._order()
        workspace = MERGED if order is not None else self.plan.mount.lower[0]
        ours, theirs = control.pair()
        self.held.callback(ours.close)
        null = self._own(os.open(os.devnull, os.O_RDONLY))
        laid = dict(enumerate(argv.files(self.plan, self.uid, self.gid), start=FIRST))
        words = argv.flags(self.plan, workspace, laid, 6)
        memory = [
            marshal.dumps(self._orders(machine, FIRST + len(laid))),
            b"\0".join(os.fsencode(word) for word in words) + b"\0",
            seccomp.wall(machine, watched=self.plan.observe),
            *[each.content for each in laid.values()],
        ]
        files = [self._own(memory_file(each)) for each in memory]
        with ExitStack() as ends, theirs:  # the box alone keeps these ends: its death is heard on ours
            (output, output_end), (error, error_end) = self._pipe(ends), self._pipe(ends)
            passed = (null, output_end, error_end, theirs.fileno(), *files, *self._input(ends))
            launch = Launch(
                argv=(bwrap, "--args", "5", *argv.command()), descriptors=passed,
                control=theirs.fileno(), order=order, uid=self.uid if self.drop else None, gid=self.gid,
            )  # fmt: skip
            try:
                pid = start(launch)
            except OSError as failure:
                raise Unavailable(f"no process for the box: {failure.strerror}") from failure
        bwrap_fd = self._own(os.pidfd_open(pid))
        try:
            return await self._hear(ours, pid, bwrap_fd, output, error, mounts=order is not None)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await _abandon(pid, bwrap_fd)
            raise

    async def _hear(self, ours: socket.socket, pid: int, bwrap_fd: int, output: int, error: int, *, mounts: bool) -> Held:
        """The messages of a box that comes up, in their order."""
        if mounts:
            mounted = await self._expect(ours, "mounted", error)
            self.merged = self._own(mounted.descriptors[0])
            self.upper = self._own(mounted.descriptors[1]) if len(mounted.descriptors) > 1 else None
        elif self.plan.mount.writable:
            self.merged = self._own(os.open(self.plan.mount.lower[0], os.O_PATH | os.O_DIRECTORY))
        hello = await self._expect(ours, "hello", error)
        init_fd = self._own(hello.descriptors[0])
        for each in hello.descriptors[1:]:
            self.doors.append(self.held.enter_context(socket.socket(fileno=each)))
        if not _is_child(hello.pid, pid) and not _dead(init_fd):
            raise Unavailable("the first process of the box is not the one that was started", hint=CURE)
        ready = await self._expect(ours, "listener", error)
        if ready.descriptors:
            self.listener = self._own(ready.descriptors[0])
        namespace = hello.message["hello"]
        assert isinstance(namespace, int)
        return Held(
            bwrap=pid, bwrap_fd=bwrap_fd, init=hello.pid, init_fd=init_fd, namespace=namespace, stdout=output, stderr=error,
            merged=self.merged, upper=self.upper, control=ours, speech=self.speech,
        )  # fmt: skip

    async def _expect(self, ours: socket.socket, word: str, error: int) -> control.Heard:
        heard = await control.hear(ours)
        if heard is not None and word in heard.message:
            return heard
        if heard is not None:
            said = str(heard.message.get("failed", heard.message))
        else:
            with anyio.move_on_after(1):
                await readable(error)
            os.set_blocking(error, False)
            said = ""
            with suppress(BlockingIOError):
                said = os.read(error, 4096).decode(errors="replace").strip()
        raise Unavailable(f"the box cannot be made: {said or 'it ended without a word'}", hint=CURE)

    def _order(self) -> Order | None:
        mount = self.plan.mount
        if mount.kind == "bind" and not self.drop:
            return None
        layers = mount.kind == "overlay" and mount.upper is not None and mount.work is not None
        if self.drop and layers:
            for each in (mount.upper, mount.work):
                os.chown(str(each), self.uid, self.gid, follow_symlinks=False)
        fresh = layers and not any(Path(str(mount.upper)).iterdir())
        quota = mount.quota if fresh and mount.quota is not None and _affordable(mount.quota) else None
        return Order(
            kind=mount.kind, lower=mount.lower, upper=mount.upper if layers else None, work=mount.work if layers else None,
            quota=quota, uid=self.uid, gid=self.gid,
        )  # fmt: skip

    def _orders(self, machine: str, spare: int) -> dict[str, object]:
        """What stage0 is told; `spare` is the first descriptor after the files."""
        plan, limits = self.plan, self.plan.limits
        abi = kernel.landlock_abi()
        rules = landlock.ruleset(abi, argv.writable(plan))
        size = 24 if abi >= 6 else 16 if abi >= 4 else 8
        files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536)
        wanted = [
            (resource.RLIMIT_NPROC, limits.processes), (resource.RLIMIT_DATA, limits.memory),
            (resource.RLIMIT_FSIZE, limits.file), (resource.RLIMIT_NOFILE, files), (resource.RLIMIT_CORE, 0),
        ]  # fmt: skip
        return {
            "argv": list(plan.argv),
            "cwd": plan.cwd,
            "environment": argv.environment(plan),
            "memory": limits.memory or 0,
            "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "door": argv.DOOR if plan.door else "",
            "ports": [*([argv.PORT] if plan.network else []), *([METER] if plan.meter else [])],
            "input": spare if plan.talks else 0,
            "rlimits": [(number, value) for number, value in wanted if value is not None],
            "landlock": (rules.handled, rules.scoped, size, [tuple(each) for each in rules.rules]) if rules else None,
            "lookout": seccomp.lookout(machine) if plan.observe else b"",
            "seccomp": kernel.SECCOMP.get(machine, -1),
        }

    def _input(self, ends: ExitStack) -> tuple[int, ...]:
        """Where the command will read what is said to it. Not as descriptor 0: bwrap would hold that open beside it."""
        if not self.plan.talks:
            return ()
        reader, writer = os.pipe()
        ends.callback(os.close, reader)
        self.speech = Speech(writer)
        self.held.callback(self.speech.shut)
        return (reader,)

    def _pipe(self, ends: ExitStack) -> tuple[int, int]:
        reader, writer = os.pipe()
        ends.callback(os.close, writer)
        return self._own(reader), writer

    def _own(self, descriptor: int) -> int:
        self.held.callback(os.close, descriptor)
        return descriptor


def _affordable(quota: int) -> bool:
    """Whether a stage of that size may live in memory without starving the machine."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return quota <= int(line.split()[1]) * 1024 // 2
    return False


def _is_child(pid: int, parent: int) -> bool:
    with suppress(OSError):
        return f"\nPPid:\t{parent}\n" in Path(f"/proc/{pid}/status").read_text()
    return False


def _dead(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


async def _abandon(pid: int, bwrap_fd: int) -> None:
    """End a box that did not come up, and reap it."""
    children = ""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    opened: list[int] = []
    for each in children.split():
        with suppress(OSError):
            opened.append(os.pidfd_open(int(each)))
    kill(bwrap_fd)
    for child in opened:
        kill(child)
        await readable(child)
        os.close(child)
    await readable(bwrap_fd)
    os.waitpid(pid, 0)  # noqa: ASYNC222 - it is dead, as its pidfd says
