"""What a run did to its workspace, as values: changed paths, commits, moved refs."""

from typing import Literal

from remit.run.fact import Fact
from remit.value import Value

EntryType = Literal["file", "directory", "link", "other", "absent"]


class Seen(Value, frozen=True, kw_only=True):
    """One side of a change: type, permission bits, size in bytes, sha256 of a file, target of a link."""

    type: EntryType
    mode: int = 0
    size: int = 0
    sha256: str = ""
    target: str = ""
    links: int = 1


class Change(Value, frozen=True, kw_only=True):
    """One path that differs from the base. `path` is workspace-relative; a rename is a delete and a write.

    `plant` says why the path is dangerous wherever it lands (a hook, an editor task, a link out, setuid, a special file).
    """

    path: str
    verb: Literal["write", "delete"]
    before: Seen
    after: Seen
    plant: str = ""


class Commit(Value, frozen=True, kw_only=True):
    """One new commit: its id, first line, parents, and the paths its tree changes against its first parent."""

    id: str
    subject: str
    parents: tuple[str, ...]
    changes: tuple[Change, ...]


class RefMove(Value, frozen=True, kw_only=True):
    """One ref that differs from the start: `verb` is commit, branch or tag; `object` the branch or tag name.

    `head` is true for the branch checked out at the start. Before and after are ids, empty when absent.
    """

    verb: Literal["commit", "branch", "tag"]
    object: str
    head: bool
    before: str
    after: str
    commits: tuple[Commit, ...] = ()
    fast_forward: bool = True


class ChangeSet(Value, frozen=True, kw_only=True):
    """Everything a sealed stage holds: paths in order, refs that moved, files ignored with the reason."""

    changes: tuple[Change, ...] = ()
    refs: tuple[RefMove, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()


class PublishIntended(Fact, frozen=True, kw_only=True, tag="publish_intended"):
    """The stage is about to be released; everything needed to finish or take back is on disk."""

    attempt: int
    journal: str


class Published(Fact, frozen=True, kw_only=True, tag="published"):
    """The stage was released: the paths and refs that changed."""

    attempt: int
    paths: tuple[str, ...]
    refs: tuple[str, ...]
    receipt: str


class PublishFailed(Fact, frozen=True, kw_only=True, tag="publish_failed"):
    """Nothing was released: a conflict, or the disk."""

    attempt: int
    why: str
    conflicts: tuple[str, ...] = ()


class PublishAsked(Fact, frozen=True, kw_only=True, tag="publish_asked"):
    """A person wants what was kept back to be tried once more."""

    by: str


class UndoIntended(Fact, frozen=True, kw_only=True, tag="undo_intended"):
    """What the run published is about to be put back."""

    by: str


class Undone(Fact, frozen=True, kw_only=True, tag="undone"):
    """The stage was dropped, or what was published was put back."""

    paths: tuple[str, ...]
    receipt: str


class UndoFailed(Fact, frozen=True, kw_only=True, tag="undo_failed"):
    """Nothing was put back, because later work builds on it."""

    why: str
    conflicts: tuple[str, ...] = ()
