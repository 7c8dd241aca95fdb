"""The only way out of a box: a proxy that asks before every connection and connects to what it looked up itself."""

import ipaddress
import socket
from contextlib import suppress

import anyio
import anyio.abc

from remit.adapters.sandboxes import proxyhead, tls, wire
from remit.ports import Watcher

CONNECTIONS = 128
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
PATIENCE = 15.0
IDLE = 300.0


class Blocked(Exception):
    """This connection is not made; the text says why."""


class Proxy:
    """Serves the listening socket inside a box. `budget` is bytes in both directions over the life of the box.

    `dangerously_allow_loopback` lets names resolve to this machine itself: for tests with local servers only.
    """

    def __init__(self, watcher: Watcher, *, budget: int | None = None, dangerously_allow_loopback: bool = False) -> None:
        self._watcher = watcher
        self._left = budget
        self._loopback = dangerously_allow_loopback

    async def serve(self, listener: socket.socket) -> None:
        """Until cancelled."""
        await wire.attend(listener, self._visit, CONNECTIONS)

    async def _visit(self, client: socket.socket) -> None:
        try:
            with client:
                await self._one(client)
        except (ConnectionError, TimeoutError, OSError):
            return

    async def _one(self, client: socket.socket) -> None:
        place = "unreadable"
        try:
            with anyio.fail_after(PATIENCE):
                head, rest = await _head(client)
            request = proxyhead.read_head(head)
            place = f"{request.host}:{request.port}"
            if not await self._allowed(request):
                await _answer(client, 403, "not allowed by the contract")
                return
            if request.tunnel:
                await _answer(client, 200, "")
                with anyio.fail_after(PATIENCE):
                    first = await _hello(client, rest, request.host)
                body = None
            else:
                first, body = request.head + rest[: request.body], request.body - min(len(rest), request.body)
            server = await self._connected(request)
        except proxyhead.Unreadable as error:
            await self._watcher.blocked("fetch", place, f"egress: {error}")
            await _answer(client, 400, str(error))
            return
        except Blocked as error:
            await self._watcher.blocked("fetch", place, f"egress: {error}")
            await _answer(client, 403, str(error))
            return
        with server:
            await self._relay(client, server, first, body, place)

    async def _allowed(self, request: proxyhead.Request) -> bool:
        try:
            return await self._watcher.connect(request.host, request.port)
        except Exception as error:  # a question that cannot be answered opens nothing
            raise Blocked("remit failed while deciding") from error

    async def _connected(self, request: proxyhead.Request) -> socket.socket:
        """A connection to an address that was looked up once and checked; nothing is looked up a second time."""
        try:
            found = await anyio.getaddrinfo(request.host, request.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Blocked(f"`{request.host}` cannot be resolved") from error
        # one private address among public ones is how a name is turned against its user
        if not found or not all(public(str(each[4][0]), loopback=self._loopback) for each in found):
            raise Blocked(f"`{request.host}` resolves to an address that is not public")
        for family, _, _, _, address in found:
            with suppress(OSError, TimeoutError), anyio.fail_after(PATIENCE):
                return await _connect(family, str(address[0]), request.port)
        raise Blocked(f"`{request.host}` does not answer")

    async def _relay(self, client: socket.socket, server: socket.socket, first: bytes, body: int | None, place: str) -> None:
        """Both directions until both end; `body` bounds what the client may still send, so that no second request rides along."""
        if not self._charged(len(first)):
            await self._watcher.blocked("fetch", place, "egress: byte budget used up")
            return
        await wire.send(server, first)
        async with anyio.create_task_group() as ways:

            async def carry(source: socket.socket, target: socket.socket, most: int | None) -> None:
                with suppress(ConnectionError):
                    while most is None or most > 0:
                        with anyio.fail_after(IDLE):
                            data = await wire.receive(source, 1 << 18 if most is None else min(most, 1 << 18))
                        if not data:
                            break
                        if not self._charged(len(data)):
                            await self._watcher.blocked("fetch", place, "egress: byte budget used up")
                            ways.cancel_scope.cancel()
                            return
                        most = None if most is None else most - len(data)
                        await wire.send(target, data)
                if most is None:
                    with suppress(OSError):
                        target.shutdown(socket.SHUT_WR)

            ways.start_soon(carry, client, server, body)
            ways.start_soon(carry, server, client, None)

    def _charged(self, size: int) -> bool:
        if self._left is None:
            return True
        self._left -= size
        return self._left >= 0


def public(address: str, *, loopback: bool = False) -> bool:
    """Whether the address belongs to the internet at large, also when it carries another one inside (RFC 6052, RFC 3056)."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if loopback and parsed.is_loopback:
        return True
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in TRANSLATED:
            carried = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if carried is not None:
            return public(str(carried))
        if parsed.teredo is not None:
            return False
    return parsed.is_global and not parsed.is_multicast


async def _head(client: socket.socket) -> tuple[bytes, bytes]:
    held = b""
    while b"\r\n\r\n" not in held:
        data = await wire.receive(client)
        held += data
        if not data or len(held) > proxyhead.MOST:
            raise proxyhead.Unreadable("a head without end")
    head, _, rest = held.partition(b"\r\n\r\n")
    return head, rest


async def _hello(client: socket.socket, held: bytes, host: str) -> bytes:
    """The first bytes of the tunnel, once they are seen to ask for the approved host and nothing else."""
    while True:
        try:
            hello = tls.read_hello(held)
        except tls.NotTls as error:
            raise Blocked(f"only TLS goes through a tunnel: {error}") from error
        if hello is not None:
            break
        data = await wire.receive(client)
        if not data:
            raise Blocked("the tunnel was closed before it said anything")
        held += data
    if hello.encrypted:
        raise Blocked("an encrypted client hello hides the host")
    if hello.name.lower().removesuffix(".") != host:
        raise Blocked(f"the tunnel was approved for `{host}` and asks for `{hello.name[:100]}`")
    return held


async def _connect(family: int, address: str, port: int) -> socket.socket:
    server = socket.socket(family, socket.SOCK_STREAM)
    try:
        server.setblocking(False)
        try:
            server.connect((address, port))
        except BlockingIOError:
            await anyio.wait_writable(server)
        error = server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connect")
    except BaseException:
        server.close()
        raise
    return server


async def _answer(client: socket.socket, status: int, words: str) -> None:
    if status == 200:
        await wire.send(client, b"HTTP/1.1 200 Connection established\r\n\r\n")
        return
    text = f"remit: {words}\n".encode()
    fields = ("Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(text)}", "Connection: close", "", "")
    head = "\r\n".join((f"HTTP/1.1 {status} Refused", *fields))
    with suppress(ConnectionError):
        await wire.send(client, head.encode() + text)
