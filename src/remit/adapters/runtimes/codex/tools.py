"""What the items of Codex amount to: commands, changes of files, calls of servers. Shapes: its own JSON schema, 0.169.0."""

from collections.abc import Mapping, Sequence
from typing import Any

from remit.adapters.runtimes.messages import table, text
from remit.adapters.runtimes.native_paths import action_path, touching
from remit.adapters.runtimes.shell_line import actions as shell_actions
from remit.adapters.runtimes.shell_line import unwrapped
from remit.authority.action import Action
from remit.ports import Native

OWN = "remit"
"""remit's own server in the box: its door decides"""


def command(asked: Mapping[str, Any], workspace: str) -> Native | None:
    """A command it wants to start; None where it asks for more or other than a command."""
    line = unwrapped(text(asked.get("command")))
    if not line or asked.get("kind", "command") != "command" or asked.get("networkApprovalContext"):
        return None
    where = text(asked.get("cwd")) or workspace
    found = shell_actions(line, workspace)
    if action_path(where, workspace) != ".":  # relative words mean something else there
        found = (Action(verb="run", object=("cd", where)), *found)
    return Native(id=text(asked.get("itemId")), tool="exec_command", actions=found, text=line)


def changes(asked: Mapping[str, Any], item: Mapping[str, Any], workspace: str) -> Native | None:
    """Changes of files it wants to make; None where it does not say which, or asks for a whole folder."""
    changed = item.get("changes")
    if not isinstance(changed, list) or not changed or asked.get("grantRoot"):
        return None
    found: list[Action] = []
    for each in changed:
        path, kind = text(table(each).get("path")), table(table(each).get("kind"))
        moved = text(kind.get("move_path"))
        if not path or kind.get("type") not in ("add", "delete", "update"):
            return None
        found += touching("delete" if kind["type"] == "delete" or moved else "write", path, workspace)
        found += touching("write", moved, workspace) if moved else ()
    shown = ", ".join(text(table(each).get("path")) for each in changed)
    only = table(changed[0]) if len(changed) == 1 else {}
    whole = text(only.get("diff")).encode(errors="replace") if table(only.get("kind")).get("type") == "add" else None
    return Native(id=text(asked.get("itemId")), tool="apply_patch", actions=tuple(found), text=shown, content=whole)


def server_call(asked: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Native | None:
    """A tool of a server it wants to call; None where it asks a person for something else."""
    about = table(asked.get("_meta"))
    server, tool, given = text(asked.get("serverName")), text(about.get("tool_name")), table(about.get("tool_params"))
    if about.get("codex_approval_kind") != "mcp_tool_call" or not server or not tool:
        return None
    name = f"mcp__{server}__{tool}"
    found = (
        each for each in items if (each.get("server"), each.get("tool"), table(each.get("arguments"))) == (server, tool, given)
    )
    call = text(next(found, {}).get("id"))
    actions = () if server == OWN else (Action(verb="call", object=name, arguments=given),)
    return Native(id=call or name, tool=name, actions=actions)
