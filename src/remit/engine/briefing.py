"""What a runtime is told: the contract in words, how to ask for what it may not do itself, and for whom it acts."""

from pathlib import Path

from remit.contract.contract import Contract
from remit.contract.party import Tool
from remit.contract.print import print_contract
from remit.engine.hands import Hands
from remit.engine.skill_folders import seen
from remit.plan.skill_call import SKILL, inviting, skill_tool
from remit.ports import METER, Task
from remit.run.state import Run

PLACE = f"http://127.0.0.1:{METER}"
"""where the meter listens inside a box"""


def briefed(hands: Hands, run: Run, token: str) -> Task:
    """The task of the attempt that has just begun."""
    assert run.started is not None
    state = hands.home / "runs" / run.id / "runtime"
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    contract = run.contract
    return Task(
        run=run.id, attempt=run.attempt, text=run.started.brief or words(contract, run.because), identity=identity(run),
        because=run.because, model=run.started.model or contract.model, command=run.started.command,
        cwd=str(Path(run.started.workspace)), state=state, keeps=contract.history == "keep" or run.carried > 0, token=token,
        meter=PLACE, most_output=min((each.output for each in contract.models if each.output), default=None),
        tools=declared(run), skills=seen(hands, run),
    )  # fmt: skip


def identity(run: Run) -> str:
    """For whom it acts: SOUL.md where there is one, else a sentence."""
    assert run.started is not None
    for_whom = run.contract.principal or run.owner
    return run.started.soul or f"You act for {for_whom}. {run.owner} answers for the outcome."


def words(contract: Contract, because: str) -> str:
    """The whole task as text. Nothing in it enforces anything: what it says is enforced elsewhere."""
    again = [f"This is a further attempt: {because}.", ""] if because else []
    return "\n".join(
        [
            f"# Task\n\n{contract.goal}\n",
            *again,
            "It is done when the checks named under `success` pass on what you leave in the workspace.",
            "",
            "You work under this contract. It is enforced outside of you: whatever it does not allow is refused or dropped, and",
            "a refusal says why and what to do instead. Do not look for ways around it; do what is allowed, and leave the rest.",
            "",
            "```yaml",
            print_contract(contract).rstrip(),
            "```",
            "",
            "Work only in the current folder. When everything is done, say so in a sentence and end.",
        ]
    )


def declared(run: Run) -> tuple[Tool, ...]:
    """The tools declared for this run; what the organisation says of one stands. Where it has skills, `Skill` is one of them."""
    assert run.started is not None
    own = (skill_tool(),) if run.started.skills else ()
    found = {tool.name: tool for tool in (*own, *run.contract.tools, *run.started.organisation.tools)}
    return tuple({**found, **{tool.name: tool for tool in own}}.values())


def described(run: Run, tool: Tool) -> str:
    """A tool in a sentence, for the listing that models read."""
    assert run.started is not None
    if tool.name != SKILL or not run.started.skills:
        return f"{tool.name} ({tool.tier}, {tool.effect})"
    return inviting(run.started.skills)
