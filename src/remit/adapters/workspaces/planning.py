"""From the chosen changes to the steps of a publish, after every touched path was found as it was."""

import os
import stat
from collections.abc import Iterable

from remit.adapters.workspaces import walk
from remit.adapters.workspaces.changes import Found
from remit.adapters.workspaces.copied import copy_bytes
from remit.adapters.workspaces.delta import deep
from remit.adapters.workspaces.journal import Journal, Step, sync_folder
from remit.adapters.workspaces.snapshot import Snapshot
from remit.adapters.workspaces.walk import Stat
from remit.errors import Broken, Conflict


class Planner:
    """Plans one publish into the open workspace `root`. `gone` tells whether the stage no longer has a base folder."""

    def __init__(self, root: int, tree: int, base: Snapshot, rows: list[Found], gone: set[str]) -> None:
        self.root = root
        self.tree = tree
        self.base = base
        self.rows = {row.path: row for row in rows}
        self.gone = gone
        self.owner = walk.facts(os.fstat(root))
        self.again: dict[str, Stat] = {}
        """base entries with other times or another inode and yet the same content, as they stand now"""

    def check(self) -> None:
        """Raises Conflict naming every touched path that moved since the stage was opened; nothing is written."""
        moved = [path for path in self.rows if self._moved(path)]
        moved += [path for folder in self.empties() for path in self._strangers(folder)]
        if moved:
            raise Conflict(conflict_text(moved), hint="look at what changed there, then run again or undo your own change")

    def _moved(self, path: str) -> bool:
        known, now = self.base.get(path), walk.look(self.root, path)
        if known is None:
            return now is not None or self._blocked(path)
        if known.same(now):
            return False
        if now is None or not self._same_all_the_same(path, known, now):
            return True
        self.again[path] = now
        return False

    def _same_all_the_same(self, path: str, known: Stat, now: Stat) -> bool:
        """Touched, hard-linked or put back, but of the same type, mode and content.

        A pre-image link moves ctime, so a publish that was killed before its journal was whole must not conflict with itself.
        """
        before = self.rows[path].change.before
        if now.kind != known.kind or (now.mode, now.uid, now.gid) != (known.mode, known.uid, known.gid):
            return False
        above, name = walk.split(path)
        try:
            with walk.beneath(self.root, above) as at:
                if now.kind == "link":
                    return walk.shown(walk.read_link(at, name)) == before.target != ""
                return now.kind == "file" and before.sha256 == walk.hash_file(at, name) != ""
        except (OSError, Conflict):
            return False

    def _blocked(self, path: str) -> bool:
        """A folder on the way that the base had, or nobody had, is now something else."""
        while path := path.rpartition("/")[0]:
            now, known = walk.look(self.root, path), self.base.get(path)
            if now is None:
                if known is not None and path not in self.rows:
                    return True
                continue
            if known is None or known.kind == "directory":
                return now.kind != "directory"
            return path not in self.rows
        return False

    def empties(self) -> list[str]:
        """Base folders that vanish with what was in them, deepest first."""
        deleted = {path for path, row in self.rows.items() if row.change.after.type == "absent"}
        out: set[str] = set()
        candidates = {path for path in self.gone if self._was_folder(path)}
        candidates |= {path for path, row in self.rows.items() if row.change.before.type == "directory" != row.change.after.type}
        for folder in sorted(candidates, key=lambda path: (-deep(path), path)):
            inside = [path for path in self.base.below(folder) if deep(path) == deep(folder) + 1]
            if all(path in deleted or path in out for path in inside):
                out.add(folder)
        return sorted(out, key=lambda path: (-deep(path), path))

    def _was_folder(self, path: str) -> bool:
        state = self.base.get(path)
        return state is not None and state.kind == "directory" and self._allowed(path)

    def _allowed(self, path: str) -> bool:
        # An empty base folder is a change of its own, which may have been dropped; others go with their content.
        return bool(self.base.below(path)) or path in self.rows

    def _strangers(self, folder: str) -> list[str]:
        try:
            with walk.beneath(self.root, folder) as at:
                names = [f"{folder}/{name}" for name, _ in walk.entries(at)]
        except Conflict:
            return [folder]
        return [path for path in names if self.base.get(path) is None]

    def steps(self) -> tuple[Step, ...]:
        """Deletes deepest first, then folders shallowest first, then files and links."""
        empties = self.empties()
        unlink, make, write = [], [], []
        for path, row in self.rows.items():
            after, before = row.change.after.type, self.base.get(path)
            if before is not None and before.kind != "directory" and after in ("absent", "directory"):
                unlink.append(self._step("unlink", path))
            if after == "directory":
                same = before is not None and before.kind == "directory"
                make.append(self._step("mode" if same else "mkdir", path, row))
            elif after in ("file", "link"):
                write.append(self._step("write" if after == "file" else "link", path, row))
        make += [self._step("mkdir", path) for path in self._missing_parents(set(empties))]
        unlink.sort(key=lambda step: (-deep(step.name), step.path))
        make.sort(key=lambda step: (deep(step.name), step.path))
        write.sort(key=lambda step: (deep(step.name), step.path))
        return (*unlink, *(self._step("rmdir", path) for path in empties), *make, *write)

    def _missing_parents(self, emptied: set[str]) -> set[str]:
        made = {path for path, row in self.rows.items() if row.change.after.type == "directory"}
        out: set[str] = set()
        for path, row in self.rows.items():
            if row.change.after.type == "absent":
                continue
            above = path
            while above := above.rpartition("/")[0]:
                state = self.base.get(above)
                absent = state is None or state.kind != "directory" or above in emptied
                if absent and above not in made and walk.look(self.root, above) is None:
                    out.add(above)
        return out

    def folders(self, steps: Iterable[Step]) -> tuple[tuple[bytes, int], ...]:
        """Folders whose names change, with their modification times as they are now; for putting back."""
        out: dict[str, int] = {}
        for step in steps:
            above = walk.split(step.name)[0]
            state = walk.look(self.root, above) if above else self.owner
            if state is not None and state.kind == "directory":
                out[above] = state.mtime
            if step.do == "rmdir" and step.before is not None:
                out[step.name] = step.before.mtime
        return tuple((path.encode("utf-8", "surrogateescape"), mtime) for path, mtime in out.items())

    def _step(self, do: str, path: str, row: Found | None = None) -> Step:
        before = self.again.get(path) or self.base.get(path)
        kept = before if before is not None else self.owner
        after = row.change.after if row else None
        return Step(
            do=do,  # type: ignore[arg-type]
            path=path.encode("utf-8", "surrogateescape"),
            before=before,
            mode=_mode(before, after.mode if after else 0o755, folder=do in ("mkdir", "mode", "rmdir")),
            uid=kept.uid,
            gid=kept.gid,
            sha256=after.sha256 if after else "",
            target=os.fsencode(self._target(path)) if do == "link" else b"",
        )

    def _target(self, path: str) -> str:
        above, name = walk.split(path)
        with walk.beneath(self.tree, above) as at:
            target = walk.read_link(at, name)
        if walk.shown(target) != self.rows[path].change.after.target:
            raise Broken(f"`{walk.shown(path)}` is not what was judged; the stage was touched after it was sealed")
        return target


