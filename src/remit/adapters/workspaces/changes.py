"""From what a stage holds to the change list: the same list whichever rung of the ladder held it."""

from remit.adapters.workspaces import dangers, walk
from remit.adapters.workspaces.delta import Delta
from remit.adapters.workspaces.snapshot import Snapshot
from remit.adapters.workspaces.walk import Stat
from remit.authority.plants import plant
from remit.errors import Conflict
from remit.run.change import Change, Seen
from remit.value import Value


class Found(Value, frozen=True, kw_only=True):
    """A change, the bytes of its real name, and why it can never be published (empty when it can)."""

    name: bytes
    change: Change
    never: str = ""

    @property
    def path(self) -> str:
        """The real name, as the operating system takes it."""
        return self.name.decode("utf-8", "surrogateescape")


class Comparison:
    """Compares a delta with its base. `base` and `tree` are open folders: the workspace and what the stage wrote."""

    def __init__(self, delta: Delta, *, base: int, tree: int, quota: int | None) -> None:
        self.delta = delta
        self.base = base
        self.tree = tree
        self.quota = quota
        self.parents = {path.rpartition("/")[0] for path in delta.present}
        self.new: dict[str, str] = {}

    def found(self) -> list[Found]:
        """Every change, in path order."""
        rows = [self._written(path, state) for path, state in sorted(self.delta.present.items())]
        rows += [self._deleted(path) for path in self.delta.removed - self.delta.present.keys()]
        return sorted((row for row in rows if row is not None), key=lambda row: row.name)

    def _written(self, path: str, state: Stat) -> Found | None:
        before = self.delta.base.get(path)
        if path in self.delta.hidden:
            return self._on_secret(path, before, state)
        if before is None and state.kind == "directory" and path in self.parents and path not in self.delta.too_deep:
            return None  # a folder exists through what is in it
        if before is not None and before.kind == "directory" == state.kind and before.bits == state.bits:
            return None
        old, new = self._seen_base(path, before), self._seen_stage(path, state)
        if _equal(old, new):
            return None
        reason, never = self._danger(path, state, new, fresh=before is None)
        change = Change(path=walk.shown(path), verb="write", before=old, after=new, plant=reason)
        return Found(name=_bytes(path), change=change, never=never)

    def _on_secret(self, path: str, before: Stat | None, state: Stat) -> Found:
        why = "a secret that was not shown to the run stands here"
        after = walk.seen(state)
        change = Change(path=walk.shown(path), verb="write", before=walk.seen(before), after=after, plant=why)
        return Found(name=_bytes(path), change=change, never=why)

    def _deleted(self, path: str) -> Found | None:
        before = self.delta.base.get(path)
        if before is None or (before.kind == "directory" and self.delta.base.below(path)):
            return None  # a folder goes with the last thing in it
        old = self._seen_base(path, before)
        change = Change(
            path=walk.shown(path), verb="delete", before=old, after=Seen(type="absent"), plant=plant(walk.shown(path))
        )
        return Found(name=_bytes(path), change=change, never=_never_by_name(path))

    def _seen_base(self, path: str, state: Stat | None) -> Seen:
        if state is None or state.kind not in ("file", "link"):
            return walk.seen(state)
        above, name = walk.split(path)
        try:
            with walk.beneath(self.base, above) as at:
                if state.kind == "link":
                    content = walk.seen(state, target=walk.read_link(at, name))
                else:
                    content = walk.seen(state, sha256=walk.hash_file(at, name))
                # What moved since the stage was opened has no known content: publishing must call it a conflict.
                return content if state.same(walk.lstat(at, name)) else walk.seen(state)
        except (OSError, Conflict):
            return walk.seen(state)  # moved or unreadable meanwhile: publishing will call it a conflict

    def _seen_stage(self, path: str, state: Stat) -> Seen:
        above, name = walk.split(path)
        with walk.beneath(self.tree, above) as at:
            if state.kind == "link":
                return walk.seen(state, target=walk.read_link(at, name))
            if state.kind == "file" and state.size <= (dangers.LARGEST if self.quota is None else self.quota):
                return walk.seen(state, sha256=walk.hash_file(at, name, unlock=True))
        return walk.seen(state)

    def _danger(self, path: str, state: Stat, new: Seen, *, fresh: bool) -> tuple[str, str]:
        name = dangers.name_trouble(path)
        body = dangers.state_trouble(path, state, self.delta, self.quota)
        never = name if "UTF-8" in name else ""
        if state.kind == "other" or path in self.delta.too_deep or "quota" in body:
            never = body
        reason = name or body or plant(walk.shown(path))
        if not reason and state.kind == "link":
            reason = dangers.link_trouble(path, self._target(path) or "", self._target)
        if fresh and (other := dangers.twin(path, self.delta, self.new)) and not reason:
            reason = f"its name is the twin of `{walk.shown(other)}`"
        return reason, never

    def _target(self, path: str) -> str | None:
        state = self.delta.present.get(path)
        fd = self.tree
        if state is None:
            state, fd = self.delta.base.get(path), self.base
            if path in self.delta.removed:
                return None
        if state is None or state.kind != "link":
            return None
        above, name = walk.split(path)
        try:
            with walk.beneath(fd, above) as at:
                return walk.read_link(at, name)
        except (OSError, Conflict):
            return None


def _never_by_name(path: str) -> str:
    name = dangers.name_trouble(path)
    return name if "UTF-8" in name else ""


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _equal(old: Seen, new: Seen) -> bool:
    if old.type != new.type:
        return False
    if old.type == "link":
        return old.target == new.target
    if old.type == "file":
        return old.mode == new.mode and old.sha256 == new.sha256 != ""
    return old.type == "directory" and old.mode == new.mode


def chosen(found: list[Found], dropped: set[str], base: Snapshot) -> list[Found]:
    """What remains to be published: not dropped, publishable, and not resting on something that was dropped.

    A file that replaces a folder needs every delete below it; a file below a new folder needs what stood there gone.
    """
    out = {row.path for row in found if row.never or row.change.path in dropped}
    rows = {row.path: row for row in found}
    for path, row in rows.items():
        if row.change.before.type == "directory" and row.change.after.type != "directory" and row.change.after.type != "absent":
            kept = [below for below in base.below(path) if below in out or (below not in rows and _leaf(base, below))]
            if kept:
                out.add(path)
    for path in rows:
        above = path
        while above := above.rpartition("/")[0]:
            state = base.get(above)
            if state is not None and state.kind != "directory" and (above in out or above not in rows):
                out.add(path)
    return [row for row in found if row.path not in out]


def _leaf(base: Snapshot, path: str) -> bool:
    state = base.get(path)
    return state is not None and (state.kind != "directory" or not base.below(path))
