"""`remit runs`: every run, newest last."""

import anyio
import click

from remit.app import records
from remit.cli.place import home
from remit.cli.say import clean, document
from remit.run.evolve import replay


@click.command("runs")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(as_json: bool) -> None:
    """List runs."""
    anyio.run(_list, as_json)


async def _list(as_json: bool) -> None:
    rows = []
    async with records(home()) as ledger:
        for record in await ledger.runs():
            run = replay(await ledger.events(record.run))
            goal = run.started.contract.goal if run.started else ""
            rows.append(
                {
                    "run": record.run, "at": record.at.isoformat(timespec="seconds"), "phase": run.phase, "verdict": run.verdict,
                    "acceptance": run.acceptance, "owner": run.owner if run.started else None, "goal": goal,
                }
            )  # fmt: skip
    if as_json:
        document({"schema": "remit.runs/1", "runs": rows})
        return
    for row in rows:
        stands = row["verdict"] or row["phase"]
        click.echo(f"{row['run']}  {row['at']}  {stands:24}  {row['acceptance']:9}  {clean(str(row['goal']))[:60]}")
