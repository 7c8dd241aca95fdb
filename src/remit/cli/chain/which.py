"""Which chain a person means, and the runs of its sub-agents."""

from collections.abc import Mapping

from remit.cli.which import resolve
from remit.contract.models import CHAIN
from remit.errors import BadInput
from remit.ports import Ledger
from remit.run.event import Started
from remit.run.evolve import replay
from remit.run.state import Run


async def chain_run(ledger: Ledger, name: str) -> tuple[Run, Mapping[str, Run]]:
    """The run that is a chain, and its children by their ids. A sub-agent's id means its chain. Raises BadInput for no chain."""
    run_id = await _last(ledger) if name == "last" else await resolve(ledger, name)
    run = replay(await ledger.events(run_id))
    while run.chain is None and run.started is not None and run.started.parent:
        run = replay(await ledger.events(run.started.parent))
    if run.chain is None:
        raise BadInput(f"run `{run_id}` is no chain", hint=f"`remit show {run_id}` shows it; `remit chain run` begins a chain")
    return run, {child: replay(await ledger.events(child)) for child in dict.fromkeys(run.keys.values())}


async def _last(ledger: Ledger) -> str:
    """The chain that a person began last."""
    for record in reversed(await ledger.runs()):
        if isinstance(record.event, Started) and record.event.runtime == CHAIN and record.event.parent is None:
            return record.run
    raise BadInput("there are no chains yet", hint="`remit chain run` begins one")
