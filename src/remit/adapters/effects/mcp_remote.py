"""An MCP server at an address: our headers go to it and nowhere else, and what comes back has a size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client.streamable_http import streamable_http_client

from remit.adapters.effects.http_headers import checked
from remit.errors import Broken

MOST = 16 << 20
"""bytes of one answer"""
CONNECTING = 15.0


@asynccontextmanager
async def over_http(url: str, headers: list[tuple[str, str]], patience: float) -> AsyncIterator[tuple[Any, Any]]:
    """The two streams of messages, as the client of the SDK takes them.

    No proxy, no `.netrc` and no cookie of this machine has a part in it, and no redirect leads elsewhere.
    """
    checked(headers)
    limits = httpx2.Timeout(CONNECTING, read=patience)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=limits, transport=_Bounded(trust_env=False), trust_env=False) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


class _Bounded(httpx2.AsyncHTTPTransport):
    """Ends an answer that is too large."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Counted(response.stream)
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > MOST:
                raise Broken(f"an answer of more than {MOST} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
