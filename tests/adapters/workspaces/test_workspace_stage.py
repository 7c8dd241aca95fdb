"""A stage on a plain folder: what is written, seen, published and taken back."""

import os
from pathlib import Path

import anyio
import pytest
from stage_rig import inside, opened, publish, sealed, tree

from remit.adapters.workspaces.publish import alone
from remit.adapters.workspaces.staged import StagedWorkspace
from remit.errors import BadInput, Broken, Busy, Conflict

WORK = """
echo more >> docs/a.md
rm docs/b.md
mkdir docs/new && echo n > docs/new/n.md
ln -s ../README.md docs/here
chmod +x src/app.py
rm -r docs/deep && echo flat > docs/deep
rmdir empty
rm docs/link && mkdir docs/link && echo x > docs/link/x
mkdir hollow
cp README.md same && cat same > README.md && rm same
touch package.json
"""


def test_the_change_list_names_every_difference_and_nothing_else(root: Path, place: Path, kind: str) -> None:
    before = tree(root)
    stage = opened(root, place, kind)
    inside(stage.mount, WORK)
    changes = sealed(stage).changes
    assert [(change.path, change.verb, change.before.type, change.after.type) for change in changes] == [
        ("docs/a.md", "write", "file", "file"),
        ("docs/b.md", "delete", "file", "absent"),
        ("docs/deep", "write", "directory", "file"),
        ("docs/deep/c.md", "delete", "file", "absent"),
        ("docs/here", "write", "absent", "link"),
        ("docs/link", "write", "link", "directory"),
        ("docs/link/x", "write", "absent", "file"),
        ("docs/new/n.md", "write", "absent", "file"),
        ("empty", "delete", "directory", "absent"),
        ("hollow", "write", "absent", "directory"),
        ("src/app.py", "write", "file", "file"),
    ]
    assert tree(root) == before


