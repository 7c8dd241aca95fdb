"""Which writes Landlock grants in the box: the second wall behind the mounts. Applied by stage0.

Only rights to change things are handled; reading is what the mounts show. Landlock knows neither chmod nor utimes.
"""

from collections.abc import Sequence

from remit.value import Value

WRITE_FILE, REMOVE_DIR, REMOVE_FILE = 1 << 1, 1 << 4, 1 << 5
MAKE = sum(1 << bit for bit in range(6, 13))  # char, dir, regular, socket, fifo, block, symlink
REFER, TRUNCATE = 1 << 13, 1 << 14
SCOPE_ABSTRACT_SOCKET, SCOPE_SIGNAL = 1, 2


class Ruleset(Value, frozen=True, kw_only=True):
    """Handled rights, scopes, and which folder gets which rights."""

    handled: int
    scoped: int
    rules: tuple[tuple[str, int], ...]


def ruleset(abi: int, writable: Sequence[str]) -> Ruleset | None:
    """The rules for this kernel's version; None where there is no Landlock."""
    if abi < 1:
        return None
    rights = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE
    rights |= REFER if abi >= 2 else 0
    rights |= TRUNCATE if abi >= 3 else 0
    scopes = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL if abi >= 6 else 0
    devices = rights & (WRITE_FILE | TRUNCATE)
    rules = [(folder, rights) for folder in writable] + [("/dev", devices)]
    return Ruleset(handled=rights, scoped=scopes, rules=tuple(rules))
