"""Driving a run from a verb: follow the ledger while the engine works, then say how it stands."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from remit.app import engine
from remit.cli import progress
from remit.cli.asked import at_terminal
from remit.cli.main import first
from remit.cli.outcome import exit_code, outcome
from remit.cli.rollback import offered, offers, rollback
from remit.cli.say import clean, document, person_at_terminal, talk
from remit.cli.scripted import Line, scripted
from remit.engine.answering import choices
from remit.engine.delivery import deliver
from remit.engine.hands import Hands
from remit.engine.supervisor import Supervisor
from remit.run.event import Recorded, plain
from remit.run.evolve import evolve
from remit.run.state import Run

if TYPE_CHECKING:
    from remit.cli.closing import Closing

POLL = 0.05


async def drive(
    home: Path, run_id: str, *, as_json: bool, script: list[Line] | None = None, plain_view: bool = False
) -> int:  # fmt: skip
    """Drive the run until it ends or waits, printing as it goes; the exit code. `script` are answers given beforehand.

    `plain_view`: no tree is drawn of a chain, although somebody sits at a terminal.
    """
    person = person_at_terminal() and not as_json
    async with engine(home) as supervisor:
        hands = supervisor.hands
        asking = hands.signer.person if person and script is None and hands.signer is not None else ""
        follower = Follower(hands, run_id, as_json=as_json, asking=asking, tree=person and not plain_view)
        if script is not None:
            hands = replace(hands, asker=scripted(hands, script, follower.asking))
            supervisor = Supervisor(hands)
        elif person:
            hands = replace(hands, asker=at_terminal(hands, follower.asking))
            supervisor = Supervisor(hands)
        run = await followed(supervisor, run_id, follower)
        closing = await ending(hands, run) if run.chain is not None else None
    code = finish(run, as_json=as_json, closing=closing)
    if person and script is None and offers(run):
        await offered(home, run)
    return code


async def followed(supervisor: Supervisor, run_id: str, follower: "Follower") -> Run:
    """Drive, and tell every fact of the run as it is recorded."""
    await follower.catch_up(quiet=True)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(follower.follow)
            group.start_soon(follower.write)
            try:
                run = await deliver(supervisor, run_id)
            finally:
                group.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await follower.catch_up()
                    await follower.told()  # the run is over: now it may wait for whoever reads
                    await follower.end()
    except BaseExceptionGroup as several:
        raise first(several) from several
    return run


class Follower:
    """Reads what the ledger got since it last looked, and tells it.

    Whoever does not read what is printed (a full pipe, a terminal on hold) must not hold up a stop, a limit or the meter: lines
    are written by a thread, one at a time, and nobody waits for it while the run is driven.
    """

    def __init__(self, hands: Hands, run: str, *, as_json: bool, asking: str = "", tree: bool = False) -> None:
        self._hands = hands
        self._run = Run(id=run)
        self._json = as_json
        self._lines: deque[Callable[[], None]] = deque()
        self._writing = anyio.Lock()
        self._deaf = False
        self._view = progress.View(hands, asking=asking, tree=tree)

    async def follow(self) -> None:
        """Look again and again; another process may append too."""
        seen = -1
        while True:
            version = await self._hands.ledger.version()
            if version != seen:
                seen = version
                await self.catch_up()
                await self._view.look(self._run)
            await anyio.sleep(POLL)

    async def write(self) -> None:
        """Write what there is to tell, as fast as it is read."""
        while True:
            await self.told()
            if self._view.due():
                async with self._writing:
                    await anyio.to_thread.run_sync(self._view.draw, abandon_on_cancel=True)
            await anyio.sleep(POLL)

    async def told(self) -> None:
        """Until everything that was found is written, or nobody is there to read it."""
        async with self._writing:
            while self._lines:
                await anyio.to_thread.run_sync(self._some, abandon_on_cancel=True)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """What led to a question is written, and while it is asked nothing else is."""
        await self.catch_up()
        await self.told()
        async with self._writing:
            self._view.hold()
            yield

    async def end(self) -> None:
        """The last picture, where one is drawn."""
        await self._view.look(self._run)
        await anyio.to_thread.run_sync(self._view.end, abandon_on_cancel=True)

    def _some(self) -> None:
        while self._lines and not self._deaf:
            line = self._lines[0]
            try:
                line()
            except BrokenPipeError:  # the reader is gone; the run is not
                self._deaf = True
            self._lines.popleft()
        if self._deaf:
            self._lines.clear()

    async def catch_up(self, *, quiet: bool = False) -> None:
        """Find what is new."""
        for record in await self._hands.ledger.events(self._run.id, after=self._run.seq):
            self._run = evolve(self._run, record)
            if quiet and record.kind != "started":
                continue
            if self._json:
                self._lines.append(partial(document, row(record)))
            elif not quiet:
                self._lines.append(partial(self._view.show, record, self._run))


def row(record: Recorded) -> dict[str, object]:
    """One fact as one JSON line."""
    body = plain(record.event) if record.event is not None else {"kind": record.kind, "erased": True}
    return {"schema": "remit.event/1", "seq": record.seq, "at": record.at.isoformat(), **body}


async def ending(hands: Hands, run: Run) -> "Closing":
    """What is to be said of a chain besides: it is read from the runs of its sub-agents."""
    from remit.cli.closing import closing

    return closing(run, {child: await hands.replay(child) for child in dict.fromkeys(run.keys.values())})


def finish(run: Run, *, as_json: bool, closing: "Closing | None" = None) -> int:
    """The last line, or the closing screen; the exit code."""
    if as_json:
        document({**outcome(run), **({"chain": closing.document} if closing is not None else {})})
        return exit_code(run)
    for line in closing.lines if closing is not None else ():
        talk(line)
    talk()
    talk(f"  {verdict(run)}")
    if run.why:
        talk(f"  {clean(run.why)}")
    for exception in run.exceptions:
        talk(f"    exception  {clean(exception)}")
    paid = f" · {run.spend.tokens} tokens · {run.spend.usd / 1_000_000:.4f} usd" if run.modelled else ""
    talk(f"  {run.spend.turns} turns · {run.spend.time:.1f} s{paid} · {run.refusals} refused · acceptance {run.acceptance}")
    for step in next_steps(run):
        talk(f"  next: {step}")
    return exit_code(run)


def verdict(run: Run) -> str:
    """The verdict as it stands on the screen: `SUCCESS_WITH_EXCEPTIONS (1)`."""
    word = (run.verdict or ("unknown whether an effect happened" if run.doubts else "waiting for a person")).upper()
    return f"{word} ({len(run.exceptions)})" if run.exceptions else word


def next_steps(run: Run) -> list[str]:
    """What a person can type now."""
    steps = [
        f"remit answer {run.id} {each.question} {'|'.join(choices(run.questions[each.question]))}" for each in run.open_questions
    ]
    if offers(run):
        steps += [f"remit chain status {run.id}", f"remit undo {run.id}    (the rollback: {rollback(run)})"]
    if run.publish_failed:
        return [
            *steps,
            f"remit diff {run.id}",
            f"remit publish {run.id}    (once the conflict is gone: {clean(run.publish_failed)})",
        ]
    if run.verdict == "success_with_exceptions" and run.acceptance == "pending":
        steps += [f"remit diff {run.id}", f"remit accept {run.id}    (publishes, and makes the outcome yours)"]
    elif run.started is not None and run.started.step:
        steps += [f"remit show {run.started.parent}    (it is a step of that)"]
    elif run.verdict == "success" and run.acceptance == "pending" and run.published is not None:
        steps += [f"remit accept {run.id}", f"remit undo {run.id}"]
    return [*steps, f"remit account {run.id}"]
