"""`remit chain run`: find the plan, have it confirmed, carry it out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import click
from msgspec.structs import replace

from remit.app import engine, identity
from remit.cli import scripted
from remit.cli.chain.confirming import PROCEED, confirmed, mode_of, shown
from remit.cli.chain.finding import said
from remit.cli.chain.planning import Planned, in_mode, planned
from remit.cli.chain.wish import wish, wishes
from remit.cli.checking import Checked, checked, refuse_incomplete
from remit.cli.driving import drive
from remit.cli.load import load_organisation
from remit.cli.place import home
from remit.cli.present import organisation
from remit.cli.run import limits
from remit.cli.say import clean, person_at_terminal, talk
from remit.contract.contract import LEVELS, Contract, Level
from remit.contract.party import Organisation
from remit.errors import BadInput
from remit.plan.contracting import chain_contract, who
from remit.plan.step import Mode, Plan
from remit.value import digest


@click.command("run")
@wishes
@click.option(
    "--mode",
    type=click.Choice(("delegated", "standard")),
    help="do not ask which: a fresh sub-agent per skill, or one conversation",
)
@click.option("--yes", is_flag=True, help="do not ask whether to proceed")
@click.option("--contract", type=click.Path(path_type=Path), help="the contract of the chain (default: made from the plan)")
@click.option("--org", help="the organisation file")
@click.option(
    "--accept-containment", type=click.Choice([level for level in LEVELS if level != "L3"]), help="accept less containment"
)
@click.option(
    "--answers", "script", type=click.Path(path_type=Path), help="answers given beforehand, for tests: they count as `scripted`"
)
@click.option("--unattended", is_flag=True, help="nobody will answer: the contract's recovery says what happens, else it stops")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
@click.option("--plain", is_flag=True, help="lines instead of a tree, on a terminal too")
def command(
    mode: Mode | None, yes: bool, contract: Path | None, org: str | None, accept_containment: Level | None, script: Path | None,
    unattended: bool, as_json: bool, plain: bool, **given: Any,
) -> None:  # fmt: skip
    """Carry out NAME, a blueprint, or FILE, a chain file: remit chain run NAME --goal "…" -- CMD… | --runtime NAME

    Without NAME the goal decides which blueprint or skills fit, and why is said.
    """
    if unattended and script is not None:
        raise BadInput("--unattended says that nobody answers, and --answers says what", hint="give one of them")
    lines = scripted.read(script) if script is not None else None
    wished = wish(given)
    if not wished.workspace.is_dir():
        raise BadInput(f"there is no workspace `{wished.workspace}`", hint="give an existing folder to --workspace")
    found = planned(wished)
    startable(found.plan)
    looked = checked(contract, org, found.plan.runtime) if contract is not None else None
    if looked is not None and not looked.review.ok:
        sys.exit(refuse_incomplete(looked, as_json=as_json))
    owner = owned(looked)
    told(found)
    agreed, by = settled(found, mode, yes=yes, script=lines, prompting=person_at_terminal() and not as_json)
    if agreed is None:
        talk("cancelled: nothing was started, and nothing was written")
        return
    promise = Promise(
        contract=looked.contract if looked is not None else chain_contract(agreed.plan, owner=owner),
        context=looked.context if looked is not None else ((agreed.plan.source or agreed.plan.name, digest(agreed.plan)),),
        organisation=looked.organisation if looked is not None else load_organisation(org),
    )
    options = Options(accepted=accept_containment, confirmed=by, unattended=unattended, as_json=as_json, plain=plain)
    sys.exit(anyio.run(_run, agreed, promise, options, lines))


@dataclass(frozen=True, kw_only=True)
class Options:
    """How it is carried out. `confirmed` says who agreed to the plan."""

    accepted: Level | None
    confirmed: str
    unattended: bool
    as_json: bool
    plain: bool


@dataclass(frozen=True, kw_only=True)
class Promise:
    """The contract of the chain, a person's file or made from the plan; what was loaded for it, and the organisation file."""

    contract: Contract
    context: tuple[tuple[str, str], ...]
    organisation: Organisation | None


