"""`remit tax`: what people were interrupted for, and what history suggests. Nothing is changed by it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import anyio
import click
import msgspec

from remit.app import records
from remit.cli.place import home
from remit.cli.say import clean, document
from remit.contract.amounts import seconds
from remit.errors import BadInput
from remit.evidence.suggestions import Suggestion, suggestions
from remit.evidence.tax import READ, Tax, since, tax
from remit.run.event import Recorded


@click.command("tax")
@click.option("--since", "window", metavar="TIME", help="only runs begun within this time: `30d`, `12h`")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(window: str | None, as_json: bool) -> None:
    """Count what people were interrupted for: by kind, by rule, per 100 runs, and whether that grows.

    What history suggests comes with its evidence and the text to paste. It is never applied: that is the owner's to do.
    """
    begun = _moment(window)
    started, found = anyio.run(_read, begun)
    told, hints = tax(started, found), suggestions(started, found)
    if as_json:
        document(msgspec.to_builtins(told) | {"since": window, "suggestions": msgspec.to_builtins(hints)})
        return
    for line in screen(told, hints, window):
        click.echo(clean(line))


def _moment(window: str | None) -> datetime | None:
    if window is None:
        return None
    length = seconds(window)
    if not length:
        raise BadInput(f"`{window}` is no time", hint="write `30d`, `12h` or `90m`")
    try:
        return datetime.now(UTC) - timedelta(seconds=length)
    except OverflowError:
        raise BadInput(f"`{window}` is before all times") from None


async def _read(begun: datetime | None) -> tuple[list[Recorded], list[Recorded]]:
    async with records(home()) as ledger:
        started = since(await ledger.runs(), begun)
        return started, await ledger.kinds(*READ)


def screen(told: Tax, hints: tuple[Suggestion, ...], window: str | None) -> Iterator[str]:
    """The numbers, the rules that ask most, the published numbers beside them, and the suggestions."""
    within = f" of the last {window}" if window else ""
    yield f"{told.interruptions} interruptions in {told.runs} runs{within}: {told.per_100_runs:g} per 100 runs"
    yield f"  {told.runs - told.touched} of {told.runs} runs interrupted nobody; {told.questions} questions in all"
    for kind, count in told.kinds.items():
        share = f"{100 * count / told.interruptions:.0f} %" if told.interruptions else "-"
        yield f"  {kind:16} {count:6}  {share}"
    if told.halves is not None:
        first, second = told.halves
        yield f"first half of the runs {first:g} per 100, second half {second:g}: {told.trend}"
    else:
        yield told.trend
    yield f"an answer took {_span(told.waiting)} (median)" if told.waiting is not None else "nothing has been answered yet"
    yield "published elsewhere, for comparison (cited, not measured here):"
    for what, much in told.cited:
        yield f"  {what}: {much}"
    if told.rules:
        yield "by rule:"
    for row in told.rules:
        ends = f"{row.yes} yes, {row.changed} changed, {row.no} no, {row.expired} without an answer, {row.open} open"
        yield f"  {row.rule:20} {row.asked:5} asked: {ends}  ({row.goal})".replace("\n", "\\n")
    yield from _suggested(hints)


def _suggested(hints: tuple[Suggestion, ...]) -> Iterator[str]:
    if not hints:
        yield "history suggests nothing"
        return
    yield "history suggests (yours to decide; nothing is changed):"
    for at, hint in enumerate(hints, 1):
        yield f"  {at}. {hint.about}: rule {hint.rule} of “{hint.goal}”, owned by {hint.owner}".replace("\n", "\\n")
        yield f"     {hint.evidence}"
        yield "     to paste in place of it:" if hint.about == "widen" else f"     to {hint.do}:"
        yield from (f"       {line}" for line in hint.yaml.splitlines())


def _span(length: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if length >= size:
            return f"{length / size:.1f} {unit}"
    return f"{length:.1f} s"
