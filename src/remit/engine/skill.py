"""A skill that is invoked: which one is meant, its text from the disk, and the record that it was given. That is activation."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import anyio
from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.decision import Allow, Code, Decision, Reason, Refuse
from remit.engine.hands import Hands
from remit.engine.skill_folders import place
from remit.engine.want import refused, reply
from remit.errors import BadInput, Unavailable
from remit.plan.front import read_front
from remit.plan.skill_call import ARGUMENT, SKILL, called, find
from remit.plan.step import Pinned
from remit.run.chained import SkillInvoked
from remit.run.event import ContextLoaded
from remit.run.state import Run

FILE = "SKILL.md"
MOST = 512 * 1024
"""bytes of a SKILL.md; a longer one is not given at all, rather than in part"""


def invokes(action: Action, run: Run) -> bool:
    """Whether this call wants a skill, in a run that has any. In any other run `Skill` is a tool like all others."""
    return action.verb == "call" and action.object == SKILL and run.started is not None and bool(run.started.skills)


def named(action: Action, run: Run) -> tuple[Action, Pinned | None]:
    """The call as it is decided, by the invocation of the skill that is meant, and that skill; None where this run has no such.

    Arguments beside the name say nothing to the gate and are left out. Raises BadInput where no name is given.
    """
    assert run.started is not None
    asked = action.arguments.get(ARGUMENT)
    if not isinstance(asked, str) or not asked.strip():
        raise BadInput(f"`{SKILL}` takes the name of a skill as `{ARGUMENT}`")
    pinned = find(run.started.skills, asked)
    return replace(action, arguments={ARGUMENT: called(pinned) if pinned else asked.strip()}), pinned


def only(run: Run, decision: Decision | None = None) -> Decision:
    """The refusal of another skill, with the words an agent can act on: which ones this run is for. A question stays one."""
    assert run.started is not None
    if decision is not None and not isinstance(decision, Refuse):
        return decision
    names = " or ".join(f"`{called(each)}`" for each in run.started.skills)
    why, instead = f"this run is for {names} only", f"invoke {names}"
    mine = Reason(code=Code.AUTHORITY, rule=None, contract=run.contract.hash(), why=why, instead=instead)
    return Refuse(reasons=(mine, *(decision.reasons if decision else ())), considered=decision.considered if decision else ())


async def give(hands: Hands, run: Run, decision: Allow, pinned: Pinned) -> dict[str, Any]:
    """The reply to an invocation that was allowed: the text of the skill, once it is on record that it was given."""
    try:
        data = await anyio.to_thread.run_sync(content, pinned)
    except (OSError, Unavailable) as error:
        why = f"the text of `{called(pinned)}` cannot be read: {getattr(error, 'strerror', None) or error}"
        return reply(refused(Code.INPUTS, why), run.id)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    name, changed = called(pinned), bool(pinned.digest) and pinned.digest != digest
    await hands.record(
        SkillInvoked(run=run.id, skill=name, digest=digest, bytes=len(data), changed=changed),
        ContextLoaded(run=run.id, what=f"skill {name}"[:256], digest=digest, bytes=len(data)),
    )
    return reply(decision, run.id) | {"done": True, "output": told(place(run, pinned), data)}


def told(at: str, data: bytes) -> str:
    """What the agent reads: where the skill's other files are, then its instructions without the front matter."""
    _, body, _ = read_front(data.decode("utf-8", "replace"), file=FILE)
    return f"Base directory for this skill: {at}\n\n{body.strip()}\n"


def content(pinned: Pinned) -> bytes:
    """The bytes of its SKILL.md. A link that leads out of the folder is not followed. Raises OSError and Unavailable."""
    folder = Path(pinned.folder)
    if not pinned.folder or not folder.is_absolute():
        raise Unavailable("it has no folder on this machine")
    within = folder.resolve(strict=True)
    real = (within / FILE).resolve(strict=True)
    if not real.is_relative_to(within):
        raise Unavailable(f"{FILE} is a link out of its folder")
    with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unavailable(f"{FILE} is no plain file")
        data = file.read(MOST + 1)
    if len(data) > MOST:
        raise Unavailable(f"{FILE} is larger than {MOST} bytes")
    return data
