"""What an action leads to: whether it leaves, whether it can be called back, whether somebody must answer for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from remit.authority.compile import Authority
from remit.authority.subject import Subject
from remit.contract.party import Tool

MUTATING = frozenset({"send", "execute", "queue", "publish"})
"""effects that reach somebody or something outside the workspace"""


def irreversible(subject: Subject, tool: Tool | None) -> bool:
    """Whether the effect leaves and cannot be called back (requirement CON-10, OWN-07)."""
    if subject.verb != "call":
        return subject.verb in ("publish", "push", "delete")
    if tool is None:
        return False
    if tool.effect in ("send", "publish") or (tool.effect == "execute" and tool.tier in ("high-risk", "human-approved")):
        return True
    return by_argument(subject.arguments, tool)


def by_argument(arguments: Mapping[str, Any], tool: Tool) -> bool:
    """Whether an argument is given that makes the call irreversible, whatever the tool's effect is otherwise."""
    return any(each.irreversible and _given(arguments, each.name) for each in tool.arguments)


def irreversible_anywhere(lineage: Sequence[Authority], subject: Subject) -> bool:
    """Whether any contract of the lineage declares it so: the strictest stands here too."""
    if subject.verb != "call":
        return irreversible(subject, None)
    return any(irreversible(subject, authority.tools.get(subject.name)) for authority in lineage)


def consequential(subject: Subject, tool: Tool | None) -> bool:
    """Whether somebody must answer for it: it leaves the workspace, or nobody declared that it does not."""
    if subject.verb == "call":
        return tool is None or tool.effect in MUTATING
    return subject.verb in ("publish", "push", "delegate")


# ---------------------------------------------------------------------------------------------------------------------


def _given(arguments: Mapping[str, Any], name: str) -> bool:
    """Whether an argument is there and says something: not null, not false, not empty."""
    value = arguments.get(name)
    if value is None or value is False:
        return False
    return not isinstance(value, str | list | tuple | Mapping) or len(value) > 0