def test_secrets_are_not_there(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    assert stage.hidden == (".env", "conf/site.pem")
    assert inside(stage.mount, "ls -A . conf").split() == (
        [".:", "README.md", "conf", "docs", "empty", "package.json", "src", "conf:", "site.txt"]
    )


def test_what_is_published_is_what_was_staged_and_undo_puts_everything_back(root: Path, place: Path, kind: str) -> None:
    before = tree(root)
    stage = opened(root, place, kind)
    inside(stage.mount, WORK)
    sealed(stage)
    paths = publish(stage)
    assert len(paths) == 11
    after = tree(root, times=False)
    assert after["docs/deep"][3] == b"flat\n"
    assert after["docs/link/x"][3] == b"x\n"
    assert after["docs/here"][3] == "../README.md"
    assert after["src/app.py"][0] == 0o100755
    assert not {"docs/b.md", "empty", "docs/deep/c.md"} & after.keys()
    assert after[".env"][3] == b"KEY=1\n"
    anyio.run(stage.undo)
    assert tree(root) == before


def test_a_dropped_path_stays_as_it_was(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, WORK)
    sealed(stage)
    publish(stage, "docs/deep/c.md", "docs/link", "docs/a.md")
    assert (root / "docs/deep/c.md").read_text() == "c\n"
    assert os.readlink(root / "docs/link") == "a.md"
    assert (root / "docs/a.md").read_text() == "a\n"
    assert (root / "docs/new/n.md").read_text() == "n\n"


def test_the_view_is_the_publishable_tree(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, WORK)
    sealed(stage)
    dropped = ("docs/b.md", "docs/deep/c.md")

    async def view() -> None:
        mount = await stage.view(dropped=dropped, refs=(), trusted=("docs/new/*",))
        listing = "find . -mindepth 1 -printf '%p %y %m %l\\n' | sort"
        seen = inside(mount, listing)
        assert await stage.read("docs/a.md") == b"a\nmore\n"
        assert await stage.read("docs/b.md") == b"b\n"
        assert await stage.read("docs/new/n.md") is None
        assert await stage.read(".env") is None
        assert await stage.read("docs/link") is None
        assert await stage.read("docs/here") is None
        assert await stage.read("empty/x") is None
        assert inside(mount, "touch x 2>&1 || echo read-only", check=False).endswith("read-only\n") or mount.kind == "bind"
        await stage.publish(dropped=(*dropped, "docs/new/n.md"), withheld=(), refs=())
        plain = inside(stage.mount.__class__(at=str(root), kind="bind", lower=(str(root),)), listing)
        assert seen == "".join(line for line in plain.splitlines(True) if ".env" not in line and ".pem" not in line)

    anyio.run(view)


def test_a_base_that_moved_is_a_conflict_and_nothing_is_written(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, WORK)
    sealed(stage)
    state = os.stat(root / "docs/a.md")
    (root / "docs/a.md").write_text("A\n")
    os.utime(root / "docs/a.md", ns=(state.st_atime_ns, state.st_mtime_ns))
    (root / "unrelated").write_text("mine")
    before = tree(root)
    with pytest.raises(Conflict, match=r"`docs/a.md`"):
        publish(stage)
    assert tree(root) == before


def test_a_reopened_stage_is_the_sealed_one(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, WORK)

    async def main() -> None:
        assert await StagedWorkspace().reopen(place) is None
        digest = await stage.seal()
        again = await StagedWorkspace().reopen(place)
        assert again is not None
        assert await again.seal() == digest
        assert await again.changes() == await stage.changes()
        assert again.mount == stage.mount
        await again.publish(dropped=(), withheld=(), refs=())
        assert (root / "docs/deep").read_text() == "flat\n"
        await again.discard()
        assert not place.exists()

    anyio.run(main)


def test_publishing_and_undoing_twice_is_harmless(root: Path, place: Path, kind: str) -> None:
    before = tree(root)
    stage = opened(root, place, kind)
    inside(stage.mount, WORK)
    sealed(stage)
    assert publish(stage) == publish(stage)
    anyio.run(stage.undo)
    anyio.run(stage.undo)
    assert tree(root) == before
    with pytest.raises(Conflict, match="published and undone"):
        publish(stage)


def test_only_one_publish_at_a_time_touches_a_workspace(root: Path, place: Path) -> None:
    stage = opened(root, place)
    inside(stage.mount, WORK)
    sealed(stage)
    with alone(str(root)), pytest.raises(Busy):
        publish(stage)
    assert publish(stage)


def test_nothing_unsealed_is_published_and_nothing_unpublished_undone(root: Path, place: Path) -> None:
    stage = opened(root, place)
    inside(stage.mount, WORK)
    with pytest.raises(Broken, match="not sealed"):
        publish(stage)
    sealed(stage)
    with pytest.raises(BadInput, match="nothing to undo"):
        anyio.run(stage.undo)


def test_a_rung_that_cannot_be_had_is_explained_and_the_next_one_taken(root: Path, place: Path) -> None:
    async def main() -> None:
        workspace = StagedWorkspace(ladder=("reflink", "copy"))
        stage = await workspace.open(root, place, secrets=(), named=lambda path: False, quota=None)
        assert stage.kind in ("reflink", "copy")
        assert stage.kind == "reflink" or "share blocks" in workspace.reasons["reflink"]

    anyio.run(main)


def test_a_named_secret_is_there(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind, named=lambda path: path == ".env")
    assert stage.hidden == ("conf/site.pem",)
    assert inside(stage.mount, "cat .env") == "KEY=1\n"


def test_deleting_a_folder_keeps_the_secrets_in_it(root: Path, place: Path, kind: str) -> None:
    stage = opened(root, place, kind)
    inside(stage.mount, "rm -r conf")
    assert [change.path for change in sealed(stage).changes] == ["conf/site.txt"]
    publish(stage)
    assert os.listdir(root / "conf") == ["site.pem"]
