"""The git side of a stage: what it was at the start, what the run did to it, what a publish may move."""

from collections.abc import Sequence
from pathlib import Path

from remit.adapters.workspaces import moves, refs, scratch, walk
from remit.adapters.workspaces import snapshot as snapshots
from remit.adapters.workspaces.delta import Delta
from remit.adapters.workspaces.git import Git
from remit.adapters.workspaces.journal import IndexStep, RefStep
from remit.adapters.workspaces.refs import Refs
from remit.adapters.workspaces.release import index_steps, ref_steps
from remit.adapters.workspaces.snapshot import GIT
from remit.errors import Broken
from remit.run.change import RefMove

MOST = 200
"""Entries of the repository's own files that are listed one by one."""
_REASONS = (
    (f"{GIT}/hooks", "hooks never travel"),
    (f"{GIT}/config", "settings never travel"),
    (f"{GIT}/info", "settings never travel"),
    (f"{GIT}/modules", "submodules never travel"),
    (f"{GIT}/index", "the index follows the published commits"),
)
_QUIET = (f"{GIT}/objects", f"{GIT}/logs", f"{GIT}/refs", f"{GIT}/HEAD", f"{GIT}/packed-refs")


class History:
    """One stage's repository: `git` is the user's own, `start` its refs when the stage was opened."""

    def __init__(self, place: Path, git: Git, start: Refs) -> None:
        self.place = place
        self.git = git
        self.start = start

    def effects(self, tree: Path, kind: str, quota: int | None) -> tuple[list[RefMove], list[tuple[str, str]]]:
        """Refs that moved with their commits, and the repository's own files that stay behind, with the reason."""
        files = snapshots.load(self.place / "git-files")
        fresh = files if kind == "overlay" else snapshots.load(self.place / "git-fresh")
        delta = refs.changed(tree, kind, files, fresh)
        ignored = own_files(delta)
        with walk.folder(str(tree)) as fd:
            end, strange = refs.staged(fd, delta, self.start)
        taken = None
        tips = moves.new_tips(self.start, end)
        if tips:
            try:
                taken = scratch.take(self.place, self.git, tree, delta, tips=tips, known=self.known(), quota=quota)
            except Broken as error:
                ignored.append((f"{GIT}/objects", f"{error}"))
        moved, left = moves.moves(self.start, end, taken)
        return moved, sorted({*ignored, *strange, *left})

    def known(self) -> set[str]:
        """Ids of the start that really exist."""
        ids = {known for known in (*self.start.all.values(), self.start.head) if known and not known.startswith("refs/")}
        rows = self.git.run(
            "cat-file", "--batch-check=%(objectname) %(objecttype)", data="".join(f"{known}\n" for known in ids).encode()
        )
        return {line.split(" ")[0] for line in rows.decode().splitlines() if line.split(" ")[-1] in ("commit", "tag")}

    def steps(
        self, moved: Sequence[RefMove], *, withheld: Sequence[str], allowed: Sequence[str]
    ) -> tuple[tuple[RefStep, ...], tuple[IndexStep, ...]]:
        """The refs and index entries that a publish moves."""
        steps = ref_steps(moved, self.start, withheld=withheld, refs=allowed)
        own = self.start.head if self.start.head.startswith("refs/") else "HEAD"
        head = next((step for step in steps if step.ref == own), None)
        clean = Git(self.place / "scratch.git")
        return steps, index_steps(clean, head.before, head.after) if head is not None and head.after else ()


def own_files(delta: Delta) -> list[tuple[str, str]]:
    """The repository's own files that the run touched, each with why it stays behind."""
    names = sorted(path for path in {*delta.present, *delta.removed} if not _folder(delta, path))
    found = []
    for path in names:
        if any(path == quiet or path.startswith(f"{quiet}/") for quiet in _QUIET):
            continue
        reason = next((why for start, why in _REASONS if path == start or path.startswith((f"{start}/", f"{start}."))), "")
        found.append((walk.shown(path), reason or "only commits and refs travel"))
    if len(found) > MOST:
        found = [*found[:MOST], (GIT, f"and {len(found) - MOST} more files that never travel")]
    return found


def _folder(delta: Delta, path: str) -> bool:
    state = delta.present.get(path) or delta.base.get(path)
    return state is not None and state.kind == "directory"


def plain_repository(tree: int, *, fork: bool) -> list[tuple[str, str]]:
    """A repository that the run made in a folder that had none, or a child's commits: never published."""
    state = walk.lstat(tree, GIT)
    why = "commits of a child run never travel, its files do" if fork else "a repository made by the run never travels"
    return [(GIT, why)] if state is not None and not state.whiteout else []
