"""The first process of the box: opens the doors, closes itself off, starts the command, and takes everything with it.

Standard library only, and of that only what loads fast. Descriptor 3 is the line to the supervisor, 4 the order.
"""

# ruff: noqa: PTH112, PTH116

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal itself costs a millisecond
import _socket
import ctypes
import marshal
import os
import resource
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing alone would cost half of the start
    from typing import Any

CONTROL, ORDER = 3, 4
SET_DUMPABLE = 4
NEW_LISTENER, WAIT_KILLABLE = 1 << 3, 1 << 5
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def main() -> None:
    """Serve one box and end with the status of its command."""
    with open(ORDER, "rb") as source:
        order: dict[str, Any] = marshal.load(source)  # noqa: S302 - written by the supervisor into a file of its own
    os.closerange(ORDER + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.set_inheritable(CONTROL, False)
    # from here on nobody of the same user can read this process, its memory or its descriptors
    LIBC.prctl(SET_DUMPABLE, 0, 0, 0, 0)
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    control = _socket.socket(fileno=CONTROL)
    doors = open_doors(order)
    say(control, b'{"hello": %d}' % os.stat("/proc/self/ns/pid").st_ino, [each.fileno() for each in doors])
    for each in doors:
        each.close()
    command = os.fork()
    if command == 0:
        begin(order, control)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == command:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def open_doors(order: dict[str, Any]) -> list[Any]:
    """The listening sockets the supervisor will serve, in the order it expects."""
    doors = []
    if order["door"]:
        door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        door.bind(order["door"])
        door.listen(32)
        doors.append(door)
    if order["network"]:
        network = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        network.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        network.bind(("127.0.0.1", order["network"]))
        network.listen(128)
        doors.append(network)
    return doors


def begin(order: dict[str, Any], control: Any) -> None:
    """Become the command, with less and less on the way; never returns."""
    try:
        # a signal ignored by Python would stay ignored in every program started from here
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ):
            _signal.signal(number, _signal.SIG_DFL)
        for number, value in order["rlimits"]:
            resource.setrlimit(number, (value, value))
        if order["landlock"]:
            restrict(*order["landlock"])
        os.chdir(order["cwd"])
        program = found(order["argv"][0], order["environment"].get("PATH", ""))
        if order["lookout"]:
            listener = watch(order["seccomp"], order["lookout"])
            say(control, b'{"listener": true}', [listener])
            os.close(listener)
        else:
            say(control, b'{"listener": false}', [])
    except BaseException as error:  # noqa: BLE001 - a wall that cannot be built must end the box
        say(control, b'{"failed": "%s"}' % ascii(str(error))[1:-1].replace("\\", "/").replace('"', "'").encode(), [])
        os._exit(126)
    try:
        os.execve(program, order["argv"], order["environment"])  # noqa: S606
    except OSError as error:
        os.write(2, f"remit: cannot start `{order['argv'][0]}`: {error.strerror}\n".encode(errors="backslashreplace"))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def found(program: str, path: str) -> str:
    """The program as execvp would find it, by one name, so that one execve is all it takes."""
    if "/" in program:
        return program
    for folder in path.split(":"):
        if folder and os.access(f"{folder}/{program}", os.X_OK) and not os.path.isdir(f"{folder}/{program}"):
            return f"{folder}/{program}"
    return f"/nonexistent/{program}"


def restrict(handled: int, scoped: int, size: int, rules: list[tuple[str, int]]) -> None:
    """Give up every write that is not in the rules, for good (landlock(7))."""
    attribute = struct.pack("QQQ", handled, 0, scoped)[:size]
    ruleset = must(LIBC.syscall(444, attribute, len(attribute), 0), "landlock_create_ruleset")
    for folder, rights in rules:
        place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        must(LIBC.syscall(445, ruleset, 1, struct.pack("=Qi", rights, place), 0), "landlock_add_rule")
        os.close(place)
    must(LIBC.syscall(446, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def watch(number: int, code: bytes) -> int:
    """Install the lookout; the descriptor on which the observer hears it."""
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    listener = int(LIBC.syscall(number, 1, NEW_LISTENER | WAIT_KILLABLE, program))
    if listener < 0:  # before kernel 5.19 a waiting call could not be made unkillable
        listener = must(LIBC.syscall(number, 1, NEW_LISTENER, program), "seccomp")
    return listener


def must(result: int, what: str) -> int:
    """The result, or the error."""
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return int(result)


def say(control: Any, message: bytes, descriptors: list[int]) -> None:
    """One message to the supervisor, with descriptors."""
    rights = b"".join(each.to_bytes(4, sys.byteorder) for each in descriptors)
    control.sendmsg([message], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)] if rights else [])


if __name__ == "__main__":
    main()
