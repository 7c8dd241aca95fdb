"""A tool call as an ACP agent announces it, and what it amounts to.

Announcements come in pieces, and the question about a call often says less than they did: the pieces are laid together. What
an agent says of itself proves nothing; the box bounds it either way.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from remit.adapters.runtimes import shell_line
from remit.adapters.runtimes.native_paths import action_path, searching, touching
from remit.authority.action import Action
from remit.contract.rule import Verb
from remit.ports.runtime import Native
from remit.value import Value

SHORT = 200
PATHS = ("filePath", "file_path", "filepath", "path", "absolute_path", "notebook_path", "dir_path", "directory", "folder")
"""names agents give to the argument that is a path"""
SOURCES = ("source", "from", "old_path", "oldPath")
TARGETS = ("target", "destination", "to", "new_path", "newPath")
OWN = re.compile(r"(?:mcp_+)?remit_[A-Za-z0-9_-]+|[A-Za-z0-9_-]+ \(remit MCP Server\)", re.ASCII)
"""tools of remit's own MCP server in the box, as the agents name them: they are decided where they are served"""
URL = re.compile(r"https?://[^\s\"'<>`]+")
FOLDERS = ("workdir", "cwd", "dir_path", "working_directory")
"""names agents give to the folder a command is run in"""
NOTED_FOLDER = re.compile(r"\[in ([^\]]+)\]")


class Call(Value, frozen=True, kw_only=True):
    """A tool call as far as it was told: its id, the tool's name, and what it is about."""

    id: str
    name: str = ""
    kind: str = ""
    title: str = ""
    given: Mapping[str, Any] = {}
    places: tuple[str, ...] = ()
    note: str = ""
    leaves: str | None = None
    """what a single file would hold, as its difference shows it"""


def call(told: Mapping[str, Any], before: Call | None = None, *, joint: str = "") -> Call:
    """What is told now, laid over what was told before. `joint` stands between name and id where the agent joins both."""
    id_ = text(told.get("toolCallId"))
    name, joined, own = id_.partition(joint) if joint else ("", "", "")
    before = before or Call(id=own if joined else id_, name=name if joined else text(told.get("title")))
    given = told.get("rawInput")
    return Call(
        id=before.id,
        name=before.name or text(told.get("title")),
        kind=kind(text(told.get("kind")), before.kind),
        title=text(told.get("title")) or before.title,
        given=dict(before.given) | (given if isinstance(given, dict) else {}),
        places=places(told) or before.places,
        note=note(told) or before.note,
        leaves=leaves(told) or before.leaves,
    )


def native(about: Call, workspace: str, *, whole: bool = False) -> Native:
    """The call as the gate judges it. `whole`: differences show the whole file, so what would be written is known."""
    amounts = actions(about, workspace)
    content = about.leaves.encode() if whole and about.leaves is not None and [act.verb for act in amounts] == ["write"] else None
    return Native(id=about.id, tool=tool(about), actions=amounts, text=shown(about, workspace), content=content)


def tool(about: Call) -> str:
    """The tool's name. Most agents give a title instead: then the kind of the call."""
    named = about.name if about.name != about.title or about.kind in ("", "other") else ""
    return (named or about.kind or "unnamed")[:SHORT]


def actions(about: Call, workspace: str) -> tuple[Action, ...]:
    """What the call amounts to. What cannot be told is a call of the tool by its name."""
    # A title is free text: only what is of no kind that touches anything can be one of remit's own.
    if about.kind in ("", "other") and OWN.fullmatch(about.name):
        return ()
    whole = (Action(verb="call", object=about.name or about.title or "unnamed", arguments=dict(about.given)),)
    match about.kind:
        case "think":
            return ()
        case "execute":
            return executing(about, workspace) or whole
        case "edit":
            return whole if (found := editing(about, workspace)) is None else found
        case "delete":
            return whole if (found := each(paths(about), "delete", workspace)) is None else found
        case "move":
            return moving(about, workspace) or whole
        case "read":
            return whole if (found := each(paths(about), "read", workspace)) is None else found
        case "search":
            return tuple(act for path in paths(about) or (workspace,) for act in searching(path, workspace))
        case "fetch":
            return tuple(Action(verb="fetch", object=url) for url in urls(about)) or whole
        case _:
            return whole


def written(wanted: Native) -> tuple[str, ...]:
    """The workspace files that a call writes."""
    return tuple(str(action.object) for action in wanted.actions if action.verb == "write")


