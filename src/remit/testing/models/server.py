"""The scripted model server: requests in four dialects, answered by scripts, and written down."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import msgspec
from anyio.abc import ByteStream

from remit.testing.models import dialects
from remit.testing.models.connection import Connection, Gone, Reply, Request, joined
from remit.testing.models.dialects import Route
from remit.testing.models.exchange import Asked, encoded
from remit.testing.models.journal import Journal, Seen, noted
from remit.testing.models.playing import Played, play
from remit.testing.models.script import Cut, Hang, Script, Slow, Status, Usage, Zipped, scripts_of

_BODIES = msgspec.json.Decoder(dict[str, Any])


class ModelServer:
    """A model behind an address. `url` is where it listens, without a path; `journal` is everything it was asked."""

    def __init__(self, scripts: Mapping[str, Script], fallback: str = "hello", usage: Usage | None = None) -> None:
        self.scripts = dict(scripts)
        self.fallback = fallback
        self.usage = usage or Usage()
        self.url = ""
        self._journal = Journal()

    @property
    def journal(self) -> tuple[Seen, ...]:
        """Every request since the start or the last `clear`."""
        return self._journal.seen

    @property
    def work(self) -> tuple[Seen, ...]:
        """The calls that are the work: no counting, no lists, no titles."""
        return tuple(seen for seen in self.journal if seen.script is not None and not seen.side)

    def add(self, *scripts: Script) -> None:
        """Add scripts, or put them in the place of those with the same names."""
        self.scripts.update({script.name: script for script in scripts})

    def clear(self) -> None:
        """Forget what was asked."""
        self._journal.clear()

    async def serve(self, stream: ByteStream) -> None:
        """One connection, until either side ends it."""
        async with stream:
            connection = Connection(stream)
            number, again = 0, True
            try:
                while again and (request := await connection.request()) is not None:
                    number, reply = self._reply(request)
                    ended = "whole" if reply.cut is None else "cut"
                    again = await connection.answer(reply, partial(self._journal.know, number, ended=ended))
            except Gone:
                hung = any(seen.number == number and seen.ended == "hung" for seen in self.journal)
                self._journal.know(number, ended="hung" if hung else "gone")

    def _reply(self, request: Request) -> tuple[int, Reply]:
        """The number in the journal, 0 for none, and what to answer."""
        if request.path in ("/__journal__", "/__scripts__", "/__clear__"):
            return 0, self._own(request)
        to = dialects.route(request.method, request.path, request.query, request.headers)
        number = self._journal.add(
            method=request.method,
            path=request.path,
            query=request.query,
            dialect=to.dialect,
            headers=noted(request.headers),
            body=request.body,
        )
        reply = self._wanted(to, request, number)
        self._journal.know(number, status=reply.status, ended="hung" if reply.hangs else "underway")
        return number, reply

    def _own(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/__journal__":
                bare = [msgspec.structs.replace(seen, body=b"") for seen in self.journal]
                return Reply(pieces=(encoded({"requests": bare}),))
            case "POST", "/__scripts__":
                try:
                    scripts = scripts_of(request.body)
                except msgspec.DecodeError as error:
                    return Reply(status=400, pieces=(encoded({"error": str(error)}),))
                self.add(*scripts)
                return Reply(pieces=(encoded({"scripts": sorted(self.scripts)}),))
            case "GET", "/__scripts__":
                return Reply(pieces=(encoded({"scripts": sorted(self.scripts)}),))
            case "POST", "/__clear__":
                self.clear()
                return Reply(pieces=(b"{}",))
        return Reply(status=405, pieces=(b"{}",))

    def _wanted(self, to: Route, request: Request, number: int) -> Reply:
        match to.wants:
            case "nothing":
                code = 200 if request.method == "HEAD" else 404
                return Reply(status=code, pieces=() if code == 200 else (dialects.failed(to, 404, f"no {request.path}"),))
            case "models":
                return Reply(pieces=(dialects.models(to),))
        if request.headers.get("content-encoding", "identity") != "identity":
            return Reply(status=415, pieces=(dialects.failed(to, 415, "compressed requests are not read"),))
        if to.wants == "count":
            return Reply(pieces=(dialects.counted(to, len(request.body)),))
        try:
            asked = dialects.asked(to, _BODIES.decode(request.body), len(request.body))
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            return Reply(status=400, pieces=(dialects.failed(to, 400, f"not a request: {error!r}"),))
        played = play(asked, self.scripts, self.fallback, self.usage, number)
        self._note(number, asked, played)
        return self._given(to, asked, played)

    def _note(self, number: int, asked: Asked, played: Played) -> None:
        turn = played.turn
        self._journal.know(
            number,
            model=asked.model,
            tools=tuple(tool.name for tool in asked.tools),
            hosted=asked.hosted,
            stream=asked.stream,
            max_output=asked.max_output,
            script=played.place.script or self.fallback,
            step=played.place.step,
            side=played.side,
            answered=tuple(call.name for call in turn.calls) or (turn.text[:200],),
            input=turn.usage.input,
            output=turn.usage.output,
        )

    def _given(self, to: Route, asked: Asked, played: Played) -> Reply:
        """The answer in its dialect, with whatever the script says of its manner."""
        pieces = tuple(dialects.frames(to, asked, played.turn)) if asked.stream else (dialects.whole(to, asked, played.turn),)
        events = asked.stream and to.events
        kind = "text/event-stream" if events else "application/json"
        headers = {"request-id": f"req_{played.turn.id}", "x-request-id": f"req_{played.turn.id}"}
        if events:
            headers["cache-control"] = "no-cache"
        reply = Reply(kind=kind, headers=headers, pieces=pieces, streams=asked.stream)
        for manner in played.manner:
            match manner:
                case Slow(seconds=seconds):
                    reply = msgspec.structs.replace(reply, pace=seconds)
                case Hang():
                    reply = msgspec.structs.replace(reply, hangs=True)
                case Cut(after=after):
                    reply = msgspec.structs.replace(reply, cut=after)
                case Zipped():
                    zipped = tuple(_zipped(reply.pieces))
                    reply = msgspec.structs.replace(reply, pieces=zipped, headers=reply.headers | {"content-encoding": "gzip"})
                case Status() if self._fails(played, manner):
                    body = dialects.failed(to, manner.code, manner.message) if manner.body is None else manner.body.encode()
                    return Reply(status=manner.code, headers=manner.headers, pieces=(body,))
        return reply

    def _fails(self, played: Played, status: Status) -> bool:
        at = (played.place.script or self.fallback, played.place.step)
        self._journal.failures[at] = self._journal.failures.get(at, 0) + 1
        return not status.times or self._journal.failures[at] <= status.times


def _zipped(pieces: tuple[bytes, ...]) -> Iterator[bytes]:
    """Pieces as one gzip stream, flushed after each."""
    if len(pieces) == 1:
        yield gzip.compress(joined(pieces), mtime=0)
        return
    packer = zlib.compressobj(wbits=31)
    for piece in pieces:
        yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
