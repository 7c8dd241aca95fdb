"""`remit chain validate`: what is there, judged against what a chain must leave behind, by a run that may only read."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import click
import msgspec
from click.core import ParameterSource

from remit.app import engine, identity
from remit.cli.chain.planning import planned
from remit.cli.chain.which import chain_run
from remit.cli.chain.wish import wish, wishes
from remit.cli.load import load_organisation
from remit.cli.place import home
from remit.cli.present import organisation
from remit.cli.say import clean, document, talk
from remit.contract.deliverable import Deliverable
from remit.engine.delivery import deliver
from remit.engine.start import start
from remit.engine.stepping import expected
from remit.errors import BadInput
from remit.plan import screens
from remit.plan.contracting import chain_contract, validation_contract
from remit.plan.reported import Validation
from remit.plan.step import Plan
from remit.run.state import Run


@click.command("validate")
@wishes
@click.option("--org", help="the organisation file")
@click.option("--report", is_flag=True, help="the detailed report")
@click.option("--json", "as_json", is_flag=True, help="one document")
@click.pass_context
def command(context: click.Context, /, org: str | None, report: bool, as_json: bool, **given: Any) -> None:
    """Validate what the workspace of the run NAME holds now; with --workspace DIR, what DIR holds of the chain NAME.

    A run of its own does it, under a contract with no right to write. Exit 0 for PASS, 1 for PARTIAL and FAIL.
    """
    named = context.get_parameter_source("workspace") is not ParameterSource.DEFAULT
    due = _of_plan(given) if named else anyio.run(_of_run, given["name"] or "last")
    if not due.deliverables:
        raise BadInput("nothing is due from this chain, so there is nothing to validate", hint="its `deliverables:` say what is")
    run = anyio.run(_validate, due, org)
    found = next((check.found for check in run.checks.values() if check.found is not None), None)
    if found is None:
        raise BadInput(f"it could not be validated: {run.why or run.verdict}", hint=f"`remit account {run.id}` says more")
    if as_json:
        document({"schema": "remit.validation/1", "run": run.id, **_fields(found)})
    else:
        talk(f"run {run.id}: {clean(due.plan.name)} in {clean(str(due.workspace))}")
        for line in (screens.detailed(found) if report else screens.validated(found)).splitlines():
            click.echo(clean(line))
    sys.exit(0 if found.status == "PASS" else 1)


def _fields(found: Validation) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(found)
    return built


@dataclass(frozen=True, kw_only=True)
class Due:
    """What must be there, and where."""

    plan: Plan
    deliverables: Sequence[Deliverable]
    workspace: Path


def _of_plan(given: dict[str, Any]) -> Due:
    wished = wish(given)
    if not wished.name:
        raise BadInput("which chain is to be validated?", hint="name a blueprint or a chain file beside --workspace")
    if not wished.workspace.is_dir():
        raise BadInput(f"there is no workspace `{wished.workspace}`", hint="give an existing folder to --workspace")
    plan = planned(wished).plan
    return Due(plan=plan, deliverables=plan.deliverables, workspace=wished.workspace)


async def _of_run(name: str) -> Due:
    async with engine(home()) as supervisor:
        run, _ = await chain_run(supervisor.hands.ledger, name)
    assert run.chain is not None and run.started is not None
    return Due(plan=run.chain.plan, deliverables=expected(run.chain), workspace=Path(run.started.workspace))


async def _validate(due: Due, org: str | None) -> Run:
    here = home()
    signer = identity(here)
    if signer is None:
        raise BadInput("nobody is known here who could own the judgement", hint="`remit init` makes your identity")
    parent = chain_contract(due.plan, owner=signer.person, may_write=())
    contract = validation_contract(parent, due.plan, due.deliverables)
    async with engine(here) as supervisor:
        run_id = await start(
            supervisor.hands, contract, organisation(load_organisation(org), here), due.workspace, ("true",),
            trigger=f"remit chain validate by {signer.person}", requester=signer.person,
        )  # fmt: skip
        return await deliver(supervisor, run_id)
