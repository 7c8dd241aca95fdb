"""The recovery ladder: which rung holds now."""

from remit.contract.outcome import Recovery
from remit.run.state import Run


def conditions(run: Run) -> tuple[str, ...]:
    """Every `when` that holds, apart from `failed`, which holds when nothing above it did."""
    held: list[str] = []
    if run.finished is not None:
        failing = [check for check in run.finished.failed if check not in run.finished.excused]
        held += [f"{check} fails" for check in failing]
        if failing:
            held.append("any check fails")
    if run.trouble:
        held.append(run.trouble)
    if run.refusals:
        held.append("refused")
    return tuple(held)


def next_rung(run: Run) -> tuple[int, Recovery] | None:
    """The first entry, in order, that holds and is not used up. `retry n` may be taken n times, any other once."""
    held = conditions(run)
    for index, entry in enumerate(run.contract.recovery):
        taken = sum(1 for rung in run.rungs if rung.entry == index)
        if taken >= (entry.times if entry.do == "retry" else 1):
            continue
        if entry.when in held or entry.when == "failed":
            return index, entry
    return None


def unlocked(run: Run) -> tuple[Recovery, ...]:
    """Entries whose condition has held: their extra `may` exists from then on."""
    return tuple(run.contract.recovery[index] for index in sorted({rung.entry for rung in run.rungs}))
