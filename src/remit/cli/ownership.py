"""`remit ownership`: the step at which a person becomes responsible, of a contract or of a run; and handing an outcome over."""

import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import click
import msgspec

from remit.cli.load import finding_lines, load_organisation, read_contract
from remit.cli.place import home, local_identity
from remit.cli.say import clean, document, talk
from remit.errors import BadInput
from remit.evidence.account import moment
from remit.evidence.handed import Owned, owned
from remit.evidence.ownership import Plan, plan


@click.command("ownership")
@click.argument("what", default="last")
@click.option("--org", metavar="FILE", help="the organisation file")
@click.option(
    "--offer", metavar="PERSON", help="offer the outcome of the run to another person; it stays yours until they accept"
)
@click.option("--accept", "take", is_flag=True, help="take over the outcome that is offered to you")
@click.option("--decline", is_flag=True, help="do not take it over: it stays where it is")
@click.option("--note", default="", help="why")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(what: str, org: str | None, offer: str | None, take: bool, decline: bool, note: str, as_json: bool) -> None:
    """Say who answers for what in WHAT: a contract file, or a run (default: the last one).

    Of a contract: every hand-off, who answers from there, and how that is recorded; what is only implied is an error (exit 2).
    """
    if sum((offer is not None, take, decline)) > 1:
        raise BadInput("--offer, --accept and --decline exclude one another")
    acting = offer is not None or take or decline
    if Path(what).is_file() or what.endswith((".yaml", ".yml", ".md")):
        if acting:
            raise BadInput("only the outcome of a run can be handed over", hint="give the id of a run")
        sys.exit(_contract(Path(what), org, as_json))
    if acting:
        anyio.run(_hand_over, what, offer, decline, note)
    anyio.run(_run, what, as_json)


def _contract(path: Path, org: str | None, as_json: bool) -> int:
    parsed = read_contract(path)
    found = plan(parsed.draft, load_organisation(org), identity=local_identity(), marks=parsed.marks)
    faulty = [one for one in parsed.findings if one.severity == "error"]
    if as_json:
        told = msgspec.to_builtins(found)
        told["findings"] = [
            {"code": one.code, "where": one.where, "message": one.message, "hint": one.hint} for one in (*faulty, *found.findings)
        ]
        document(told | {"ok": found.ok and not faulty})
    else:
        for line in screen(found):
            click.echo(clean(line))
        for one in (*faulty, *found.findings):
            for line in finding_lines(one):
                talk(f"{one.code}  {line}" if line.lstrip() == line else line)
    return 0 if found.ok and not faulty else 2


def screen(found: Plan) -> Iterator[str]:
    """A block for each hand-off: what, who answers from there, how that is recorded, what silence does."""
    yield f"{found.goal}"
    yield f"owner: {found.owner or 'nobody'}"
    for step in found.steps:
        who = ", ".join(step.responsible) or "NOBODY"
        yield f"{step.step:3}. {step.what}  ({step.transition}; {step.rule})"
        yield f"       from here {who} is responsible; recorded: {step.recorded}"
        if step.ladder:
            yield f"       paged, in this order: {', '.join(step.ladder)}"
        yield f"       silence: {step.silence}"
    yield "every step has its person" if found.ok else "somebody is only implied: that is no delegation"


async def _run(name: str, as_json: bool) -> None:
    from remit.app import records
    from remit.cli.which import resolve
    from remit.run.evolve import replay

    async with records(home()) as ledger:
        found = await ledger.events(await resolve(ledger, name))
    told = owned(found, replay(found))
    if as_json:
        document(msgspec.to_builtins(told))
        return
    for line in lines(told):
        click.echo(clean(line))


def lines(told: Owned) -> Iterator[str]:
    """The run as a person reads it."""
    yield f"run {told.run}: {told.goal}"
    yield f"  {told.says}"
    for step in told.steps:
        turned = f" ({step.transition})" if step.transition else ""
        who = ", ".join(step.who) or "nobody"
        yield f"{step.seq:5}  {moment(step.at)}  {step.what}{turned}: {who} ({step.by})  [{step.proof}]".replace("\n", "\\n")
    if not told.steps:
        yield "  nothing was handed off: no effect has left the workspace"
    for draft in told.waiting:
        yield f"  still a draft, nobody has released it: {draft}"


async def _hand_over(name: str, offer: str | None, decline: bool, note: str) -> None:
    from remit.app import engine
    from remit.cli.answer import identified
    from remit.cli.which import resolve
    from remit.engine import ownership

    async with engine(home()) as supervisor:
        hands = supervisor.hands
        run_id = await resolve(hands.ledger, name)
        signer = identified(hands.signer)
        if offer is not None:
            await ownership.offer(hands, run_id, offer, signer=signer, assurance="terminal", note=note)
            talk(f"offered to {offer}; it stays with {signer.person} until they accept")
        else:
            await ownership.take_over(hands, run_id, signer=signer, assurance="terminal", decline=decline, note=note)
            talk(f"{signer.person} has {'declined' if decline else 'taken over'} the outcome of {run_id}, signed and recorded")
