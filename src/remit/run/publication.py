"""The release of a stage and its way back, in the past tense."""

from remit.run.fact import Fact


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
