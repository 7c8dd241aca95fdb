"""The way to the providers: one pool of connections, open while any connection of a box is served."""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2

from remit.adapters.models.providers import Providers

PATIENCE = {"connect": 15.0, "write": 120.0, "read": 600.0, "pool": 15.0}
"""seconds; between two pieces of an answer a model may think for long"""
KEPT_OPEN = 30.0
"""seconds in which a connection may be used again"""

Sent = Callable[[], None]
Header = tuple[str, str]


class Unreached(Exception):
    """The provider was not reached, so it did nothing."""


class Cut(Exception):
    """The provider broke off; what it did nobody knows."""


class Upstream:
    """See the module. Redirects are not followed, cookies not kept, certificates verified, the environment not asked."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._ways: dict[bool, httpx2.AsyncHTTPTransport] = {}
        self._users = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep the pool; the last who leaves closes it."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                ways, self._ways = list(self._ways.values()), {}
                with anyio.CancelScope(shield=True):
                    for way in ways:
                        await way.aclose()

    @asynccontextmanager
    async def asked(
        self, method: str, url: str, headers: Sequence[Header], body: bytes, *, sent: Sent
    ) -> AsyncIterator[httpx2.Response]:
        """The answer, while it comes. `sent` is called when the first byte goes out. Raises Unreached and Cut."""
        gone_out = False

        async def trace(name: str, _info: dict[str, Any]) -> None:
            nonlocal gone_out
            if name.endswith(".send_request_headers.started") and not gone_out:
                gone_out = True
                sent()

        extensions = {"timeout": PATIENCE, "trace": trace}
        request = httpx2.Request(method, url, headers=[*headers], content=body, extensions=extensions)
        try:
            response = await self._way(url).handle_async_request(request)
        except (httpx2.TransportError, OSError, ssl.SSLError) as error:
            raise (Cut if gone_out else Unreached)(_said(error)) from None
        try:
            yield response
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await response.aclose()

    def _way(self, url: str) -> httpx2.AsyncHTTPTransport:
        secure = urlsplit(url).scheme == "https"
        if secure not in self._ways:
            context: ssl.SSLContext | bool = secure
            if secure and self._providers.certificates:
                context = ssl.create_default_context(cafile=self._providers.certificates)
            self._ways[secure] = httpx2.AsyncHTTPTransport(
                verify=context,
                trust_env=False,
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEPT_OPEN),
                proxy=(self._providers.proxy or None) if secure else None,
            )
        return self._ways[secure]


async def pieces(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """The body as it comes, byte for byte. Raises Cut."""
    stream = response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    try:
        async for piece in stream:
            yield piece
    except (httpx2.TransportError, OSError) as error:
        raise Cut(_said(error)) from None


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
