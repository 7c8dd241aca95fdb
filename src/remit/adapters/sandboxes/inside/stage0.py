"""The first process of the box: opens the doors, closes itself off, starts the command, and takes everything with it.

Standard library only, and of that only what is built into the interpreter or one small file: `os`, `ctypes`, `struct`
and `resource` would cost as much again as all the rest. Descriptor 3 is the line to the supervisor, 4 the order.
"""

from __future__ import annotations

import _ctypes
import _signal  # type: ignore[import-not-found] # signal itself costs a millisecond
import _socket
import marshal
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing alone would cost half of the start
    from typing import Any

CONTROL, ORDER = 3, 4
SET_DUMPABLE = 4
NEW_LISTENER, WAIT_KILLABLE = 1 << 3, 1 << 5
PLACE = 0o10000000 | 0o2000000
"""O_PATH and O_CLOEXEC, the same on every machine remit knows"""
REPRIEVE = 0.2
"""seconds for whatever is about to end anyhow, before it counts as left running"""
NEARLY = 0.9
"""the part of the memory limit from where on a process counts as having met it"""
NAMED = 16
"""left processes that are told one by one; the rest is a number"""


class Int(_ctypes._SimpleCData):  # type: ignore[type-arg] # noqa: SLF001
    """A C `int`."""

    _type_ = "i"


class Long(_ctypes._SimpleCData):  # type: ignore[type-arg] # noqa: SLF001
    """A C `long`."""

    _type_ = "l"


class Text(_ctypes._SimpleCData):  # type: ignore[type-arg] # noqa: SLF001
    """A C `char *`; its own bytes are the address."""

    _type_ = "z"


class Usage(_ctypes.Array):  # type: ignore[type-arg]
    """A `struct rusage`, and more room than any machine needs for it."""

    _type_ = Long
    _length_ = 32


class Simple(_ctypes.CFuncPtr):
    """A function of the C library that gives an `int`."""

    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = Int


class Wide(_ctypes.CFuncPtr):
    """A function of the C library that gives a `long`."""

    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
    _restype_ = Long


LIBC = _ctypes.dlopen(None, 2)  # type: ignore[arg-type] # None is the program itself
prctl, setrlimit, getrusage = (Simple(_ctypes.dlsym(LIBC, name)) for name in ("prctl", "setrlimit", "getrusage"))
syscall = Wide(_ctypes.dlsym(LIBC, "syscall"))


def main() -> None:
    """Serve one box and end with the status of its command."""
    order: dict[str, Any] = marshal.loads(read(ORDER))  # noqa: S302 - written by the supervisor into a file of its own
    if order["input"]:
        posix.dup2(order["input"], ORDER)
    posix.closerange(ORDER + bool(order["input"]), order["descriptors"])
    posix.set_inheritable(CONTROL, False)
    # from here on nobody of the same user can read this process, its memory or its descriptors
    prctl(SET_DUMPABLE, 0, 0, 0, 0)
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    control = _socket.socket(fileno=CONTROL)
    doors = open_doors(order)
    # a handle on itself: the supervisor might be too slow to open one on a process that ends at once
    me = posix.pidfd_open(posix.getpid())
    say(control, b'{"hello": %d}' % posix.stat("/proc/self/ns/pid").st_ino, [me, *(each.fileno() for each in doors)])
    posix.close(me)
    for each in doors:
        each.close()
    command = posix.fork()
    if command == 0:
        begin(order, control)
    if order["input"]:  # the command's alone, or nobody would hear that it has closed it
        posix.close(ORDER)
    while True:
        pid, status = posix.waitpid(-1, 0)
        if pid == command:
            tell_end(control, order["memory"])
            code = posix.waitstatus_to_exitcode(status)
            posix._exit(code if code >= 0 else 128 - code)  # noqa: SLF001


def read(descriptor: int) -> bytes:
    """Everything in a file that is already open."""
    held = bytearray()
    while more := posix.read(descriptor, 1 << 20):
        held += more
    return bytes(held)


def open_doors(order: dict[str, Any]) -> list[Any]:
    """The listening sockets the supervisor will serve, in the order it expects."""
    doors = []
    if order["door"]:
        door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        door.bind(order["door"])
        door.listen(32)
        doors.append(door)
    for port in order["ports"]:
        listening = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        listening.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
        doors.append(listening)
    return doors


