"""Remit's door as an MCP server on stdin and stdout, for any runtime that knows MCP. Standard library only.

Started inside the box as `/run/remit/bin/remit-mcp`, newline JSON-RPC. It speaks the handshake versions 2025-03-26, 2025-06-18
and 2025-11-25, and 2026-07-28, where each request says its version in `_meta`.

Tools (every one answers with text; `isError` when it was refused, with the reasons and what to do instead):
    ask_owner {"text": "…", "wait": 60}
    call {"name": "refund", "arguments": {…}, "wait": 60}
    delegate {"runtime": "codex", "why": "…", "contract": "<contract file>", "command": ["…"], "wait": 0}
    and one for each registered tool, with its own arguments and `wait`; among them `Skill {"skill": "plugin:name"}` in a run that
    has skills, whose answer is the text of the skill
`wait` is how many seconds to hold on for a person, 0 when it is not given, and never more than an hour.

The registered tools are in the environment as `REMIT_TOOLS`, or else in the file `/run/remit/tools.json`, which runtimes that
give servers no environment cannot lose: a JSON list of {"name", "description", "inputSchema"}. Where a name holds what model
providers do not take in one, the tool is listed with `_` for each such character, and called by its own name.
"""

# ruff: noqa: PTH120, PTH123

from __future__ import annotations

import json
import os
import re
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
if TYPE_CHECKING or __name__ != "__main__":
    from remit.adapters.sandboxes.inside import act
else:
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
    import act

    del sys.path[0]

LINE = 4 << 20
LISTED = "/run/remit/tools.json"
HANDSHAKES = ("2025-03-26", "2025-06-18", "2025-11-25")
STATELESS = ("2026-07-28",)
VERSION = "io.modelcontextprotocol/protocolVersion"
PARSE, REQUEST, METHOD, PARAMS, UNSUPPORTED = -32700, -32600, -32601, -32602, -32022
LONGEST = 3600.0
PATIENCE = 2.0
SKILL = "Skill"
"""the tool whose answer is a text for the model"""
INSTRUCTIONS = (
    "You work under a contract. What it does not let you do by yourself, ask for here: an answer says whether it was done, "
    "refused (with the reason and what to do instead) or waits for a person. A refusal stands: do not try another way around it."
)
WAIT = {
    "type": "number",
    "minimum": 0,
    "maximum": LONGEST,
    "description": "seconds to wait for a person's answer; 0 if not given",
}
TEXT = {"type": "string"}


class Wrong(Exception):
    """A request that cannot be served: a JSON-RPC error."""

    def __init__(self, code: int, why: str, data: object = None) -> None:
        super().__init__(why)
        self.error = {"code": code, "message": why} | ({} if data is None else {"data": data})


class Unusable(Exception):
    """Arguments of a tool that cannot be sent to the door; the model is told."""


def tool(name: str, description: str, required: tuple[str, ...], /, **properties: object) -> dict[str, Any]:
    """One tool as it is listed."""
    schema = {"type": "object", "properties": {**properties, "wait": WAIT}, "required": list(required)}
    return {"name": name, "description": description, "inputSchema": schema}


OWN = (
    tool("ask_owner", "Ask the owner of this work what only a person can know or decide. It grants nothing by itself.", ("text",),
         text=TEXT),
    tool("call", "Call a registered tool of this contract by its name. It acts on the world, so it is decided first.", ("name",),
         name=TEXT, arguments={"type": "object"}),
    tool("delegate", "Hand a part of the work to another runtime, under a contract narrower than yours: the text of a contract "
         "file, with limits that come out of yours. Say why it needs that runtime.", ("runtime", "why", "contract"),
         runtime=TEXT, why=TEXT, contract=TEXT, command={"type": "array", "items": TEXT}),
)  # fmt: skip


