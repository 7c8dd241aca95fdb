"""What a stage holds against its base, before anything is compared: the common ground of overlay and copy."""

from remit.adapters.workspaces.snapshot import Snapshot
from remit.adapters.workspaces.walk import Stat


class Delta:
    """Entries that may differ (with their state in the stage) and base entries that are gone."""

    def __init__(self, base: Snapshot, hidden: frozenset[str]) -> None:
        self.base = base
        self.hidden = hidden
        self.present: dict[str, Stat] = {}
        self.removed: set[str] = set()
        self.forged: set[str] = set()
        self.too_deep: set[str] = set()

    def write(self, path: str, state: Stat, *, forged: bool = False) -> None:
        """The stage has its own entry here."""
        self.present[path] = state
        if forged:
            self.forged.add(path)
        known = self.base.get(path)
        if known is not None and known.kind == "directory" and state.kind != "directory":
            self._remove_below(path)

    def remove(self, path: str) -> None:
        """A base entry, and all below it, is gone; secrets that were never shown stay."""
        if self.base.get(path) is None or path in self.hidden:
            return
        self._remove_below(path)
        if not self.holds_secret(path):
            self.removed.add(path)

    def remove_all(self) -> None:
        """Everything of the base is gone."""
        self.removed |= self.base.states.keys()

    def _remove_below(self, path: str) -> None:
        for below in self.base.below(path):
            if below not in self.hidden and not self.holds_secret(below):
                self.removed.add(below)

    def holds_secret(self, path: str) -> bool:
        """Whether a hidden entry stands below this folder, which therefore stays."""
        return any(secret.startswith(f"{path}/") for secret in self.hidden)

    def gone_folders(self) -> set[str]:
        """Base folders the stage no longer has."""
        return {path for path in self.removed if (state := self.base.get(path)) is not None and state.kind == "directory"}


def deep(path: str) -> int:
    """How many folders stand above a path."""
    return path.count("/") if path else -1