def owned(looked: Checked | None) -> str:
    """Who will own the outcome. Raises BadInput where nobody is known who could."""
    if looked is not None:
        return looked.contract.owner
    signer = identity(home())
    if signer is None:
        raise BadInput(
            "nobody is known here who could own the outcome", hint="`remit init` makes your identity; or give a --contract"
        )
    return signer.person


def startable(plan: Plan) -> None:
    """Raises BadInput for a plan with a step that nobody was named for."""
    for step in plan.steps:
        runtime, _, argv = who(plan, step)
        if step.kind in ("skill", "prompt") and runtime == "command" and not argv:
            raise BadInput(
                f"nobody is named who does `{step.id}`",
                hint="name a runtime with --runtime, or the command of an agent after `--`",
            )


def told(found: Planned) -> None:
    """Why it is this plan, and what the loaders found."""
    for reason in found.why:
        talk(clean(f"chosen: {reason}"))
    for line in said(each for each in found.noted if each.severity != "note"):
        talk(line)


def settled(
    found: Planned, mode: Mode | None, *, yes: bool, script: list[scripted.Line] | None, prompting: bool
) -> tuple[Planned | None, str]:
    """The plan as it was agreed to, and by whom; None when it was cancelled. Raises BadInput where nobody can be asked."""
    me = signer.person if (signer := identity(home())) else "somebody at the terminal"
    if yes:
        plan = in_mode(found.plan, mode or found.advice.mode)
        shown(plan, talk)
        talk(f"{PROCEED} yes")
        return replace(found, plan=plan), f"{me}, by --yes"
    if script is not None and any(line.about in ("mode", "confirmation") for line in script):
        by = next(line.person for line in script if line.about in ("mode", "confirmation"))
        ask: Callable[[str], str] = partial(_scripted, script)
        by = f"{by}, beforehand"
    elif prompting:
        ask, by = _typed, me
    else:
        raise BadInput(
            "nobody can be asked here whether to proceed",
            hint=f"add --yes, and --mode standard or delegated where it is not to be the recommended one ({found.advice.mode})",
        )
    chosen = mode or mode_of(found, ask, talk)
    return confirmed(found, in_mode(found.plan, chosen), ask, talk), by


def _typed(prompt: str) -> str:
    said: str = click.prompt(prompt, prompt_suffix=" ", err=True, default="", show_default=False)
    return said


def _scripted(script: list[scripted.Line], prompt: str) -> str:
    about = "confirmation" if prompt == PROCEED else "mode"
    said = scripted.beforehand(script, about)
    if not said or said == "modify":
        raise BadInput(f"the answers say nothing that helps about `{prompt}`", hint=f"write `about: {about}`, and `answer:`")
    talk(f"{prompt} {said}")
    return said


async def _run(found: Planned, promise: Promise, options: Options, script: list[scripted.Line] | None) -> int:
    from remit.engine.chain import begin

    here = home()
    signer = identity(here)
    person = signer.person if signer else promise.contract.owner
    async with engine(here) as supervisor:
        run_id = await begin(
            supervisor.hands, found.plan, promise.contract, organisation(promise.organisation, here), found.wish.workspace,
            advised=found.advice.mode, why=(*found.why, *found.advice.reasons), confirmed=options.confirmed,
            trigger=f"remit chain run by {person}", requester=person, unattended=options.unattended,
            accepted=(options.accepted, person) if options.accepted else None, context=promise.context,
        )  # fmt: skip
    if not options.as_json:
        before(run_id, found, promise.contract)
    return await drive(here, run_id, as_json=options.as_json, script=script, plain_view=options.plain)


def before(run_id: str, found: Planned, contract: Contract) -> None:
    """For whom, where, and within what it works."""
    talk()
    talk(f"run {run_id}: {clean(contract.goal)}")
    talk(f"  owner      {contract.owner}")
    talk(f"  workspace  {found.wish.workspace.resolve()}")
    talk(f"  runtime    {found.plan.runtime}" + (f", model {found.plan.model}" if found.plan.model else ""))
    talk(f"  limits     {limits(contract.limits)}")
