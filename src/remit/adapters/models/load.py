"""What one attempt has going through the door, so that no box can wear out the host that serves it."""

from dataclasses import dataclass

CONNECTIONS = 400
"""connections of one attempt at a time"""
BYTES = 256 * 2**20
"""bytes of bodies of one attempt that are held at a time"""
TROUBLES = 6
"""answers of the provider in a row that say `try again`; after these the runtime is told to stop"""
RECORDED = 200
"""requests of one attempt turned away that are put on record one by one"""
FREE = 200
"""counts of tokens and lists of models that one attempt may ask the provider for"""
_ATTEMPTS = 256


@dataclass
class Load:
    """Of one attempt: open connections, bytes held, troubles in a row, refusals on record, counts and lists asked for."""

    connections: int = 0
    held: int = 0
    troubles: int = 0
    recorded: int = 0
    free: int = 0

    def again(self) -> bool:
        """The provider asks to try again; whether the runtime may still be told so."""
        self.troubles += 1
        return self.troubles <= TROUBLES


class Loads:
    """The load of each attempt, found by its token; attempts of long ago are forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, Load] = {}

    def of(self, token: str) -> Load:
        """The load of the attempt with this token."""
        load = self._known.pop(token, None) or Load()
        self._known[token] = load
        for old in [name for name, each in self._known.items() if not each.connections][: max(0, len(self._known) - _ATTEMPTS)]:
            if old != token:
                del self._known[old]
        return load
