"""A step of a script in the words of the tools that the caller declared, as a shell command where none fits."""

import re
import shlex
from typing import Any

from remit.testing.models.exchange import Call, Declared
from remit.testing.models.script import Ask, Deed, Edit, Fetch, Loop, Read, Shell, Skill, Subagents, Together, Tool, Write

NAMES: dict[str, tuple[str, ...]] = {
    "write": ("write", "writefile", "createfile", "filewrite", "writetextfile"),
    "edit": ("edit", "editfile", "replace", "strreplace", "replaceinfile"),
    "read": ("read", "readfile", "viewfile", "readtextfile", "view"),
    "shell": (
        *("bash", "shell", "execcommand", "shellcommand", "runshellcommand", "localshell"),
        *("run", "runcommand", "runprogram", "runshell", "terminal", "execute"),
    ),
    "fetch": ("webfetch", "fetch", "fetchurl", "httpget"),
    "ask": ("askuserquestion", "askuser", "ask", "askowner", "askquestion", "requestuserinput", "question"),
    "skill": ("skill", "mcpremitskill", "remitskill", "invokeskill", "activateskill"),
    "subagent": ("task", "agent", "spawnagent", "subagent", "invokeagent", "delegate"),
    "patch": ("applypatch",),
}
ENDINGS = ("completetask", "finalresult")
PATHS = ("file_path", "filePath", "path", "absolute_path", "filename", "file", "object", "target")
TEXTS = ("content", "contents", "text", "file_text", "data", "body")
OLDS = ("old_string", "oldString", "old_str", "old", "old_text", "search")
NEWS = ("new_string", "newString", "new_str", "new", "new_text", "replacement")
COMMANDS = ("command", "cmd", "commands", "script", "line")
URLS = ("url", "uri", "address")
TASKS = ("prompt", "task", "message", "query", "request", "objective")
PATIENCE = ("timeout", "timeout_ms", "timeoutMs", "yield_time_ms", "timeout_seconds", "seconds")
QUESTIONS = ("question", "prompt", "text", "message", "what")

_REPLACE = """\
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
sys.exit("there is no such passage") if old not in text else open(path, "w").write(text.replace(old, new, 1))
"""


def fitted(deed: Deed, tools: tuple[Declared, ...]) -> tuple[Call, ...]:
    """The calls that do this step; none when nothing declared can."""
    match deed:
        case Tool(name=name, arguments=arguments):
            known = next((tool for tool in tools if tool.name == name), Declared(name=name))
            if known.kind == "custom":
                return (Call(name=name, kind="custom", text=str(arguments.get("input", ""))),)
            return (Call(name=name, kind=known.kind, arguments=arguments),)
        case Together(steps=steps):
            return tuple(call for step in steps for call in fitted(step, tools))
        case Loop(step=step):
            return fitted(step, tools)
        case Subagents(count=count, script=script) if tool := found("subagent", tools):
            return tuple(subagent(tool, script, number) for number in range(1, count + 1))
        case _:
            made = natively(deed, tools) or patched(deed, tools) or shelled(deed, tools)
            return () if made is None else (made,)


def found(need: str, tools: tuple[Declared, ...]) -> Declared | None:
    """The declared tool for a need, by its name, or else by the last part of a prefixed one."""
    named = {_bare(tool.name.rpartition("__")[2]): tool for tool in reversed(tools)}
    named |= {_bare(tool.name): tool for tool in reversed(tools)}
    return next((named[name] for name in NAMES[need] if name in named), None)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def ending(text: str, tools: tuple[Declared, ...]) -> tuple[Call, ...]:
    """The call that hands in the last word, where there is a tool for that."""
    tool = next((tool for tool in tools if _bare(tool.name) in ENDINGS), None)
    if tool is None:
        return ()
    made: dict[str, Any] = instance({**tool.schema, "type": "object"})
    return (Call(name=tool.name, arguments={name: text if value == "scripted" else value for name, value in made.items()}),)


