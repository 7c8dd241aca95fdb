"""What every request passes before anything reads it: which host it names, where it comes from, how much it carries."""

from collections.abc import Callable
from urllib.parse import urlsplit

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from remit.value import Value

MOST_BODY = 64 * 1024
"""bytes a form may have"""
PATIENCE = 30.0
"""seconds a form may take to arrive"""
TOO_MUCH = "This is more than a form of the inbox can hold."
SAFE = frozenset({"GET", "HEAD"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    # `no-referrer` would make browsers send `Origin: null` with forms, and so lock out whoever has no scripts.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
Log = Callable[[str], None]


class Address(Value, frozen=True, kw_only=True):
    """Where this server is reached: `host:port` as browsers name it, and whether they come over https."""

    hosts: frozenset[str]
    secure: bool = False

    def origin(self, host: str) -> str:
        """The origin of a page read under this name."""
        return f"{'https' if self.secure else 'http'}://{host}"


def address(host: str, port: int, url: str = "") -> Address:
    """The names of a server bound to `host:port`; with `url`, the one name it has outside as well."""
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    if host not in {"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"}:  # noqa: S104 - the names of no particular interface
        hosts.add(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    parts = urlsplit(url)
    if parts.netloc:
        hosts = {parts.netloc.lower()}
    return Address(hosts=frozenset(hosts), secure=parts.scheme == "https")


class Guard:
    """The outermost layer. What it turns away never reaches a page; what leaves has the headers."""

    def __init__(self, app: ASGIApp, *, address: Address, log: Log) -> None:
        self._app, self._address, self._log = app, address, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        answer = Answering(send, self._address, scope, self._log)
        fault = self._fault(scope["method"], headers)
        if fault is not None:
            await answer.refuse(*fault)
            return
        if scope["method"] not in SAFE:
            body = await _whole(receive)
            if body is None:
                await answer.refuse(413, TOO_MUCH)
                return
            receive = _again(body, receive)
        await self._app(scope, receive, answer)

    def _fault(self, method: str, headers: dict[str, list[str]]) -> tuple[int, str] | None:
        host = headers.get("host", [])
        if len(host) != 1 or host[0].lower() not in self._address.hosts:
            return 421, "The inbox is not known under this name."
        site = headers.get("sec-fetch-site", [""])
        mode = headers.get("sec-fetch-mode", [""])
        if method in SAFE:  # a link from a message may lead here; being embedded or read by another site may not
            foreign = site[-1] in {"cross-site", "same-site"} and mode[-1] != "navigate"
            framed = headers.get("sec-fetch-dest", [""])[-1] in {"iframe", "frame", "object", "embed"}
            return (403, "Another site may not read the inbox.") if foreign or framed else None
        if method != "POST":
            return 405, "The inbox knows no such method."
        if site[-1] not in {"", "same-origin"}:
            return 403, "This was sent from another site."
        origin = headers.get("origin", [])
        if len(origin) > 1 or (origin and origin[0] != self._address.origin(host[0].lower())):
            return 403, "This was sent from another site."
        if any(not text.isdecimal() or int(text) > MOST_BODY for text in headers.get("content-length", [])):
            return 413, TOO_MUCH
        return None


class Answering:
    """Adds the headers to whatever is answered, and writes one line about it: never the query, which may hold a token."""

    def __init__(self, send: Send, address: Address, scope: Scope, log: Log) -> None:
        self._send, self._address, self._scope, self._log = send, address, scope, log
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self._log(f"{self._scope['method']} {_path(self._scope)} {message['status']}")
            ours = [(name.encode(), value.encode()) for name, value in HEADERS]
            given = [(name, value) for name, value in message.get("headers", []) if name.lower() not in dict(ours)]
            if not any(name.lower() == b"cache-control" for name, _ in given):
                given.append((b"cache-control", b"no-store"))
            if self._address.secure:
                given.append((b"strict-transport-security", b"max-age=31536000"))
            message = {**message, "headers": [*given, *ours]}
        await self._send(message)

    async def refuse(self, status: int, words: str) -> None:
        """One line of plain text."""
        if self.begun:
            return
        body = f"{words}\n".encode()
        plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        await self({"type": "http.response.start", "status": status, "headers": plain})
        await self({"type": "http.response.body", "body": b"" if self._scope["method"] == "HEAD" else body})


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _path(scope: Scope) -> str:
    raw = scope.get("raw_path") or b""
    return str(raw.partition(b"?")[0].decode("ascii", "backslashreplace"))


async def _whole(receive: Receive) -> bytes | None:
    """The body, None when it is larger than a form of ours, or comes too slowly to be one."""
    body = b""
    with anyio.move_on_after(PATIENCE):
        while True:
            message = await receive()
            body += bytes(message.get("body", b""))
            if len(body) > MOST_BODY or message["type"] != "http.request":
                return None
            if not message.get("more_body", False):
                return body
    return None


def _again(body: bytes, receive: Receive) -> Receive:
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return left.pop() if left else await receive()

    return replayed
