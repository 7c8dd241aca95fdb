"""Tools whose work is done in the box or on the stage: files, search, the shell."""

import base64
import posixpath
from typing import Annotated, Any

from remit.adapters.runtimes.agent.hands import HandsFailed
from remit.adapters.runtimes.agent.tool import Bench, CannotUse, Failed, Plan, Tool, field
from remit.adapters.runtimes.native_paths import action_path, searching, touching
from remit.adapters.runtimes.shell_line import actions
from remit.authority.action import Action
from remit.contract.rule import Verb
from remit.errors import Conflict
from remit.ports.runtime import Native
from remit.value import Value

MOST_LINES = 2000
MOST_TEXT = 1024 * 1024
"""characters of a file that is written or edited"""
MOST_SHOWN = 15_000
"""bytes of each stream of a program"""
PATIENCE = 120

File = Annotated[str, field("path of a file in the workspace, such as docs/index.md")]
Folder = Annotated[str, field("folder of the workspace; `.` is all of it")]
Glob = Annotated[str, field("only these, such as *.py or docs/**/*.md; with none, what the folder itself holds is listed")]
ENDS = {"folder": "/", "link": " (a link)", "other": " (no file)"}


class ReadFile(Value, frozen=True, kw_only=True):
    path: File
    first: Annotated[int, field("line to begin with, counted from 1")] = 1
    lines: Annotated[int, field(f"how many lines, at most {MOST_LINES}")] = 500


class ListFiles(Value, frozen=True, kw_only=True):
    path: Folder = "."
    glob: Glob = ""


class Search(Value, frozen=True, kw_only=True):
    pattern: Annotated[str, field("regular expression, matched line by line")]
    path: Folder = "."
    glob: Glob = ""


class WriteFile(Value, frozen=True, kw_only=True):
    path: File
    content: Annotated[str, field("all of what the file is to hold")]


class EditFile(Value, frozen=True, kw_only=True):
    path: File
    old: Annotated[str, field("the text to replace, exactly as it stands in the file; it must occur once")]
    new: Annotated[str, field("what stands there instead")]


class DeleteFile(Value, frozen=True, kw_only=True):
    path: File


class Shell(Value, frozen=True, kw_only=True):
    command: Annotated[str | tuple[str, ...], field("a list of words, run as they are; or a line for the shell")]
    timeout: Annotated[int, field("seconds until it is ended")] = PATIENCE


# ---------------------------------------------------------------------------------------------------------------------


async def _read(at: Bench, call: str, given: ReadFile) -> Plan:
    if given.first < 1 or not 1 <= given.lines <= MOST_LINES:
        raise CannotUse(f"read_file: `first` begins at 1, and `lines` is 1 to {MOST_LINES}")

    async def do() -> str:
        read = {"from": given.first, "lines": given.lines, "path": _place(at, given.path)}
        answer = await at.hands.ask("read", **read)
        text, after = str(answer["text"]), given.first + int(answer["lines"])
        part = "" if answer["lines"] == answer["total"] else f" lines {given.first} to {after - 1}"
        await at.seat.loaded(f"file {_inside(at, given.path)}{part}", text.encode())
        left = int(answer["total"]) - after + 1
        return text + (f"\n[{left} lines more: go on with first={after}]" if left > 0 else "")

    return _native(call, "read_file", touching("read", given.path, at.cwd), given.path, do)


async def _list(at: Bench, call: str, given: ListFiles) -> Plan:
    async def do() -> str:
        answer = await at.hands.ask("list", path=_place(at, given.path), glob=given.glob)
        rows = [f"{row['path']}{ENDS.get(row['type'], '')}" for row in answer["entries"]]
        return _rows(rows, answer, "there is nothing")

    return _native(call, "list_files", searching(given.path, at.cwd), given.path, do)


async def _search(at: Bench, call: str, given: Search) -> Plan:
    async def do() -> str:
        answer = await at.hands.ask("search", pattern=given.pattern, path=_place(at, given.path), glob=given.glob)
        rows = [f"{row['path']}:{row['line']}: {row['text']}" for row in answer["matches"]]
        return _rows(rows, answer, "nothing was found")

    return _native(call, "search", searching(given.path, at.cwd), f"{given.pattern} in {given.path}", do)


async def _write(at: Bench, call: str, given: WriteFile) -> Plan:
    return _written(at, call, "write_file", given.path, given.content)


