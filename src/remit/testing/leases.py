"""Leases within one process, for engines that share nothing with another."""

from collections.abc import Iterator
from contextlib import contextmanager

from remit.errors import Busy


class MemoryLeases:
    """See `remit.ports.Leases`; forgotten with the process, as a real one is let go."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lease for the length of the context. Raises Busy when somebody has it."""
        if name in self.held:
            raise Busy(f"another engine is driving `{name}`")
        self.held.add(name)
        try:
            yield
        finally:
            self.held.discard(name)
