"""The driver for any agent that speaks ACP: start it, prompt it, rule each of its questions, say what was refused and why."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from remit.adapters.runtimes.acp.manner import Manner, again, opening
from remit.adapters.runtimes.finding import Product, located
from remit.errors import BadInput, Unavailable
from remit.ports.runtime import Outfit, Seat, Task

if TYPE_CHECKING:
    from remit.adapters.runtimes.acp.session import Conversation

ROUNDS = 3
"""further prompts, at most, that only say what was refused and why"""
BOXED = ("python", "python3", "sh")
"""programs that every box has of its own"""
OVER = "[remit]"
"""how the meter's last word begins, to a model that may make no more calls"""


class Acp:
    """See `ports.Runtime`. It asks before it acts only as far as it is honest: nothing of that is relied on."""

    name = "acp"
    shows = False
    manner = Manner()

    def __init__(self) -> None:
        self._talk: Conversation | None = None

    async def outfit(self, task: Task) -> Outfit:
        """The agent's own command, and the meter where agents look for a model provider. Raises BadInput, Unavailable."""
        if not task.command:
            raise BadInput(
                "there is no ACP agent to start", hint="name its command after `acp`: `runtime: [acp, my-agent, --acp]`"
            )
        argv, visible, version = program(task.command, task.cwd)
        return Outfit(argv=argv, version=version, visible=visible, environment=metered(task), talks=True)

    async def drive(self, seat: Seat, task: Task) -> None:
        """Prompt it with the task, and again while something new was refused in a turn that it ended by itself."""
        from remit.adapters.runtimes.acp.session import conversation

        async with conversation(seat, task.cwd, self.manner) as talk:
            self._talk = talk
            if talk is None:
                return
            texts = opening(task.text, task.identity, self.manner.notes)
            for what, text in zip(("task", "identity"), (task.text, task.identity), strict=True):
                if text:
                    await seat.loaded(what, text.encode())
            told: set[tuple[str, str]] = set()
            said: list[str] = []
            for _ in range(1 + ROUNDS):
                ended = await talk.prompt(*texts)
                said.append(talk.desk.said.strip())
                new = [each for each in talk.desk.refused if each not in told]
                if ended != "end_turn" or not new or OVER in talk.desk.said:
                    break
                told.update(new)
                texts = (again(new),)
            if words := "\n\n".join(filter(None, said)):  # what it says to a refusal is no report: the turn before has one
                await seat.report(words)
        await seat.close()

    async def cancel(self) -> None:
        """`session/cancel`: it ends its turn, or the box ends it."""
        if self._talk is not None:
            await self._talk.cancel()


def metered(task: Task) -> dict[str, str]:
    """The meter's address and the run's token, under the names of the three wire formats."""
    keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"), task.token)
    places = {"ANTHROPIC_BASE_URL": task.meter, "OPENAI_BASE_URL": f"{task.meter}/v1", "GOOGLE_GEMINI_BASE_URL": task.meter}
    return {**keys, **places, **({"REMIT_MODEL": task.model} if task.model else {})}


def program(command: tuple[str, ...], workspace: str = "") -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """How the agent is started, which host folders it needs, its version.

    An agent can name the command of a child, and a repository may hold one: nothing of it is ever started outside the box,
    not even to ask its version, and a path shows nothing of the host by being named. It is taken as it stands in the box: in
    the workspace, or in a folder shown with `--with`. Only a bare name is looked for on PATH, and its own package shown.
    """
    if "/" in command[0] or command[0] in BOXED:
        return command, (), "unknown"
    entry = shutil.which(command[0])
    if entry is None:
        raise Unavailable(
            f"no `{command[0]}` is on PATH, so this ACP agent cannot work here", hint="install it, or give its path"
        )
    real = os.path.realpath(entry)
    if workspace and Path(real).is_relative_to(os.path.realpath(workspace)):
        return (real, *command[1:]), (), "unknown"
    if real.startswith("/usr/"):
        return (entry if entry.startswith("/usr/") else real, *command[1:]), (), "unknown"
    try:
        found = located(Product(name=command[0], variable="", package=command[0], pinned="latest"), os.environ, ask=False)
    except Unavailable:
        return (real, *command[1:]), (), "unknown"
    return (*found.argv, *command[1:]), found.visible, found.version
