"""What earlier granted actions used up, as `decide` needs it."""

from collections.abc import Mapping
from datetime import datetime

from remit.contract.limits import Count, Spend, Sum
from remit.value import Value


class Used(Value, frozen=True, kw_only=True):
    """One earlier granted action that windows count. `arguments` holds what sums add and what `per` groups by."""

    at: datetime
    run: str
    verb: str
    object: str
    arguments: Mapping[str, str]
    rules: tuple[tuple[str, str], ...] = ()


class Spent(Value, frozen=True, kw_only=True):
    """Per contract hash: what its run has spent, how often its rules granted, the window of used actions, created values.

    `times` maps (contract hash, rule id) to a count. `created` are texts returned by granted calls of this run. `trees` names,
    for every window kept with `scope: run`, the run whose contract has it: what was done in that run or below it counts. A window
    that it does not name is this run's own.
    """

    spend: Mapping[str, Spend] = {}
    times: Mapping[tuple[str, str], int] = {}
    used: tuple[Used, ...] = ()
    created: frozenset[str] = frozenset()
    run: str = ""
    trees: Mapping[Sum | Count, str] = {}


def in_tree(run: str, top: str) -> bool:
    """Whether a run is this one, or a child of it, however far below."""
    return run == top or run.startswith(f"{top}.")
