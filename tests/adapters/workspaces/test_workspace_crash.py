"""Whatever moment a publish or an undo dies at, the workspace ends before or after, never between."""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from stage_rig import inside, opened, publish, sealed, tree
from test_workspace_git import COMMITS, git, repo, work  # noqa: F401
from test_workspace_stage import WORK

from remit.adapters.workspaces.kept import read_meta
from remit.adapters.workspaces.stage import KeptStage
from remit.errors import Broken, Conflict

_CHILD = """
import os, sys
from pathlib import Path
import anyio
from remit.adapters.workspaces.kept import read_meta
from remit.adapters.workspaces.stage import KeptStage
place, what, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
count = 0
def hook(step):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), 9)
stage = KeptStage(place, read_meta(place), hook=hook)
if what == "publish":
    anyio.run(lambda: stage.publish(dropped=(), withheld=(), refs=("refs/heads/main",)))
else:
    anyio.run(stage.undo)
print(count)
"""


def killed(place: Path, what: str, at: int) -> bool:
    """Run the step in a process of its own that dies at its `at`-th step; False when it ended before."""
    done = subprocess.run([sys.executable, "-c", _CHILD, str(place), what, str(at)], capture_output=True, text=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == -9


def release(stage: KeptStage) -> None:
    anyio.run(lambda: stage.publish(dropped=(), withheld=(), refs=("refs/heads/main",)))


def everything(root: Path) -> tuple[object, ...]:
    if not (root / ".git").exists():
        return (tree(root, times=False),)
    status = git(root, "status", "--porcelain"), git(root, "ls-files", "-s"), git(root, "for-each-ref")
    return (tree(root, times=False), *status)


def every_step(root: Path, place: Path, script: str, *, kind: str = "overlay") -> int:
    """Kill the publish, then the undo, at every single step; each time call again and compare."""
    before = everything(root)
    after: tuple[object, ...] = ()
    at, kills = 1, 0
    while True:
        stage = opened(root, place, kind)
        work(stage, script)
        sealed(stage)
        died = killed(place, "publish", at)
        again = KeptStage(place, read_meta(place))
        release(again)
        after = after or everything(root)
        if "fix" not in script:
            assert everything(root) == after, f"publish killed at step {at}"
        undone = killed(place, "undo", at)
        anyio.run(again.undo)
        assert everything(root) == before, f"undo killed at step {at}"
        assert not [name for name in os.listdir(root) if name.startswith(".remit-")]
        kills += died + undone
        if not died and not undone:
            return kills
        at += 1


def test_a_publish_killed_at_any_step_is_finished_and_an_undo_too(root: Path, place: Path) -> None:
    assert every_step(root, place, WORK) >= 30


def test_a_git_publish_killed_at_any_step_is_finished_and_an_undo_too(repo: Path, place: Path) -> None:  # noqa: F811
    assert every_step(repo, place, COMMITS) >= 16


class Full(OSError):
    """The disk said no."""


@pytest.mark.parametrize("at", [1, 3, 5, 8, 11, 14])
def test_a_publish_that_fails_half_way_is_taken_back(root: Path, place: Path, at: int) -> None:
    before = tree(root)
    stage = opened(root, place)
    inside(stage.mount, WORK)
    sealed(stage)
    count = 0

    def hook(step: str) -> None:
        nonlocal count
        count += not step.startswith("back")
        if count == at and not step.startswith("back"):
            raise OSError(28, "No space left on device")

    stage.hook = hook
    with pytest.raises((Broken, Conflict)):
        publish(stage)
    assert count >= at
    assert tree(root) == before
    stage.hook = lambda step: None
    if at > 2:
        assert publish(stage)


def test_a_file_changed_between_the_check_and_its_step_stops_and_takes_back_everything(root: Path, place: Path) -> None:
    stage = opened(root, place)
    inside(stage.mount, WORK)
    sealed(stage)
    before = tree(root, times=False)

    def hook(step: str) -> None:
        if step == "rmdir 5" or step.startswith("mkdir"):
            (root / "src/app.py").write_text("mine now\n")

    stage.hook = hook
    with pytest.raises(Conflict, match=r"src/app\.py"):
        publish(stage)
    after = tree(root, times=False)
    assert after.pop("src/app.py")[3] == b"mine now\n"
    before.pop("src/app.py")
    assert after == before


def test_a_stage_touched_after_it_was_judged_is_not_published(root: Path, place: Path) -> None:
    before = tree(root)
    stage = opened(root, place)
    inside(stage.mount, WORK)
    sealed(stage)
    (place / "upper/docs/a.md").write_text("something else\n")
    with pytest.raises(Broken, match="not what was judged"):
        publish(stage)
    assert tree(root) == before


def test_a_read_only_folder_leaves_everything_as_it_was(root: Path, place: Path) -> None:
    stage = opened(root, place)
    inside(stage.mount, "echo x > docs/a.md; echo y > src/app.py")
    sealed(stage)
    before = tree(root)

    def hook(step: str) -> None:
        if step == "write 1":
            raise OSError(30, "Read-only file system")

    stage.hook = hook
    with pytest.raises(Broken, match="Read-only file system"):
        publish(stage)
    assert tree(root) == before
