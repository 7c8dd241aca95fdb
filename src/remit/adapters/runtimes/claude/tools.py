"""What each tool call of Claude Code amounts to. Names and arguments: its `sdk-tools.d.ts`, 2.1.197."""

import posixpath
from collections.abc import Mapping
from typing import Any

from remit.adapters.runtimes.messages import text
from remit.adapters.runtimes.native_paths import searching, touching
from remit.adapters.runtimes.shell_line import actions as shell_actions
from remit.authority.action import Action
from remit.ports import Native

OFFERED = (
    "Bash", "Read", "Write", "Edit", "NotebookEdit", "Glob", "Grep", "WebFetch", "Task", "Agent", "TodoWrite",
    "TaskCreate", "TaskGet", "TaskList", "TaskUpdate", "TaskOutput", "TaskStop",
)  # fmt: skip
"""tools it has at all; those that act from elsewhere (schedules, remote triggers, pages, hosted search) are not there"""

INTERNAL = frozenset(
    {
        "Task", "Agent", "TodoWrite", "TaskCreate", "TaskGet", "TaskList", "TaskUpdate", "TaskOutput", "TaskStop", "BashOutput",
        "KillShell", "KillBash", "AgentOutputTool", "ToolSearch", "EnterPlanMode", "ExitPlanMode", "ListMcpResourcesTool",
    }
)  # fmt: skip
"""they stay inside: plans, lists, sub-agents, whose own tool calls are asked about one by one"""

OWN = "mcp__remit__"
"""remit's own server in the box: its door decides"""

LOOSENING = {"Task": ("mode", "isolation", "team_name"), "Agent": ("mode", "isolation", "team_name")}
"""arguments that would take a sub-agent out of what is asked about"""


def native(call: str, tool: str, given: Mapping[str, Any], cwd: str) -> Native:
    """A tool call in remit's words."""
    if tool == "Bash":
        line = text(given.get("command"))
        return Native(id=call, tool=tool, actions=shell_actions(line, cwd), text=line)
    path = text(given.get("file_path") or given.get("notebook_path") or given.get("path"))
    content = text(given.get("content")).encode(errors="replace") if tool == "Write" else None
    return Native(id=call, tool=tool, actions=_actions(tool, given, path, cwd), text=path or _shown(given), content=content)


def tightened(tool: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as they may be used."""
    dropped = LOOSENING.get(tool, ())
    return {name: value for name, value in given.items() if name not in dropped}


# ---------------------------------------------------------------------------------------------------------------------


def _actions(tool: str, given: Mapping[str, Any], path: str, cwd: str) -> tuple[Action, ...]:
    match tool:
        case "Read" | "NotebookRead":
            return touching("read", path, cwd)
        case "Write" | "Edit" | "MultiEdit" | "NotebookEdit":
            return touching("write", path, cwd)
        case "Glob":
            return _matching(path, text(given.get("pattern")), cwd)
        case "Grep" | "LS":
            return searching(path, cwd)
        case "WebFetch":
            return (Action(verb="fetch", object=_secure(text(given.get("url")))),)
        case _ if tool in INTERNAL or tool.startswith(OWN):
            return ()
        case _:
            return (Action(verb="call", object=tool, arguments=dict(given)),)


def _matching(path: str, pattern: str, cwd: str) -> tuple[Action, ...]:
    """A pattern begins where its first part with a wildcard does; after that it may not lead upwards."""
    parts = pattern.split("/")
    wild = next((number for number, part in enumerate(parts) if any(mark in part for mark in "*?[{")), len(parts) - 1)
    if ".." in parts[wild:]:
        return (Action(verb="read", object=pattern),)
    return searching(posixpath.join(path or ".", "/".join([*parts[:wild], ""])), cwd)


def _secure(url: str) -> str:
    """It asks every `http:` address by https."""
    return "https:" + url[5:] if url[:5].lower() == "http:" else url


def _shown(given: Mapping[str, Any]) -> str:
    for name in ("url", "query", "description", "pattern", "prompt"):
        if text(given.get(name)):
            return text(given[name])[:400]
    return ""
