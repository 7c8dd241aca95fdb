"""Taking on a run: everything that will decide is pinned in one fact, and the run is submitted with it."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from remit.contract.contract import Contract, Level
from remit.contract.party import Organisation
from remit.engine.hands import Hands
from remit.engine.lineage import Lineages
from remit.engine.sight import touches
from remit.errors import BadInput
from remit.ports import Job
from remit.run.event import Started
from remit.run.state import Run


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
) -> str:
    """Record the start of a run and submit it. Raises BadInput for a workspace that is
    missing, dirty where it matters, or overlaps remit's own state.
    """
    root = workspace.resolve()
    run_id = new_run_id(int(hands.clock.now().timestamp() * 1000))
    fact = Started(
        run=run_id,
        contract=contract,
        organisation=organisation,
        workspace=str(root),
        command=tuple(command),
        trigger=trigger,
        visible=tuple(visible),
        accepted_level=accepted[0] if accepted else None,
        accepted_by=accepted[1] if accepted else None,
        checklist=tuple(checklist),
        context=tuple(context),
    )
    await _inspect(hands, fact, root)
    async with hands.ledger.transaction() as transaction:
        transaction.append(fact)
        transaction.submit(Job(id=f"{run_id}:start", run=run_id))
    return run_id


async def _inspect(hands: Hands, fact: Started, root: Path) -> None:
    home = hands.home.resolve()
    if root == home or home in root.parents or root in home.parents:
        raise BadInput(f"the workspace `{root}` and remit's own state `{home}` overlap", hint="set REMIT_HOME elsewhere")
    run = Run(id=fact.run, started=fact)
    authorities = Lineages().of(run, lambda _: run)
    seen = await hands.workspace.inspect(root, writable=touches(authorities, hands.clock.now(), "write"))
    if seen.dirty:
        shown = ", ".join(f"`{path}`" for path in seen.dirty[:10]) + (" …" if len(seen.dirty) > 10 else "")
        raise BadInput(
            f"`{root}` has uncommitted changes where this contract may write: {shown}",
            hint="commit or stash them, or leave those paths out of `may`",
        )
