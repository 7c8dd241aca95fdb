"""`remit chain status`: where a chain stands; its state file, its progress file, its procedure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import anyio
import click

from remit.app import records
from remit.cli.chain.which import chain_run
from remit.cli.chained import CHOICE, called, over, report
from remit.cli.closing import document as whole
from remit.cli.driving import next_steps
from remit.cli.place import home
from remit.cli.say import clean, document
from remit.errors import BadInput
from remit.plan import procedure, screens
from remit.plan.screens.tree import VALIDATION
from remit.plan.state_file import state_yaml
from remit.run.chain import Chain
from remit.run.state import Run

FORMS = ("--state", "--progress", "--procedure", "--report", "--json")


@click.command("status")
@click.argument("run", default="last")
@click.option("--state", is_flag=True, help="the state of the coordinator, as YAML")
@click.option("--progress", is_flag=True, help="the text of a .skillchain-progress.json")
@click.option("--procedure", "as_procedure", is_flag=True, help="every step numbered: who does it, within what, proved by what")
@click.option("--report", "as_report", is_flag=True, help="the detailed report of the last validation")
@click.option("--json", "as_json", is_flag=True, help="one document")
def command(run: str, state: bool, progress: bool, as_procedure: bool, as_report: bool, as_json: bool) -> None:
    """Show where the chain RUN stands (default: the last one)."""
    if sum((state, progress, as_procedure and not as_json, as_report, as_json)) > 1:
        raise BadInput(f"{', '.join(FORMS)} exclude one another", hint="give one; --procedure goes with --json")
    found, children = anyio.run(_read, run)
    chain = found.chain
    assert chain is not None
    if progress:
        click.echo(progress_text(found, children), nl=False)
    elif as_procedure:
        _procedure(chain, as_json=as_json)
    elif as_json:
        document(whole(found, children))
    else:
        lines = [state_text(chain)] if state else report(found)[1:] if as_report else list(screen(found))
        for line in lines:
            click.echo(line)


async def _read(name: str) -> tuple[Run, Mapping[str, Run]]:
    async with records(home()) as ledger:
        return await chain_run(ledger, name)


def standing(chain: Chain) -> dict[str, str]:
    """How far each step is, and the validation."""
    found = {step.id: str(chain.steps[step.id].status) for step in chain.plan.steps}
    judged = {"PASS": "complete", "PARTIAL": "partial", "FAIL": "failed"}
    return {**found, VALIDATION: judged[chain.validation.status] if chain.validation is not None and chain.current else "pending"}


def state_text(chain: Chain) -> str:
    """The coordinator's whole state (SUB-08)."""
    return state_yaml(chain.plan, standing(chain), {name: stood.report for name, stood in chain.steps.items()})


def progress_text(run: Run, children: Mapping[str, Run]) -> str:
    """`.skillchain-progress.json`, as other tools read it."""
    from remit.plan.progress_file import write_progress
    from remit.run.chain_progress import progress

    assert run.started is not None
    invoked = [skill for child in children.values() for skill in child.invoked]
    found = progress(run, project=run.started.workspace, invoked=invoked, validated_at=validated_at(run, children))
    assert found is not None
    return write_progress(found)


def validated_at(run: Run, children: Mapping[str, Run]) -> datetime | None:
    """When the last validation ended."""
    if run.chain is None or run.chain.validation is None:
        return None
    ran = [child for child in children.values() if child.started is not None and child.started.step == VALIDATION]
    return max((child.at for child in ran if child.at is not None), default=None)


def _procedure(chain: Chain, *, as_json: bool) -> None:
    steps = procedure.procedure(chain.plan, standing=standing(chain))
    if as_json:
        document({"schema": procedure.SCHEMA, "steps": list(steps)})
        return
    for line in procedure.lines(steps):
        click.echo(clean(line))


def screen(run: Run) -> Iterator[str]:
    """The chain as a person reads it."""
    chain = run.chain
    assert chain is not None
    yield from (clean(line) for line in screens.status(chain.plan, standing(chain)).splitlines())
    for line in troubles(chain):
        yield clean(line)
    if chain.validation is not None:
        found = chain.validation
        stale = "" if chain.current else ", before the last step"
        yield f"validation: {found.status}, {found.completeness}%, {found.verified}/{found.expected} files{stale}"
    if chain.accepted_by:
        yield clean(f"accepted as partial by {chain.accepted_by}: {', '.join(chain.accepted)}")
    if chain.over:
        yield from (clean(line) for line in over(chain))
    for question in run.open_questions:
        yield ""
        yield from (clean(line) for line in question.text.splitlines() if line.strip() != CHOICE)
    yield ""
    yield from (f"next: {step}" for step in next_steps(run))


def troubles(chain: Chain) -> Iterator[str]:
    """Steps that needed more than one try, were skipped or failed, and claims that were not there."""
    for name, stood in chain.steps.items():
        step = called(chain.plan, name)
        if stood.status == "failed":
            yield f"{step}: {stood.why if stood.why.startswith(stood.outcome) else f'{stood.outcome}: {stood.why}'}"
        elif stood.status == "skipped":
            yield f"{step}: skipped with the consent of {stood.person}"
        elif stood.tries > 1:
            yield f"{step}: try {stood.tries}"
        for claim in stood.flagged:
            yield f"{step}: claimed {claim}, which is not there"
