"""The door for model calls: requests of a box in, decided by the account, and on to the provider."""

import hmac
import socket
from urllib.parse import parse_qsl

import anyio
import msgspec

from remit.adapters.models import gemini, relay, tokens
from remit.adapters.models.asked import Body, Sorted, Unfit, a_model, decoded, encoded
from remit.adapters.models.charge import Charge
from remit.adapters.models.load import BYTES, CONNECTIONS, FREE, RECORDED, Load, Loads
from remit.adapters.models.plug import Gone, Plug
from remit.adapters.models.providers import Providers
from remit.adapters.models.relay import Way, refuse
from remit.adapters.models.routes import Route, dialect_of, routed
from remit.adapters.models.upstream import Upstream
from remit.adapters.models.wire import LONGEST_BODY, Bad, Head, Line
from remit.ports.models import Account, ModelCall, NoCall

STOP = "Stop here and leave what there is."


class HttpModelDoor:
    """See `remit.ports.models.ModelDoor`."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._upstream = Upstream(providers)
        self._loads = Loads()

    async def serve(self, connection: socket.socket, account: Account) -> None:
        """Requests, one after another, until either side has enough."""
        load = self._loads.of(account.token)
        if load.connections >= CONNECTIONS:
            connection.close()
            return
        load.connections += 1
        try:
            async with self._upstream.open():
                await self._served(connection, account, load)
        finally:
            load.connections -= 1

    async def _served(self, connection: socket.socket, account: Account, load: Load) -> None:
        try:
            line = Line(Plug(connection))
        except OSError:
            return connection.close()
        visit = _Visit(line, account, load, self._providers, self._upstream)
        try:
            while await visit.one():
                pass
        except Gone:
            pass
        finally:
            await line.shut()


class _Visit:
    """The requests of one connection."""

    def __init__(self, line: Line, account: Account, load: Load, providers: Providers, upstream: Upstream) -> None:
        self._line, self._account, self._load = line, account, load
        self._providers, self._upstream = providers, upstream

    async def one(self) -> bool:
        """Serve a request; whether there may be another."""
        route = _unknown("/")
        try:
            head = await self._line.head()
            if head is None:
                return False
            route = routed(head.method, head.target, anthropic_version=bool(head.all("anthropic-version"))) or _unknown(
                head.target
            )
            await self._answered(head, route)
        except Bad as bad:
            await self._turned_away(route, "unreadable", str(bad), close=True)
            return False
        return True

    async def _answered(self, head: Head, route: Route) -> None:
        if head.method == "HEAD" and head.target == "/":
            await self._line.body()
            return await self._line.answer(200, [])
        if head.all("upgrade"):
            return await self._turned_away(route, "upgrade", "no other protocol is spoken here: use HTTP/1.1", close=True)
        if not self._known(head):
            return await self._turned_away(route, "token", "this is not the token of the run", close=True)
        if not route.target:
            words = f"{head.method} {head.target.partition('?')[0][:200]} is not served here"
            return await self._turned_away(route, "path", words, status=404, close=True)
        if head.all("content-encoding") not in ([], ["identity"]):
            return await self._turned_away(route, "encoding", "send the body as it is, not compressed", close=True)
        size = head.one("content-length")
        room = LONGEST_BODY if not size.isdigit() else int(size)
        if room > LONGEST_BODY:
            raise Bad(f"the body is longer than {LONGEST_BODY} bytes")
        if self._load.held + room > BYTES and self._load.held:
            return await self._turned_away(route, "busy", "too much is on its way already", close=True)
        self._load.held += room
        try:
            body = await self._line.body()
            self._load.held += len(body) - room
            room = len(body)
            await self._read(head, route, body)
        except Unfit as unfit:
            await self._turned_away(route, unfit.code, unfit.why)
        except RecursionError:
            await self._turned_away(route, "unreadable", "the body is nested too deep")
        finally:
            self._load.held -= room

    async def _read(self, head: Head, route: Route, body: bytes) -> None:
        way = Way(upstream=self._upstream, provider=self._providers.of(route.dialect), route=route, load=self._load)
        if route.kind == "list":
            return await self._free(way, head, b"")
        kind = head.one("content-type").partition(";")[0].strip().lower()
        if kind not in ("application/json", ""):
            raise Unfit("unreadable", "the body has to be application/json")
        if route.kind == "count":
            given = decoded(body)
            sort = gemini.count_of if route.dialect == "gemini" else route.format.sort
            return await self._free(way, head, encoded(sort(given).body))
        found = route.format.sort(decoded(body))
        await self._called(way, head, found)
        return None

    async def _free(self, way: Way, head: Head, body: bytes) -> None:
        if way.provider.missing:
            return await self._turned_away(way.route, "key", way.provider.missing)
        self._load.free += 1
        if self._load.free > FREE:
            words = f"{FREE} counts of tokens and lists of models were asked for, and an attempt has no more: estimate"
            if self._load.free == FREE + 1:
                return await self._turned_away(way.route, "count", words)
            return await refuse(self._line, way.route, words)
        return await relay.relayed(self._line, way, head, body, None)

    async def _called(self, way: Way, head: Head, found: Sorted) -> None:
        """A call of a model: reserved, bounded, carried out, charged."""
        form, sent = way.route.format, found.body
        model = a_model(way.route.model or sent.get("model"))
        asked = form.most(sent)
        call = ModelCall(
            model=model,
            provider=way.provider.name,
            input=tokens.most(encoded(sent), found.pictures),
            output=asked,
            hosted=tuple(found.left),
        )
        with anyio.CancelScope(shield=True):
            hold = await self._account.reserve(call)
        if isinstance(hold, NoCall):
            return await self._no_call(way.route, hold, model, sent)
        charge = Charge(self._account, hold)
        try:
            if way.provider.missing:
                await charge.release("no key")
                return await refuse(self._line, way.route, way.provider.missing)
            form.bound(sent, max(1, hold.output if asked is None else min(hold.output, asked)), way.provider.vendor)
            await relay.relayed(self._line, way, head, encoded(sent), charge)
        finally:
            await charge.leave()
        return None

    async def _no_call(self, route: Route, no: NoCall, model: str, sent: Body) -> None:
        if not no.first:
            return await refuse(self._line, route, no.why)
        words, events = f"[remit] {no.why} {STOP}", [("content-type", "text/event-stream")]
        if route.stream and ("alt", "sse") not in route.query:
            return await self._line.answer(200, _JSON, msgspec.json.encode([route.format.final(model, words)]))
        if route.stream or sent.get("stream") is True:
            return await self._line.answer(200, events, route.format.stream(model, words))
        return await self._line.answer(200, _JSON, msgspec.json.encode(route.format.final(model, words)))

    def _known(self, head: Head) -> bool:
        """Whether the token of the run is shown, in any of the places where a key is; compared in constant time."""
        shown = [text[7:].strip() for text in head.all("authorization") if text[:7].lower() == "bearer "]
        shown += head.all("x-api-key") + head.all("x-goog-api-key")
        shown += [value for name, value in parse_qsl(head.target.partition("?")[2]) if name == "key"]
        token = self._account.token.encode()
        return bool(token) and any(hmac.compare_digest(text.encode(), token) for text in shown)

    async def _turned_away(self, route: Route, what: str, words: str, *, status: int = 400, close: bool = False) -> None:
        """Refused before it was a call: on record, and in words."""
        if self._load.recorded < RECORDED:
            self._load.recorded += 1
            last = "" if self._load.recorded < RECORDED else " (further ones are not put on record)"
            await self._account.refused(what, words + last)
        await refuse(self._line, route, words, status=status, close=close)


_JSON = [("content-type", "application/json")]


def _unknown(target: str) -> Route:
    """No route; only the wire format of the answer."""
    return Route(dialect=dialect_of(target), kind="call", target="")
