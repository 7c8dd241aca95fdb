"""Fork, mount, exec: from a plan to a running bwrap, without a second interpreter.

The child is forked from the event loop's thread, because the parent-death signal is tied to the thread that forked, and
uses only what was made before the fork: another thread may hold any lock.
"""

import gc
import json
import os
import signal
import socket
import warnings
from collections.abc import Mapping, Sequence

from remit.adapters.sandboxes import kernel
from remit.adapters.sandboxes.mount import Order, assemble, carried
from remit.value import Value

USUAL = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD)
"""signals that somebody may have ignored, which exec would pass on"""
ROOM = 128
"""descriptors above this number are free for moving things about"""


class Launch(Value, frozen=True, kw_only=True):
    """What to exec: `descriptors` become 0, 1, 2, … of the program in order and nothing else is passed on."""

    argv: tuple[str, ...]
    descriptors: tuple[int, ...]
    control: int
    order: Order | None = None
    uid: int | None = None
    gid: int | None = None


def start(launch: Launch) -> int:
    """The process id of the new bwrap. What goes wrong after the fork is told on the control socket."""
    supervisor = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child is written for being forked beside threads
        pid = os.fork()
    if pid:
        return pid
    try:
        _child(launch, supervisor)
    except BaseException as error:  # noqa: BLE001 - nothing may return into the copy of the supervisor
        _tell(launch.control, {"failed": str(error)}, ())
    finally:
        os._exit(126)


def _child(launch: Launch, supervisor: int) -> None:
    gc.disable()
    for number in USUAL:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    folders = None
    if launch.uid is not None and os.geteuid() == 0:
        folders = carried(launch.order) if launch.order is not None else None
        os.setgroups([])
        gid = launch.uid if launch.gid is None else launch.gid
        os.setresgid(gid, gid, gid)
        os.setresuid(launch.uid, launch.uid, launch.uid)
        kernel.prctl(kernel.SET_DUMPABLE, 1)  # setuid made /proc/self root's, and the uid map is written there
    # after setuid, which forgets it; and the supervisor may have died before this line
    kernel.prctl(kernel.SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(125)
    if launch.order is not None:
        mounted = assemble(launch.order, folders)
        passed = [mounted.merged] if mounted.upper is None else [mounted.merged, mounted.upper]
        _tell(launch.control, {"mounted": True, "quota": mounted.upper is not None}, passed)
    _arrange(launch.descriptors)
    os.execve(launch.argv[0], launch.argv, {})  # noqa: S606


def _arrange(descriptors: Sequence[int]) -> None:
    high = [os.dup(each) for each in descriptors]
    free = max(ROOM, *high) + 1
    for index, each in enumerate(high):
        os.dup2(each, free + index, inheritable=False)
    for index in range(len(high)):
        os.dup2(free + index, index)
    os.closerange(len(high), os.sysconf("SC_OPEN_MAX"))


def _tell(control: int, message: Mapping[str, object], descriptors: Sequence[int]) -> None:
    with socket.socket(fileno=os.dup(control)) as line:
        socket.send_fds(line, [json.dumps(message).encode()], list(descriptors))


def memory_file(content: bytes) -> int:
    """A descriptor from which `content` can be read once, belonging to no file system."""
    descriptor = os.memfd_create("remit", os.MFD_CLOEXEC)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
