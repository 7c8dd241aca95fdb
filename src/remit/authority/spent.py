"""What earlier granted actions used up, as `decide` needs it."""

from collections.abc import Mapping
from datetime import datetime

from remit.contract.limits import Spend
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

    `times` maps (contract hash, rule id) to a count. `created` are texts returned by granted calls of this run.
    """

    spend: Mapping[str, Spend] = {}
    times: Mapping[tuple[str, str], int] = {}
    used: tuple[Used, ...] = ()
    created: frozenset[str] = frozenset()
    run: str = ""