async def _edit(at: Bench, call: str, given: EditFile) -> Plan:
    """What would be written is known before it is decided; why it cannot be is only told to who may read the file."""
    why = ""
    try:
        text = await _text(at, given.path)
        found = text.count(given.old) if given.old else 0
        if found == 1:
            return _written(at, call, "edit_file", given.path, text.replace(given.old, given.new))
        why = f"`old` occurs {found} times in {given.path}; it must occur exactly once: read the file again"
    except UnicodeDecodeError:
        why = f"{given.path} is not a text"
    except HandsFailed as error:
        why = str(error)

    async def tell() -> str:
        raise Failed(why)

    return _native(call, "edit_file", touching("read", given.path, at.cwd), given.path, tell)


async def _delete(at: Bench, call: str, given: DeleteFile) -> Plan:
    async def do() -> str:
        await _staged(at.seat.remove(_inside(at, given.path)))
        return f"deleted {given.path}"

    return _native(call, "delete_file", (_act(at, "delete", given.path),), given.path, do)


async def _shell(at: Bench, call: str, given: Shell) -> Plan:
    command = given.command
    if not command or not 1 <= given.timeout <= 3600:
        raise CannotUse("shell: `command` is empty, or `timeout` is not 1 to 3600 seconds")
    wanted = actions(command, at.cwd) if isinstance(command, str) else (Action(verb="run", object=command),)

    async def do() -> str:
        how = {"line": command} if isinstance(command, str) else {"argv": list(command)}
        ended = await at.hands.ask("run", timeout=given.timeout, most=MOST_SHOWN, **how)
        said = "".join(str(ended[stream]) for stream in ("stdout", "stderr"))
        status = ended["ended"] if ended["status"] is None else f"exit status {ended['status']}"
        return f"{said}\n[{status}{', part of it runs on' if ended['lingers'] else ''}]"

    return _native(call, "shell", wanted, command if isinstance(command, str) else " ".join(command), do)


# ---------------------------------------------------------------------------------------------------------------------


def _native(call: str, tool: str, wanted: tuple[Action, ...], text: str, do: Any, content: bytes | None = None) -> Plan:
    return Plan(native=Native(id=call, tool=tool, actions=wanted, text=text[:2000], content=content), do=do)


def _written(at: Bench, call: str, tool: str, path: str, text: str) -> Plan:
    if len(text) > MOST_TEXT:
        raise CannotUse(f"{tool}: a file of more than {MOST_TEXT} characters is not written this way")
    content = text.encode()

    async def do() -> str:
        await _staged(at.seat.write(_inside(at, path), content))
        return f"wrote {path}: {len(content)} bytes"

    return _native(call, tool, (_act(at, "write", path),), path, do, content)


def _act(at: Bench, verb: Verb, path: str) -> Action:
    return Action(verb=verb, object=_inside(at, path))


def _inside(at: Bench, path: str) -> str:
    """The path as rules speak of it; one that leads out of the workspace stays as it is, and every contract refuses it."""
    return action_path(path, at.cwd) or posixpath.normpath(path)


async def _staged(change: Any) -> None:
    try:
        await change
    except (Conflict, OSError) as error:
        raise Failed(str(error)) from None


async def _text(at: Bench, path: str) -> str:
    """A whole file, exactly. Raises HandsFailed, and UnicodeDecodeError where it is no text."""
    return base64.b64decode((await at.hands.ask("read", path=_place(at, path), raw=True))["content"]).decode()


def _place(at: Bench, path: str) -> str:
    """The path as the box finds it."""
    return posixpath.join(at.cwd, path) if posixpath.isabs(path) else path


def _rows(rows: list[str], answer: dict[str, Any], nothing: str) -> str:
    more = "\n[there is more: look at less]" if answer["more"] else ""
    return "\n".join(rows) + more if rows else nothing + more


WORKING = (
    Tool(name="read_file", says="Read lines of a text file.", takes=ReadFile, tier="read-only", plan=_read, verbs=("read",)),
    Tool(name="list_files", says="List a folder.", takes=ListFiles, tier="read-only", plan=_list, verbs=("read",)),
    Tool(name="search", says="Search the files below a folder.", takes=Search, tier="read-only", plan=_search, verbs=("read",)),
    Tool(
        name="write_file", says="Write a whole file; it is made, or replaced.", takes=WriteFile, tier="bounded",
        plan=_write, changes=True, verbs=("write",),
    ),
    Tool(
        name="edit_file", says="Replace one passage of a file, given exactly.", takes=EditFile, tier="bounded", plan=_edit,
        changes=True, verbs=("write",),
    ),
    Tool(
        name="delete_file", says="Delete a file.", takes=DeleteFile, tier="high-risk", plan=_delete, changes=True,
        verbs=("delete",),
    ),
    Tool(
        name="shell", says="Run a program in the workspace, or a line in a shell.", takes=Shell, tier="high-risk", plan=_shell,
        changes=True, verbs=("run",),
    ),
)  # fmt: skip
