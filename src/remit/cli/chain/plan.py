"""`remit chain plan`: the plan that would be carried out, its waves, conflicts and advice, and its contract."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from remit.cli.chain.finding import SUFFIX, said
from remit.cli.chain.planning import Planned, in_mode, planned
from remit.cli.chain.wish import wish, wishes
from remit.cli.load import load_contract
from remit.cli.place import local_identity
from remit.cli.say import clean, document, talk
from remit.contract.contract import Contract
from remit.contract.print import print_contract
from remit.errors import BadInput
from remit.plan.chain_file import print_chain
from remit.plan.contracting import chain_contract
from remit.plan.graph import conflicts, waves
from remit.plan.screens.naming import shown_name
from remit.plan.step import Plan

OWNER = "owner@example.com"
"""who stands as owner of a contract that is only shown, where nobody is known here"""


@click.command("plan")
@wishes
@click.option("--mode", type=click.Choice(("delegated", "standard")), help="instead of the recommended one")
@click.option("--contract", type=click.Path(path_type=Path), help="the contract of the chain (default: made from the plan)")
@click.option(
    "--write", type=click.Path(path_type=Path), metavar="FILE", help="write the plan as a chain file; it must not be there yet"
)
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(mode: Any, contract: Path | None, write: Path | None, as_json: bool, **given: Any) -> None:
    """Show what `run` would carry out with the same words. Nothing is started."""
    found = planned(wish(given))
    plan = in_mode(found.plan, mode or found.advice.mode)
    promise = _contract(contract, plan)
    if write is not None:
        written(write, plan)
    if as_json:
        document(whole(found, plan, promise))
        return
    for line in screen(found, plan):
        click.echo(clean(line))
    click.echo("\ncontract:")
    for line in print_contract(promise).splitlines():
        click.echo(f"  {clean(line)}")


def _contract(file: Path | None, plan: Plan) -> Contract:
    if file is not None:
        parsed = load_contract(file)
        assert parsed.contract is not None
        return parsed.contract
    return chain_contract(plan, owner=local_identity() or OWNER)


def written(path: Path, plan: Plan) -> None:
    """Write the plan as a chain file. Raises BadInput where there is one already."""
    if not path.name.endswith(SUFFIX):
        raise BadInput(f"`{path}` is no name of a chain file", hint=f"end it in {SUFFIX}")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(print_chain(plan))
    except FileExistsError:
        raise BadInput(f"`{path}` is there already", hint="name another file, or move that one away") from None
    except OSError as error:
        raise BadInput(f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}") from None
    talk(f"written: {path}")


def whole(found: Planned, plan: Plan, contract: Contract) -> dict[str, Any]:
    """The `remit.plan/1` document."""
    return {
        "schema": "remit.plan/1",
        "plan": msgspec.to_builtins(plan),
        "waves": [list(wave) for wave in waves(plan)],
        "conflicts": [{"steps": [one, other], "path": glob} for one, other, glob in conflicts(plan)],
        "advice": msgspec.to_builtins(found.advice),
        "why": list(found.why),
        "optional": found.left_out,
        "findings": [msgspec.to_builtins(each) for each in found.noted],
        "contract": msgspec.to_builtins(contract),
    }  # fmt: skip


def screen(found: Planned, plan: Plan) -> Iterator[str]:
    """The plan as a person reads it."""
    yield f"{plan.name}  {plan.title}".rstrip()
    yield f"goal         {plan.goal}"
    if plan.maturity:
        yield f"maturity     {plan.maturity}"
    if plan.answers:
        yield f"answers      {', '.join(f'{question}={letter}' for question, letter in plan.answers)}"
    yield from (f"chosen       {reason}" for reason in found.why)
    yield f"recommended  {found.advice.mode}: {'; '.join(found.advice.reasons)}"
    if found.advice.against:
        yield f"against it   {'; '.join(found.advice.against)}"
    if plan.mode != found.advice.mode:
        yield f"mode         {plan.mode}"
    yield ""
    yield from steps(plan)
    if found.left_out:
        yield from ("", f"optional, not taken: {', '.join(found.left_out)}")
    noted = said(each for each in found.noted if each.code != "OPTIONAL")
    if noted:
        yield from ("", "findings:", *(f"  {each}" for each in noted))


def steps(plan: Plan) -> Iterator[str]:
    """Steps and their waves, what must not run at once, and what is due."""
    yield "steps:"
    number = {step.id: at for at, step in enumerate(plan.steps, 1)}
    wave = {name: at for at, names in enumerate(waves(plan), 1) for name in names}
    for at, step in enumerate(plan.steps, 1):
        needed = sorted({number[each] for each in (*step.after, *step.soft, *step.optional) if each in number})
        bounds = [f"wave {wave.get(step.id, 0)}", *([f"after {', '.join(map(str, needed))}"] if needed else [])]
        bounds += [word for word, holds in (("last", step.last), ("optional", step.may_skip)) if holds]
        yield f"  {at:2}. {shown_name(step)}  ({'; '.join(bounds)})"
    yield f"  {len(plan.steps) + 1:2}. Final validation"
    clashes = conflicts(plan)
    if clashes:
        yield from ("", "never at once:", *(f"  {one} and {other}: both claim {glob}" for one, other, glob in clashes))
    if plan.deliverables:
        yield from ("", f"deliverables ({len(plan.deliverables)}):")
        yield from (f"  {each.name}" + (f"  by {each.by}" if each.by else "") for each in plan.deliverables)
    if plan.left:
        yield from ("", f"not asked for ({len(plan.left)}):", *(f"  {each.name}: {each.why}" for each in plan.left))
