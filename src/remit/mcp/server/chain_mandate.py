"""How far a chain may go that a host asks for: what is made from a plan is held to what a contract sent as text is held to."""

import shlex
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from remit.contract.contract import Contract
from remit.contract.party import Organisation
from remit.errors import BadInput
from remit.mcp.server.mandate import STARTED, beyond_text
from remit.plan.contracting import who
from remit.plan.step import Plan, Step


def beyond_plan(contract: Contract, organisation: Organisation | None, variables: Collection[str], plan: Plan) -> Iterator[str]:
    """What in the contract made from this plan only a person may give. Handing steps to the runtimes of the plan, and giving out
    its skills, is what a chain is; what its steps say beside that is looked at as any text of a host.
    """
    yield from beyond_text(replace(contract, rules=()), organisation, variables)
    for step in _all(plan):
        mine = replace(contract, rules=step.rules, recovery=(), models=(), model="", environment=())
        for each in beyond_text(mine, organisation, variables):
            yield f"step `{step.id}`: {each}"


def beyond_programs_of(plan: Plan, programs: Collection[tuple[str, ...]], *, given: tuple[str, ...], kept: bool) -> Iterator[str]:
    """Programs that would be started and that no person has named; those of a file that a person keeps are named there, and
    `given` are the host's own words.
    """
    found: dict[tuple[str, ...], str] = {}
    for inner in _plans(plan):
        for step in inner.steps:
            runtime, _, argv = who(inner, step)
            if step.kind not in ("person", "chain") and runtime in STARTED and argv:
                found.setdefault(argv, step.id)
        if inner.validate_command:
            found.setdefault(inner.validate_command, "validation")
    for argv, name in found.items():
        if kept and argv != given:
            continue
        if not any(argv[: len(each)] == each for each in programs):
            first = shlex.quote(argv[0])[:100]
            yield f"step `{name}` starts the program `{shlex.join(argv)[:200]}`: a person names it with --allow-program {first}"


def startable(plan: Plan) -> None:
    """Raises BadInput for a plan with a step that nobody was named for."""
    for inner in _plans(plan):
        for step in inner.steps:
            runtime, _, argv = who(inner, step)
            if step.kind in ("skill", "prompt") and runtime == "command" and not argv:
                hint = "name a `runtime`, or the `command` of an agent that a person has allowed"
                raise BadInput(f"nobody is named who does `{step.id}`", hint=hint)


def _plans(plan: Plan) -> Iterator[Plan]:
    yield plan
    for step in plan.steps:
        if step.chain is not None:
            yield from _plans(step.chain)


def _all(plan: Plan) -> Iterator[Step]:
    for inner in _plans(plan):
        yield from inner.steps