def begin(order: dict[str, Any], control: Any) -> None:
    """Become the command, with less and less on the way; never returns."""
    try:
        if order["input"]:
            posix.dup2(ORDER, 0)
            posix.close(ORDER)
        # a signal ignored by Python would stay ignored in every program started from here
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
            _signal.signal(number, _signal.SIG_DFL)
        for number, value in order["rlimits"]:
            must(setrlimit(number, value.to_bytes(8, sys.byteorder) * 2), "setrlimit")
        if order["landlock"]:
            restrict(*order["landlock"])
        posix.chdir(order["cwd"])
        program = found(order["argv"][0], order["environment"].get("PATH", ""))
        if order["lookout"]:
            listener = watch(order["seccomp"], order["lookout"])
            say(control, b'{"listener": true}', [listener])
            posix.close(listener)
        else:
            say(control, b'{"listener": false}', [])
    except BaseException as error:  # noqa: BLE001 - a wall that cannot be built must end the box
        say(control, b'{"failed": "%s"}' % ascii(str(error))[1:-1].replace("\\", "/").replace('"', "'").encode(), [])
        posix._exit(126)  # noqa: SLF001
    try:
        posix.execve(program, order["argv"], order["environment"])
    except OSError as error:
        posix.write(2, f"remit: cannot start `{order['argv'][0]}`: {error.strerror}\n".encode(errors="backslashreplace"))
        posix._exit(127 if isinstance(error, FileNotFoundError) else 126)  # noqa: SLF001


def found(program: str, path: str) -> str:
    """The program as execvp would find it, by one name, so that one execve is all it takes."""
    if "/" in program:
        return program
    for folder in path.split(":"):
        place = f"{folder}/{program}"
        if folder and posix.access(place, 1) and posix.stat(place).st_mode & 0o170000 != 0o040000:
            return place
    return f"/nonexistent/{program}"


def restrict(handled: int, scoped: int, size: int, rules: list[tuple[str, int]]) -> None:
    """Give up every write that is not in the rules, for good (landlock(7))."""
    attribute = b"".join(each.to_bytes(8, sys.byteorder) for each in (handled, 0, scoped))[:size]
    ruleset = must(syscall(444, attribute, len(attribute), 0), "landlock_create_ruleset")
    for folder, rights in rules:
        place = posix.open(folder, PLACE)
        rule = rights.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
        must(syscall(445, ruleset, 1, rule, 0), "landlock_add_rule")
        posix.close(place)
    must(syscall(446, ruleset, 0), "landlock_restrict_self")
    posix.close(ruleset)


def watch(number: int, code: bytes) -> int:
    """Install the lookout; the descriptor on which the observer hears it."""
    held = Text(code)
    program = (len(code) // 8).to_bytes(2, sys.byteorder) + bytes(6) + bytes(memoryview(held))
    listener = int(syscall(number, 1, NEW_LISTENER | WAIT_KILLABLE, program))
    if listener < 0:  # before kernel 5.19 a waiting call could not be made unkillable
        listener = must(syscall(number, 1, NEW_LISTENER, program), "seccomp")
    return listener


def must(result: int, what: str) -> int:
    """The result, or the error."""
    if result < 0:
        raise OSError(_ctypes.get_errno(), f"{what}: {posix.strerror(_ctypes.get_errno())}")
    return int(result)


def tell_end(control: Any, memory: int) -> None:
    """Say which processes the command left behind, whose end this one's is, and whether one stood at the memory limit."""
    until = time.monotonic() + REPRIEVE
    while (left := alive()) and time.monotonic() < until:
        time.sleep(0.002)
        reap()
    most = largest() if memory else 0
    if left or most >= NEARLY * memory > 0:
        rows = b", ".join(b'{"pid": %d, "name": "%s"}' % each for each in left[:NAMED])
        say(control, b'{"left": %d, "named": [%s], "largest": %d}' % (len(left), rows, most), [])


def largest() -> int:
    """The most bytes of memory any process held that has ended and was waited for (getrusage(2), children)."""
    usage = Usage()
    must(getrusage(-1, usage), "getrusage")
    return int(usage[4]) * 1024


def reap() -> None:
    """Collect whoever has died."""
    try:
        while posix.waitpid(-1, posix.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def alive() -> list[tuple[int, bytes]]:
    """Everybody else in the namespace who has not ended, by number and name."""
    left = []
    for entry in posix.listdir("/proc"):
        if entry.isdecimal() and entry != "1":
            try:
                place = posix.open(f"/proc/{entry}/stat", 0)
            except OSError:
                continue
            try:
                name, _, rest = read(place).partition(b"(")[2].rpartition(b") ")
            except OSError:  # it ended while it was read
                continue
            finally:
                posix.close(place)
            if rest[:1] not in b"ZX":
                left.append((int(entry), bytes(each if each in HARMLESS else 63 for each in name)))
    return sorted(left)


HARMLESS = frozenset(range(32, 127)) - {34, 92}
"""bytes of a name, which anybody may choose, that need no escaping"""


def say(control: Any, message: bytes, descriptors: list[int]) -> None:
    """One message to the supervisor, with descriptors."""
    rights = b"".join(each.to_bytes(4, sys.byteorder) for each in descriptors)
    control.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)] if rights else [])


if __name__ == "__main__":
    main()
