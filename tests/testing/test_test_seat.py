"""The seat without a box leaves nothing behind: neither a process nor an open end of a pipe."""

import gc
import warnings
from pathlib import Path

import anyio

from remit.ports.runtime import Outfit
from remit.testing.seat import seated

CHATTERS = "import sys\nwhile True:\n    sys.stdout.write('x' * 65536)\n    sys.stdout.flush()\n"


def test_a_program_that_still_prints_when_it_is_killed_leaves_no_pipe_open(tmp_path: Path) -> None:
    async def story() -> None:
        async with seated(Outfit(argv=("python3", "-c", CHATTERS), version="1", talks=True), tmp_path) as seat:
            assert await seat.read()
            assert seat.process.stdout is not None
            with anyio.fail_after(10):  # until nobody takes any more of it, so that the end of the pipe is not seen either
                while not seat.process.stdout._stream._paused:  # type: ignore[attr-defined]
                    await anyio.sleep(0.01)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        anyio.run(story)
        gc.collect()
    assert [str(each.message) for each in seen if issubclass(each.category, ResourceWarning)] == []
