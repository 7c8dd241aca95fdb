"""What a tool really does, and the mail server, as an organisation file writes them."""

import re
from collections.abc import Callable
from typing import Literal, cast

from remit.contract.binding import Binding, GitPush, HttpRequest, MailServer, PublishFile, SendMail, SqlStatement
from remit.contract.nodes import Leaf, Node, Table
from remit.contract.parse_condition import plain_host, plain_url
from remit.contract.parse_limits import parse_seconds
from remit.contract.reading import Reading, inside, said

KINDS = ("mail", "http", "git push", "sql", "file")
MAIL_KEYS = ("server", "from", "security", "user", "password")
HTTP_KEYS = ("method", "url", "headers", "body", "key header", "honours key", "probe")
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
BODIES = ("json", "form", "none")
SECURITIES = ("starttls", "tls", "none")
_ADDRESS = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+", re.ASCII)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_SECRET_HEADER = re.compile(r"auth|token|secret|password|api-?key|cookie", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/@\s]*:(?!\$)[^/@\s]+@")
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DATABASE = re.compile(r"(?:sqlite:///|postgres(?:ql)?://|/|\./|\$|[A-Za-z0-9_])\S*")


def parse_does(reading: Reading, node: Node, where: str, mail: MailServer | None) -> Binding | None:
    """`does: mail`, or `does: {KIND: {…}}`; None with what is wrong noted. `mail` is the organisation's own server."""
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
    return _READERS[key.text](reading, value, inside(where, key.text))


def parse_mail(reading: Reading, node: Node, where: str) -> MailServer | None:
    """`{server: host:port, from: address, security, user, password}`."""
    table = reading.table(node, where, MAIL_KEYS)
    if table is None:
        return None
    server = _needed(reading, table, where, "server", "smtp.example.com:587")
    sender = _needed(reading, table, where, "from", "desk@example.com")
    if server and not (plain_host(server) and re.fullmatch(r"[^*:]+:[0-9]+", server)):
        reading.wrong(table.get("server") or table, inside(where, "server"), f"`{server}` is not `host:port`", code="HOST")
        server = ""
    if sender and not _ADDRESS.fullmatch(sender):
        reading.wrong(table.get("from") or table, inside(where, "from"), f"`{sender}` is not an address", code="ADDRESS")
        sender = ""
    password = reading.text(table.get("password"), inside(where, "password"))
    if password and not _VARIABLE.fullmatch(password):
        _secret(reading, table.get("password") or table, inside(where, "password"))
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
    if not _HEADER.fullmatch(header):
        what = f"`{header}` is not the name of a header"
        reading.wrong(table.get("key header") or table, inside(where, "key header"), what, code="HEADER")
    method = reading.choice(table.get("method"), inside(where, "method"), METHODS, default="POST")
    body = reading.choice(table.get("body"), inside(where, "body"), BODIES, default="json")
    request = HttpRequest(
        method=cast(Literal["POST", "PUT", "PATCH", "DELETE", "GET"], method),
        url=url,
        headers=_headers(reading, table.get("headers"), inside(where, "headers")),
        body=cast(Literal["json", "form", "none"], body),
        key_header=header,
        window=parse_seconds(reading, honours, inside(where, "honours key")) if honours is not None else None,
        probe=asked,
    )
    return request if url else None


def _headers(reading: Reading, node: Node | None, where: str) -> tuple[tuple[str, str], ...]:
    table = reading.table(node, where) if node is not None else None
    found: list[tuple[str, str]] = []
    for key, value in table.pairs if table else ():
        at = inside(where, key.text)
        text = reading.text(value, at)
        if not _HEADER.fullmatch(key.text) or any(not letter.isprintable() for letter in text):
            reading.wrong(key, at, f"`{key.text}` cannot be a header", code="HEADER", hint="a name, and one line of text")
        elif any(key.text.casefold() == name.casefold() for name, _ in found):
            reading.wrong(key, at, f"`{key.text}` is there twice", code="HEADER", hint="headers do not tell case apart")
        elif text:
            found.append((key.text, text))
            if _SECRET_HEADER.search(key.text) and not _VARIABLE.search(text):
                _secret(reading, value, at)
    return tuple(found)


def _url(reading: Reading, table: Table, where: str, key: str) -> str:
    """A URL; `{argument}` may stand in its path and query, never in what says who is reached."""
    node, at = table.get(key), inside(where, key)
    text = _needed(reading, table, where, key, "https://api.example.com/refunds")
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
    remote = _needed(reading, table, where, "remote", "https://git.example.com/project.git") if table else ""
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
    database = _needed(reading, table, where, "database", "sqlite:///orders.db")
    statement = _needed(reading, table, where, "statement", "update orders set state = :state where id = :order_id")
    if database and not _DATABASE.fullmatch(database):
        what = f"`{database}` is no database"
        hint = "write a SQLite file, `sqlite:///PATH` or `postgresql://host/name`"
        reading.wrong(table.get("database") or table, inside(where, "database"), what, hint=hint)
        return None
    _login(reading, table, where, "database", database)
    return SqlStatement(database=database, statement=statement) if database and statement else None


def _file(reading: Reading, node: Node, where: str) -> Binding | None:
    table = reading.table(node, where, ("folder",))
    folder = _needed(reading, table, where, "folder", "/srv/site") if table else ""
    return PublishFile(folder=folder) if folder else None


_READERS: dict[str, Callable[[Reading, Node, str], Binding | None]] = {
    "mail": _mail,
    "http": _http,
    "git push": _git,
    "sql": _sql,
    "file": _file,
}


def _needed(reading: Reading, table: Table, where: str, key: str, example: str) -> str:
    node = table.get(key)
    if node is None:
        reading.wrong(table, inside(where, key), f"`{key}` is missing", hint=f"such as `{key}: {example}`")
        return ""
    return reading.text(node, inside(where, key))


def _login(reading: Reading, table: Table, where: str, key: str, text: str) -> None:
    if _LOGIN.search(text):
        _secret(reading, table.get(key) or table, inside(where, key))


def _secret(reading: Reading, node: Node, where: str) -> None:
    what = "this looks like a secret, and the file is pinned in every run's record"
    hint = "write `$NAME`, a variable of the environment in which remit runs"
    reading.wrong(node, where, what, code="SECRET-IN-FILE", hint=hint, severity="warning")
