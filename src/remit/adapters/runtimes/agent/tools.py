"""Which tools a light agent has: all of its own, or those that are named, and every registered one its contract may call."""

import difflib
import re
from collections.abc import Sequence
from itertools import count

from remit.adapters.runtimes.agent.brokered import BROKERED, registered, skilled
from remit.adapters.runtimes.agent.tool import Tool
from remit.adapters.runtimes.agent.working import WORKING
from remit.contract.party import Tool as Declared
from remit.errors import BadInput
from remit.plan.skill_call import SKILL
from remit.plan.step import Pinned

OWN: dict[str, Tool] = {tool.name: tool for tool in (*WORKING, *BROKERED)}
MOST = 64
"""characters of a tool's name that providers take"""
ALWAYS = ("ask_owner", "done")
"""how to ask and how to end are never left out"""


def chosen(named: Sequence[str], declared: Sequence[Declared], skills: Sequence[Pinned] = ()) -> dict[str, Tool]:
    """The tools by name: `named` of its own (none named: all), and the registered ones; `Skill` where there are any.

    Raises BadInput for an unknown name.
    """
    for name in named:
        if name not in OWN:
            near = difflib.get_close_matches(name, OWN, n=1)
            raise BadInput(
                f"the light agent has no tool `{name}`" + (f"; did you mean `{near[0]}`?" if near else ""),
                hint=f"after `agent` in `runtime:` name some of {', '.join(OWN)}, or none for all of them",
            )
    found = {name: tool for name, tool in OWN.items() if not named or name in named or name in ALWAYS}
    if skills:
        found[SKILL] = skilled(skills)
    for each in declared:
        if skills and each.name == SKILL:
            continue
        shown = _shown(each.name, {*OWN, *found})
        found[shown] = registered(each, shown)
    return found


def _shown(name: str, taken: set[str]) -> str:
    """A name that every provider takes, and that no other tool has."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:MOST] or "tool"
    others = (f"{plain[: MOST - 8]}_{number}" for number in count(2))
    return plain if plain not in taken else next(each for each in others if each not in taken)
