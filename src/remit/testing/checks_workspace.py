"""What every workspace must do; run it on yours: `await check_workspace(make, room)`."""

import os
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from remit.errors import BadInput, Broken, Conflict
from remit.ports import Mount, Stage, Workspace

Inside = Callable[[Mount, str], str]
"""Runs a shell script in the mounted workspace, as a box would, and gives what it printed."""

STANDS = {"README.md": "read me\n", "docs/a.md": "a\n", "docs/b.md": "b\n", "old/deep/x.md": "x\n", ".env": "KEY=1\n"}
WORK = "echo A > docs/a.md; rm docs/b.md; rm -r old; mkdir -p new/deep; echo n > new/deep/n.md; ln -s ../docs/a.md new/link"
CHANGED = ("docs/a.md", "docs/b.md", "new/deep/n.md", "new/link", "old/deep/x.md")


def at_the_folder(mount: Mount, script: str) -> str:
    """For a bind mount, where no namespace is needed."""
    done = subprocess.run(["sh", "-euc", script], cwd=mount.lower[0], check=True, capture_output=True, text=True)
    return done.stdout


class Ground:
    """A workspace and a place beside it."""

    def __init__(self, make: Callable[[], Workspace], room: Path, inside: Inside) -> None:
        self.make, self.inside = make, inside
        self.root, self.place = room / "ws", room / "home" / "runs" / "r1" / "attempts" / "1"
        for name, text in STANDS.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    async def open(self, place: Path | None = None, under: Stage | None = None) -> Stage:
        """A fresh stage."""
        return await self.make().open(
            self.root, place or self.place, secrets=(".env*",), named=lambda _: False, quota=None, under=under
        )  # fmt: skip

    async def worked(self, script: str = WORK) -> Stage:
        """A sealed stage in which the script has run."""
        stage = await self.open()
        self.inside(stage.mount, script)
        assert (await stage.seal()).startswith("sha256:")
        return stage

    def tree(self) -> dict[str, tuple[int, str]]:
        """Everything that stands in the workspace: its mode, and its text, its target or nothing."""
        return {path.relative_to(self.root).as_posix(): _told(path) for path in sorted(self.root.rglob("*"))}


def _told(path: Path) -> tuple[int, str]:
    text = str(path.readlink()) if path.is_symlink() else path.read_text() if path.is_file() else ""
    return path.lstat().st_mode, text


async def work_stays_on_the_stage(ground: Ground) -> None:
    """The base does not change, the box sees its own writes, a secret is not there."""
    before = ground.tree()
    stage = await ground.open()
    assert stage.mount.at == str(ground.root)
    assert stage.mount.writable
    printed = ground.inside(stage.mount, f"{WORK}; cat docs/a.md; test -e .env || echo hidden; test -e old || echo gone")
    assert printed.split() == ["A", "hidden", "gone"]
    assert stage.hidden == (".env",)
    assert ground.tree() == before


async def every_change_is_told_once_in_path_order(ground: Ground) -> None:
    """Files, links, deletions; folders that carry something are not told."""
    stage = await ground.worked()
    found = (await stage.changes()).changes
    assert tuple(change.path for change in found) == CHANGED
    assert [change.verb for change in found] == ["write", "delete", "write", "write", "delete"]
    assert [change.after.type for change in found] == ["file", "absent", "file", "link", "absent"]
    assert found[3].after.target == "../docs/a.md"
    diff = await stage.diff(dropped=("docs/b.md",))
    assert "+A" in diff
    assert "docs/b.md" not in diff


async def what_lies_in_wait_is_marked(ground: Ground) -> None:
    """A link out and an editor's tasks are dangerous wherever they land."""
    stage = await ground.worked("ln -s /etc/passwd out; mkdir .vscode; echo {} > .vscode/tasks.json; echo ok > fine")
    marked = {change.path: bool(change.plant) for change in (await stage.changes()).changes}
    assert marked == {".vscode/tasks.json": True, "fine": False, "out": True}


