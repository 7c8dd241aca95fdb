"""What a tool really does, and the mail server, as an organisation file writes them."""

import re
from collections.abc import Callable, Sequence
from typing import Literal, cast

from remit.contract.binding import Binding, GitPush, HttpRequest, MailServer, McpServer, PublishFile, SendMail, SqlStatement
from remit.contract.nodes import Leaf, Node, Table
from remit.contract.parse_condition import plain_host, plain_url
from remit.contract.parse_header import HEADER, VARIABLE, headers, needed, secret
from remit.contract.parse_limits import parse_seconds
from remit.contract.parse_server import parse_mcp
from remit.contract.reading import Reading, inside, said

KINDS = ("mail", "http", "git push", "sql", "file", "mcp")
MAIL_KEYS = ("server", "from", "security", "user", "password")
HTTP_KEYS = ("method", "url", "headers", "body", "key header", "honours key", "probe")
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
BODIES = ("json", "form", "none")
SECURITIES = ("starttls", "tls", "none")
_ADDRESS = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+", re.ASCII)
_LOGIN = re.compile(r"://[^/@\s]*:(?!\$)[^/@\s]+@")
_DATABASE = re.compile(r"(?:sqlite:///|postgres(?:ql)?://|/|\./|\$|[A-Za-z0-9_])\S*")


def parse_does(
    reading: Reading, node: Node, where: str, mail: MailServer | None, servers: Sequence[McpServer] = ()
) -> Binding | None:
    """`does: mail`, or `does: {KIND: {…}}`; None with what is wrong noted. `mail` and `servers` are the organisation's own."""
    if isinstance(node, Leaf) and reading.choice(node, where, ("mail",), default="") == "mail":
        if mail is not None:
            return SendMail(server=mail)
        what = "the organisation has no mail server"
        reading.wrong(node, where, what, code="NO-MAIL", hint="write `mail: {server: smtp.example.com:587, from: ADDRESS}`")
    if isinstance(node, Leaf):
        return None
    table = reading.table(node, where, KINDS)
    if table is None:
        return None
    if len(table.pairs) != 1:
        if not isinstance(node, Table) or len(table.pairs) == len(node.pairs):
            what = f"{len(table.pairs)} effects of one tool" if table.pairs else "the tool does nothing"
            reading.wrong(node, where, what, hint=f"exactly one of {', '.join(KINDS)}")
        return None
    key, value = table.pairs[0]
    if key.text == "mcp":
        return parse_mcp(reading, value, inside(where, key.text), servers)
    return _READERS[key.text](reading, value, inside(where, key.text))


def parse_mail(reading: Reading, node: Node, where: str) -> MailServer | None:
    """`{server: host:port, from: address, security, user, password}`."""
    table = reading.table(node, where, MAIL_KEYS)
    if table is None:
        return None
    server = needed(reading, table, where, "server", "smtp.example.com:587")
    sender = needed(reading, table, where, "from", "desk@example.com")
    if server and not (plain_host(server) and re.fullmatch(r"[^*:]+:[0-9]+", server)):
        reading.wrong(table.get("server") or table, inside(where, "server"), f"`{server}` is not `host:port`", code="HOST")
        server = ""
    if sender and not _ADDRESS.fullmatch(sender):
        reading.wrong(table.get("from") or table, inside(where, "from"), f"`{sender}` is not an address", code="ADDRESS")
        sender = ""
    password = reading.text(table.get("password"), inside(where, "password"))
    if password and not VARIABLE.fullmatch(password):
        secret(reading, table.get("password") or table, inside(where, "password"))
    security = reading.choice(table.get("security"), inside(where, "security"), SECURITIES, default="starttls")
    user = reading.text(table.get("user"), inside(where, "user"))
    if not server or not sender:
        return None
    kind = cast(Literal["starttls", "tls", "none"], security)
    return MailServer(server=server, sender=sender, security=kind, user=user, password=password)


# ---------------------------------------------------------------------------------------------------------------------


def _mail(reading: Reading, node: Node, where: str) -> Binding | None:
    server = parse_mail(reading, node, where)
    return SendMail(server=server) if server is not None else None


