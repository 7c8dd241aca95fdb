"""The light agent as a runtime: its loop is here on the host, its hands are a small program in the box."""

import importlib.metadata
import importlib.util
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import anyio
import msgspec

from remit.adapters.models.scrub import scrubbed
from remit.adapters.runtimes.agent.hands import Gone, Hands
from remit.adapters.runtimes.agent.tool import Bench
from remit.adapters.runtimes.agent.tools import chosen
from remit.adapters.sandboxes.argv import hands_argv
from remit.errors import BadInput, Broken, Unavailable
from remit.ports.runtime import Outfit, Seat, Task

if TYPE_CHECKING:
    from pydantic_ai.models import Model

LOOP = "remit.adapters.runtimes.agent.loop"
LIBRARY = "pydantic-ai-slim"


class LightAgent:
    """See `ports.Runtime`. `model` is a model object instead of the task's name of one: for loops that bring their own."""

    name = "agent"
    shows = True

    def __init__(self, model: "str | Model | None" = None) -> None:
        self._model = model
        self._scope: anyio.CancelScope | None = None
        self._left_off = False
        self.words = ""

    async def outfit(self, task: Task) -> Outfit:
        """A program that runs, reads and searches where the outside tells it to. Raises Unavailable without the library."""
        if importlib.util.find_spec("pydantic_ai") is None:
            raise Unavailable("the light agent needs a library that is not installed", hint="pip install 'remit[agent]'")
        if not (self._model or task.model):
            raise BadInput("the light agent needs a model", hint="write `model: PROVIDER:NAME` in the contract, or give --model")
        chosen(task.command, task.tools, task.skills)
        if self._model is None:  # a wrong name or a missing key is said before anything starts
            self._model = await anyio.to_thread.run_sync(_resolved, task.model)
        beside = msgspec.json.encode([each.folder for each in task.skills if each.folder]).decode()
        shown = {"REMIT_BESIDE": beside} if task.skills else {}
        version = importlib.metadata.version(LIBRARY)
        return Outfit(argv=hands_argv(), version=version, environment=shown, talks=True, meter=False)

    async def drive(self, seat: Seat, task: Task) -> None:
        """Work the task. Its last words are in `words`; whether the work is done is for the checks to say."""
        if LOOP not in sys.modules:
            await anyio.to_thread.run_sync(import_module, LOOP)  # it takes its time
        await seat.loaded("identity", task.identity.encode())
        await seat.loaded("task", task.text.encode())
        hands = Hands(seat)
        bench = Bench(seat=seat, hands=hands, cwd=task.cwd)
        failed: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(hands.listen)
            with anyio.CancelScope() as self._scope:
                if self._left_off:
                    self._scope.cancel()
                try:
                    self.words = await sys.modules[LOOP].work(
                        self._model or task.model, bench, task, chosen(task.command, task.tools, task.skills)
                    )
                except Gone:
                    self.words = "the box ended"
                except Exception as error:  # noqa: BLE001 - a group would wrap it
                    failed = error
            group.cancel_scope.cancel()
        await seat.close()
        if failed is not None:
            if (said := scrubbed(str(failed))) != str(failed):
                raise Broken(said) from None
            raise failed

    async def cancel(self) -> None:
        """Leave off: a call under way is charged in full, since nobody knows."""
        self._left_off = True
        if self._scope is not None:
            self._scope.cancel()


def _resolved(model: str) -> "Model":
    """The model of that name; the import takes its time, as the provider's own library does. Raises BadInput or Unavailable."""
    from remit.adapters.runtimes.agent.model import resolved

    return resolved(model)
