"""A small assembler for seccomp filters (classic BPF), and the two filters of the box.

The wall is handed to bwrap and refuses by number; the lookout is installed before the command starts and hands
programs, connections and refused calls to the observer. Linux seccomp(2), struct seccomp_data in native byte order.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from remit.adapters.sandboxes.syscalls import (
    AUDIT_ARCH,
    FAMILIES,
    NEW_NAMESPACES,
    NUMBERS,
    PERSONALITIES,
    REFUSED,
    TERMINAL_TRICKS,
    UNKNOWN,
)  # fmt: skip
from remit.errors import Unavailable

ALLOW, ERRNO, KILL, NOTIFY = 0x7FFF0000, 0x00050000, 0x80000000, 0x7FC00000
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN, AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
KIND, RAW = 0xF, 3
"""of a socket: the bits that say its kind, and the kind that writes its own headers"""
NUMBER_AT, ARCH_AT, X32 = 0, 4, 0x40000000


class Step(NamedTuple):
    """One instruction; jumps count the steps skipped."""

    code: int
    value: int
    yes: int = 0
    no: int = 0


@cache
def wall(machine: str, *, watched: bool) -> bytes:
    """What bwrap loads. With `watched`, refusing by number is left to the lookout, which refuses and records."""
    refuse = ALLOW if watched else ERRNO | EPERM
    return _filter(machine, refuse)


@cache
def lookout(machine: str) -> bytes:
    """What the command gets before it starts: programs, connections and refused calls go to the observer."""
    numbers = NUMBERS[machine]
    watched = [_when(numbers[name], NOTIFY) for name in ("execve", "execveat", "connect")]
    return _filter(machine, NOTIFY, extra=[step for each in watched for step in each])


def _filter(machine: str, refuse: int, extra: Sequence[Step] = ()) -> bytes:
    if machine not in NUMBERS:
        raise Unavailable(f"no system call table for `{machine}`", hint="run on x86_64 or aarch64")
    steps = [Step(LOAD, ARCH_AT), Step(EQUAL, AUDIT_ARCH[machine], 1, 0), Step(RETURN, KILL), Step(LOAD, NUMBER_AT)]
    if machine == "x86_64":
        steps += [Step(AT_LEAST, X32, 0, 1), Step(RETURN, ERRNO | ENOSYS)]
    steps += extra
    numbers = NUMBERS[machine]
    for name in UNKNOWN:
        steps += _when(numbers[name], ERRNO | ENOSYS)
    for name in REFUSED:
        if name in numbers:
            steps += _when(numbers[name], refuse)
    for block in _arguments(numbers, refuse):
        steps += block
    steps.append(Step(RETURN, ALLOW))
    return b"".join(struct.pack("HBBI", each.code, each.yes, each.no, each.value) for each in steps)


def _arguments(numbers: Mapping[str, int], refuse: int) -> Iterator[list[Step]]:
    allowed = [FAMILIES["unix"], FAMILIES["inet"], FAMILIES["inet6"]]
    raw = [  # without the capability the kernel refuses it too, but then nobody hears of it
        Step(LOAD, _argument(1)),
        Step(AND, KIND),
        Step(EQUAL, RAW, 0, 1),
        Step(RETURN, refuse),
        Step(LOAD, _argument(0)),
    ]
    netlink = [
        Step(EQUAL, FAMILIES["netlink"], 0, 4),
        Step(LOAD, _argument(2)),
        Step(EQUAL, 0, 0, 1),
        Step(RETURN, ALLOW),
        Step(RETURN, refuse),
    ]
    yield _block(numbers["socket"], [Step(LOAD, _argument(0)), *netlink, *raw, *_one_of(allowed), Step(RETURN, refuse)])
    yield _block(numbers["socketpair"], [Step(LOAD, _argument(0)), *_one_of(allowed[:1]), Step(RETURN, refuse)])
    yield _block(
        numbers["clone"],
        [Step(LOAD, _argument(0)), Step(ANY_BIT, NEW_NAMESPACES, 0, 1), Step(RETURN, refuse), Step(RETURN, ALLOW)],
    )
    tricks = [step for each in TERMINAL_TRICKS for step in (Step(EQUAL, each, 0, 1), Step(RETURN, refuse))]
    yield _block(numbers["ioctl"], [Step(LOAD, _argument(1)), *tricks, Step(RETURN, ALLOW)])
    yield _block(numbers["personality"], [Step(LOAD, _argument(0)), *_one_of(PERSONALITIES), Step(RETURN, refuse)])


def _argument(index: int) -> int:
    """Where the low half of an argument stands; the high half never decides, so it cannot hide anything."""
    return 16 + 8 * index


def _one_of(values: Sequence[int]) -> list[Step]:
    return [step for each in values for step in (Step(EQUAL, each, 0, 1), Step(RETURN, ALLOW))]


def _when(number: int, verdict: int) -> list[Step]:
    return [Step(EQUAL, number, 0, 1), Step(RETURN, verdict)]


def _block(number: int, body: list[Step]) -> list[Step]:
    """Every path through `body` returns, so the number is still loaded for whoever is skipped to."""
    return [Step(EQUAL, number, 0, len(body)), *body]
