"""The worker: carries on whatever has something to do, so that an answer or a deadline is acted on when it comes."""

from collections.abc import Callable
from datetime import datetime

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from remit.engine.delivery import deliver
from remit.engine.desk import waiting
from remit.engine.supervisor import Supervisor
from remit.errors import Busy
from remit.run.errand import next_moment

POLL = 0.2
ASIDE = (1, 5, 30, 300)
"""seconds for which a run that cannot go on is left alone"""
MOST_AT_ONCE = 32
DESK = 5.0
"""seconds between two looks at every open question, for those that were put by another process"""

Say = Callable[[str, str], None]
"""run, and what became of it or went wrong with it"""


class Worker:
    """Looks at the jobs whenever something was recorded, and at the clock for deadlines. It holds no state that matters."""

    def __init__(self, supervisor: Supervisor, *, say: Say | None = None) -> None:
        self._supervisor = supervisor
        self._say = say
        self._moments: dict[str, tuple[frozenset[str], datetime | None]] = {}
        self._at: set[str] = set()
        self._failed: dict[str, tuple[int, float, str]] = {}

    async def work(self) -> None:
        """Until it is cancelled. A run that works for long holds up no other; one that somebody else drives is left to them."""
        ledger, seen, looked = self._supervisor.hands.ledger, -1, -DESK
        async with anyio.create_task_group() as group:
            while True:
                version, now = await ledger.version(), anyio.current_time()
                if version != seen or self._failed:
                    for job in await ledger.jobs():
                        self._begin(group, job.run.split(".")[0])
                    if now - looked >= DESK:
                        await self._look()
                        seen, looked = version, now
                for run_id in self._due(self._supervisor.hands.clock.now()):
                    self._moments.pop(run_id, None)
                    self._begin(group, run_id)
                    looked = -DESK
                await anyio.sleep(POLL)

    def _begin(self, group: TaskGroup, run_id: str) -> None:
        """Carry a run on in a task of its own, unless one is at it."""
        if run_id not in self._at and len(self._at) < MOST_AT_ONCE:
            self._at.add(run_id)
            group.start_soon(self._carry_on, run_id)

    async def _look(self) -> None:
        """When each run with an open question must be looked at again; only runs whose questions changed are folded."""
        hands, questions = self._supervisor.hands, dict[str, set[str]]()
        for row in await waiting(hands.ledger):
            questions.setdefault(row.run, set()).add(f"{row.question} {row.expires}")
        self._moments = {run: kept for run, kept in self._moments.items() if run in questions or kept[1] is not None}
        for run_id, names in questions.items():
            if self._moments.get(run_id, (frozenset(), None))[0] != names:
                self._moments[run_id] = (frozenset(names), next_moment(await hands.replay(run_id)))
                await anyio.lowlevel.checkpoint()

    def _due(self, now: datetime) -> list[str]:
        return [run.split(".")[0] for run, (_, moment) in self._moments.items() if moment is not None and moment <= now]

    async def _carry_on(self, run_id: str) -> None:
        try:
            if self._failed.get(run_id, (0, 0.0, ""))[1] <= anyio.current_time():
                await self._delivered(run_id)
        finally:
            self._at.discard(run_id)

    async def _delivered(self, run_id: str) -> None:
        try:
            run = await deliver(self._supervisor, run_id)
        except Busy:
            return
        except Exception as error:  # noqa: BLE001 - one run must not end the others; and every try is recorded, so it is set aside
            failed, _, said = self._failed.get(run_id, (0, 0.0, ""))
            self._failed[run_id] = (failed + 1, anyio.current_time() + ASIDE[min(failed, len(ASIDE) - 1)], str(error))
            if said != str(error):
                self._tell(run_id, str(error))
        else:
            self._failed.pop(run_id, None)
            self._moments[run_id] = (frozenset(), next_moment(run))
            self._tell(run_id, run.verdict or f"{len(run.open_questions)} open questions")

    def _tell(self, run_id: str, what: str) -> None:
        if self._say is not None:
            self._say(run_id, what)
