"""A further attempt goes on upon what the last one had left, on every rung, and a crash of it takes nothing away."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from stage_rig import inside, opened, publish, sealed, tree
from test_workspace_git import COMMITS, MAIN, git, release, repo, work  # noqa: F401
from test_workspace_stage import WORK

from remit.adapters.workspaces.carrying import carried
from remit.adapters.workspaces.stage import KeptStage
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.errors import Broken
from remit.run.change import ChangeSet

SHOWN = (
    "find . -path ./.git -prune -o -printf '%p %y %m %l\\n' | sort; cat $(find . -path ./.git -prune -o -type f -print | sort)"
)


def carry(stage: KeptStage, number: int = 2) -> KeptStage:
    """The next attempt, beside the one that is sealed."""

    async def main() -> KeptStage:
        made = await StagedWorkspace().carry(stage.place, stage.place.parent / str(number))
        assert isinstance(made, KeptStage)
        return made

    return anyio.run(main)


def reopened(place: Path) -> ChangeSet:
    async def main() -> ChangeSet:
        stage = await StagedWorkspace().reopen(place)
        assert stage is not None
        return await stage.changes()

    return anyio.run(main)


def test_the_next_attempt_sees_and_tells_what_the_last_one_had_done(root: Path, place: Path, kind: str) -> None:
    first = opened(root, place, kind)
    inside(first.mount, WORK)
    shown, changes = inside(first.mount, SHOWN), sealed(first)
    second = carry(first)
    assert (second.kind, second.mount.at) == (kind, str(root))
    assert inside(second.mount, SHOWN) == shown
    assert sealed(second) == changes


def test_what_the_next_attempt_changes_is_added_and_what_it_puts_back_is_gone(root: Path, place: Path, kind: str) -> None:
    before = tree(root)
    first = opened(root, place, kind)
    inside(first.mount, "echo more >> docs/a.md; rm docs/b.md; chmod +x src/app.py; ln -s a.md docs/here; echo n > n.md")
    sealed(first)
    second = carry(first)
    inside(second.mount, "printf 'a\\n' > docs/a.md; echo back > docs/b.md; rm n.md docs/here docs/deep/c.md; echo m > m.md")
    assert [(change.verb, change.path) for change in sealed(second).changes] == [
        ("write", "docs/b.md"), ("delete", "docs/deep/c.md"), ("write", "m.md"), ("write", "src/app.py"),
    ]  # fmt: skip
    assert tree(root) == before
    publish(second)
    assert (root / "docs/b.md").read_text() == "back\n"
    assert (root / "src/app.py").stat().st_mode & 0o111
    assert not (root / "docs/deep/c.md").exists() and (root / "docs/a.md").read_text() == "a\n"
    anyio.run(second.undo)
    assert tree(root) == before


def test_the_sealed_stage_stays_as_it_is(root: Path, place: Path, kind: str) -> None:
    """A crash of the further attempt drops that one alone; the next is carried from the same seal."""
    first = opened(root, place, kind)
    inside(first.mount, WORK)
    changes = sealed(first)
    second = carry(first)
    inside(second.mount, "rm -rf docs; echo spoilt > README.md")
    shutil.rmtree(second.place)
    assert reopened(first.place) == changes
    third = carry(first, 3)
    assert inside(third.mount, "cat docs/a.md") == "a\nmore\n"
    assert sealed(third) == changes


def test_it_is_carried_any_number_of_times(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    for number in range(2, 6):
        inside(stage.mount, f"echo {number} >> docs/a.md; rm -f docs/{number - 1}; echo x > docs/{number}")
        sealed(stage)
        stage = carry(stage, number)
    assert [(change.verb, change.path) for change in sealed(stage).changes] == [("write", "docs/5"), ("write", "docs/a.md")]
    publish(stage)
    assert (root / "docs/a.md").read_text() == "a\n2\n3\n4\n5\n"


def test_what_was_hidden_stays_hidden(root: Path, place: Path, kind: str) -> None:
    first = opened(root, place, kind)
    inside(first.mount, "echo x > docs/x.md")
    sealed(first)
    second = carry(first)
    assert inside(second.mount, "ls -A . conf docs") == inside(first.mount, "ls -A . conf docs")
    assert second.hidden == first.hidden == (".env", "conf/site.pem")
    assert [change.path for change in sealed(second).changes] == ["docs/x.md"]


def test_commits_are_carried_with_their_history(repo: Path, place: Path, kind: str) -> None:  # noqa: F811
    first = opened(repo, place, kind)
    work(first, COMMITS)
    sealed(first)
    second = carry(first)
    work(second, "git add docs/loose.md; git commit -qm 'add loose'")
    [move] = sealed(second).refs
    assert (move.verb, move.object, move.fast_forward) == ("commit", "main", True)
    assert [commit.subject for commit in move.commits] == ["fix a", "add n, drop b", "add loose"]
    release(second)
    assert git(repo, "log", "--format=%s", MAIN).splitlines() == ["add loose", "add n, drop b", "fix a", "start"]
    assert git(repo, "status", "--porcelain") == "" and git(repo, "fsck") == ""


def test_a_repository_that_the_next_attempt_leaves_alone_is_told_the_same_way(repo: Path, place: Path, kind: str) -> None:  # noqa: F811
    first = opened(repo, place, kind)
    work(first, COMMITS)
    changes = sealed(first)
    assert sealed(carry(first)) == changes


def test_a_stage_that_is_gone_or_was_never_sealed_is_not_carried_on(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    with pytest.raises(Broken, match="the stage of attempt 1 is gone"):
        carry(stage)
    assert not (place.parent / "2").exists()


_CHILD = """
import os, subprocess, sys
from pathlib import Path
from remit.adapters.workspaces import carrying, walk
left = int(sys.argv[3])
def counted(function):
    def call(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
        return function(*arguments, **named)
    return call
for module, name in ((walk, "remove_tree"), (carrying.subprocess, "run"), (carrying, "_drop"), (carrying, "sync_folder")):
    setattr(module, name, counted(getattr(module, name)))
carrying.carried(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_crash_while_it_is_carried_takes_nothing_away(root: Path, place: Path, kind: str) -> None:
    first = opened(root, place, kind)
    inside(first.mount, WORK)
    changes = sealed(first)
    for at in (1, 2, 3, 7, 99):
        argv = [sys.executable, "-c", _CHILD, str(first.place), str(place.parent / "2"), str(at)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode in (0, -9), done.stderr
        assert (done.returncode == -9) is (at < 99)
        assert reopened(first.place) == changes, f"killed at step {at}"
    assert sealed(carry(first)) == changes


def test_a_disk_without_room_says_so_and_leaves_no_half_of_it(root: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = opened(root, place)
    sealed(stage)
    (place.parent / "bin").mkdir()
    failing = place.parent / "bin/cp"
    failing.write_text("#!/bin/sh\nmkdir -p \"$6\"; echo 'cp: No space left on device' >&2; exit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{failing.parent}:{os.environ['PATH']}")
    with pytest.raises(Broken, match="No space left on device"):
        carried(place, place.parent / "2")
    assert not (place.parent / "2").exists()