async def a_seal_holds_across_reopening(ground: Ground) -> None:
    """Unsealed it can be forked and not judged; sealed the other way round; the digest tells work apart."""
    stage = await ground.open()
    again = ground.make()
    assert await again.reopen(ground.place) is None
    assert await again.live(ground.place) is not None
    assert await again.live(ground.place.parent / "2") is None
    await _raises(Broken, lambda: stage.view(dropped=(), refs=(), trusted=()))
    ground.inside(stage.mount, WORK)
    first = await stage.seal()
    assert await stage.seal() == first
    kept = await again.reopen(ground.place)
    assert kept is not None
    assert await again.live(ground.place) is None
    assert await kept.changes() == await stage.changes()
    assert await kept.seal() == first
    other = await ground.open(ground.place.parent / "2")
    ground.inside(other.mount, "echo B > docs/a.md")
    assert await other.seal() != first


async def a_view_is_what_would_be_published(ground: Ground) -> None:
    """Dropped paths and trusted ones are the base's; a view is read-only; `read` reads it and follows no link."""
    stage = await ground.worked()
    mount = await stage.view(dropped=("docs/b.md",), refs=(), trusted=("docs/a.md",))
    assert not mount.writable
    assert ground.inside(mount, "cat docs/a.md docs/b.md new/deep/n.md; test -e .env || echo hidden").split() == [
        "a", "b", "n", "hidden",
    ]  # fmt: skip
    assert await stage.read("docs/a.md") == b"a\n"
    assert await stage.read("docs/b.md") == b"b\n"
    assert await stage.read("new/link") is None
    assert await stage.read("old/deep/x.md") is None
    assert await stage.read(".env") is None
    await stage.view(dropped=(), refs=(), trusted=())
    assert await stage.read("docs/a.md") == b"A\n"
    base = await stage.base()
    assert not base.writable
    assert ground.inside(base, "cat docs/a.md docs/b.md").split() == ["a", "b"]


async def publishing_does_all_of_it_once_and_undo_puts_it_back(ground: Ground) -> None:
    """Modes and folders included; a secret stays; a second time repeats harmlessly."""
    before = ground.tree()
    stage = await ground.worked(f"{WORK}; chmod 755 README.md; rmdir docs 2>/dev/null || true")
    done = await stage.publish(dropped=("new/link",), withheld=(), refs=())
    assert set(done.paths) == {"README.md", *CHANGED} - {"new/link"}
    after = ground.tree()
    assert after["README.md"][0] & 0o777 == 0o755
    assert after["docs/a.md"][1] == "A\n"
    assert {"docs/b.md", "new/link", "old", "old/deep", "old/deep/x.md"} & after.keys() == set()
    assert after[".env"] == before[".env"]
    reopened = await ground.make().reopen(ground.place)
    assert reopened is not None
    assert (await reopened.publish(dropped=("new/link",), withheld=(), refs=())).paths == done.paths
    assert ground.tree() == after
    await reopened.undo()
    assert ground.tree() == before
    await _raises(Conflict, lambda: reopened.publish(dropped=(), withheld=(), refs=()))


async def a_folder_that_moved_meanwhile_is_left_alone(ground: Ground) -> None:
    """A conflict on one path releases none of them; a move elsewhere is told and does no harm."""
    stage = await ground.worked()
    assert await stage.moved() == ()
    (ground.root / "README.md").write_text("meanwhile\n")
    assert await stage.moved() == ("README.md",)
    (ground.root / "docs" / "a.md").write_text("somebody's\n")
    before = ground.tree()
    await _raises(Conflict, lambda: stage.publish(dropped=(), withheld=(), refs=()))
    assert ground.tree() == before
    await stage.publish(dropped=("docs/a.md",), withheld=(), refs=())
    assert ground.tree()["README.md"][1] == "meanwhile\n"
    assert ground.tree()["docs/a.md"][1] == "somebody's\n"


async def a_file_put_back_as_it_was_is_no_conflict(ground: Ground) -> None:
    """Content, type and mode are what counts, not when it was written."""
    stage = await ground.worked()
    (ground.root / "docs" / "a.md").write_text("somebody's\n")
    await _raises(Conflict, lambda: stage.publish(dropped=(), withheld=(), refs=()))
    (ground.root / "docs" / "a.md").write_text("a\n")
    await stage.publish(dropped=(), withheld=(), refs=())
    assert ground.tree()["docs/a.md"][1] == "A\n"


