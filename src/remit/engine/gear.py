"""What an attempt is given to work with: the runtime, its task, what its box needs, and the account of its model calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from remit.contract.glob import compile_glob
from remit.contract.models import CHAIN
from remit.contract.takes import takes
from remit.engine.briefing import PLACE, briefed, declared, described
from remit.engine.coordinator import Coordinator
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.meter import Meter
from remit.engine.skill_folders import copies, shown
from remit.errors import Unavailable
from remit.ports import BoxPlan, Outfit, Runtime, Task
from remit.run.event import RuntimeChosen
from remit.run.state import Run
from remit.value import encode

TOOLS = "/run/remit/tools.json"
TASK = "/run/remit/task.md"
"""where a plain command finds a task that was written for it; `$REMIT_TASK` says so"""
Sight = tuple[Sequence[str], Callable[[str], bool]]


@dataclass(frozen=True, kw_only=True)
class Gear:
    """One attempt's. A plain command has no runtime: it is started, and that is all."""

    outfit: Outfit
    meter: Meter
    runtime: Runtime | None = None
    task: Task | None = None
    tools: str = ""
    """the registered tools as remit's MCP server inside the box lists them, JSON"""
    skills: tuple[str, ...] = ()
    """folders of the skills it may invoke"""
    copies: Mapping[str, str] = field(default_factory=dict)
    """files of skills whose own place is hidden, by their path in the box"""
    coordinator: Coordinator | None = None
    """the runtime, where it is the coordinator of a chain"""

    @property
    def shows(self) -> bool:
        """Whether its tool calls are decided before they are made."""
        return self.runtime is not None and self.runtime.shows

    def masking(self, sight: Sight) -> Sight:
        """What is hidden, and settings of the workspace that a hostile repository could steer the runtime with."""
        if not self.outfit.masks:
            return sight
        globs, there = sight
        masks = [compile_glob(each) for each in self.outfit.masks]
        return (*globs, *self.outfit.masks), lambda path: not any(mask(path) for mask in masks) and there(path)

    def furnished(self, plan: BoxPlan) -> BoxPlan:
        """The box with what the runtime needs in it."""
        fit = self.outfit
        listed = {TOOLS: self.tools} if self.tools else {}
        return replace(
            plan, argv=fit.argv, environment={**plan.environment, **fit.environment},
            files={**plan.files, **self.copies, **listed, **fit.files},
            visible=tuple(dict.fromkeys((*plan.visible, *fit.visible, *self.skills))), talks=fit.talks, meter=fit.meter,
        )  # fmt: skip


async def fitted(hands: Hands, gate: Gate, run: Run) -> Gear:
    """Choose and record who works on the attempt that has just begun. Raises Unavailable when it is not here."""
    assert run.started is not None
    meter = Meter(hands, gate, run.id, run.attempt)
    if run.started.runtime == CHAIN:
        return await _coordinated(hands, run, meter)
    if run.started.runtime == "command":
        tools = listed(run) if run.started.skills else ""
        return Gear(outfit=_command(run, meter.token), meter=meter, tools=tools, skills=shown(hands, run), copies=copies(run))
    runtime, task = found(hands, run, meter.token)
    outfit = await runtime.outfit(task)
    await hands.record(
        RuntimeChosen(
            run=run.id, attempt=run.attempt, runtime=runtime.name, version=outfit.version, model=task.model, masked=outfit.masks
        )
    )
    return Gear(
        outfit=outfit, meter=meter, runtime=runtime, task=task, tools=listed(run), skills=shown(hands, run), copies=copies(run)
    )


async def _coordinated(hands: Hands, run: Run, meter: Meter) -> Gear:
    coordinator, task = Coordinator(hands, run), briefed(hands, run, meter.token)
    outfit = await coordinator.outfit(task)
    await hands.record(RuntimeChosen(run=run.id, attempt=run.attempt, runtime=CHAIN, version=outfit.version))
    return Gear(outfit=outfit, meter=meter, runtime=coordinator, task=task, coordinator=coordinator)


def found(hands: Hands, run: Run, token: str) -> tuple[Runtime, Task]:
    """The runtime the run was started with, and its task. Raises Unavailable."""
    assert run.started is not None
    if hands.runtimes is None:
        raise Unavailable(f"nothing here can start the runtime `{run.started.runtime}`", hint="use `remit run` or `remit resume`")
    return hands.runtimes.find(run.started.runtime), briefed(hands, run, token)


def _command(run: Run, token: str) -> Outfit:
    """A program as the runtime: its task is in a file where it was written for it, and where the contract speaks of models, it
    finds the meter where it would look for a provider.
    """
    assert run.started is not None
    told = {"REMIT_TASK": TASK} if run.started.brief else {}
    files = {TASK: run.started.brief} if run.started.brief else {}
    if not (run.contract.model or run.contract.models):
        return Outfit(argv=run.started.command, version="", meter=False, environment=told, files=files)
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"), token)
    places = {"ANTHROPIC_BASE_URL": PLACE, "OPENAI_BASE_URL": f"{PLACE}/v1", "GOOGLE_GEMINI_BASE_URL": PLACE}
    model = {"REMIT_MODEL": run.contract.model} if run.contract.model else {}
    environment = {**told, **keys, **places, **model}
    return Outfit(argv=run.started.command, version="", meter=True, environment=environment, files=files)


def listed(run: Run) -> str:
    """The tools this run may call, each with what it takes; what they really do is remit's own affair."""
    rows = [{"name": tool.name, "description": described(run, tool), "inputSchema": takes(tool)} for tool in declared(run)]
    return encode(rows).decode() if rows else ""
