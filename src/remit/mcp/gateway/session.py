"""One host before one server: what passes, what is decided, and what is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio.abc import TaskGroup

from remit.authority.wire import read_json
from remit.errors import BadInput, RemitError
from remit.mcp.gateway import messages
from remit.mcp.gateway.asking import Asking
from remit.mcp.gateway.deciding import decide, listen
from remit.mcp.gateway.messages import CAPABILITIES, INVALID, NO_METHOD, PARAMS, SUBSCRIPTION, Note, Reply, Request, Unreadable
from remit.mcp.gateway.methods import BACK, HOST, LISTED, READS, SAID, TOLD, VERSIONS, without_tasks
from remit.mcp.gateway.passing import Passing
from remit.mcp.gateway.server import Lost, Server
from remit.mcp.gateway.shelf import Shelf

TELLING = 5.0
"""seconds a host has to take an answer once the gateway ends"""
Send = Callable[[bytes, "messages.Id | None"], Awaitable[None]]
"""Sends a message to the host; the id is that of the host's request it has to do with, if any."""


class Session:
    """Everything one host says, and everything it hears."""

    def __init__(self, shelf: Shelf, send: Send, log: Callable[[str], None], group: TaskGroup) -> None:
        self.shelf, self.desk = shelf, shelf.desk
        self.asking = Asking(self)
        self.server: Server
        self._send, self._log, self._group = send, log, group
        self._under_way: dict[tuple[type, messages.Id], Passing] = {}
        self._capabilities: Any = {}

    def log(self, line: str) -> None:
        """A line for people."""
        self._log(line)

    @property
    def busy(self) -> bool:
        """Whether anything of the host's is under way."""
        return bool(self._under_way)

    async def send(self, message: bytes, about: messages.Id | None = None) -> None:
        """Say something to the host."""
        await self._send(message, about)

    def capabilities(self, request: Request) -> dict[str, Any]:
        """What the host says it can do."""
        said = request.meta.get(CAPABILITIES) if request.modern else self._capabilities
        return said if isinstance(said, dict) else {}

    # ------------------------------------------------------------ from the host

    async def receive(self, line: bytes | None) -> None:
        """One message of the host; None for one that was too long."""
        try:
            if line is None:
                raise Unreadable(INVALID, f"a message has at most {messages.MOST} bytes")
            message = messages.read_host(line)
        except Unreadable as error:
            self.log(f"the host said what is no message: {error}")
            await self.send(messages.error(error.id, error.code, str(error)))
            return
        await self.take(message)

    async def take(self, message: Request | Note | Reply) -> None:
        """One message of the host, as it was read."""
        match message:
            case Request():
                await self._requested(message)
            case Note():
                await self._noted(message)
            case Reply():
                await self.asking.replied(message)

    def give_up(self, number: messages.Id) -> None:
        """The host does not wait for this request any more."""
        passing = self._under_way.get((type(number), number))
        if passing is not None:
            passing.leave(silent=True)

    def leave(self, *, silent: bool) -> None:
        """Nothing is waited for any more: the server is gone or, `silent`, the host is."""
        for passing in list(self._under_way.values()):
            passing.leave(silent=silent)
        self.asking.leave()

    def moved(self, passing: Passing, request: Request | None) -> None:
        """A request that takes a further round is under way under another id, or for now under none."""
        for key in [key for key, each in self._under_way.items() if each is passing]:
            del self._under_way[key]
        if request is not None:
            passing.id = request.id
            self._under_way[type(request.id), request.id] = passing

    async def _requested(self, request: Request) -> None:
        key = (type(request.id), request.id)
        if key in self._under_way:
            await self.send(messages.error(request.id, INVALID, "a request with this id is under way"), request.id)
            return
        meta = request.params.get("_meta")
        if isinstance(meta, dict) and CAPABILITIES in meta:
            meta[CAPABILITIES] = without_tasks(meta[CAPABILITIES])
        passing = Passing(request, self.server, self.asking)
        self._under_way[key] = passing
        self._group.start_soon(self._served, passing)

    async def _served(self, passing: Passing) -> None:
        try:
            answer = await self._answer(passing)
        except Unreadable as error:
            answer = messages.error(passing.id, error.code, str(error))
        except Lost as error:
            answer = messages.error(passing.id, messages.GONE, str(error))
        except BadInput as error:
            answer = messages.error(passing.id, PARAMS, str(error))
        except RemitError as error:
            answer = messages.error(passing.id, messages.INTERNAL, str(error))
        if answer is None:
            return
        self.moved(passing, None)
        if not passing.silent:
            with anyio.move_on_after(TELLING, shield=True):  # also when this was the last thing the gateway did
                await self.send(answer, passing.id)

    async def _answer(self, passing: Passing) -> bytes | None:
        """The answer to a request; None when another round of it is under way."""
        method, params = passing.request.method, passing.request.params
        match HOST.get(method):
            case "open":
                return await self._opened(passing)
            case "pass":
                return messages.answer(passing.id, await self.server.ask(method, params, passing))
            case "tools":
                return messages.result(passing.id, await self.shelf.tools(self.server, passing.request))
            case "list":
                listed = await self.shelf.list(self.server, passing, READS[method], LISTED[method])
                return messages.result(passing.id, listed) if isinstance(listed, dict) else messages.answer(passing.id, listed)
            case "decide":
                return await decide(self, self.asking, passing)
            case "listen":
                return await listen(self, passing)
            case _:
                raise Unreadable(NO_METHOD, f"`{method[:80]}` does not pass this gateway")

    async def _opened(self, passing: Passing) -> bytes:
        """How host and server get to know one another: what neither can have here is taken out."""
        params = passing.request.params
        if passing.request.method == "initialize":
            self._capabilities = params.get("capabilities")
            params = {**params, "capabilities": without_tasks(self._capabilities)}
        reply = await self.server.ask(passing.request.method, params, passing)
        if reply.error:
            return messages.answer(passing.id, reply)
        found = read_json(reply.result.decode())
        if not isinstance(found, dict):
            raise Unreadable(INVALID, "the server did not say what it is")
        version = found.get("protocolVersion", VERSIONS[0])
        if version not in VERSIONS:
            raise Unreadable(INVALID, f"the server speaks a version of the protocol that this gateway does not: {version}")
        if isinstance(found.get("supportedVersions"), list):
            found["supportedVersions"] = [each for each in found["supportedVersions"] if each in VERSIONS]
        found["capabilities"] = without_tasks(found.get("capabilities"))
        self.shelf.met(self.server, found)
        return messages.result(passing.id, found)

    async def _noted(self, note: Note) -> None:
        if note.method == "notifications/cancelled":
            number = note.params.get("requestId")
            passing = self._under_way.get((type(number), number)) if isinstance(number, str | int) else None
            if passing is not None and passing.request.method != "initialize":
                passing.leave(silent=True)
        elif note.method == "notifications/progress":
            await self.asking.progressed(note)
        elif note.method in SAID:
            await self.server.tell(note.method, note.params)
        else:
            self.log(f"the host said `{note.method[:80]}`, which does not pass: it was left out")

    # ------------------------------------------------------------ from the server

    async def heard(self, message: Request | Note) -> None:
        """A request or a notification of the server's."""
        if isinstance(message, Request):
            if message.method in BACK:
                await self.asking.forward(message)
                return
            why = f"`{message.method[:80]}` does not pass this gateway"
            self.log(f"{self.server.name} wanted `{message.method[:80]}` of the host: refused")
            await self.server.say(messages.error(message.id, NO_METHOD, why))
            return
        self.shelf.told(message.method)
        about = self._about(message)
        if about is not None or message.method in TOLD:
            await self.send(messages.note(message.method, message.params), about)
        elif not self.shelf.listens(message):
            self.log(f"{self.server.name} said `{message.method[:80]}` about nothing that is under way: it was left out")
        else:
            await self.send(messages.note(message.method, message.params))

    def _about(self, note: Note) -> messages.Id | None:
        """The host's request that a notification has to do with; the ids in it become the host's own."""
        if note.method == "notifications/progress":
            token = note.params.get("progressToken")
            passing = next((each for each in self._under_way.values() if each.token == token and token is not None), None)
            return passing.id if passing is not None else None
        meta = note.params.get("_meta")
        if isinstance(meta, dict) and SUBSCRIPTION in meta:
            number = self.server.host_id(_number(meta[SUBSCRIPTION]))
            if number is not None:
                meta[SUBSCRIPTION] = number
            return number
        if note.method == "notifications/cancelled":
            return self.asking.cancelled(note)
        return None


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdigit() else value
