"""The line between supervisor and box while it starts: messages with descriptors, and who sent them."""

import array
import json
import os
import socket
import struct

import anyio

from remit.value import Value


class Heard(Value, frozen=True, kw_only=True):
    """One message: its fields, its descriptors, and the sender's process id as the kernel vouches for it."""

    message: dict[str, object]
    descriptors: tuple[int, ...]
    pid: int


def pair() -> tuple[socket.socket, socket.socket]:
    """The supervisor's end and the box's end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.setblocking(False)
    return ours, theirs


async def hear(line: socket.socket) -> Heard | None:
    """The next message, None when the other side is gone."""
    while True:
        try:
            data, ancillary, _, _ = line.recvmsg(65536, socket.CMSG_SPACE(16 * 4) + socket.CMSG_SPACE(12))
            break
        except BlockingIOError:
            await anyio.wait_readable(line)
        except ConnectionResetError:
            return None
    descriptors = array.array("i")
    pid = 0
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
        elif level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            pid = struct.unpack("3i", content[:12])[0]
    for each in descriptors:
        os.set_inheritable(each, False)
    if not data:
        return None
    return Heard(message=json.loads(data), descriptors=tuple(descriptors), pid=pid)
