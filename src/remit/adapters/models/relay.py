"""One request to a provider and its answer back, untouched and as it comes, while a copy of it is counted."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import urlencode

import anyio
import httpx2
import msgspec

from remit.adapters.models.charge import Charge
from remit.adapters.models.load import Load
from remit.adapters.models.plug import Gone
from remit.adapters.models.providers import Provider
from remit.adapters.models.reading import Reading
from remit.adapters.models.routes import Route
from remit.adapters.models.upstream import Cut, Unreached, Upstream, pieces
from remit.adapters.models.wire import Head, Line

PASSED_UP = ("accept", "user-agent", "anthropic-version", "anthropic-beta", "openai-beta")
"""headers of the runtime that are sent on; nothing else of them leaves"""
PASSED_DOWN = ("content-type", "content-encoding", "content-length", "retry-after", "request-id", "x-request-id")
"""headers of the provider that reach the box; accounts and organisations stay outside"""
AGAIN = frozenset({408, 409, 425, 429, 503, 529})
"""answers that ask to try again, and surely cost nothing"""
LONGEST_TROUBLE = 256 * 2**10
"""bytes of an answer that is no success"""
LONGEST_FREE = 8 * 2**20
"""bytes of an answer that costs nothing"""


@dataclass(frozen=True, kw_only=True)
class Way:
    """What a request needs to reach its provider."""

    upstream: Upstream
    provider: Provider
    route: Route
    load: Load

    def headers(self, head: Head) -> list[tuple[str, str]]:
        """Those of the runtime that are let through, and the real key."""
        found = [
            (name, value) for name in PASSED_UP if (value := ",".join(head.all(name))).isprintable() and value.isascii() and value
        ]
        if self.route.dialect == "anthropic" and not head.all("anthropic-version"):
            found.append(("anthropic-version", "2023-06-01"))
        return [*found, ("accept-encoding", "identity"), ("content-type", "application/json"), *self.provider.headers()]

    @property
    def served(self) -> str:
        """Who serves it, as a box may know: never the address, which can be one of a house."""
        return f" ({self.provider.name})" if self.provider.name else ""

    @property
    def url(self) -> str:
        """Where it goes."""
        query = f"?{urlencode(self.route.query)}" if self.route.query else ""
        return f"{self.provider.base}{self.route.target}{query}"


async def refuse(line: Line, route: Route, words: str, *, status: int = 400, close: bool = False) -> None:
    """A refusal in the wire format of the request."""
    body = msgspec.json.encode(route.format.error(f"remit: {words}", status))
    await line.answer(status, [("content-type", "application/json")], body, close=close)


async def relayed(line: Line, way: Way, head: Head, body: bytes, charge: Charge | None) -> None:
    """Carry it there and back; when the runtime hangs up, so do we. Raises Gone."""
    failed: Exception | None = None
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            await line.gone()
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            await _exchanged(line, way, head, body, charge)
        except Exception as error:  # noqa: BLE001 - raised again, outside of the group
            failed = error
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed


async def _exchanged(line: Line, way: Way, head: Head, body: bytes, charge: Charge | None) -> None:
    sent = charge.sent if charge else _nothing
    try:
        async with way.upstream.asked(head.method, way.url, way.headers(head), body, sent=sent) as response:
            if response.status_code != 200:
                await _troubled(line, way, response, charge)
            elif charge is None:
                way.load.troubles = 0
                await line.answer(200, _down(response, whole=True), await _taken(response, LONGEST_FREE))
            else:
                way.load.troubles = 0
                await _passed(line, way, response, charge)
    except Unreached as error:
        if charge:
            await charge.release(f"{way.provider.base} was not reached: {error}")
        await _again(line, way, f"the provider{way.served} cannot be reached")
    except Cut:
        if line.begun:
            raise Gone from None  # the runtime has half an answer: all that can be said is that it ends here
        if charge:
            await charge.leave()
        await _again(line, way, f"the provider{way.served} broke off")


async def _passed(line: Line, way: Way, response: httpx2.Response, charge: Charge) -> None:
    """The answer, piece by piece. It is charged before the runtime can see that it is whole, and act on it."""
    form, kind, held = way.route.format, _kind(response), b""
    reading = Reading(form.event, form.whole, kind)
    await line.begin(200, _down(response), more="content-length" in response.headers)
    async with aclosing(pieces(response)) as coming:
        async for piece in coming:
            reading.feed(piece)
            if reading.tally.ended:
                await charge.settle(reading.tally.usage, reading.tally.tools)
            if kind != "events":
                held, piece = piece, held  # without its last piece an answer of a known length is not whole
            await line.part(piece)
    reading.end()
    await charge.settle(reading.tally.usage, reading.tally.tools)
    await line.part(held)
    await line.finish()


async def _troubled(line: Line, way: Way, response: httpx2.Response, charge: Charge | None) -> None:
    """No success. What asks for another try is passed on so many times; a key that is refused is ours, not the runtime's."""
    status, said = response.status_code, way.provider.scrubbed(await _taken(response, LONGEST_TROUBLE))
    if charge:
        reading = Reading(way.route.format.event, way.route.format.whole, _kind(response))
        reading.feed(said)
        reading.end()
        if reading.tally.usage is not None:
            await charge.settle(reading.tally.usage, reading.tally.tools)
        elif 300 <= status < 500 or status in AGAIN:
            await charge.release(f"the provider answered {status}")
        else:
            await charge.leave()
    if status in (401, 403):
        key = way.provider.key_variable
        await refuse(line, way.route, f"the provider does not accept the key in {key} ({status}); the owner has to set another")
    elif status in AGAIN or status >= 500:
        await _again(line, way, f"the provider answered {status}", (response, said))
    elif status >= 400:
        await line.answer(status, _down(response, whole=True), said)
    else:
        await refuse(line, way.route, f"the provider answered {status}, which is neither an answer nor an error")


async def _again(line: Line, way: Way, words: str, answer: tuple[httpx2.Response, bytes] | None = None) -> None:
    """What the provider's trouble looks like to a runtime: at first as it is, so that it tries again, and then as an end."""
    if not way.load.again():
        await refuse(line, way.route, f"{words}, {way.load.troubles} times in a row; try again later")
    elif answer is None:
        await refuse(line, way.route, words, status=503)
    else:
        response, said = answer
        await line.answer(response.status_code, _down(response, whole=True), said)


async def _taken(response: httpx2.Response, longest: int) -> bytes:
    found = bytearray()
    async with aclosing(pieces(response)) as coming:
        async for piece in coming:
            found += piece
            if len(found) > longest:
                raise Cut("the answer is too long")
    return bytes(found)


def _down(response: httpx2.Response, *, whole: bool = False) -> Sequence[tuple[str, str]]:
    return [
        (name, value) for name in PASSED_DOWN
        if (value := response.headers.get(name)) is not None and not (whole and name == "content-length")
    ]  # fmt: skip


def _kind(response: httpx2.Response) -> str:
    """How the answer can be read: not at all when it is packed, though we asked for it plain."""
    if response.headers.get("content-encoding", "identity") != "identity":
        return ""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return {"text/event-stream": "events", "application/json": "json"}.get(kind, "")


def _nothing() -> None:
    return None