def _mode(before: Stat | None, wanted: int, *, folder: bool) -> int:
    """644 or 755; a file or folder that was private in the base stays private."""
    if folder:
        return 0o755 if before is None or before.kind != "directory" or wanted & 0o055 else 0o700
    runs = bool(wanted & 0o100)
    if before is None or before.kind != "file":
        return 0o755 if runs else 0o644
    kept = before.bits & 0o666
    return kept | ((kept & 0o444) >> 2) if runs else kept


def keep_images(root: int, steps: Iterable[Step], journal: Journal) -> tuple[Step, ...]:
    """Pre-images of everything a step removes or replaces: a hard link where the disk allows, else a copy."""
    out: list[Step] = []
    with walk.folder(str(journal.pre)) as keep:
        for number, step in enumerate(steps):
            if step.before is None or step.before.kind not in ("file", "link") or step.do not in ("unlink", "write", "link"):
                out.append(step)
                continue
            above, name = walk.split(step.name)
            with walk.beneath(root, above) as at:
                _image(at, name, keep, str(number), step.before)
            out.append(_with(step, number))
    sync_folder(journal.pre)
    return tuple(out)


def _with(step: Step, number: int) -> Step:
    return Step(
        do=step.do, path=step.path, before=step.before, pre=number, mode=step.mode, uid=step.uid, gid=step.gid,
        sha256=step.sha256, target=step.target,
    )  # fmt: skip


def _image(at: int, name: str, keep: int, number: str, state: Stat) -> None:
    try:
        os.link(name, number, src_dir_fd=at, dst_dir_fd=keep, follow_symlinks=False)
    except OSError:
        copy_entry(at, name, keep, number, state)


def copy_entry(at: int, name: str, into: int, new: str, state: Stat) -> None:
    """A file or link with its mode, owner and times, under another name; durable."""
    if state.kind == "link":
        os.symlink(os.readlink(name, dir_fd=at), new, dir_fd=into)
        if os.geteuid() == 0:
            os.chown(new, state.uid, state.gid, dir_fd=into, follow_symlinks=False)
        os.utime(new, ns=(state.mtime, state.mtime), dir_fd=into, follow_symlinks=False)
        return
    source = walk.open_file(at, name)
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=into)
        try:
            copy_bytes(source, fd)
            if os.geteuid() == 0:
                os.fchown(fd, state.uid, state.gid)
            os.fchmod(fd, stat.S_IMODE(state.mode))
            os.utime(fd, ns=(state.mtime, state.mtime))
            walk.sync_file(fd)
        finally:
            os.close(fd)
    finally:
        os.close(source)


def conflict_text(paths: Iterable[str]) -> str:
    """The sentence of a conflict, naming at most ten paths."""
    names = sorted(set(map(walk.shown, paths)))
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"changed in the workspace meanwhile: {', '.join(f'`{name}`' for name in names[:10])}{more}; nothing was published"
