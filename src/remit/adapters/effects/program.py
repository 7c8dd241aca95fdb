"""A program of this machine, run in a group of its own so that all of it ends with it, within a time."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import anyio
from anyio.abc import ByteReceiveStream

from remit.errors import Unavailable

_LARGEST = 1 << 20


class Ended(NamedTuple):
    """How a program ended: its status (None when it was stopped for taking too long), and what it printed."""

    status: int | None
    out: str
    words: str


async def ran(
    argv: Sequence[str], *, environment: Mapping[str, str], at: Path, patience: float, owner: tuple[int, int] | None = None
) -> Ended:  # fmt: skip
    """Run it to its end, or for `patience` seconds. `owner`: the uid and gid that root steps down to."""
    user, group = owner if owner is not None else (None, None)
    try:
        process = await anyio.open_process(
            list(argv), env=environment, cwd=at, stdin=subprocess.DEVNULL, start_new_session=True,
            user=user, group=group, extra_groups=() if owner is not None else None,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise Unavailable(f"`{argv[0]}` is not installed", hint=f"install {argv[0]}") from error
    out, words = bytearray(), bytearray()
    assert process.stdout is not None
    assert process.stderr is not None
    with anyio.move_on_after(patience) as waiting:
        async with process:
            try:
                async with anyio.create_task_group() as readers:
                    readers.start_soon(_read, process.stdout, out)
                    readers.start_soon(_read, process.stderr, words)
                    await process.wait()
            except BaseException:
                # Before it is waited for: afterwards its number may belong to somebody else.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
    status = None if waiting.cancelled_caught else process.returncode
    return Ended(status, out.decode("utf-8", "replace"), words.decode("utf-8", "replace"))


async def _read(stream: ByteReceiveStream, into: bytearray) -> None:
    async for chunk in stream:
        into += chunk[: _LARGEST - len(into)]
