"""`remit outbox`: effects that leave the workspace, as drafts, on their way, done, or in doubt."""

from collections.abc import Iterator

import anyio
import click

from remit.app import consult, engine
from remit.cli.family import family
from remit.cli.line import one_line
from remit.cli.place import home
from remit.cli.say import clean, document, talk
from remit.cli.which import resolve
from remit.engine.desk import outboxes
from remit.errors import BadInput
from remit.ports import Ledger
from remit.run.evolve import replay
from remit.run.outbox import ENDED, Draft
from remit.run.state import Run
from remit.value import encode


@click.command("outbox")
@click.argument("run", required=False)
@click.argument("draft", required=False)
@click.option("--confirm", "receipt", metavar="RECEIPT", help="word from outside that DRAFT happened")
@click.option("--all", "everything", is_flag=True, help="also what has ended")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(run: str | None, draft: str | None, receipt: str | None, everything: bool, as_json: bool) -> None:
    """List the drafts of RUN, or of all runs; with DRAFT, everything about one."""
    if receipt is not None:
        if not (run and draft):
            raise BadInput("which draft happened?", hint="remit outbox RUN DRAFT --confirm RECEIPT")
        anyio.run(_confirm, run, draft, receipt)
        return
    found = consult(home(), lambda ledger: _read(ledger, run))
    rows = [(each, one) for each in found for one in each.drafts.values() if draft in (None, one.key, one.key.rpartition(":")[2])]
    if draft and not rows:
        raise BadInput(f"there is no draft `{draft}`", hint="`remit outbox RUN` lists them")
    if run is None and not everything:
        rows = [(each, one) for each, one in rows if one.state not in ENDED or one.conflict]
    if as_json:
        document({"schema": "remit.outbox/1", "drafts": [row(each, one) for each, one in rows]})
        return
    if not rows:
        click.echo("the outbox is empty" + ("" if run or everything else " (`--all` lists what has ended)"))
    for each, one in rows:
        for text in whole(each, one) if draft else [line(one)]:
            click.echo(text)


async def _read(ledger: Ledger, name: str | None) -> list[Run]:
    if name is not None:
        return [replay(await ledger.events(run)) for run in await family(ledger, await resolve(ledger, name))]
    return await outboxes(ledger)


async def _confirm(name: str, draft: str, receipt: str) -> None:
    from remit.cli.answer import carry_on, identified  # the engine: whoever only lists does without
    from remit.engine.outbox import confirm

    async with engine(home()) as supervisor:
        run_id = await resolve(supervisor.hands.ledger, name)
        key = draft if ":" in draft else f"{run_id}:{draft}"
        run = await confirm(supervisor.hands, run_id, key, receipt, by=identified(supervisor.hands.signer).person)
    found = run.drafts[key]
    talk(f"recorded: {key} happened" + (f". CONFLICT: {found.conflict}" if found.conflict else ""))
    await carry_on(run_id, as_json=False)


def line(draft: Draft) -> str:
    """One draft on one line."""
    tail = [draft.receipt or draft.why, f"answered for by {', '.join(draft.responsible)}" if draft.responsible else ""]
    tail += [f"CONFLICT: {draft.conflict}" if draft.conflict else ""]
    told = "; ".join(one_line(each) for each in tail if each)
    return f"{draft.key}  {draft.state:10}  {one_line(draft.action.said())}" + (f"  ({told})" if told else "")


def whole(run: Run, draft: Draft) -> Iterator[str]:
    """Everything about one draft."""
    yield line(draft)
    yield f"  run        {run.id}: {one_line(run.contract.goal)}"
    for name, value in draft.action.arguments.items():
        yield f"  {one_line(name):10} {one_line(str(value))}"
    for text in draft.shown.splitlines():
        yield f"  | {clean(text)}"
    asked = [name for name, each in run.questions.items() if each.question.draft == draft.key]
    yield f"  questions  {', '.join(asked) or 'none'}"
    yield f"  tries      {draft.tries}"
    if draft.state == "unknown":
        yield "  nobody knows whether it happened; it is not tried again until somebody does"


def row(run: Run, draft: Draft) -> dict[str, object]:
    """One draft as a program reads it."""
    import json

    return {
        "run": run.id, "draft": draft.key, "state": draft.state, "action": json.loads(encode(draft.action)),
        "receipt": draft.receipt,
        "why": draft.why, "responsible": list(draft.responsible), "tries": draft.tries, "conflict": draft.conflict,
        "preview": draft.shown,
    }  # fmt: skip
