"""The exec observer: hears programs, connections and refused calls by seccomp user notification, and asks the watcher.

It is audit and courtesy, not the boundary: what it reads may change between the reading and the kernel's own look, so
nothing here allows what the namespaces, the stage and the wall do not allow anyway. seccomp_unotify(2).
"""

# ruff: noqa: PTH115, PTH123

import fcntl
import os
import select
import socket
import struct
from contextlib import suppress

import anyio

from remit.adapters.sandboxes import kernel
from remit.adapters.sandboxes.seccomp import KIND, RAW
from remit.adapters.sandboxes.syscalls import NUMBERS
from remit.ports import Exec, Watcher

RECEIVE, ANSWER, STILL_THERE = 0xC0502100, 0xC0182101, 0x40082102
NOTICE, REPLY = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
CONTINUE = 1
EPERM, ENOENT = 1, 2
WORDS, BYTES, PATH = 65536, 2 << 20, 4096
TOLD = 256
"""different blocked things that are told; a flood of the same is one"""


class Notice:
    """One waiting call: who, which number, with which registers."""

    def __init__(self, data: bytes) -> None:
        self.id, self.pid, _, self.number, _, _, *self.arguments = NOTICE.unpack(data)


class Observer:
    """Serves the listener of one box."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._names = {number: name for name, number in NUMBERS[kernel.machine()].items()}
        self._started = False
        self._told: set[tuple[str, str]] = set()

    async def serve(self, listener: int) -> None:
        """Until cancelled, or until nobody is left who could call."""
        async with anyio.create_task_group() as calls:
            while True:
                await anyio.wait_readable(listener)
                ready = _ready(listener)
                if ready & select.POLLIN:
                    notice = _receive(listener)
                    if notice is not None:
                        calls.start_soon(self._answer, listener, notice)
                elif ready:
                    return

    async def _answer(self, listener: int, notice: Notice) -> None:
        name = self._names.get(notice.number, str(notice.number))
        error = EPERM
        try:
            if name in ("execve", "execveat"):
                error = await self._program(listener, name, notice)
            elif name == "connect":
                error = await self._connection(listener, notice)
            else:
                await self._tell("call", _described(name, notice), "seccomp")
        except Exception:  # noqa: BLE001 - whatever goes wrong here, the program does not start
            error = EPERM
        _reply(listener, notice, error)

    async def _program(self, listener: int, name: str, notice: Notice) -> int:
        if not self._started:  # the runtime itself: the contract names it, it is no action
            self._started = True
            return 0
        program = read_program(name, notice)
        if not _waiting(listener, notice):  # the caller died, and its number may be somebody else's by now
            return EPERM
        if program is None:
            await self._tell("run", "arguments that cannot be read", "observer")
            return EPERM
        if _absent(program):
            # one step of a search along PATH is no program; answered here, so that none can appear meanwhile
            return ENOENT
        return 0 if await self._watcher.exec(program) else EPERM

    async def _connection(self, listener: int, notice: Notice) -> int:
        """Connections are only told: where there is no route the kernel refuses, and loopback is the box's own."""
        where = _address(_memory(notice.pid, notice.arguments[1], min(notice.arguments[2] & 0xFFFFFFFF, 128)))
        if where and _waiting(listener, notice):
            await self._tell("connect", where, "network namespace")
        return 0

    async def _tell(self, what: str, thing: str, by: str) -> None:
        if (what, thing) in self._told or len(self._told) >= TOLD:
            return
        self._told.add((what, thing))
        await self._watcher.blocked(what, thing, by)


def read_program(name: str, notice: Notice) -> Exec | None:
    """The program and its arguments as they stand now; None when they are too many or cannot be read."""
    flags = 0
    folder, (path_at, argv_at) = -100, notice.arguments[:2]
    if name == "execveat":
        folder, path_at, argv_at, _, flags = notice.arguments[:5]
    try:
        memory = os.open(f"/proc/{notice.pid}/mem", os.O_RDONLY)
    except OSError:
        return None
    try:
        path = _text(memory, path_at, PATH)
        words = _words(memory, argv_at)
    except (OSError, OverflowError):
        return None
    finally:
        os.close(memory)
    if path is None or words is None:
        return None
    return Exec(pid=notice.pid, path=_resolved(notice.pid, folder, path, flags), argv=words)


