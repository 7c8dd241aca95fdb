"""A server at an address: Streamable HTTP, each message a request of its own, credentials only from our environment."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
from anyio.abc import TaskGroup

from remit.authority.wire import read_json
from remit.errors import BadInput
from remit.mcp.gateway import messages
from remit.mcp.gateway.messages import GONE, LOST, MOST_BACK, VERSION
from remit.mcp.gateway.methods import NAMED
from remit.mcp.gateway.sse import events, headed

CONNECT = 15.0
VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
OURS = frozenset(
    {"accept", "content-type", "content-length", "host", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id"}
)


def headers(given: tuple[str, ...], ours: Mapping[str, str]) -> dict[str, str]:
    """`NAME: VALUE` with `$VARIABLES` of our environment in it. Raises BadInput."""
    found: dict[str, str] = {}
    for each in given:
        name, colon, value = (part.strip() for part in each.partition(":"))
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name) or name.lower() in OURS or name.lower() in found:
            raise BadInput(f"`{name[:80]}` is no header to be given here", hint="--header 'Authorization: Bearer $TOKEN'")
        if missing := [each for each in VARIABLE.findall(value) if each not in ours]:
            raise BadInput(f"${missing[0]} is not set here", hint="set it where the gateway is started")
        found[name.lower()] = VARIABLE.sub(lambda hit: ours[hit[1]], value)
    return found


def address(url: str) -> str:
    """The address of a server. Raises BadInput for one that is none, or where credentials would go in the clear."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment:
        raise BadInput(f"`{url}` is no address of a server", hint="https://HOST/PATH, without a password in it")
    if parts.scheme == "http" and not local:
        raise BadInput(f"`{url}` is not encrypted", hint="use https, or a server on this machine")
    return url


class HttpPipe:
    """See `remit.mcp.gateway.server.Pipe`."""

    def __init__(self, client: httpx2.AsyncClient, url: str, group: TaskGroup, log: Callable[[str], None]) -> None:
        self._client, self._url, self._group, self._log = client, url, group, log
        self._into, self._out = anyio.create_memory_object_stream[bytes](256)
        self._beside: dict[str, str] = {}

    async def send(self, message: bytes, *, method: str = "", params: Mapping[str, Any] = {}) -> None:
        """Post it; what comes back is heard as it comes. A notification is delivered before the next message."""
        number = _number(message)
        if number is None or not method:
            await self._post(message, None, method, params)
            if method == "notifications/initialized" and "mcp-session-id" in self._beside:
                self._group.start_soon(self._listen)
            return
        self._group.start_soon(self._post, message, number, method, params)

    async def back(self) -> AsyncIterator[bytes | None]:
        """Every message of every answer."""
        async for message in self._out:
            yield message

    async def close(self) -> None:
        """Let the server forget the session."""
        if "mcp-session-id" in self._beside:
            with anyio.move_on_after(2):
                try:
                    await self._client.delete(self._url, headers=self._beside)
                except httpx2.HTTPError as error:
                    self._log(f"the session could not be ended: {type(error).__name__}")

    async def _post(self, message: bytes, number: int | None, method: str, params: Mapping[str, Any]) -> None:
        answered = False
        try:
            head = {**self._beside, **_said(method, params)}
            async with self._client.stream("POST", self._url, content=message, headers=head) as response:
                if session := response.headers.get("mcp-session-id"):
                    self._beside["mcp-session-id"] = session
                async for each in _messages(response):
                    answered = answered or (number is not None and _number(each) == number and b'"method"' not in each[:200])
                    self._learn(method, each)
                    await self._into.send(each)
                if number is not None and not answered:
                    code = GONE if response.is_client_error else LOST
                    await self._fail(number, code, f"the server answered with the status {response.status_code}")
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol) as error:
            await self._fail(number, GONE, f"the server cannot be reached: {type(error).__name__}")
        except httpx2.HTTPError as error:
            if not answered:
                await self._fail(number, LOST, f"the server's answer was lost: {type(error).__name__}")

    async def _fail(self, number: int | None, code: int, why: str) -> None:
        self._log(why)
        if number is not None:
            await self._into.send(messages.error(number, code, why))

    def _learn(self, method: str, message: bytes) -> None:
        """The version that both agreed on goes with every later message."""
        if method != "initialize":
            return
        try:
            version = read_json(message.decode())["result"]["protocolVersion"]
        except (BadInput, UnicodeDecodeError, KeyError, TypeError):
            return
        if isinstance(version, str) and version.isascii():
            self._beside["mcp-protocol-version"] = version

    async def _listen(self) -> None:
        """What the server says by itself, where it has a stream for that."""
        try:
            async with self._client.stream("GET", self._url, headers={**self._beside, "accept": "text/event-stream"}) as response:
                if response.status_code == 200:
                    async for each in _messages(response):
                        await self._into.send(each)
        except httpx2.HTTPError as error:
            self._log(f"the server's own stream has ended: {type(error).__name__}")


@asynccontextmanager
async def reached(url: str, beside: Mapping[str, str], log: Callable[[str], None]) -> AsyncIterator[HttpPipe]:
    """The server at this address, until this is left."""
    limits = httpx2.Timeout(CONNECT, read=None)
    head = {**beside, "content-type": "application/json", "accept": "application/json, text/event-stream"}
    async with (
        httpx2.AsyncClient(timeout=limits, follow_redirects=False, trust_env=False, headers=head) as client,
        anyio.create_task_group() as group,
    ):
        pipe = HttpPipe(client, address(url), group, log)
        yield pipe
        await pipe.close()
        group.cancel_scope.cancel()


# ---------------------------------------------------------------------------------------------------------------------


def _said(method: str, params: Mapping[str, Any]) -> dict[str, str]:
    """What the stateless era wants said beside the body; always taken from the body."""
    meta = params.get("_meta")
    version = meta.get(VERSION) if isinstance(meta, Mapping) else None
    if not isinstance(version, str):
        return {}
    name = params.get(NAMED.get(method, ""))
    return {
        "mcp-protocol-version": version,
        "mcp-method": method,
        **({"mcp-name": headed(name)} if isinstance(name, str) else {}),
    }


async def _messages(response: httpx2.Response) -> AsyncIterator[bytes]:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        async for data in events(response.aiter_bytes(), MOST_BACK):
            if line := messages.lone(data):
                yield line
        return
    if kind != "application/json":
        return
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MOST_BACK:
            return
    if line := messages.lone(bytes(body)):
        yield line


def _number(message: bytes) -> int | None:
    try:
        number = messages.read_server(message)
    except messages.Unreadable:
        return None
    found = getattr(number, "id", None)
    return found if isinstance(found, int) else None
