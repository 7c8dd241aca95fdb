"""Runs as they stood when somebody looked last, so that only what is new since then has to be read and folded."""

from collections import OrderedDict
from collections.abc import Sequence

from remit.ports import Ledger, Transaction
from remit.run.event import Recorded
from remit.run.evolve import replay
from remit.run.state import Run

MOST = 512
"""runs that are remembered; the one looked at longest ago is forgotten first"""


class Folds:
    """What is committed, and nothing else: what a transaction appended itself may be rolled back, so it is not remembered."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Run] = OrderedDict()

    async def of(self, ledger: Ledger, run: str, known: Run | None = None) -> Run:
        """Where the run stands now. `known` is an earlier state of it that the caller holds."""
        mine = self._known.get(run)
        start = max((each for each in (mine, known) if each is not None), key=lambda each: each.seq, default=None)
        records = await ledger.events(run, after=start.seq if start else -1)
        if start is not None and _erased(records):
            start, records = None, await ledger.events(run)
        return self._remembered(run, replay(records, start))

    def within(self, transaction: Transaction, run: str, known: Run | None = None) -> Run:
        """The run as this transaction sees it, its own facts included."""
        clean, mine = transaction.clean, self._known.get(run)
        start = mine if known is None or (mine is not None and mine.seq >= known.seq) else known
        records = transaction.events(run, after=start.seq if start else -1)
        if start is not None and _erased(records):
            start, records = None, transaction.events(run)
        state = replay(records, start)
        return self._remembered(run, state) if clean else state

    def _remembered(self, run: str, state: Run) -> Run:
        self._known[run] = state
        self._known.move_to_end(run)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return state


def _erased(records: Sequence[Recorded]) -> bool:
    """Whether bodies were erased since: what was known of them must not live on here."""
    return any(record.kind == "bodies_erased" for record in records)