def instance(schema: dict[str, Any]) -> Any:
    """The least value that a schema accepts."""
    if "const" in schema:
        return schema["const"]
    if options := schema.get("enum"):
        return options[0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return instance(schema[key][0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match (kind[0] if isinstance(kind, list) else kind).lower():
        case "object":
            properties = schema.get("properties", {})
            return {name: instance(properties.get(name, {})) for name in schema.get("required", properties)}
        case "array":
            return [instance(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "null":
            return None
    return "scripted".ljust(schema.get("minLength", 0), ".")


def filled(tool: Declared, *known: tuple[tuple[str, ...], Any]) -> Call | None:
    """A call with what is known put under the names this tool has for it, and the least of what else it requires."""
    properties: dict[str, Any] = tool.schema.get("properties", {})
    given: dict[str, Any] = {}
    for names, value in known:
        name = next((name for name in names if name in properties), None)
        if name is None:
            return None
        given[name] = _put(properties[name], value, ["bash", "-lc", value] if names is COMMANDS else [value])
    for name in tool.schema.get("required", ()):
        if name not in given:
            given[name] = instance(properties.get(name, {}))
    return Call(name=tool.name, arguments=given)


def _put(schema: dict[str, Any], value: str, listed: list[str]) -> Any:
    """A value as a property wants it: plain, as a list, or as a list of questions."""
    if str(schema.get("type", "")).lower() != "array":
        return value
    one = instance(schema.get("items", {"type": "string"}))
    return [one | {"question": value}] if isinstance(one, dict) else listed


def natively(deed: Deed, tools: tuple[Declared, ...]) -> Call | None:
    """The step by the tool that is made for it."""
    match deed:
        case Write(path=path, text=text) if tool := found("write", tools):
            return filled(tool, (PATHS, path), (TEXTS, text))
        case Edit(path=path, old=old, new=new) if tool := found("edit", tools):
            return filled(tool, (PATHS, path), (OLDS, old), (NEWS, new))
        case Read(path=path) if tool := found("read", tools):
            return filled(tool, (PATHS, path))
        case Fetch(url=url) if tool := found("fetch", tools):
            return filled(tool, (URLS, url)) or filled(tool, (("prompt",), f"Read {url}"))
        case Skill(skill=skill) if tool := found("skill", tools):
            return filled(tool, (("skill", "name"), skill))
        case Ask(question=question) if tool := found("ask", tools):
            return filled(tool, (("questions",), question)) or filled(tool, (QUESTIONS, question))
    return None


def patched(deed: Deed, tools: tuple[Declared, ...]) -> Call | None:
    """The step as a patch; an edit of less than whole lines cannot be one."""
    tool = found("patch", tools)
    match deed:
        case Write(path=path, text=text) if tool:
            head, body = f"*** Add File: {path}", [f"+{line}" for line in text.splitlines()]
        case Edit(path=path, old=old, new=new) if tool and old.endswith("\n") and (new.endswith("\n") or not new):
            head = f"*** Update File: {path}"
            body = ["@@", *(f"-{line}" for line in old.splitlines()), *(f"+{line}" for line in new.splitlines())]
        case _:
            return None
    text = "\n".join(["*** Begin Patch", head, *body, "*** End Patch", ""])
    if tool.kind == "custom":
        return Call(name=tool.name, kind="custom", text=text)
    return filled(tool, (("input", "patch", "patchText", "patch_text", "diff"), text))


def as_command(deed: Deed) -> str:
    """A shell command that does the same."""
    match deed:
        case Shell(command=command):
            return command
        case Write(path=path, text=text):
            folder = shlex.quote(path.rpartition("/")[0] or ".")
            return f"mkdir -p {folder} && printf %s {shlex.quote(text)} > {shlex.quote(path)}"
        case Read(path=path):
            return f"cat {shlex.quote(path)}"
        case Edit(path=path, old=old, new=new):
            return shlex.join(["python3", "-c", _REPLACE, path, old, new])
        case Fetch(url=url):
            return f"curl -sS --max-time 10 {shlex.quote(url)}"
        case Ask(question=question):
            return f"remit ask {shlex.quote(question)}"
        case Skill(skill=skill):
            return f"remit skill {shlex.quote(skill)}"
        case Subagents(count=count):
            return f"seq {count} | while read -r n; do setsid sleep 300 >/dev/null 2>&1 < /dev/null & done; echo started {count}"
    return "true"


def shelled(deed: Deed, tools: tuple[Declared, ...]) -> Call | None:
    """The step as a shell command."""
    tool, command = found("shell", tools), as_command(deed)
    if tool is None:
        return None
    if tool.kind == "local":
        return Call(name=tool.name, kind="local", arguments={"command": ["bash", "-lc", command]})
    made = filled(tool, (COMMANDS, command))
    if made is None or not isinstance(deed, Shell) or deed.seconds is None:
        return made
    properties = tool.schema.get("properties", {})
    given = {name: deed.seconds * _unit(name, properties[name]) for name in PATIENCE if name in properties}
    return Call(name=made.name, arguments=made.arguments | given)


def _unit(name: str, schema: dict[str, Any]) -> int:
    """How many of what a limit counts make a second; milliseconds, unless it says otherwise."""
    said = f"{name} {schema.get('description', '')}".lower()
    return 1 if "seconds" in said and "milli" not in said else 1000


def subagent(tool: Declared, script: str, number: int) -> Call:
    """One sub-agent, on a script of its own."""
    prompt = f"[[script: {script}]] part {number}"
    kinds = {"Task": "general-purpose", "Agent": "general-purpose", "task": "general", "invoke_agent": "generalist"}
    properties = tool.schema.get("properties", {})
    made = filled(tool, (TASKS, prompt)) or filled(tool, (("contract",), f'goal: "{prompt}"\n'), (("runtime",), "agent"))
    made = made or Call(name=tool.name, arguments={"prompt": prompt})
    own = {name: kinds[tool.name] for name in ("subagent_type", "agent_name") if name in properties and tool.name in kinds}
    return Call(name=tool.name, arguments=made.arguments | own)
