"""`remit run`: review the contract, take it on, drive it until it ends or waits."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import click

from remit.app import engine, identity
from remit.cli import scripted
from remit.cli.checking import Checked, checked, refuse_incomplete
from remit.cli.driving import drive
from remit.cli.load import soul_beside
from remit.cli.place import home
from remit.cli.present import organisation
from remit.cli.say import talk
from remit.contract.contract import LEVELS, Contract, Level
from remit.contract.models import RUNTIMES, may_call, runtime_of
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
@click.option("--runtime", type=click.Choice(RUNTIMES), help="who does the work (default: ARGV, or what the contract says)")
@click.option("--model", default="", help="the model to use, as the runtime names it")
@click.option("--answers", type=click.Path(path_type=Path), help="answers given beforehand, for tests: they count as `scripted`")
@click.option("--unattended", is_flag=True, help="nobody will answer: what could only be asked is refused, and kept as a draft")
@click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout")
def command(
    contract: Path, argv: tuple[str, ...], workspace: Path, org: str | None, visible: tuple[Path, ...],
    accept_containment: Level | None, runtime: str | None, model: str, answers: Path | None, unattended: bool, as_json: bool,
) -> None:  # fmt: skip
    """Hand CONTRACT over to ARGV, or to a runtime: remit run CONTRACT --workspace DIR -- CMD… | --runtime NAME"""
    looked = checked(contract, org, runtime or ("command" if argv else ""))
    if not looked.review.ok:
        sys.exit(refuse_incomplete(looked, as_json=as_json))
    if not workspace.is_dir():
        raise BadInput(f"there is no workspace `{workspace}`", hint="give an existing folder to --workspace")
    if unattended and answers is not None:
        raise BadInput("--unattended says that nobody answers, and --answers says what", hint="give one of them")
    script = scripted.read(answers) if answers is not None else None
    who = chosen(looked.contract, runtime, argv, model, soul_beside(contract) or "")
    sys.exit(anyio.run(_run, looked, who, workspace, visible, accept_containment, script, unattended, as_json))


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who does the work: the runtime, its argv or what it is given beside the task, its model, its identity."""

    runtime: str
    command: tuple[str, ...]
    model: str
    soul: str


def chosen(contract: Contract, runtime: str | None, argv: tuple[str, ...], model: str, soul: str) -> Who:
    """What was said on the command line goes before what the contract says. Raises BadInput when nobody is named."""
    told, rest = runtime_of(contract.runtime)
    name = runtime or ("command" if argv else told)
    command = argv or (rest if name == told else ())
    if name == "command" and not command:
        hint = "name its command after `--`, a runtime with `--runtime`, or either as `runtime:` in the contract"
        raise BadInput("there is no command to run, and no runtime is named", hint=hint)
    if model and contract.models and not may_call(contract.models, model):
        raise BadInput(f"the contract does not let `{model}` be called", hint="its `models:` says which")
    return Who(runtime=name, command=command, model=model or contract.model, soul=soul)


async def _run(
    looked: Checked, who: Who, workspace: Path, visible: tuple[Path, ...], accepted: Level | None,
    script: list[scripted.Line] | None, unattended: bool, as_json: bool,
) -> int:  # fmt: skip
    here = home()
    promised = looked.contract
    signer = identity(here)
    person = signer.person if signer else promised.owner
    async with engine(here) as supervisor:
        run_id = await start(
            supervisor.hands, promised, organisation(looked.organisation, here), workspace, who.command,
            trigger=f"remit run by {person}", visible=[str(shown(path)) for path in visible],
            accepted=(accepted, person) if accepted else None,
            checklist=[(item.item, item.ok) for item in looked.review.checklist], context=looked.context,
            requester=person, unattended=unattended, runtime=who.runtime, model=who.model, soul=who.soul,
        )  # fmt: skip
    if not as_json:
        before(looked, run_id, workspace, who)
    return await drive(here, run_id, as_json=as_json, script=script)


def shown(path: Path) -> Path:
    """The real place of a folder or file for `--with`. Raises BadInput when there is none."""
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise BadInput(f"there is no `{path}` to show to the agent", hint="give an existing folder to --with") from None


def before(looked: Checked, run_id: str, workspace: Path, who: Who) -> None:
    """The screen before anything runs: for whom, which rules, which authority (TIER-11, OBS-13)."""
    contract = looked.contract
    talk(f"run {run_id}: {contract.goal}")
    talk(f"  owner      {contract.owner}" + (f", for {contract.principal}" if contract.principal else ""))
    talk(f"  workspace  {workspace.resolve()}")
    if who.runtime != "command":
        talk(f"  runtime    {who.runtime}" + (f", model {who.model}" if who.model else ""))
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
