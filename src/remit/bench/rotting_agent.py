"""The rotting agent at work: one skill with a fresh context, or a whole chain in one conversation."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from remit.bench.rotting import Habits, Way, adds, drawn, looks_back, tokens, way
from remit.engine.gear import TASK
from remit.ports import Box, BoxPlan, Watcher
from remit.testing.sandbox import Inside, UnconfinedScripts

AGENT = "agent"
KIT = "kit"
HUNG = -1
"""what an agent gives that never ends: its box is told that the time is up"""
PAUSE = 0.01
"""seconds that work on one skill takes, so that steps side by side can be seen to overlap"""
REPORT = "VALIDATION REPORT"


class Rotting:
    """All the agents of one chain. `contexts` are the tokens each of them carried at its end, as they ended."""

    def __init__(self, habits: Habits, *, seed: int, number: int, skills: tuple[str, ...] = ()) -> None:
        self.habits, self.skills = habits, skills
        self.contexts: list[int] = []
        self.ways: Counter[Way] = Counter()
        self._about = (seed, number)
        self._tries: Counter[str] = Counter()

    async def step(self, inside: Inside, name: str, brief: str) -> int:
        """A sub-agent of one step: its context begins with its brief."""
        self._tries[name] += 1
        chance = drawn(*self._about, name, self._tries[name])
        context = tokens(brief)
        does = way(self.habits, chance, context)
        self.ways[does] += 1
        if does in {"well", "fails", "hangs"}:
            context += await invoked(inside, name) + adds(self.habits, chance)
        self.contexts.append(context)
        if does == "hangs":
            return HUNG
        await anyio.sleep(PAUSE)
        if does == "well":
            leaves(inside, name)
        await inside.say(failed(name) if does in {"fails", "misses"} else report(name))
        return 1 if does in {"fails", "misses"} else 0

    async def conversation(self, inside: Inside, brief: str) -> int:
        """One agent for all of them: what it takes up it carries on, and what it carries makes it forget the rest."""
        self._tries[""] += 1
        chance = drawn(*self._about, "conversation", self._tries[""])
        context = tokens(brief)
        said: list[str] = []
        for name in self.skills:
            does = way(self.habits, chance, context)
            self.ways[does] += 1
            if does == "misses":
                if chance.random() < self.habits.leaves:
                    break
                continue
            if does != "lies":
                context += await invoked(inside, name) + adds(self.habits, chance)
            if does == "hangs":
                self.contexts.append(context)
                return HUNG
            await anyio.sleep(PAUSE)
            if does == "well":
                leaves(inside, name)
            said.append(failed(name) if does == "fails" else report(name))
        if looks_back(self.habits, chance, context):
            said.append(f"{REPORT}\n\nEverything is there.\n")
        self.contexts.append(context)
        await inside.say("\n".join(said) or "Done.\n")
        return 0


class Boxes(UnconfinedScripts):
    """Boxes for rotting agents: the time limit of one that hangs passes at once, as if somebody had waited."""

    def __init__(self, agents: Rotting) -> None:
        async def waits(inside: Inside) -> None:
            while await inside.hears():
                pass

        async def idle(_: Inside) -> None:
            return

        super().__init__({"cat": waits, "true": idle, AGENT: self._works})
        self._agents = agents
        self._briefs: dict[str, str] = {}
        self._boxes: dict[str, Box] = {}

    @asynccontextmanager
    async def open(self, plan: BoxPlan, watcher: Watcher) -> AsyncIterator[Box]:
        """See `UnconfinedScripts`."""
        if plan.argv[0] == AGENT:
            # Where the project lies differs between machines, and what the agent does must not.
            self._briefs[plan.argv[1]] = plan.files.get(TASK, "").replace(plan.mount.at, "/project")
        async with super().open(plan, watcher) as box:
            if plan.argv[0] == AGENT:
                self._boxes[plan.argv[1]] = box
            yield box

    async def _works(self, inside: Inside) -> int:
        name = inside.argv[1]
        brief = self._briefs[name]
        status = await (self._agents.step(inside, name, brief) if name else self._agents.conversation(inside, brief))
        if status == HUNG:
            await self._boxes[name].stop("limit", "time")
            await inside.stays()
        return status


async def invoked(inside: Inside, name: str) -> int:
    """Ask for the skill; how many tokens its text is, without the line that says where it lies."""
    told = await inside.act("call", "Skill", arguments={"skill": f"{KIT}:{name}"})
    return tokens(str(told.get("output") or "").partition("\n\n")[2])


def leaves(inside: Inside, name: str) -> None:
    """Write the one file that the step owes."""
    at = inside.folder / wrote(name)
    at.parent.mkdir(exist_ok=True)
    at.write_text(f"what {name} made\n")


def wrote(name: str) -> str:
    """The file that a step owes."""
    return f"out/{name}.md"


def report(name: str) -> str:
    """The last words of somebody who says that it is done."""
    return (
        f"SKILL COMPLETE: {name}\n\nFILES CREATED:\n- {wrote(name)}\n\nKEY DECISIONS:\n- one file, in plain words\n\n"
        f"OUTPUTS FOR NEXT SKILL:\n- {name}_path: {wrote(name)}\n"
    )


def failed(name: str) -> str:
    """The last words of somebody who could not."""
    return f"SKILL FAILED: {name}\n\nIt could not be done.\n"
