"""Who lives in a box, as the host sees it: for the receipt of what was killed."""

import os
from contextlib import suppress
from pathlib import Path

NAMED = 16
"""processes that are told one by one; the rest is a number"""


def inhabitants(namespace: int) -> tuple[str, ...]:
    """Every process of a pid namespace but its first and what remit itself put beside it, as `name (pid inside)`."""
    found: list[tuple[int, str]] = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 - names only
        if not entry.isdecimal():
            continue
        with suppress(OSError, ValueError, IndexError):
            place = Path("/proc") / entry
            if (place / "ns" / "pid").stat().st_ino != namespace:
                continue
            status = (place / "status").read_text(errors="replace")
            inside = int(_field(status, "NSpid").split()[-1])
            if inside > 1 and not _field(status, "State").startswith(("Z", "X")):
                name = "".join(letter if letter.isprintable() else "?" for letter in _field(status, "Name"))
                found.append((inside, f"{name} (pid {inside} inside)"))
    found.sort()
    named = [said for _, said in found[:NAMED]]
    return (*named, f"and {len(found) - NAMED} more") if len(found) > NAMED else tuple(named)


def _field(status: str, name: str) -> str:
    return next(line.partition(":")[2].strip() for line in status.splitlines() if line.startswith(f"{name}:"))