def _resolved(pid: int, folder: int, path: str, flags: int) -> str:
    """The path as the box sees it, links not followed: best effort, for the record."""
    folder = struct.unpack("i", struct.pack("I", folder & 0xFFFFFFFF))[0]
    if path.startswith("/"):
        return os.path.normpath(path)
    with suppress(OSError):
        base = os.readlink(f"/proc/{pid}/cwd" if folder == -100 else f"/proc/{pid}/fd/{folder}")
        if not path and flags & 0x1000:
            return base
        return os.path.normpath(f"{base}/{path}")
    return path


def _absent(program: Exec) -> bool:
    """Whether the box has nothing at that path; /proc and /dev/fd mean something else to whoever looks from outside."""
    if not program.path.startswith("/") or program.path.startswith(("/proc/", "/dev/", "/memfd:")):
        return False
    try:
        root = os.open(f"/proc/{program.pid}/root", os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        os.close(kernel.open_inside(root, program.path))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(root)
    return False


def _words(memory: int, at: int) -> tuple[str, ...] | None:
    words: list[str] = []
    total = 0
    while at and len(words) < WORDS:
        (place,) = struct.unpack("=Q", os.pread(memory, 8, at + 8 * len(words)))
        if place == 0:
            return tuple(words)
        word = _text(memory, place, BYTES)
        if word is None:
            return None
        total += len(word) + 1
        if total > BYTES:
            return None
        words.append(word)
    return () if not at else None


def _text(memory: int, at: int, most: int) -> str | None:
    """A zero-ended text, read page by page: the page after the last may not exist."""
    found = bytearray()
    while len(found) <= most:
        page = os.pread(memory, 4096 - (at + len(found)) % 4096, at + len(found))
        end = page.find(b"\0")
        if end >= 0:
            return os.fsdecode(bytes(found + page[:end]))
        if not page:
            return None
        found += page
    return None


def _memory(pid: int, at: int, size: int) -> bytes:
    with suppress(OSError, OverflowError), open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        return os.pread(memory.fileno(), size, at)
    return b""


def _address(raw: bytes) -> str:
    """Where a connection leads that leaves the box; empty for what stays inside."""
    family = int.from_bytes(raw[:2], "little") if len(raw) >= 2 else 0
    port = int.from_bytes(raw[2:4], "big")
    if family == socket.AF_INET and len(raw) >= 8:
        host = socket.inet_ntop(socket.AF_INET, raw[4:8])
        return "" if host.startswith("127.") else f"{host}:{port}"
    if family == socket.AF_INET6 and len(raw) >= 24:
        host = socket.inet_ntop(socket.AF_INET6, raw[8:24])
        return "" if host == "::1" else f"[{host}]:{port}"
    return ""


def _described(name: str, notice: Notice) -> str:
    if name not in ("socket", "socketpair"):
        return name
    raw = " raw" if notice.arguments[1] & KIND == RAW else ""
    return f"{name} family {notice.arguments[0] & 0xFFFFFFFF}{raw}"


def _ready(listener: int) -> int:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    events = poll.poll(0)
    return events[0][1] if events else 0


def _receive(listener: int) -> Notice | None:
    held = bytearray(NOTICE.size)  # the kernel insists on zeros
    try:
        fcntl.ioctl(listener, RECEIVE, held)
    except OSError:  # the caller was killed while it waited
        return None
    return Notice(bytes(held))


def _waiting(listener: int, notice: Notice) -> bool:
    try:
        fcntl.ioctl(listener, STILL_THERE, struct.pack("=Q", notice.id))
    except OSError:
        return False
    return True


def _reply(listener: int, notice: Notice, error: int) -> None:
    answer = REPLY.pack(notice.id, 0, -error, 0) if error else REPLY.pack(notice.id, 0, 0, CONTINUE)
    with suppress(OSError):
        fcntl.ioctl(listener, ANSWER, answer)
