"""Screens that say how far a chain is: handed over, complete, several at once."""

from collections.abc import Sequence
from typing import Final

from remit.plan.screens.line import line

WIDTH: Final = 18
"""cells of a bar"""


def bar(done: int, total: int) -> str:
    """`[3/6] ██████████░░░░░░░░ 50%`: eighteen cells, per cent rounded down.

    The cells that are done are filled, and the one being worked on: so many whole cells as fit, and one more. Nothing done fills
    none; the last cell is filled when all is done and never before. Half of eighteen is nine, and the tenth is under way.
    """
    total = max(total, 0)
    done = min(max(done, 0), total)
    filled = WIDTH if done == total else min(WIDTH * done // total + 1, WIDTH - 1) if done else 0
    percent = 100 * done // total if total else 100
    return f"[{done}/{total}] {'█' * filled}{'░' * (WIDTH - filled)} {percent}%"


def delegating(name: str, done: int, total: int) -> str:
    """A step is handed to a fresh sub-agent (MODE-06). `total` counts the final validation."""
    return f"DELEGATING: {line(name)}\nProgress: {done}/{total} complete\n\nSpawning sub-agent..."


def completed(name: str, files: int, done: int, total: int) -> str:
    """A step came back complete, with so many files (MODE-07). `total` counts the final validation."""
    ready = (
        "  Ready for next skill." if done < total - 1 else "  Ready for final validation." if done < total else "  All complete."
    )
    return f"Skill complete: {line(name)}\n  Files created: {files}\n{ready}\n\n  Progress: {bar(done, total)}"


def parallel(steps: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """Steps that begin together, each with what it depends on (SUB-09, S6)."""
    tasks = " ".join(f"[Task {number}: {line(name)}]" for number, (name, _) in enumerate(steps, 1))
    return "\n".join(("Parallel execution detected:", *map(_depends, steps), "", tasks))


def now_running(steps: Sequence[tuple[str, tuple[str, ...]]], *, complete: int = 2, of: int = 2) -> str:
    """The steps that begin after `of` that ran together ended, `complete` of them well (S6)."""
    if complete < of:
        ended = f"{complete} of {of} complete"
    else:
        ended = {0: "Nothing to wait for", 1: "Complete", 2: "Both complete"}.get(of, f"All {of} complete")
    return "\n".join((f"{ended}, now running:", *map(_depends, steps)))


# ---------------------------------------------------------------------------------------------------------------------


def _depends(step: tuple[str, tuple[str, ...]]) -> str:
    name, needs = step
    return f"  - {line(name)} ({'depends on ' + ', '.join(map(line, needs)) if needs else 'no deps'})"