def _http(reading: Reading, node: Node, where: str) -> Binding | None:
    table = reading.table(node, where, HTTP_KEYS)
    if table is None:
        return None
    url = _url(reading, table, where, "url")
    honours, probe = table.get("honours key"), table.get("probe")
    asked = _url(reading, table, where, "probe") if probe is not None else ""
    if asked and "{key}" not in asked:
        hint = "the provider is asked by the key: `https://api.example.com/refunds/{key}`"
        reading.wrong(probe or table, inside(where, "probe"), f"`{asked}` does not hold `{{key}}`", code="URL", hint=hint)
    header = reading.text(table.get("key header"), inside(where, "key header"), default="Idempotency-Key")
    if not HEADER.fullmatch(header):
        what = f"`{header}` is not the name of a header"
        reading.wrong(table.get("key header") or table, inside(where, "key header"), what, code="HEADER")
    method = reading.choice(table.get("method"), inside(where, "method"), METHODS, default="POST")
    body = reading.choice(table.get("body"), inside(where, "body"), BODIES, default="json")
    request = HttpRequest(
        method=cast(Literal["POST", "PUT", "PATCH", "DELETE", "GET"], method),
        url=url,
        headers=headers(reading, table.get("headers"), inside(where, "headers")),
        body=cast(Literal["json", "form", "none"], body),
        key_header=header,
        window=parse_seconds(reading, honours, inside(where, "honours key")) if honours is not None else None,
        probe=asked,
    )
    return request if url else None


def _url(reading: Reading, table: Table, where: str, key: str) -> str:
    """A URL; `{argument}` may stand in its path and query, never in what says who is reached."""
    node, at = table.get(key), inside(where, key)
    text = needed(reading, table, where, key, "https://api.example.com/refunds")
    if not text or node is None:
        return ""
    head, _, rest = text.partition("://")[2].partition("/")
    if not plain_url(text) or any(mark in head for mark in "{}*$") or rest.count("{") != rest.count("}"):
        hint = "write `https://host/path`; `{argument}` may stand after the host, and no login in it"
        reading.wrong(node, at, f"{said(node)} is not a plain URL", code="URL", hint=hint)
        return ""
    return text


def _git(reading: Reading, node: Node, where: str) -> Binding | None:
    table = reading.table(node, where, ("remote",))
    remote = needed(reading, table, where, "remote", "https://git.example.com/project.git") if table else ""
    if table is None or not remote:
        return None
    if remote.startswith("-") or any(letter.isspace() or not letter.isprintable() for letter in remote):
        reading.wrong(table.get("remote") or table, inside(where, "remote"), f"`{remote}` is no address of a repository")
        return None
    _login(reading, table, where, "remote", remote)
    return GitPush(remote=remote)


def _sql(reading: Reading, node: Node, where: str) -> Binding | None:
    table = reading.table(node, where, ("database", "statement"))
    if table is None:
        return None
    database = needed(reading, table, where, "database", "sqlite:///orders.db")
    statement = needed(reading, table, where, "statement", "update orders set state = :state where id = :order_id")
    if database and not _DATABASE.fullmatch(database):
        what = f"`{database}` is no database"
        hint = "write a SQLite file, `sqlite:///PATH` or `postgresql://host/name`"
        reading.wrong(table.get("database") or table, inside(where, "database"), what, hint=hint)
        return None
    _login(reading, table, where, "database", database)
    return SqlStatement(database=database, statement=statement) if database and statement else None


def _file(reading: Reading, node: Node, where: str) -> Binding | None:
    table = reading.table(node, where, ("folder",))
    folder = needed(reading, table, where, "folder", "/srv/site") if table else ""
    return PublishFile(folder=folder) if folder else None


_READERS: dict[str, Callable[[Reading, Node, str], Binding | None]] = {
    "mail": _mail,
    "http": _http,
    "git push": _git,
    "sql": _sql,
    "file": _file,
}


def _login(reading: Reading, table: Table, where: str, key: str, text: str) -> None:
    if _LOGIN.search(text):
        secret(reading, table.get(key) or table, inside(where, key))
