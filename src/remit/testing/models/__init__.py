"""A model that does as it is told: four wire formats on loopback, answered by scripts, so that trying a runtime needs no vendor.

`async with serving() as server:` and `with served() as server:` give a server with a `url` and a `journal`;
`python -m remit.testing.models --port 0` runs one by itself. Prompts that contain `[[script: NAME]]` are answered by that script.
"""

from remit.testing.models.journal import Seen
from remit.testing.models.script import (
    Ask,
    Burst,
    Cut,
    Edit,
    Fetch,
    Final,
    Hang,
    Loop,
    Read,
    Script,
    Shell,
    Skill,
    Slow,
    Status,
    Subagents,
    Text,
    Together,
    Tool,
    Usage,
    Write,
    Zipped,
    scripts_of,
)
from remit.testing.models.server import ModelServer
from remit.testing.models.serving import served, serving
from remit.testing.models.shipped import SHIPPED

__all__ = [
    "SHIPPED",
    "Ask",
    "Burst",
    "Cut",
    "Edit",
    "Fetch",
    "Final",
    "Hang",
    "Loop",
    "ModelServer",
    "Read",
    "Script",
    "Seen",
    "Shell",
    "Skill",
    "Slow",
    "Status",
    "Subagents",
    "Text",
    "Together",
    "Tool",
    "Usage",
    "Write",
    "Zipped",
    "scripts_of",
    "served",
    "serving",
]
