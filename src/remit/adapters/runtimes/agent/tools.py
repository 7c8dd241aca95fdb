"""Which tools a light agent has: all of its own, or those that are named, and every registered one its contract may call."""

import difflib
from collections.abc import Sequence

from remit.adapters.runtimes.agent.brokered import BROKERED, registered
from remit.adapters.runtimes.agent.tool import Tool
from remit.adapters.runtimes.agent.working import WORKING
from remit.errors import BadInput

OWN: dict[str, Tool] = {tool.name: tool for tool in (*WORKING, *BROKERED)}
ALWAYS = ("ask_owner", "done")
"""how to ask and how to end are never left out"""


def chosen(named: Sequence[str], callable_: Sequence[str]) -> dict[str, Tool]:
    """The tools by name: `named` of its own (none named: all), and the registered ones. Raises BadInput for an unknown name."""
    for name in named:
        if name not in OWN:
            near = difflib.get_close_matches(name, OWN, n=1)
            raise BadInput(
                f"the light agent has no tool `{name}`" + (f"; did you mean `{near[0]}`?" if near else ""),
                hint=f"after `agent` in `runtime:` name some of {', '.join(OWN)}, or none for all of them",
            )
    own = [tool for name, tool in OWN.items() if not named or name in named or name in ALWAYS]
    found = {tool.name: tool for tool in own}
    for name in callable_:
        found[name if name not in OWN else f"call_{name}"] = registered(name)
    return found
