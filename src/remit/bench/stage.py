"""A whole stage on a tree of ten thousand files with ten changes, beside one `cp -a` of that tree on the same disk."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import anyio

from remit.adapters.workspaces.stage import KeptStage
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.bench.row import Goal, Row
from remit.bench.turns import medians, show
from remit.errors import Unavailable

FILES = 10_000
QUICK = 2_000
CHANGES = 10


def rows(*, quick: bool = False) -> Iterator[Row]:
    """Opened, sealed, compared, published and undone, without the agent. Raises Unavailable where overlay does not work.

    The goal is for ten thousand files; a quick look takes fewer and measures without judging.
    """
    files = QUICK if quick else FILES
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        root = _grow(base / "ws", files)
        taken = [
            (_copied(root, base / "copy"), anyio.run(_staged, root, base / f"home/runs/run-{number}/attempts/1"))
            for number in range(1 if quick else 3)
        ]
    rival, ours = medians(taken)
    goal, why = (None, f"the goal is for {FILES:,} files") if quick else (Goal(kind="times", bound=0.1), "")
    name = f"stage, diff, publish and undo, {files:,} files"
    yield Row(name=name, against="`cp -a` of the same tree", goal=goal, ours=ours, rival=rival, why=why)


def _grow(root: Path, files: int) -> Path:
    for number in range(files):
        folder = root / f"d{number % 100:02}/e{number % 7}"
        if number < 700:
            folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}.txt").write_bytes(b"%d\n" % number * 100)
    return root


def _copied(root: Path, into: Path) -> float:
    start = time.perf_counter()
    subprocess.run(["cp", "-a", str(root), str(into)], check=True)
    took = time.perf_counter() - start
    shutil.rmtree(into)
    return took


async def _staged(root: Path, place: Path) -> float:
    workspace = StagedWorkspace(ladder=("overlay",))
    probed = place.parent / "probe"
    await workspace.open(root, probed, secrets=(".env*",), named=nothing_named, quota=None)  # the probe is made once
    start = time.perf_counter()
    stage = await workspace.open(root, place, secrets=(".env*",), named=nothing_named, quota=None)
    if stage.kind != "overlay" or not isinstance(stage, KeptStage):
        raise Unavailable(f"no overlay here: {workspace.reasons}")
    paused = time.perf_counter()
    _change(root, Path(stage.mount.upper or ""))
    start += time.perf_counter() - paused
    await stage.seal()
    await stage.diff()
    await stage.publish(dropped=(), withheld=(), refs=())
    await stage.undo()
    return time.perf_counter() - start


def _change(root: Path, upper: Path) -> None:
    # Ten edits as an overlay stores them; the mount itself is the sandbox's and measured there.
    names = sorted(path.relative_to(root) for path in root.glob("d0*/e*/f*"))[:: 700 // CHANGES][:CHANGES]
    for name in names:
        (upper / name).parent.mkdir(parents=True, exist_ok=True)
        (upper / name).write_bytes((root / name).read_bytes() + b"changed\n")


def nothing_named(_path: str) -> bool:
    """No secret is named by the contract."""
    return False


if __name__ == "__main__":
    show(rows())
