"""MCP servers as an organisation file writes them, and what a tool takes from one of them."""

import re
from collections.abc import Sequence
from typing import Literal, cast

from remit.contract.binding import McpServer, McpTool
from remit.contract.nodes import Node, Table
from remit.contract.parse_condition import plain_url
from remit.contract.parse_header import TELLING, VARIABLE, headers, secret
from remit.contract.parse_rule import parse_argv
from remit.contract.party import TIERS
from remit.contract.reading import Reading, inside

SERVER_KEYS = ("run", "url", "headers", "env", "tier")
KINDS = ("tool", "resource", "prompt")
MCP_KEYS = ("server", *KINDS, "pin", "errors")
ERRORS = ("in doubt", "nothing happened")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_ENV = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_PIN = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?:[:/].*)?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s{}]*(?:\{[A-Za-z_][A-Za-z0-9_]*\}[^\s{}]*)*", re.ASCII)
_STARTS_ITSELF = ("PATH", "LD_PRELOAD", "LD_LIBRARY_PATH")


def parse_servers(reading: Reading, node: Node | None, where: str) -> tuple[McpServer, ...]:
    """`NAME: {run, env, tier}` or `NAME: {url, headers, tier}`."""
    table = reading.table(node, where) if node is not None else None
    found = (_server(reading, value, inside(where, key.text), key.text) for key, value in (table.pairs if table else ()))
    return tuple(server for server in found if server is not None)


def parse_mcp(reading: Reading, node: Node, where: str, servers: Sequence[McpServer]) -> McpTool | None:
    """`{server: NAME, tool: NAME}`, or `resource:` with a URI, or `prompt:`."""
    table = reading.table(node, where, MCP_KEYS)
    if table is None:
        return None
    named = {server.name: server for server in servers}
    server = reading.text(table.get("server"), inside(where, "server"))
    given = [key for key in KINDS if table.get(key) is not None]
    if table.get("server") is None:
        reading.wrong(table, inside(where, "server"), "`server` is missing", hint="the name of one below `servers:`")
    elif server and server not in named:
        reading.unknown(table.get("server") or table, inside(where, "server"), "server", server, named)
    if len(given) != 1:
        reading.wrong(table, where, f"{len(given)} things of a server", hint=f"exactly one of {', '.join(KINDS)}")
        return None
    name, pin = reading.text(table.get(given[0]), inside(where, given[0])), _pin(reading, table, where)
    if given[0] == "resource" and name and not _URI.fullmatch(name):
        hint = "such as `deploy://status/{service}`: `{argument}` is replaced, percent-encoded"
        reading.wrong(table.get("resource") or table, inside(where, "resource"), f"`{name}` is no URI", code="URL", hint=hint)
    said = reading.choice(table.get("errors"), inside(where, "errors"), ERRORS, default="in doubt")
    if table.get("errors") is not None and given[0] != "tool":
        what = f"reading a {given[0]} changes nothing, so an error leaves no doubt"
        reading.wrong(table.get("errors") or table, inside(where, "errors"), what, hint="take `errors` out")
    if server not in named or not name:
        return None
    what = cast(Literal["tool", "resource", "prompt"], given[0])
    errors = cast(Literal["in doubt", "nothing happened"], said)
    return McpTool(server=named[server], name=name, what=what, pin=pin, errors=errors)


# ---------------------------------------------------------------------------------------------------------------------


def _server(reading: Reading, node: Node, where: str, name: str) -> McpServer | None:
    table = reading.table(node, where, SERVER_KEYS)
    if table is None:
        return None
    reading.marks[f"server {name}"] = node.mark
    if not _NAME.fullmatch(name):
        reading.wrong(node, where, f"`{name}` is no name of a server", hint="letters, digits, `.`, `_` and `-`")
    run, url = table.get("run"), table.get("url")
    if (run is None) == (url is None):
        hint = "`run: [COMMAND, …]` starts it here, `url: https://…` reaches it elsewhere"
        reading.wrong(node, where, "it must be said how the server is reached, in one way", hint=hint)
    for key, other in (("env", run), ("headers", url)):
        if table.get(key) is not None and other is None:
            what = f"`{key}` belongs to a server that is {'started here' if key == 'env' else 'reached by a URL'}"
            reading.wrong(table.get(key) or table, inside(where, key), what)
    return McpServer(
        name=name,
        run=_run(reading, run, inside(where, "run")),
        url=_url(reading, url, inside(where, "url")),
        headers=headers(reading, table.get("headers"), inside(where, "headers")),
        env=_env(reading, table.get("env"), inside(where, "env")),
        tier=reading.choice(table.get("tier"), inside(where, "tier"), TIERS, default=""),
    )


def _run(reading: Reading, node: Node | None, where: str) -> tuple[str, ...]:
    words = parse_argv(reading, node, where) if node is not None else ()
    if node is not None and any(VARIABLE.search(word) for word in words):
        what = "every program of this machine can read the words of a command"
        reading.wrong(node, where, what, code="SECRET-IN-FILE", hint="give `$NAME` in `env`")
    return words


def _url(reading: Reading, node: Node | None, where: str) -> str:
    text = reading.text(node, where)
    if node is None or not text:
        return ""
    if (
        not plain_url(text)
        or any(mark in text for mark in "{}*$#")
        or not (text.startswith("https") or _LOOPBACK.fullmatch(text))
    ):
        hint = "write `https://host/path`, without a login in it; `http:` only for this very machine"
        reading.wrong(node, where, f"`{text}` is no address of a server", code="URL", hint=hint)
    return text


def _env(reading: Reading, node: Node | None, where: str) -> tuple[tuple[str, str], ...]:
    """`[NAME]` hands a variable on under its name; `{NAME: $OTHER}` under another, or a text."""
    if node is None:
        return ()
    if isinstance(node, Table):
        table = reading.table(node, where)
        pairs = [(key, value, reading.text(value, inside(where, key.text))) for key, value in (table.pairs if table else ())]
        found = [(key.text, text, value) for key, value, text in pairs]
    else:
        found = [(name, f"${name}", node) for name in reading.texts(node, where)]
    for name, text, at in found:
        if not _ENV.fullmatch(name) or name in _STARTS_ITSELF:
            hint = "capital letters, digits and `_`; which programs are found is not the server's to say"
            reading.wrong(at, where, f"`{name}` is not a variable for a server", hint=hint)
        elif any(not letter.isprintable() for letter in text):
            reading.wrong(at, where, f"`{name}` holds more than one line")
        elif TELLING.search(name) and not VARIABLE.search(text):
            secret(reading, at, inside(where, name))
    doubled = [name for at, (name, _, _) in enumerate(found) if name in [each for each, _, _ in found[:at]]]
    for name in doubled:
        reading.wrong(node, where, f"`{name}` is there twice")
    return tuple((name, text) for name, text, _ in found)


def _pin(reading: Reading, table: Table, where: str) -> str:
    pin = reading.text(table.get("pin"), inside(where, "pin"))
    if pin and not _PIN.fullmatch(pin):
        what, hint = f"`{pin}` is no hash of a definition", "`sha256:` and 64 digits, as remit says it when a definition changed"
        reading.wrong(table.get("pin") or table, inside(where, "pin"), what, hint=hint)
    return pin
