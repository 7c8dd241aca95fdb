"""What an attempt is given to work with: the runtime, its task, what its box needs, and the account of its model calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from remit.contract.glob import compile_glob
from remit.contract.takes import takes
from remit.engine.briefing import PLACE, briefed, declared
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.meter import Meter
from remit.errors import Unavailable
from remit.ports import BoxPlan, Outfit, Runtime, Task
from remit.run.event import RuntimeChosen
from remit.run.state import Run
from remit.value import encode

TOOLS = "/run/remit/tools.json"
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
            files={**plan.files, **listed, **fit.files},
            visible=tuple(dict.fromkeys((*plan.visible, *fit.visible))), talks=fit.talks, meter=fit.meter,
        )  # fmt: skip


async def fitted(hands: Hands, gate: Gate, run: Run) -> Gear:
    """Choose and record who works on the attempt that has just begun. Raises Unavailable when it is not here."""
    assert run.started is not None
    meter = Meter(hands, gate, run.id, run.attempt)
    if run.started.runtime == "command":
        return Gear(outfit=_command(run, meter.token), meter=meter)
    runtime, task = found(hands, run, meter.token)
    outfit = await runtime.outfit(task)
    await hands.record(
        RuntimeChosen(
            run=run.id, attempt=run.attempt, runtime=runtime.name, version=outfit.version, model=task.model, masked=outfit.masks
        )
    )
    return Gear(outfit=outfit, meter=meter, runtime=runtime, task=task, tools=listed(run))


def found(hands: Hands, run: Run, token: str) -> tuple[Runtime, Task]:
    """The runtime the run was started with, and its task. Raises Unavailable."""
    assert run.started is not None
    if hands.runtimes is None:
        raise Unavailable(f"nothing here can start the runtime `{run.started.runtime}`", hint="use `remit run` or `remit resume`")
    return hands.runtimes.find(run.started.runtime), briefed(hands, run, token)


def _command(run: Run, token: str) -> Outfit:
    """A program as the runtime: where the contract speaks of models, it finds the meter where it would look for a provider."""
    assert run.started is not None
    if not (run.contract.model or run.contract.models):
        return Outfit(argv=run.started.command, version="", meter=False)
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"), token)
    places = {"ANTHROPIC_BASE_URL": PLACE, "OPENAI_BASE_URL": f"{PLACE}/v1", "GOOGLE_GEMINI_BASE_URL": PLACE}
    model = {"REMIT_MODEL": run.contract.model} if run.contract.model else {}
    return Outfit(argv=run.started.command, version="", meter=True, environment={**keys, **places, **model})


def listed(run: Run) -> str:
    """The tools this run may call, each with what it takes; what they really do is remit's own affair."""
    rows = [
        {"name": tool.name, "description": f"{tool.name} ({tool.tier}, {tool.effect})", "inputSchema": takes(tool)}
        for tool in declared(run)
    ]
    return encode(rows).decode() if rows else ""
