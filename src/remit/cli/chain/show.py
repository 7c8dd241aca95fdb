"""`remit chain show`: the steps, questions and deliverables of one blueprint or chain file, as the file has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from remit.cli.chain.finding import about, chain_files, chosen, library, said, text_of
from remit.cli.chain.list import unresolved
from remit.cli.chain.plan import steps
from remit.cli.chain.wish import library_option, workspace_option
from remit.cli.say import clean, document
from remit.errors import BadInput
from remit.plan.blueprint import Blueprint, Slot
from remit.plan.chain_file import read_chain
from remit.plan.library import Library
from remit.plan.planning_findings import UNSAID
from remit.plan.skill import Noted


@click.command("show")
@click.argument("name", metavar="NAME|FILE")
@library_option
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(name: str, library: tuple[Path, ...], workspace: Path, as_json: bool) -> None:
    """Show what NAME or FILE holds: steps, questions, deliverables, findings."""
    known, files = _load(library, workspace)
    source = chosen(name, known, files)
    if isinstance(source, Path):
        _file(source, known, as_json=as_json)
        return
    noted = [*about(source, known), *unresolved(source, known)]
    if as_json:
        document({"schema": "remit.blueprint/1", "blueprint": msgspec.to_builtins(source), "findings": _findings(noted)})
        return
    for line in screen(source, known):
        click.echo(clean(line))
    _print(noted)


def _load(places: tuple[Path, ...], workspace: Path) -> tuple[Library, dict[str, Path]]:
    return library(places, workspace), chain_files(places, workspace)


def _file(path: Path, known: Library, *, as_json: bool) -> None:
    plan, noted = read_chain(text_of(path), file=str(path), library=known, goal=UNSAID)
    if as_json:
        document({"schema": "remit.plan/1", "plan": msgspec.to_builtins(plan) if plan else None, "findings": _findings(noted)})
        return
    if plan is None:
        raise BadInput("\n".join(["this chain file cannot be used:", *(f"  {each}" for each in said(noted))]))
    for line in (f"{plan.name}  {plan.title}".rstrip(), *([f"goal         {plan.goal}"] if plan.goal else []), "", *steps(plan)):
        click.echo(clean(line))
    _print(noted)


def _findings(noted: list[Noted] | tuple[Noted, ...]) -> list[Any]:
    return [msgspec.to_builtins(each) for each in noted]


def _print(noted: list[Noted] | tuple[Noted, ...]) -> None:
    lines = said(noted)
    if lines:
        click.echo("\nfindings:")
    for line in lines:
        click.echo(f"  {line}")


def screen(blueprint: Blueprint, known: Library) -> Iterator[str]:
    """The blueprint as a person reads it."""
    yield f"{blueprint.name}  {blueprint.title}".rstrip()
    for name, value in (
        ("category", blueprint.category),
        ("version", blueprint.version),
        ("time", blueprint.time),
        ("file", blueprint.source),
    ):
        if value:
            yield f"{name:12} {value}"
    for pattern in blueprint.patterns:
        yield ""
        usual = ", the usual one" if pattern.default and len(blueprint.patterns) > 1 else ""
        yield f"steps ({pattern.name or 'the chain'}{usual}):"
        yield from (f"  {number:2}. {_slot(slot, known)}" for number, slot in enumerate(pattern.slots, 1))
    if blueprint.questions:
        yield from ("", "questions:")
    for question in blueprint.questions:
        yield f"  {question.id}  {question.text}"
        for choice in question.choices:
            yield f"      {choice.letter}  {choice.text}" + ("  (usual)" if choice.letter == question.default else "")
    if blueprint.wanted:
        yield from ("", f"deliverables ({len(blueprint.wanted)}):")
    for each in blueprint.wanted:
        when = [", ".join(each.maturity), *([each.condition.text] if each.condition else [])]
        yield f"  {each.deliverable.name}  by {each.deliverable.by or 'nobody named'}  [{'; '.join(when)}]"


def _slot(slot: Slot, known: Library) -> str:
    names = " or ".join(_name(name, known) for name in (slot.name, *slot.instead))
    return names + (" (optional)" if slot.optional else "") + (f"  {slot.comment}" if slot.comment else "")


def _name(name: str, known: Library) -> str:
    found = known.resolve(name).skill
    return name if found == name else f"{name} = {found}" if found else f"{name} (unresolved)"
