"""`remit inbox`: what people are asked, in all runs, what runs out of time first."""

from datetime import UTC, datetime

import click
import msgspec

from remit.app import consult
from remit.cli.line import left, one_line
from remit.cli.place import home, local_identity
from remit.cli.say import document, talk
from remit.engine.desk import Waiting, batched, waiting

MOST = 50


@click.command("inbox")
@click.option("--mine", is_flag=True, help="only what the local identity is asked")
@click.option("--all", "everything", is_flag=True, help=f"more than the first {MOST}, and like questions one by one")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(mine: bool, everything: bool, as_json: bool) -> None:
    """List the open questions of all runs."""
    rows = consult(home(), waiting)
    me = local_identity()
    if mine:
        rows = [each for each in rows if me in each.of]
    if as_json:
        document({"schema": "remit.inbox/1", "questions": msgspec.to_builtins(rows)})
        return
    shown = rows if everything else batched(rows)
    if not rows:
        click.echo("nothing is asked of anybody")
        return
    now = datetime.now(UTC)
    shown.sort(key=lambda each: me not in each.of)
    for each in shown if everything else shown[:MOST]:
        click.echo(line(each, now, me))
    if not everything and len(shown) > MOST:
        click.echo(f"and {len(shown) - MOST} more: `remit inbox --all`")
    talk("remit show RUN shows what a question is about, and what can be answered; remit answer RUN QUESTION WORD answers it")


def line(each: Waiting, now: datetime, me: str | None) -> str:
    """One question on one line; an arrow where the local identity is asked."""
    mark = "→" if me in each.of else " "
    until = f"{left(each.expires, now)}" if each.expires else "no deadline"
    more = f" (+{each.like} like it)" if each.like else ""
    text = one_line(each.text.partition("\n")[0])
    votes = f", {each.answers} of {each.quorum} said yes" if each.quorum > 1 else ""
    return f"{mark} {each.run}  {each.question:4} {text}{more}  [{until}; asked {', '.join(each.of)}{votes}]"
