"""Who can do the work: one literal table. A new runtime is a new file and one line here.

What a runtime needs is imported when it is used, and not before.
"""

from importlib import import_module

from remit.contract.models import RUNTIMES
from remit.errors import BadInput
from remit.ports import Runtime

PLACES = {
    "agent": ("agent.runtime", "LightAgent"),
    "claude": ("claude.driver", "Claude"),
    "codex": ("codex.driver", "Codex"),
    "gemini": ("gemini", "Gemini"),
    "opencode": ("opencode", "Opencode"),
    "acp": ("acp.runtime", "Acp"),
}
"""name of a runtime: the module below this one, and the class that satisfies `ports.Runtime`"""


class KnownRuntimes:
    """See `remit.ports.Runtimes`."""

    def find(self, name: str) -> Runtime:
        """A fresh one. Raises BadInput for a name nobody knows."""
        if name not in PLACES:
            raise BadInput(f"there is no runtime `{name}`", hint=f"one of {', '.join(RUNTIMES)}")
        module, kind = PLACES[name]
        made: Runtime = getattr(import_module(f"remit.adapters.runtimes.{module}"), kind)()
        return made
