"""Pages that stay true: the present state first, then again whenever the ledger has grown."""

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from remit.web.site import Site

POLL = 0.15
"""seconds between two looks at the ledger"""
SHARE = 4.0
"""how many times longer a stream rests than it worked: a busy engine must not be slowed down by who looks on"""
REFRESH = 20.0
"""seconds after which times such as `3 min ago` are said anew"""
MOST_STREAMS = 64
Render = Callable[[], Awaitable[str]]


class Streams:
    """The open streams of one server: not more than it can carry, and none once it closes."""

    def __init__(self, site: Site) -> None:
        self._site, self._open = site, 0

    async def respond(self, request: Request, render: Render) -> Response:
        """A stream of what `render` says, as events that each hold the whole of it."""
        if self._open >= MOST_STREAMS:
            return PlainTextResponse("too many pages are open\n", status_code=503, headers={"retry-after": "30"})
        return StreamingResponse(self._events(request, render), media_type="text/event-stream")

    async def _events(self, request: Request, render: Render) -> AsyncIterator[str]:
        self._open += 1
        try:
            said = ""
            async for _ in self._turns(request):
                now = await render()
                yield event(now) if now != said else ": nothing new\n\n"
                said = now
        finally:
            self._open -= 1

    async def _turns(self, request: Request) -> AsyncIterator[None]:
        """At once, so that nothing is missed between two connections; then at each change, and now and then without one."""
        ledger = self._site.hands.ledger
        while not self._site.closing() and self._site.viewer(request) is not None:
            version, begun = await ledger.version(), anyio.current_time()
            yield
            pause = max(POLL, SHARE * (anyio.current_time() - begun))
            until = begun + REFRESH
            while anyio.current_time() < until and not self._site.closing():
                await anyio.sleep(pause)
                pause = POLL
                if await ledger.version() != version:
                    break


def event(text: str) -> str:
    """One message of a stream."""
    return "".join(f"data: {line}\n" for line in text.splitlines()) + "\n"
