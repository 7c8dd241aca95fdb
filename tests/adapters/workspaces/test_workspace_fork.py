"""A child's stage is forked from what its parent's stage shows, and leaves the parent and the workspace alone."""

from pathlib import Path

import anyio
from stage_rig import inside, opened, sealed, tree
from test_workspace_git import git, repo, work  # noqa: F401
from test_workspace_stage import WORK

LIST = "find . -path ./.git -prune -o -printf '%p %y %m %l\\n' | sort; cat $(find . -path ./.git -prune -o -type f -print | sort)"


def test_a_fork_shows_what_its_parent_shows(root: Path, place: Path, kind: str) -> None:
    parent = opened(root, place, kind)
    inside(parent.mount, WORK)
    child = opened(root, place.parent.parent.parent / "child/attempts/1", kind, under=parent)
    assert child.mount.at == str(root)
    assert inside(child.mount, LIST) == inside(parent.mount, LIST)
    assert not sealed(child).changes


def test_a_fork_changes_neither_its_parent_nor_the_workspace(root: Path, place: Path, kind: str) -> None:
    before = tree(root)
    parent = opened(root, place, kind)
    inside(parent.mount, WORK)
    shown = inside(parent.mount, LIST)
    child = opened(root, place.parent.parent.parent / "child/attempts/1", kind, under=parent)
    inside(child.mount, "echo child > docs/a.md; rm docs/new/n.md; echo c > docs/c.md")
    assert [(change.verb, change.path) for change in sealed(child).changes] == [
        ("write", "docs/a.md"),
        ("write", "docs/c.md"),
        ("delete", "docs/new/n.md"),
    ]

    async def bring() -> None:
        await child.view(dropped=(), refs=(), trusted=())
        assert await child.read("docs/c.md") == b"c\n"
        assert await child.read("docs/new/n.md") is None
        assert await child.read("docs/deep") == b"flat\n"

    anyio.run(bring)
    assert inside(parent.mount, LIST) == shown
    assert tree(root) == before


def test_the_host_never_runs_git_on_a_forks_repository(repo: Path, place: Path, tmp_path: Path, kind: str) -> None:  # noqa: F811
    parent = opened(repo, place, kind)
    work(
        parent,
        f"git config core.fsmonitor 'touch {tmp_path}/owned; false'; echo p > docs/p.md; git add -A; git commit -qm parent",
    )
    (tmp_path / "owned").unlink(missing_ok=True)
    child = opened(repo, place.parent.parent.parent / "child/attempts/1", kind, under=parent)
    work(
        child,
        "export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsmonitor GIT_CONFIG_VALUE_0=false\n"
        "git log --format=%s -1 > docs/log.md; git add -A; git commit -qm child",
    )
    changes = sealed(child)
    assert changes.refs == ()
    assert changes.ignored == ((".git", "commits of a child run never travel, its files do"),)
    assert [change.path for change in changes.changes] == ["docs/log.md"]
    assert not (tmp_path / "owned").exists()
    assert git(repo, "log", "--format=%s") == "start"
