"""The worker: carries on whatever has something to do, so that an answer or a deadline is acted on when it comes."""

from collections.abc import Callable
from datetime import datetime

import anyio
import anyio.lowlevel

from remit.engine.delivery import deliver
from remit.engine.desk import waiting
from remit.engine.supervisor import Supervisor
from remit.errors import Busy, RemitError
from remit.run.errand import next_moment

POLL = 0.2
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
        self._failed: dict[str, str] = {}

    async def work(self) -> None:
        """Until it is cancelled. One run after the other; a run that somebody else drives is left to them."""
        ledger, seen, looked = self._supervisor.hands.ledger, -1, -DESK
        while True:
            version, now = await ledger.version(), anyio.current_time()
            if version != seen:
                for run_id in dict.fromkeys(job.run.split(".")[0] for job in await ledger.jobs()):
                    await self._carry_on(run_id)
                if now - looked >= DESK:
                    await self._look()
                    seen, looked = version, now
            for run_id in self._due(self._supervisor.hands.clock.now()):
                self._moments.pop(run_id, None)
                await self._carry_on(run_id)
                looked = -DESK
            await anyio.sleep(POLL)

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
            run = await deliver(self._supervisor, run_id)
        except Busy:
            return
        except RemitError as error:
            if self._failed.get(run_id) != str(error):  # said once, not five times a second
                self._failed[run_id] = str(error)
                self._tell(run_id, str(error))
        else:
            self._failed.pop(run_id, None)
            self._moments[run_id] = (frozenset(), next_moment(run))
            self._tell(run_id, run.verdict or f"{len(run.open_questions)} open questions")

    def _tell(self, run_id: str, what: str) -> None:
        if self._say is not None:
            self._say(run_id, what)
