"""`remit stop`: end a run, everything below it, or every run, and say how it is known that nothing is left."""

import sys
from pathlib import Path

import anyio
import click

from remit.app import engine
from remit.cli.driving import drive
from remit.cli.place import home
from remit.cli.say import clean, document, talk
from remit.cli.which import resolve
from remit.engine.attempt import born
from remit.engine.hands import Hands
from remit.engine.inbox import ask_stop
from remit.errors import BadInput, Busy, RemitError
from remit.run.event import Stopped
from remit.run.state import Run

PATIENCE = 10.0


@click.command("stop")
@click.argument("run", default="last")
@click.option("--all", "every", is_flag=True, help="every run that has not ended")
@click.option("--why", default="asked to", help="for the record")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(run: str, every: bool, why: str, as_json: bool) -> None:
    """Stop RUN and everything in it (default: the last one), or every run."""
    if every and run != "last":
        raise BadInput("--all stops every run, and a run is named too", hint="give one of them")
    sys.exit(anyio.run(_stop, run, every, why, as_json))


async def _stop(name: str, every: bool, why: str, as_json: bool) -> int:
    here = home()
    async with engine(here) as supervisor:
        hands = supervisor.hands
        named = await _open(hands) if every else [await resolve(hands.ledger, name)]
        by = hands.signer.person if hands.signer else "somebody at this machine"
        for run_id in named:  # all are asked before any is waited for: the last must not work on while the first ends
            await ask_stop(hands, run_id, by=by, why=why)
        for run_id in named:
            await _left(hands, run_id)
    if not named:
        talk("nothing is running")
    codes = [await _ended(here, run_id, as_json=as_json) for run_id in named]
    return max(codes, default=0)


async def _open(hands: Hands) -> list[str]:
    """Runs at the top that have not ended; what is below them ends with them."""
    found = [record.run for record in await hands.ledger.runs() if "." not in record.run and record.event is not None]
    return [run_id for run_id in found if (await hands.replay(run_id)).verdict is None]


async def _left(hands: Hands, run_id: str) -> None:
    """Until whoever drives it has seen the stop, or for a while; not for an effect that has begun, which nothing calls back."""
    with anyio.move_on_after(PATIENCE):
        known = None
        while True:
            try:
                with hands.leases.hold(run_id):
                    return
            except Busy:
                await anyio.sleep(0.05)
            known = await hands.replay(run_id, known)
            if not _lives(known) and any(draft.state == "publishing" for draft in known.drafts.values()):
                return


def _lives(run: Run) -> bool:
    """Whether the first process of its box is there."""
    return run.box is not None and born(run.box[0]) == run.box[1] != 0


async def _ended(here: Path, run_id: str, *, as_json: bool) -> int:
    async with engine(here) as supervisor:
        run = await supervisor.hands.replay(run_id)
    if run.verdict is None:
        try:
            code = await drive(here, run_id, as_json=as_json)
        except Busy:
            return await _awaited(here, run_id)
        except RemitError as error:
            talk(f"{run_id}: {error}")
            return error.exit_code
        if code not in (0, 6):
            return code
    async with engine(here) as supervisor:
        await _receipt(supervisor.hands, await supervisor.hands.replay(run_id), as_json=as_json)
    return 0


async def _awaited(here: Path, run_id: str) -> int:
    """Another process still has the run: what is known by now. An effect that has begun cannot be called back, and is awaited."""
    async with engine(here) as supervisor:
        run = await supervisor.hands.replay(run_id)
    living = _lives(run)
    talk(f"{run_id} is asked to stop; " + ("its box still lives" if living else "nothing of its box lives any more"))
    begun = [draft.action.said() for draft in run.drafts.values() if draft.state == "publishing"]
    for each in begun:
        talk(f"  remains  {clean(each)} has begun: it cannot be called back, and its end is awaited")
    if run.verdict is None:
        talk(f"  `remit show {run_id}` says the verdict once it is there")
    return 7 if begun and not living else 1


async def _receipt(hands: Hands, run: Run, *, as_json: bool) -> None:
    """What ended, how it is known that nothing lives, and what no stop can call back."""
    facts = [record.event for record in await hands.ledger.events(run.id) if isinstance(record.event, Stopped)]
    fact = facts[-1] if facts else Stopped(run=run.id, receipt=run.stopped)
    if as_json:
        document(
            {
                "schema": "remit.stop/1", "run": run.id, "verdict": run.verdict, "receipt": fact.receipt,
                "ended": list(fact.ended), "remains": list(fact.remains),
            }
        )  # fmt: skip
        return
    talk(f"{run.id} {run.verdict}: {clean(fact.receipt)}")
    for each in fact.ended:
        talk(f"  ended    {clean(each)}")
    for each in fact.remains:
        talk(f"  remains  {clean(each)}")
