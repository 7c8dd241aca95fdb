"""An MCP server as a process of its own: nothing of our environment but what is handed on, and nothing of it left afterwards."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from remit.errors import Unavailable

USUAL = ("PATH", "LANG", "LC_ALL", "TZ")
"""variables without which a program cannot be found or would misread text; every other one is named by the organisation"""
PATIENCE = 2.0
"""seconds that a server has to end by itself once nobody talks to it"""
MOST = 16 << 20
"""bytes of one message"""
MUTTERED = 4000
_DIES_WITH_US = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.getppid() == int(sys.argv[1]) or os._exit(1)
os.execv(sys.argv[2], sys.argv[3:])
"""
"""started in our place first: a server that ignores the end of its stdin would outlive a supervisor that was killed"""


class Muttering:
    """The end of what a server says on stderr."""

    def __init__(self) -> None:
        self.text = ""

    async def listen(self, stream: ByteReceiveStream) -> None:
        """Until it ends."""
        async for chunk in stream:
            self.text = (self.text + chunk.decode("utf-8", "replace"))[-MUTTERED:]


@asynccontextmanager
async def spoken_to(
    argv: Sequence[str], variables: Mapping[str, str], muttering: Muttering
) -> AsyncIterator[tuple[Any, Any]]:  # fmt: skip
    """The two streams of messages, as the client of the SDK takes them. Raises Unavailable when it cannot be started."""
    with tempfile.TemporaryDirectory(prefix="remit-mcp-", ignore_cleanup_errors=True) as room:
        environment = {name: os.environ[name] for name in USUAL if name in os.environ} | {"HOME": room, "TMPDIR": room}
        process = await _started(argv, environment | dict(variables), Path(room))
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        heard, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write, said = anyio.create_memory_object_stream[SessionMessage](0)
        try:
            async with anyio.create_task_group() as group, heard, read, write, said:
                group.start_soon(_reading, process.stdout, heard)
                group.start_soon(_writing, process.stdin, said)
                group.start_soon(muttering.listen, process.stderr)
                try:
                    yield read, write
                finally:
                    with anyio.CancelScope(shield=True):
                        await _ended(process)
                    group.cancel_scope.cancel()
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # whatever it has started, too
            with anyio.CancelScope(shield=True):
                await process.aclose()


# ---------------------------------------------------------------------------------------------------------------------


async def _started(argv: Sequence[str], variables: Mapping[str, str], room: Path) -> Process:
    program = shutil.which(argv[0], path=variables.get("PATH", os.defpath))
    if program is None:
        hint = "name a program on the PATH of remit, or a whole path"
        raise Unavailable(f"`{argv[0]}` cannot be started: there is no such program", hint=hint)
    words = list(argv)
    if sys.platform == "linux":
        words = [sys.executable, "-I", "-S", "-c", _DIES_WITH_US, str(os.getpid()), program, *argv]
    try:
        return await anyio.open_process(
            words, env=variables, cwd=room, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        said = str(getattr(error, "strerror", None) or error).lower()
        raise Unavailable(f"`{argv[0]}` cannot be started: {said}") from None


async def _reading(stdout: ByteReceiveStream, heard: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
    """Line by line; what is no message is handed on as an error, and a line that is too long ends it."""
    kept = bytearray()
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        async with heard:
            async for chunk in stdout:
                kept += chunk
                if b"\n" in chunk:
                    *lines, kept = kept.split(b"\n")
                    for line in lines:
                        await heard.send(_message(bytes(line)))
                if len(kept) > MOST:
                    return


async def _writing(stdin: ByteSendStream, said: MemoryObjectReceiveStream[SessionMessage]) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        async with said:
            async for each in said:
                text: str = each.message.model_dump_json(by_alias=True, exclude_unset=True)
                await stdin.send(text.encode() + b"\n")


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _ended(process: Process) -> None:
    assert process.stdin is not None
    with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await process.stdin.aclose()
    with anyio.move_on_after(PATIENCE):
        await process.wait()
