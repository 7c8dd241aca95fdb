"""How long a box takes, beside plain bwrap with the same namespaces."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import anyio

from remit.adapters.sandboxes.bubblewrap import Bubblewrap
from remit.bench.row import Goal, Row
from remit.bench.turns import medians, show
from remit.errors import Unavailable
from remit.ports import BoxLimits, BoxPlan, Exec, Mount

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

    async def model(self, connection: socket.socket) -> None:
        """No model is called."""

    async def connect(self, host: str, port: int) -> bool:
        return False

    async def blocked(self, what: str, object_: str, by: str) -> None:
        return

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        self.first = self.first or time.perf_counter()


def rows(*, quick: bool = False) -> Iterator[Row]:
    """From the call to the first byte of the command, and until nothing of the box is left. Raises Unavailable without bwrap."""
    if shutil.which("bwrap") is None:
        raise Unavailable("bwrap is not installed")
    entry, reaped, bare_entry, bare_reaped = anyio.run(_measure, 6 if quick else 30)
    names = "sandbox, until the command's first byte", "sandbox, until nothing is left"
    for name, ours, rival, bound in ((names[0], entry, bare_entry, 0.015), (names[1], reaped, bare_reaped, 0.050)):
        against = "bare bwrap with the same namespaces"
        yield Row(name=name, against=against, goal=Goal(kind="more", bound=bound), ours=ours, rival=rival)


async def _measure(rounds: int) -> tuple[float, ...]:
    with tempfile.TemporaryDirectory() as place:
        taken = [(*await _ours(Path(place) / str(number)), *_bare()) for number in range(rounds + 2)]
    return tuple(medians(taken[2:]))  # the first rounds fill the caches of both


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
    show(rows())
