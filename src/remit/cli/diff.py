"""`remit diff`: what a run changed, as it would be, or was, published."""

import anyio
import click

from remit.app import engine
from remit.cli.outcome import change_row
from remit.cli.place import home
from remit.cli.say import clean, document, talk
from remit.cli.which import resolve
from remit.engine.judge import sealed_stage
from remit.errors import BadInput


@click.command("diff")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="the change list as one document")
def command(run: str, as_json: bool) -> None:
    """Show what RUN changed (default: the last one)."""
    anyio.run(_diff, run, as_json)


async def _diff(name: str, as_json: bool) -> None:
    async with engine(home()) as supervisor:
        run = await supervisor.hands.replay(await resolve(supervisor.hands.ledger, name))
        if run.work is None:
            raise BadInput(f"run `{run.id}` has no sealed work to show", hint=f"`remit show {run.id}` says where it stands")
        judged = run.judged
        dropped = judged.dropped if judged else ()
        if as_json:
            rows = [change_row(change, set(dropped)) for change in judged.changes.changes] if judged else []
            refs = (
                [{"verb": move.verb, "object": move.object, "after": move.after} for move in judged.changes.refs]
                if judged
                else []
            )
            document({"schema": "remit.diff/1", "run": run.id, "changes": rows, "refs": refs})
            return
        stage = await sealed_stage(supervisor.hands, run)
        click.echo(clean(await stage.diff(dropped=dropped)), nl=False)
    for path in dropped:
        talk(f"dropped, not published: {clean(path)}")
