"""`remit show`: where one run stands, for whom, under which rules, with what left to spend."""

from datetime import UTC, datetime

import anyio
import click

from remit.app import records
from remit.authority.words import shown_where
from remit.cli.card import screen as shown
from remit.cli.driving import next_steps, verdict
from remit.cli.outcome import outcome
from remit.cli.place import home
from remit.cli.say import clean, document
from remit.cli.which import resolve
from remit.contract.rule import Rule
from remit.run.card import card
from remit.run.evolve import replay
from remit.run.state import Run


@click.command("show")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(run: str, as_json: bool) -> None:
    """Show where RUN stands (default: the last one)."""
    anyio.run(_show, run, as_json)


async def _show(name: str, as_json: bool) -> None:
    async with records(home()) as ledger:
        run = replay(await ledger.events(await resolve(ledger, name)))
    if as_json:
        document(outcome(run))
        return
    for line in screen(run):
        click.echo(line)


def said(rule: Rule) -> str:
    """A rule in one line, with its conditions."""
    when = f" when {shown_where(rule)}" if rule.where else ""
    return clean(f"{rule.verb} {', '.join(rule.objects)}{when}")


def modelled(run: Run) -> list[str]:
    """Who works, and what its model calls came to; nothing where no model was called."""
    limits, used = run.limits, run.spend
    if run.started is None or (run.started.runtime == "command" and not run.modelled):
        return []
    tokens = f"{used.tokens}/{limits.tokens or '-'} tokens"
    most = f"/{limits.usd / 1_000_000:.2f}" if limits.usd else ""
    usd = f"{used.usd / 1_000_000:.4f}{most} usd"
    held = f", {run.held.usd / 1_000_000:.4f} usd set aside" if run.holds else ""
    model = f", {run.started.model}" if run.started.model else ""
    return [f"{run.started.runtime}{model}: {run.modelled} calls, {tokens}, {usd}{held}"]


def screen(run: Run) -> list[str]:
    """The run as a person reads it: for whom, under which rules (TIER-11); completed and owned are two lines (OWN-01)."""
    contract = run.contract
    limits, used = contract.limits, run.spend
    lines = [
        f"run         {run.id} ({run.phase})",
        f"goal        {clean(contract.goal)}",
        f"owner       {run.owner}" + (f", acting for {contract.principal}" if contract.principal else ""),
        f"contract    {contract.hash()}",
        f"verdict     {verdict(run)}",
        f"acceptance  {run.acceptance}" + ("" if run.acceptance == "accepted" else f" ({run.owner} has not taken it)"),
        f"published   {'undone' if run.undone else 'yes' if run.published is not None else 'no'}",
        f"spent       {used.turns}/{limits.turns or '-'} turns, {used.calls}/{limits.calls or '-'} calls, "
        f"{used.time:.1f}/{limits.time or '-'} s, {run.refusals} refused",
    ]
    lines += [f"model       {line}" for line in modelled(run)]
    lines += [f"{rule.effect:11} {said(rule)}  [{rule.id}]" for rule in contract.rules]
    for question in run.open_questions:
        lines += ["", *shown(card(run, question.question), datetime.now(UTC))]
    return lines + [f"next        {step}" for step in next_steps(run)]
