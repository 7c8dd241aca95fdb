"""`remit account`: the five questions about a run, answered from the record."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import anyio
import click
import msgspec

from remit.app import identity, records
from remit.cli.family import family
from remit.cli.place import home
from remit.cli.say import clean, document, talk
from remit.cli.which import resolve
from remit.errors import BadInput
from remit.evidence.account import Account, account, moment
from remit.evidence.explain import explain
from remit.evidence.procedure import SCHEMA as PROCEDURE
from remit.evidence.procedure import lines, procedure
from remit.evidence.rows import Row
from remit.run.event import Recorded


@click.command("account")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="one document")
@click.option("--question", type=click.IntRange(1, 5), help="only this of the five questions")
@click.option("--procedure", "as_procedure", is_flag=True, help="every step numbered, with actor, input, decision, evidence")
@click.option("--explain", "as_dialogue", is_flag=True, help="answer what people say after an incident")
@click.option("--erase", metavar="REASON", help="erase what the run's entries say; that they were made stays provable")
def command(run: str, as_json: bool, question: int | None, as_procedure: bool, as_dialogue: bool, erase: str | None) -> None:
    """Answer the five questions about RUN (default: the last one) and the runs below it.

    1 what it was allowed to do, 2 what it refused and why, 3 who was notified, 4 who approved, 5 what evidence exists.
    """
    if sum((as_procedure, as_dialogue, erase is not None, question is not None)) > 1:
        raise BadInput("--question, --procedure, --explain and --erase exclude one another")
    if erase is not None:
        anyio.run(_erase, run, erase)
        return
    found: list[Recorded] = anyio.run(_records, run)
    if as_procedure:
        _procedure(found, as_json)
    elif as_dialogue:
        _dialogue(found, as_json)
    elif question is not None:
        _one(account(found), found[0].run, question, as_json)
    elif as_json:
        document(msgspec.to_builtins(account(found)))
    else:
        for line in screen(account(found)):
            click.echo(clean(line))


async def _records(text: str) -> list[Recorded]:
    async with records(home()) as ledger:
        runs = await family(ledger, await resolve(ledger, text))
        found = [record for run in runs for record in await ledger.events(run)]
    return sorted(found, key=lambda record: record.seq)


async def _erase(text: str, because: str) -> None:
    signer = identity(home())
    if signer is None:
        raise BadInput("nobody is known here to erase anything", hint="`remit init` makes the local identity")
    if not because.strip():
        raise BadInput("say why the bodies are erased")
    async with records(home()) as ledger:
        run = await resolve(ledger, text)
        await ledger.erase(run, by=signer.person, because=because)
    talk(f"the bodies of {run} are erased; its entries stand and `remit verify` still passes")


def _procedure(found: list[Recorded], as_json: bool) -> None:
    steps = procedure(found)
    if as_json:
        document({"schema": PROCEDURE, "run": found[0].run, "steps": msgspec.to_builtins(steps)})
        return
    for line in lines(steps):
        click.echo(clean(line))


def _dialogue(found: list[Recorded], as_json: bool) -> None:
    replies = explain(found)
    if as_json:
        document({"schema": "remit.explanation/1", "run": found[0].run, "replies": msgspec.to_builtins(replies)})
        return
    for reply in replies:
        click.echo(f"“{reply.said}”")
        for line in reply.record:
            click.echo(f"  {_one_line(clean(line))}")


QUESTIONS = {
    1: "What was it allowed to do?",
    2: "What did it refuse, and why?",
    3: "Who was notified?",
    4: "Who explicitly approved?",
    5: "What evidence exists?",
}
CONSIDERED = "What did it consider?"
FEW = 12
"""programs that are listed one by one; of more, only how many"""


def _one(told: Account, run: str, number: int, as_json: bool) -> None:
    """One of the five questions alone (OBS-06 to OBS-10)."""
    if as_json:
        rows = {1: told.allowed, 2: told.refused, 3: told.notified, 4: told.approved, 5: told.evidence}[number]
        more = {"boundary": told.boundary} if number <= 2 else {}
        answer = {"number": number, "question": QUESTIONS[number], "rows": msgspec.to_builtins(rows), **more}
        document({"schema": "remit.account/1", "run": run, **answer})
        return
    for line in (f"run {run}", QUESTIONS[number], *_answer(told, number)):
        click.echo(clean(line))


def screen(told: Account) -> Iterator[str]:
    """The five questions as headings, a line for each row; the boundary says what was absent."""
    yield f"run {told.boundary.get('run', '')}: {told.boundary.get('goal', 'erased')}"
    for number, question in QUESTIONS.items():
        if number == 3:
            yield CONSIDERED
            yield from _rows(told.considered, "nothing else")
        yield question
        yield from _answer(told, number)


def _answer(told: Account, number: int) -> Iterator[str]:
    match number:
        case 1:
            for rule in told.boundary.get("rules", ()):
                yield f"  {rule['effect']:5} {rule['verb']} {', '.join(rule['objects'])}  [{rule['id']}]"
            seen = [row for row in told.allowed if _only_seen(row)]
            many = len(seen) > FEW
            listed = tuple(row for row in told.allowed if not (many and _only_seen(row)))
            yield from _rows(listed, "it did nothing that needed permission")
            if many:
                counted = Counter(row.object.split(" ", 1)[0] for row in seen)
                most = ", ".join(f"{times} of {name}" for name, times in counted.most_common(3))
                yield f"  and {len(seen)} programs that no rule is about: {most} … (--json lists them)"
        case 2:
            yield from _rows(told.refused, "nothing")
            yield from _absent(told.boundary)
        case 3:
            yield from _rows(told.notified, "nobody")
        case 4:
            yield from _rows(told.approved, "no one")
        case _:
            charges = [row for row in told.evidence if row.action == "charge"]
            yield from _rows(tuple(row for row in told.evidence if row.action != "charge"), "none")
            if charges:
                yield f"  and {len(charges)} charges against its limits (--json lists them)"


def _only_seen(row: Row) -> bool:
    """A program that was recorded because it started, and that no rule is about."""
    return row.action == "run" and row.reason.startswith("NEUTRAL") and "what starts in the box" not in row.reason


def _absent(bounds: Mapping[str, Any]) -> Iterator[str]:
    if "absent" in bounds:
        hosts, hidden = ", ".join(bounds["hosts"]) or "none", ", ".join(bounds["hidden"]) or "none"
        yield f"  absent: {bounds['absent']} (level {bounds['level']}; hosts: {hosts}; hidden: {hidden})"


def _rows(rows: tuple[Row, ...], otherwise: str) -> Iterator[str]:
    if not rows:
        yield f"  {otherwise}"
    for row in rows:
        told = f"to {row.who}" if row.who and row.action in {"tell", "deliver a page"} else ""
        tail = "; ".join(part for part in (row.reason, f"rule {row.rule}" if row.rule else "", told, row.receipt) if part)
        line = f"{row.seq:5}  {moment(row.at)}  {row.actor}: {row.action} {row.object}".rstrip() + (f"  ({tail})" if tail else "")
        yield f"  {_one_line(line)}"


def _one_line(text: str) -> str:
    """A line break in a path must not be able to forge a row."""
    return text.replace("\n", "\\n")