def executing(about: Call, workspace: str) -> tuple[Action, ...]:
    """A command: its words where they are given, else those of the line. In another folder its words mean other files."""
    command = about.given.get("command", about.given.get("cmd"))
    if isinstance(command, list) and command and all(isinstance(word, str) for word in command):
        found: tuple[Action, ...] = (Action(verb="run", object=tuple(command)),)
    else:
        line = command if isinstance(command, str) else about.title
        found = shell_line.actions(shell_line.unwrapped(line), workspace) if line.strip() else ()
    folder = elsewhere(about, workspace)
    return (Action(verb="run", object=("cd", folder)), *found) if folder and found else found


def elsewhere(about: Call, workspace: str) -> str:
    """The other folder that a command is run in; empty where it is the workspace."""
    named = [about.given[key] for key in FOLDERS if isinstance(about.given.get(key), str)]
    noted = NOTED_FOLDER.match(about.note)
    found = (*named, *([noted.group(1)] if noted else []))
    return next((action_path(path, workspace) or path for path in found if action_path(path, workspace) != "."), "")


def each(named: Sequence[str], verb: Verb, workspace: str) -> tuple[Action, ...] | None:
    """The same for each file, once; None where no file is named: nothing at all means that the box alone decides."""
    found = {action.object: action for path in named for action in touching(verb, path, workspace)}
    return tuple(found.values()) if named else None


def editing(about: Call, workspace: str) -> tuple[Action, ...] | None:
    """Files that are written; where a list says so, some of them go away."""
    listed = about.given.get("files")
    rows = (
        [row for row in listed if isinstance(row, dict) and isinstance(row.get("filePath"), str)]
        if isinstance(listed, list)
        else []
    )
    gone = [local(row["filePath"]) for row in rows if row.get("type") in ("delete", "move")]
    left = [path for path in paths(about) if path not in gone]
    if not gone:
        return each(left, "write", workspace)
    return (*(each(gone, "delete", workspace) or ()), *(each(left, "write", workspace) or ()))


def moving(about: Call, workspace: str) -> tuple[Action, ...]:
    """A move: delete there, write here. Where nobody says which is which, both of each."""
    given = {key: value for key, value in about.given.items() if isinstance(value, str)}
    sources = [given[key] for key in SOURCES if key in given]
    targets = [given[key] for key in TARGETS if key in given]
    if not sources or not targets:
        sources = targets = list(paths(about))
    gone = [act for path in sources for act in touching("delete", path, workspace)]
    return (*gone, *(act for path in targets for act in touching("write", path, workspace)))


def paths(about: Call) -> tuple[str, ...]:
    """The files it is about, each once: its locations and differences, else what its arguments name."""
    named = [about.given[key] for key in PATHS if isinstance(about.given.get(key), str)]
    return tuple(dict.fromkeys(posixpath.normpath(local(path)) for path in about.places or named if path))


def urls(about: Call) -> tuple[str, ...]:
    """The addresses it fetches; none where a part of what it says is cut off."""
    url = about.given.get("url")
    if isinstance(url, str):
        return (url,)
    told = about.given.get("prompt") if isinstance(about.given.get("prompt"), str) else about.title
    return () if "..." in str(told) else tuple(dict.fromkeys(URL.findall(str(told))))


def places(told: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of the locations and of the differences shown."""
    rows = [(key, row) for key in ("content", "locations") if isinstance(told.get(key), list) for row in told[key]]
    named = [row for key, row in rows if isinstance(row, dict) and (key == "locations" or row.get("type") == "diff")]
    return tuple(dict.fromkeys(row["path"] for row in named if isinstance(row.get("path"), str)))


def note(told: Mapping[str, Any]) -> str:
    """The words beside it."""
    rows = told.get("content")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("content"), dict):
            return text(row["content"].get("text"))[:SHORT]
    return ""


def leaves(told: Mapping[str, Any]) -> str | None:
    """What the one file of the one difference would hold."""
    rows = told.get("content")
    found = (
        [row.get("newText") for row in rows if isinstance(row, dict) and row.get("type") == "diff"]
        if isinstance(rows, list)
        else []
    )
    return found[0] if len(found) == 1 and isinstance(found[0], str) else None


def shown(about: Call, workspace: str) -> str:
    """What it is, for a person."""
    command = about.given.get("command")
    if about.kind == "execute":
        return (command if isinstance(command, str) else about.title)[:SHORT]
    named = [action_path(each, workspace) or each for each in paths(about)]
    return " ".join(dict.fromkeys(each for each in (tool(about), *(named or [about.title])) if each))[:SHORT]


def kind(now: str, before: str) -> str:
    """The kind that says more."""
    return before if now in ("", "other") and before else now


def local(path: str) -> str:
    """A path, also where it is written as an address."""
    return unquote(urlsplit(path).path) if path.startswith("file://") else path


def text(value: object) -> str:
    """A text, else an empty one."""
    return value if isinstance(value, str) else ""