async def later_work_keeps_an_undo_away(ground: Ground) -> None:
    """Nothing of it is put back."""
    stage = await ground.worked()
    await _raises(BadInput, stage.undo)
    await stage.publish(dropped=(), withheld=(), refs=())
    (ground.root / "docs" / "a.md").write_text("built on it\n")
    before = ground.tree()
    await _raises(Conflict, stage.undo)
    assert ground.tree() == before


async def a_person_may_amend_what_is_sealed(ground: Ground) -> None:
    """One more file, another digest; never through a link, never a secret, never once it is out."""
    stage = await ground.worked()
    first = await stage.seal()
    assert await stage.amend("docs/late.md", b"late\n") != first
    assert "docs/late.md" in [change.path for change in (await stage.changes()).changes]
    await _raises(Conflict, lambda: stage.amend("new/link", b"x"))
    await _raises(BadInput, lambda: stage.amend(".env", b"x"))
    await stage.publish(dropped=(), withheld=(), refs=())
    assert (ground.root / "docs" / "late.md").read_text() == "late\n"
    await _raises(Conflict, lambda: stage.amend("docs/more.md", b"x"))


async def a_fork_begins_with_what_its_parent_has_so_far(ground: Ground) -> None:
    """And its own writes stay its own."""
    parent = await ground.open()
    ground.inside(parent.mount, "echo P > docs/a.md")
    under = await ground.make().live(ground.place)
    child = await ground.open(ground.place.parent.parent.parent / "r1.1" / "attempts" / "1", under)
    assert ground.inside(child.mount, "cat docs/a.md; echo C > docs/c.md").split() == ["P"]
    await child.seal()
    assert [change.path for change in (await child.changes()).changes] == ["docs/c.md"]
    assert ground.inside(parent.mount, "test -e docs/c.md || echo apart").split() == ["apart"]


async def what_is_discarded_is_gone(ground: Ground) -> None:
    """From the disk too."""
    before = ground.tree()
    stage = await ground.worked()
    await stage.discard()
    assert not ground.place.exists()
    assert ground.tree() == before
    assert await ground.make().reopen(ground.place) is None


async def a_workspace_that_is_none_is_refused(ground: Ground) -> None:
    """And so is a stage inside the workspace itself."""
    made = ground.make()
    await _raises(BadInput, lambda: made.inspect(ground.root / "nothing", writable=lambda _: True))
    await _raises(BadInput, lambda: ground.open(ground.root / "stage"))
    seen = await made.inspect(ground.root, writable=lambda _: True)
    assert (seen.git, seen.uid, seen.gid) == (False, os.getuid(), os.getgid())


CHECKS: Sequence[Callable[[Ground], Awaitable[None]]] = (
    work_stays_on_the_stage,
    every_change_is_told_once_in_path_order,
    what_lies_in_wait_is_marked,
    a_seal_holds_across_reopening,
    a_view_is_what_would_be_published,
    publishing_does_all_of_it_once_and_undo_puts_it_back,
    a_folder_that_moved_meanwhile_is_left_alone,
    a_file_put_back_as_it_was_is_no_conflict,
    later_work_keeps_an_undo_away,
    a_person_may_amend_what_is_sealed,
    a_fork_begins_with_what_its_parent_has_so_far,
    what_is_discarded_is_gone,
    a_workspace_that_is_none_is_refused,
)


async def check_workspace(make: Callable[[], Workspace], room: Path, *, inside: Inside = at_the_folder) -> None:
    """Run every check below `room`. `make` gives a workspace, each time as a new process would have it; `inside` runs a shell
    script at a mount, which an overlay needs a namespace for. Raises AssertionError.
    """
    for check in CHECKS:
        await check(Ground(make, room / check.__name__, inside))


async def _raises(kind: type[Exception], act: Callable[[], Awaitable[object]]) -> None:
    try:
        await act()
    except kind:
        return
    raise AssertionError(f"it did not end in {kind.__name__}")
