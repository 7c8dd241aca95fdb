"""Taking on a run: everything that will decide is pinned in one fact, and the run is submitted with it."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from remit.contract.contract import Contract, Level
from remit.contract.models import CHAIN
from remit.contract.party import Organisation
from remit.engine.attempt import require_level
from remit.engine.gear import found
from remit.engine.hands import Hands
from remit.engine.sight import touches
from remit.errors import BadInput
from remit.ports import Job
from remit.run.event import Event, Started
from remit.run.state import Run
from remit.value import encode

MACHINE = ("/proc", "/sys", "/dev")


def new_run_id(now_ms: int) -> str:
    """A short id that sorts by time: seconds in base 36, then chance."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    number, text = now_ms // 1000, ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return f"r{text}{secrets.token_hex(3)}"


async def start(
    hands: Hands,
    contract: Contract,
    organisation: Organisation,
    workspace: Path,
    command: Sequence[str],
    *,
    trigger: str,
    visible: Sequence[str] = (),
    accepted: tuple[Level, str] | None = None,
    checklist: Sequence[tuple[str, bool]] = (),
    context: Sequence[tuple[str, str]] = (),
    requester: str = "",
    unattended: bool = False,
    hosted: bool = False,
    runtime: str = "command",
    model: str = "",
    soul: str = "",
    also: Callable[[str], Sequence[Event]] = lambda _: (),
) -> str:
    """Record the start of a run and submit it; `also` are facts that belong to its start.

    Raises BadInput for a workspace that is missing, dirty where it matters,
    or overlaps remit's own state, and Unavailable where this machine contains less than the contract needs.
    """
    root = workspace.resolve()
    run_id = new_run_id(int(hands.clock.now().timestamp() * 1000))
    fact = Started(
        run=run_id, contract=contract, organisation=organisation, workspace=str(root), command=tuple(command), trigger=trigger,
        visible=tuple(visible), accepted_level=accepted[0] if accepted else None, accepted_by=accepted[1] if accepted else None,
        checklist=tuple(checklist), context=tuple(context), requester=requester, unattended=unattended, hosted=hosted,
        runtime=runtime, model=model, soul=soul,
    )  # fmt: skip
    await _fit(hands, fact, root)
    async with hands.ledger.transaction() as transaction:
        for event in (fact, *also(run_id)):
            transaction.append(event)
        transaction.submit(Job(id=f"{run_id}:start", run=run_id))
    return run_id


async def _fit(hands: Hands, fact: Started, root: Path) -> None:
    """Raises BadInput or Unavailable for what `start` says."""
    _recordable(fact)
    _apart(fact, root, hands.home.resolve())
    run = Run(id=fact.run, started=fact)
    await _inspect(hands, run, root)
    if fact.runtime not in {"command", CHAIN}:
        runtime, task = found(hands, run, "")
        await runtime.outfit(task)  # whoever is not here is missed before anything is on record
    if not fact.hosted:  # a loop of the caller's own works in no box of remit's
        await require_level(hands, run)


def _recordable(fact: Started) -> None:
    """Names of files may be any bytes; records are UTF-8."""
    try:
        encode(fact)
    except UnicodeEncodeError:
        raise BadInput("a path or a word of the command is not UTF-8, so it cannot be recorded", hint="rename it") from None


def _apart(fact: Started, root: Path, home: Path) -> None:
    """The agent sees neither remit's own state, where the signing key is, nor the machine's view of itself."""
    for what, each in (("workspace", root), *(("visible folder", Path(each)) for each in fact.visible)):
        if each == home or home in each.parents or each in home.parents:
            raise BadInput(f"the {what} `{each}` and remit's own state `{home}` overlap", hint="set REMIT_HOME elsewhere")
        for machine in map(Path, MACHINE):
            if each == machine or machine in each.parents:
                raise BadInput(f"the {what} `{each}` belongs to the machine itself", hint="give a folder of its own")


async def _inspect(hands: Hands, run: Run, root: Path) -> None:
    authorities = hands.lineages.of(run, lambda _: run)
    seen = await hands.workspace.inspect(root, writable=touches(authorities, hands.clock.now(), "write"))
    if seen.dirty:
        shown = ", ".join(f"`{path}`" for path in seen.dirty[:10]) + (" …" if len(seen.dirty) > 10 else "")
        raise BadInput(
            f"`{root}` has uncommitted changes where this contract may write: {shown}",
            hint="commit or stash them, or leave those paths out of `may`",
        )