class Server:
    """One connection: what it offers, and the calls it is at."""

    def __init__(self, registered: list[dict[str, Any]]) -> None:
        self.turn = threading.Lock()
        self.telling = threading.Condition()
        self.told = 0
        self.cancelled: set[object] = set()
        self.tools = {each["name"]: each for each in OWN}
        self.names: dict[str, str] = {}
        self.waits: set[str] = set()
        for each in registered:
            self.offer(each)

    def offer(self, given: dict[str, Any]) -> None:
        """List a registered tool, with a `wait` where its own arguments have none of that name."""
        name = re.sub(r"[^A-Za-z0-9_-]", "_", str(given["name"]))[:64]
        if name in self.tools:  # it can still be had by `call`
            return
        schema = given.get("inputSchema")
        schema = dict(schema) if isinstance(schema, dict) else {"type": "object"}
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        if "wait" not in properties:
            schema["properties"] = {**properties, "wait": WAIT}
            self.waits.add(name)
        self.names[name] = str(given["name"])
        self.tools[name] = {"name": name, "description": str(given.get("description", "")), "inputSchema": schema}

    def take(self, line: bytes) -> None:
        """One message; a call of a tool is served beside the others."""
        try:
            message = act.strict(line.decode())
        except (ValueError, RecursionError) as error:
            self.send({"id": None, "error": {"code": PARSE, "message": f"not one JSON object a line: {error}"}})
            return
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            if not isinstance(message, dict) or "method" in message or not {"result", "error"} & message.keys():
                self.send({"id": None, "error": {"code": REQUEST, "message": "not a JSON-RPC request; batches are not taken"}})
            return
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        if "id" not in message:
            if message["method"] == "notifications/cancelled" and isinstance(params.get("requestId"), str | int):
                self.cancelled.add(params["requestId"])
        elif not isinstance(message["id"], str | int):
            self.send({"id": None, "error": {"code": REQUEST, "message": "an `id` is a text or a number"}})
        elif message["method"] == "tools/call":
            threading.Thread(target=self.serve, args=(message["id"], "tools/call", params), daemon=True).start()
        else:
            self.serve(message["id"], message["method"], params)

    def serve(self, number: object, method: str, params: dict[str, Any]) -> None:
        """Answer one request, unless it was given up meanwhile."""
        told: dict[str, object] = {}
        try:
            result, told = self.call(params) if method == "tools/call" else (self.answer(method, params), {})
            answer: dict[str, Any] = {"id": number, "result": result}
        except Wrong as error:
            answer = {"id": number, "error": error.error}
        if number in self.cancelled:
            self.cancelled.discard(number)
            return
        with self.telling:
            self.told += 1
        try:
            self.send(answer)
            act.acknowledge(told)
        finally:
            with self.telling:
                self.told -= 1
                self.telling.notify_all()

    def end(self) -> None:
        """Until what was told is acknowledged too: the client may be gone as soon as it has read it."""
        with self.telling:
            self.telling.wait_for(lambda: self.told == 0, PATIENCE)

    def send(self, answer: dict[str, Any]) -> None:
        """One line to the client."""
        with self.turn:
            sys.stdout.write(act.written({"jsonrpc": "2.0", **answer}) + "\n")
            sys.stdout.flush()

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """What is known without the door. Raises Wrong."""
        asked = stateless(params)
        cached = {"ttlMs": 0, "cacheScope": "private", "resultType": "complete"} if asked else {}
        if method == "initialize" and not asked:
            version = params.get("protocolVersion")
            return {"protocolVersion": version if version in HANDSHAKES else HANDSHAKES[-1], "serverInfo": SERVER, **OFFERED}
        if method == "server/discover" and asked:
            stamp = {"_meta": {"io.modelcontextprotocol/serverInfo": SERVER}}
            return {"supportedVersions": [*STATELESS, *HANDSHAKES], **OFFERED, **cached, **stamp}
        if method == "ping":
            return {"resultType": "complete"} if asked else {}
        lists = {"tools/list": "tools", "resources/list": "resources", "prompts/list": "prompts"}
        if method in lists:
            return {lists[method]: list(self.tools.values()) if method == "tools/list" else [], **cached}
        if method == "resources/templates/list":
            return {"resourceTemplates": [], **cached}
        raise Wrong(METHOD, f"there is no `{method}` here")

    def call(self, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, object]]:
        """Forward one call to the door: the result, and what the door said. Raises Wrong."""
        asked = stateless(params)
        name, given = params.get("name"), params.get("arguments")
        if not isinstance(name, str) or name not in self.tools:
            raise Wrong(PARAMS, f"there is no tool `{name}`; one of {', '.join(self.tools)}")
        told: dict[str, object] = {}
        try:
            message = self.message(name, dict(given) if isinstance(given, dict) else {})
            line = act.written(message).encode() + b"\n"
            if len(line) > act.LINE:
                raise Unusable(f"the request is larger than {act.LINE} bytes")
            told = act.converse(line)
            said, refused = words(told, plainly=message["object"] == SKILL)
        except Unusable as error:
            said, refused = f"Not sent: {error}.", True
        except (OSError, ValueError, RecursionError) as error:
            said, refused = f"No answer at the door: {error}. Nothing is known to have happened.", True
        result = {"content": [{"type": "text", "text": said}], "isError": refused}
        return result | ({"resultType": "complete"} if asked else {}), told

    def message(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """The line for the door."""
        if name in self.names:
            wait = waiting(given.pop("wait", 0)) if name in self.waits else 0.0
            return line("call", self.names[name], given, wait)
        wait = waiting(given.get("wait", 0))
        if name == "ask_owner":
            return line("ask", text(given, "text"), {}, wait)
        if name == "call":
            inner = given.get("arguments", {})
            if not isinstance(inner, dict):
                raise Unusable("`arguments` is an object")
            return line("call", text(given, "name"), inner, wait)
        arguments: dict[str, Any] = {each: text(given, each) for each in ("why", "contract")}
        if "command" in given:
            arguments["command"] = given["command"]
        return line("delegate", text(given, "runtime"), arguments, wait)


SERVER = {"name": "remit", "version": "1"}
OFFERED = {"capabilities": {"tools": {}, "resources": {}, "prompts": {}}, "instructions": INSTRUCTIONS}


def stateless(params: dict[str, Any]) -> bool:
    """Whether a request says its version itself. Raises Wrong for one that is not spoken here."""
    meta = params.get("_meta")
    version = meta.get(VERSION) if isinstance(meta, dict) else None
    if version is not None and version not in STATELESS:
        raise Wrong(UNSUPPORTED, "this version is not spoken here", {"supported": list(STATELESS), "requested": str(version)})
    return version is not None


def line(verb: str, object_: str, arguments: dict[str, Any], wait: float) -> dict[str, Any]:
    """A request of the door."""
    return {"schema": "remit.act/1", "verb": verb, "object": object_, "arguments": arguments, "wait": wait}


def text(given: dict[str, Any], name: str) -> str:
    """A text among the arguments. Raises Unusable."""
    value = given.get(name)
    if not isinstance(value, str) or isinstance(value, act.Number) or not value:
        raise Unusable(f"`{name}` is a text that is not empty")
    return value


def waiting(value: object) -> float:
    """Seconds, within bounds. Raises Unusable."""
    if isinstance(value, bool) or not isinstance(value, int | act.Number):
        raise Unusable("`wait` is a number of seconds")
    return max(0.0, min(LONGEST, float(value)))


def words(told: dict[str, Any], *, plainly: bool = False) -> tuple[str, bool]:
    """The door's answer for a model: what came of it, why, what to do instead; and whether it was refused.

    `plainly`: what came of it is a text to be read, so it is given as it is.
    """
    if plainly and told.get("decision") == "allow" and isinstance(told.get("output"), str):
        return str(told["output"]), False
    decision, rest = told.get("decision"), {name: value for name, value in told.items() if name not in SAID and value}
    reasons = [each for each in told.get("reasons") or [] if isinstance(each, dict)]
    lines = []
    if decision == "allow":
        lines.append("Done." if told.get("done") else "Allowed, but not done yet.")
        if "answer" in told:
            lines = [f"The answer: {told['answer']}"]
    elif decision == "ask":
        lines.append("Not done: it waits for a person, and nothing else does it meanwhile.")
        lines.append("Go on with what needs no answer; the same call with a longer `wait` tells what was said.")
    else:
        lines.append("Refused.")
        lines += [str(each["why"]) for each in reasons if each.get("why")]
        lines += [f"Instead: {each['instead']}" for each in reasons if each.get("instead")]
    if told.get("note"):
        lines.append(str(told["note"]))
    if rest:
        lines.append(act.written(rest))
    return "\n".join(lines), decision not in ("allow", "ask")


SAID = frozenset({"schema", "run", "decision", "reasons", "done", "answer", "note"})


def registered() -> list[dict[str, Any]]:
    """The tools of the contract, as whoever made the box wrote them down; none when they cannot be read."""
    whole = os.environ.get("REMIT_TOOLS", "")
    try:
        if not whole:
            with open(LISTED, encoding="utf-8") as listed:
                whole = listed.read()
        found = json.loads(whole)
    except (OSError, ValueError):
        return []
    return [each for each in found if isinstance(each, dict) and each.get("name")] if isinstance(found, list) else []


def main() -> None:
    """Serve until stdin ends."""
    server = Server(registered())
    try:
        while given := sys.stdin.buffer.readline(LINE):
            if given.strip():
                server.take(given)
    except BrokenPipeError:
        pass
    server.end()
    os._exit(0)  # calls that wait for a person are for nobody now


if __name__ == "__main__":
    main()
