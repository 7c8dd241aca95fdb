"""What rlimits cannot hold: wall clock, memory of the whole tree, count of processes, disk without a hard quota.

The kernel exempts root from RLIMIT_NPROC, and a data limit counts one process only; so the tree is looked at, and a
flood may overshoot for the time between two looks.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread

from remit.adapters.sandboxes.live import Live
from remit.ports import BoxPlan

PAUSE = 0.1
ROOM = 2
"""processes of the box that the kernel counts and the tree does not show"""


class Monitor:
    """Watches one box."""

    def __init__(self, plan: BoxPlan, live: Live, upper: int | None) -> None:
        self._plan = plan
        self._live = live
        self._upper = upper
        self._start = time.monotonic()
        self._full = False
        self._crowd = 0

    async def run(self) -> None:
        """Until cancelled; stops the box at the first limit that is passed."""
        limits = self._plan.limits
        async with anyio.create_task_group() as watches:
            if limits.time is not None:
                watches.start_soon(self._clock, limits.time)
            if limits.memory is not None or limits.processes is not None or self._disk() is not None:
                watches.start_soon(self._look)

    async def _clock(self, seconds: float) -> None:
        await anyio.sleep(seconds)
        await self._live.stop("limit", "time")

    async def _look(self) -> None:
        while True:
            began = time.monotonic()
            passed = await anyio.to_thread.run_sync(self._passed, abandon_on_cancel=True)
            if passed:
                await self._live.stop("limit", passed)
                return
            await self._tell_full()
            # looking must never cost more than a tenth of the time
            await anyio.sleep(max(PAUSE, 9 * (time.monotonic() - began)))

    async def _tell_full(self) -> None:
        """Where the kernel holds the count, nothing passes it: forks fail, and only the fullness can be seen."""
        most = self._plan.limits.processes
        if most is not None and not self._full and self._crowd >= most - ROOM:
            self._full = True
            await self._live.tell("processes", f"{self._crowd} of {most}", "the process limit")

    def _passed(self) -> str:
        limits = self._plan.limits
        if limits.memory is not None or limits.processes is not None:
            alive = family(self._live.pid)
            self._crowd = len(alive)
            if limits.processes is not None and len(alive) > limits.processes:
                return "processes"
            if limits.memory is not None and held(alive, limits.memory) > limits.memory:
                return "memory"
        disk = self._disk()
        if self._upper is not None:
            return "disk" if os.fstatvfs(self._upper).f_bavail == 0 else ""
        if disk is not None and self._plan.mount.upper is not None and stored(self._plan.mount.upper, disk) > disk:
            return "disk"
        return ""

    def _disk(self) -> int | None:
        given = [each for each in (self._plan.mount.quota, self._plan.limits.disk) if each is not None]
        return min(given) if given else None


def family(pid: int) -> list[int]:
    """The process and everything below it; whoever loses its parent in a box falls to the box's first process."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for thread in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def held(processes: list[int], enough: int) -> int:
    """Bytes of memory, shared pages counted in parts; stops adding once it is past `enough`."""
    total = 0
    for each in processes:
        with suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Pss:", "SwapPss:")):
                    total += int(line.split()[1]) * 1024
        if total > enough:
            break
    return total


def stored(folder: str, enough: int) -> int:
    """Bytes on disk below the folder; stops adding once it is past `enough`."""
    total, pending = 0, [folder]
    while pending and total <= enough:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
    return total
