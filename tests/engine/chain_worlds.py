"""A chain over the shipped doubles: skills on disk, sub-agents that are functions, the real coordinator."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from engine_worlds import ORGANISATION, OWNER, World

from remit.contract.contract import Contract
from remit.contract.deliverable import Deliverable
from remit.contract.outcome import Recovery
from remit.engine.chain import begin
from remit.plan.contracting import ASKING, chain_contract
from remit.plan.step import Pinned, Plan, Step
from remit.run.state import Run
from remit.testing.sandbox import Inside

Agent = Callable[[Inside, str], Awaitable[int | None]]


class ChainWorld(World):
    """`agents` do each step's work by its name; whoever is not named writes `out/STEP.md` and reports it."""

    def __init__(self, folder: Path, agents: Mapping[str, Agent] | None = None) -> None:
        super().__init__(folder, waits)
        self.skills = folder / "skills"
        self.by_step: dict[str, Any] = dict(agents or {})
        self.prompts: list[tuple[str, str]] = []
        self.sandbox.programs |= {"cat": waits, "worker": self._worker, "true": idle}

    async def _worker(self, inside: Inside) -> int | None:
        prompt = inside._plan.files["/run/remit/task.md"]
        step = next((line.removeprefix("- Name: ") for line in prompt.splitlines() if line.startswith("- Name: ")), "")
        self.prompts.append((step, prompt))
        agents = self.by_step.get(step, honest)
        if isinstance(agents, list):
            agents = agents.pop(0) if len(agents) > 1 else agents[0]
        code: int | None = await agents(inside, step)
        return code

    def pinned(self, name: str) -> Pinned:
        folder = self.skills / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "SKILL.md").write_text(f"---\nname: {name}\ndescription: does {name}\n---\n\n# {name}\n\nDo {name}.\n")
        return Pinned(name=name, invocation=f"kit:{name}", folder=str(folder))

    def skill(self, name: str, **more: Any) -> Step:
        return Step(id=name, skill=self.pinned(name), **more)

    def plan(self, *steps: Step, **more: Any) -> Plan:
        given: dict[str, Any] = {"goal": "a thing that works", "runtime": "command", "command": ("worker",), "quality": False}
        return Plan(name="test-chain", steps=steps, **{**given, **more})

    def due(self, *steps: Step) -> tuple[Deliverable, ...]:
        return tuple(Deliverable(name=f"{step.id} done", by=step.id, files=(f"out/{step.id}.md",)) for step in steps)

    async def chain(self, plan: Plan, *, recovery: tuple[Recovery, ...] = ASKING, unattended: bool = False) -> str:
        contract: Contract = chain_contract(plan, owner=OWNER, recovery=recovery, containment="L0")
        return await begin(
            self.hands, plan, contract, ORGANISATION, self.work, trigger="a test", requester=OWNER, unattended=unattended
        )

    async def through(self, plan: Plan, **more: Any) -> Run:
        return await self.drive(await self.chain(plan, **more))


async def waits(inside: Inside) -> None:
    while await inside.hears():
        pass


async def idle(inside: Inside) -> None:
    return


async def invokes(inside: Inside, step: str) -> dict[str, Any]:
    return await inside.act("call", "Skill", arguments={"skill": f"kit:{step}"})


async def honest(inside: Inside, step: str, text: str = "well done\n") -> int:
    """Invokes its skill, writes its one file, and says so."""
    told = await invokes(inside, step)
    assert told["decision"] == "allow", told
    (inside.folder / "out").mkdir(exist_ok=True)
    (inside.folder / "out" / f"{step}.md").write_text(text)
    await inside.say(report(step, [f"out/{step}.md"]))
    return 0


def report(step: str, files: list[str]) -> str:
    listed = "".join(f"- {path}\n" for path in files)
    return (
        f"SKILL COMPLETE: {step}\n\nFILES CREATED:\n{listed}\nKEY DECISIONS:\n- how: by {step}\n\n"
        f"OUTPUTS FOR NEXT SKILL:\n- {step}_path: out/{step}.md\n"
    )
