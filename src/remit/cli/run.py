"""`remit run`: review the contract, take it on, drive it until it ends or waits."""

import sys
from pathlib import Path
from typing import Any

import anyio
import click

from remit.adapters.runtimes import RUNTIMES
from remit.app import engine, identity
from remit.cli import scripted
from remit.cli.checking import Checked, checked, refuse_incomplete
from remit.cli.driving import drive
from remit.cli.place import home
from remit.cli.present import organisation
from remit.cli.say import talk
from remit.contract.contract import LEVELS, Level
from remit.engine.start import start
from remit.errors import BadInput


@click.command("run")
@click.argument("contract", type=click.Path(path_type=Path))
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.option("--workspace", type=click.Path(path_type=Path), default=Path(), help="the folder to work on (default: here)")
@click.option("--org", help="the organisation file")
@click.option(
    "--with", "visible", multiple=True, type=click.Path(path_type=Path), help="a folder the agent may also see, read-only"
)
@click.option(
    "--accept-containment", type=click.Choice([level for level in LEVELS if level != "L3"]), help="accept less containment"
)
@click.option("--answers", type=click.Path(path_type=Path), help="answers given beforehand, for tests: they count as `scripted`")
@click.option("--unattended", is_flag=True, help="nobody will answer: what could only be asked is refused, and kept as a draft")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(
    contract: Path, argv: tuple[str, ...], workspace: Path, org: str | None, visible: tuple[Path, ...],
    accept_containment: Level | None, answers: Path | None, unattended: bool, as_json: bool,
) -> None:  # fmt: skip
    """Run ARGV as the agent under CONTRACT: remit run CONTRACT --workspace DIR -- CMD…"""
    looked = checked(contract, org)
    if not looked.review.ok:
        sys.exit(refuse_incomplete(looked, as_json=as_json))
    if not workspace.is_dir():
        raise BadInput(f"there is no workspace `{workspace}`", hint="give an existing folder to --workspace")
    if unattended and answers is not None:
        raise BadInput("--unattended says that nobody answers, and --answers says what", hint="give one of them")
    script = scripted.read(answers) if answers is not None else None
    sys.exit(anyio.run(_run, looked, argv, workspace, visible, accept_containment, script, unattended, as_json))


async def _run(
    looked: Checked, argv: tuple[str, ...], workspace: Path, visible: tuple[Path, ...], accepted: Level | None,
    script: list[scripted.Line] | None, unattended: bool, as_json: bool,
) -> int:  # fmt: skip
    here = home()
    promised = looked.contract
    told = RUNTIMES["command"].argv(argv or promised.runtime)
    signer = identity(here)
    person = signer.person if signer else promised.owner
    async with engine(here) as supervisor:
        run_id = await start(
            supervisor.hands, promised, organisation(looked.organisation, here), workspace, told,
            trigger=f"remit run by {person}", visible=[str(shown(path)) for path in visible],
            accepted=(accepted, person) if accepted else None,
            checklist=[(item.item, item.ok) for item in looked.review.checklist], context=looked.context,
            requester=person, unattended=unattended,
        )  # fmt: skip
    if not as_json:
        before(looked, run_id, workspace)
    return await drive(here, run_id, as_json=as_json, script=script)


def shown(path: Path) -> Path:
    """The real place of a folder or file for `--with`. Raises BadInput when there is none."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise BadInput(f"there is no `{path}` to show to the agent", hint="give an existing folder to --with") from None


def before(looked: Checked, run_id: str, workspace: Path) -> None:
    """The screen before anything runs: for whom, which rules, which authority (TIER-11, OBS-13)."""
    contract = looked.contract
    talk(f"run {run_id}: {contract.goal}")
    talk(f"  owner      {contract.owner}" + (f", for {contract.principal}" if contract.principal else ""))
    talk(f"  workspace  {workspace.resolve()}")
    for effect in ("may", "ask", "never"):
        rules = [f"{rule.verb} {', '.join(rule.objects)}" for rule in contract.rules if rule.effect == effect]
        if rules:
            talk(f"  {effect:9}  {' · '.join(rules)}")
    talk(f"  limits     {limits(contract.limits)}")
    talk(f"  success    {', '.join(check.id for check in contract.success)}")
    talk(f"  recovery   {' · '.join(f'{rung.when}: {rung.do}' for rung in contract.recovery)}")
    for rung in contract.escalation:
        within = f" within {rung.within} s" if rung.within else ""
        then = f", then {', '.join(rung.then)}" if rung.then else ""
        talk(f"  escalation {rung.about}: {rung.page}{within}{then}" + (f", otherwise {rung.otherwise}" if rung.within else ""))
    for item in looked.review.checklist:
        talk(f"  [{'x' if item.ok else ' '}] {item.item}")
    talk()


def limits(given: Any) -> str:
    """Limits in a line."""
    named = {
        name: getattr(given, name) for name in ("time", "turns", "calls", "tokens", "usd", "memory", "disk", "processes")
    }  # fmt: skip
    units = {"time": lambda value: f"{value} s", "usd": lambda value: f"{value / 1_000_000:.2f} usd"}
    return ", ".join(units.get(name, lambda value, name=name: f"{value} {name}")(value) for name, value in named.items() if value)
