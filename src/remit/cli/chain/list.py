"""`remit chain list`: blueprints and chain files, with what they hold and what is the matter with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from remit.cli.chain.finding import about, chain_files, library, said, text_of
from remit.cli.chain.wish import library_option, workspace_option
from remit.cli.say import clean, document, talk
from remit.plan import planning_findings
from remit.plan.blueprint import Blueprint
from remit.plan.chain_file import read_chain
from remit.plan.library import Library
from remit.plan.planning_findings import UNSAID
from remit.plan.skill import Noted
from remit.plan.step import Plan


@click.command("list")
@library_option
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="one document")
@click.option("--findings", is_flag=True, help="also print what is the matter with each")
def command(library: tuple[Path, ...], workspace: Path, as_json: bool, findings: bool) -> None:
    """List what can be carried out, from the usual places or from every --library."""
    rows = found(library, workspace)
    if as_json:
        document({"schema": "remit.chains/1", "chains": rows})
        return
    if not rows:
        talk("no place has a blueprint or a chain file; name one with --library, or write NAME.chain.yaml")
    for row in rows:
        click.echo(line(row))
        if findings:
            for each in row["findings"]:
                click.echo(f"    {each}")


def found(places: tuple[Path, ...], workspace: Path) -> list[dict[str, Any]]:
    """A row for each blueprint, then for each chain file. Raises BadInput."""
    known = library(places, workspace)
    return [*(_blueprint(each, known) for each in known.blueprints), *_files(chain_files(places, workspace), known)]


def _blueprint(each: Blueprint, known: Library) -> dict[str, Any]:
    return {
        "name": each.name,
        "kind": "blueprint",
        "title": each.title,
        "file": each.source,
        "chains": [_pattern_row(each, number) for number in range(len(each.patterns))],
        "questions": len(each.questions),
        "deliverables": len(each.wanted),
        "findings": said([*about(each, known), *unresolved(each, known)]),
    }  # fmt: skip


def _pattern_row(blueprint: Blueprint, number: int) -> dict[str, Any]:
    pattern = blueprint.patterns[number]
    optional = sum(slot.optional for slot in pattern.slots)
    return {"name": pattern.name, "skills": len(pattern.slots), "optional": optional}


def unresolved(blueprint: Blueprint, known: Library) -> Iterator[Noted]:
    """The names of its chains that mean no skill of the library, each once, with what comes near."""
    for each in planning_findings.unresolved(blueprint, known):
        hint = f"One of {', '.join(each.near)}?" if each.near else "Nothing here is like it."
        yield Noted(
            code="UNRESOLVED", severity="warning" if each.optional else "error", file=blueprint.source or blueprint.name,
            message=f"{each.name} is the name of no skill here.", hint=hint, line=each.line,
        )  # fmt: skip


def _files(files: dict[str, Path], known: Library) -> Iterator[dict[str, Any]]:
    for name, path in sorted(files.items()):
        plan, noted = read_chain(text_of(path), file=str(path), library=known, goal=UNSAID)
        yield {
            "name": name,
            "kind": "chain file",
            "title": plan.title if plan is not None else "",
            "file": str(path),
            "chains": _of_file(plan) if plan is not None else [],
            "questions": 0,
            "deliverables": len(plan.deliverables) if plan is not None else 0,
            "findings": said(noted),
        }  # fmt: skip


def _of_file(plan: Plan) -> list[dict[str, Any]]:
    return [{"name": "", "skills": len(plan.steps), "optional": sum(step.may_skip for step in plan.steps)}]


def line(row: dict[str, Any]) -> str:
    """One row as a person reads it."""
    chains = " / ".join(
        f"{each['name'] + ': ' if each['name'] and len(row['chains']) > 1 else ''}{each['skills']} steps"
        + (f" ({each['optional']} optional)" if each["optional"] else "")
        for each in row["chains"]
    )
    counts = [chains or "no steps", f"{row['questions']} questions", f"{row['deliverables']} deliverables"]
    if row["findings"]:
        counts.append(f"{len(row['findings'])} findings")
    return clean(f"{row['name']:24}  {row['kind']:10}  {' · '.join(counts)}")
