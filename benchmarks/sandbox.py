"""How long a box takes, against plain bwrap with the same namespaces: interleaved medians, in milliseconds."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import anyio

from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.ports import BoxLimits, BoxPlan, Exec, Mount

ROUNDS = 30
BARE = (
    "bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--disable-userns", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--dev", "/dev",
    "--proc", "/proc", "--tmpfs", "/tmp",  # noqa: S108
)  # fmt: skip


class Stopwatch:
    """A watcher that notes when the first output came."""

    first = 0.0

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"decision": "refuse", "reasons": []}

    async def exec(self, program: Exec) -> bool:
        return True

    async def connect(self, host: str, port: int) -> bool:
        return False

    async def blocked(self, what: str, object_: str, by: str) -> None:
        return

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.first = self.first or time.perf_counter()


def rows(rounds: int = ROUNDS) -> list[tuple[str, float, float, str]]:
    """Name, our median and the rival's in milliseconds, and the goal in words."""
    entry, reaped, bare_entry, bare_reaped = anyio.run(_measure, rounds)
    return [
        ("sandbox: from the call to the command's first byte", entry, bare_entry, "at most 15 ms more"),
        ("sandbox: from the call until nothing is left", reaped, bare_reaped, "at most 50 ms more"),
    ]


async def _measure(rounds: int) -> tuple[float, float, float, float]:
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as place:
        for number in range(rounds + 2):
            pair = await _ours(Path(place) / str(number)), _bare()
            if number >= 2:  # the first rounds fill the caches of both
                ours.append(pair[0])
                bare.append(pair[1])
    medians = [statistics.median(each[index] for each in seen) * 1000 for seen in (ours, bare) for index in (0, 1)]
    return medians[0], medians[1], medians[2], medians[3]


async def _ours(place: Path) -> tuple[float, float]:
    for name in ("base", "upper", "work"):
        (place / name).mkdir(parents=True)
    base = str(place / "base")
    mount = Mount(at=base, kind="overlay", lower=(base,), upper=str(place / "upper"), work=str(place / "work"), quota=64 << 20)
    watch = Stopwatch()
    began = time.perf_counter()
    async with Bubblewrap(place).open(
        BoxPlan(argv=("echo", "x"), mount=mount, cwd=base, limits=BoxLimits(time=60)), watch
    ) as box:
        await box.wait()
    return watch.first - began, time.perf_counter() - began


def _bare() -> tuple[float, float]:
    began = time.perf_counter()
    with subprocess.Popen([*BARE, "echo", "x"], stdout=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        ran.stdout.read(1)
        first = time.perf_counter()
    return first - began, time.perf_counter() - began


if __name__ == "__main__":
    for name, mine, rival, goal in rows():
        sys.stdout.write(f"{name:<55}{mine:7.1f} ms   bare bwrap {rival:6.1f} ms   goal: {goal}\n")
