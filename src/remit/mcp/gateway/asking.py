"""Asking across the gateway: a server's questions reach its host marked as what they are, and remit's own are kept apart."""

import secrets
from typing import Any

import anyio

from remit.authority.wire import read_json
from remit.engine.inbox import answer
from remit.errors import BadInput, Refused, RemitError
from remit.guard import Done, Waiting
from remit.guard import Refused as Refusal
from remit.mcp.gateway import messages
from remit.mcp.gateway.acts import digest_of
from remit.mcp.gateway.host import Host
from remit.mcp.gateway.messages import Id, Note, Reply, Request
from remit.mcp.gateway.methods import BACK
from remit.mcp.gateway.passing import Passing
from remit.mcp.gateway.sealing import Seal

SLOW = 600.0
"""seconds a host has to come back with what it was asked"""
STEP = 1.0
TOLD = 5.0
"""seconds between two words of progress"""
OWN = "remit"


class _Round:
    """One question that is out, for one request."""

    def __init__(self, passing: Passing) -> None:
        self.passing = passing
        self.done = anyio.Event()
        self.said: dict[str, Any] | None = None


class Asking:
    """Every question between one host and its server, and between the host and remit."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._seal = Seal()
        self._rounds: dict[str, _Round] = {}
        self._out: dict[str, Id | _Round] = {}
        self._last = 0

    # ------------------------------------------------------------ a server's questions

    async def forward(self, request: Request) -> None:
        """Put a server's request before its host, under an id of the gateway's own."""
        host = self._host
        about = host.server.awaiting()
        params = _marked(request.params, host.server.name) if request.method == "elicitation/create" else request.params
        number = self._number()
        self._out[number] = request.id
        await host.send(messages.request(number, request.method, params), about[-1].id if about else None)

    async def replied(self, reply: Reply) -> None:
        """An answer of the host's, to whoever had asked; what nobody had asked is left out."""
        asked = self._out.pop(reply.id, None) if isinstance(reply.id, str) else None
        if isinstance(asked, _Round):
            asked.said = read_json(reply.result.decode()) if reply.result else None
            asked.done.set()
        elif asked is not None:
            await self._host.server.say(messages.answer(asked, reply))
        else:
            self._host.log("the host answered what nobody had asked: it was left out")

    def cancelled(self, note: Note) -> Id | None:
        """A server takes a question back: under the id the host knows it by. None when it is none that is out."""
        number = next((ours for ours, its in self._out.items() if its == note.params.get("requestId")), None)
        if number is None:
            return None
        del self._out[number]
        note.params["requestId"] = number
        return number

    async def progressed(self, note: Note) -> None:
        """Progress of a host's own goes to the server that asked."""
        await self._host.server.tell(note.method, note.params)

    async def further(self, passing: Passing, wanted: dict[str, Any]) -> dict[str, Any] | None:
        """See `Rounds`: the request is answered with what is wanted, and comes back under another id."""
        requests = wanted.get("inputRequests") or {}
        if not isinstance(requests, dict) or not all(isinstance(each, dict) for each in requests.values()):
            raise Refused("the server wants to know more, and does not say what")
        if barred := [str(each.get("method"))[:80] for each in requests.values() if each.get("method") not in BACK]:
            raise Refused(f"the server wants `{barred[0]}` of the host, which does not pass this gateway")
        name = self._host.server.name
        marked = {
            key: {**each, "params": _marked(each.get("params") or {}, name)} if each["method"] == "elicitation/create" else each
            for key, each in requests.items()
        }
        return await self._round(passing, marked)

    # ------------------------------------------------------------ remit's own

    async def person(self, passing: Passing, waiting: Waiting) -> Done | Refusal | Waiting:
        """What became of something a person must answer: asked at the host where they sit there, else held for a while."""
        desk = self._host.desk
        if not waiting.question:  # it was answered just now, and is about to be carried out
            return await self._released(passing, waiting)
        if desk.wanted.person_here and desk.signer is not None and self._elicits(passing.request):
            word = await self._asked_here(passing, waiting)
            if word and await self._recorded(waiting, word):
                return await self._released(passing, waiting)
        return await self._held(passing, waiting, desk.wanted.wait)

    def returned(self, request: Request, digest: str) -> None:
        """A host comes back with what it was asked. Raises BadInput when that was not asked, or about another act."""
        slot = self._seal.opened(request.params.get("requestState"), digest)
        found = self._rounds.pop(slot, None)
        if found is None:
            raise BadInput("this round of the call is over", hint="call again, without a request state")
        said = request.params.get("inputResponses")
        found.said = said if isinstance(said, dict) else {}
        self._host.moved(found.passing, request)
        found.done.set()

    def leave(self) -> None:
        """Nobody will answer any more."""
        for each in [*self._rounds.values(), *(each for each in self._out.values() if isinstance(each, _Round))]:
            each.done.set()
        self._rounds.clear()
        self._out.clear()

    # ------------------------------------------------------------ inside

    async def _round(self, passing: Passing, requests: dict[str, Any]) -> dict[str, Any] | None:
        slot, waits = secrets.token_hex(8), _Round(passing)
        state = self._seal.sealed(slot, digest_of(passing.request))
        wanted = {"resultType": "input_required", "requestState": state}
        self._rounds[slot] = waits
        number = passing.id
        self._host.moved(passing, None)
        await self._host.send(messages.result(number, {**wanted, "inputRequests": requests} if requests else wanted), number)
        return await self._awaited(waits, slot)

    async def _awaited(self, waits: _Round, slot: str) -> dict[str, Any] | None:
        async with anyio.create_task_group() as group:

            async def left() -> None:
                await waits.passing.left.wait()
                waits.done.set()

            group.start_soon(left)
            with anyio.move_on_after(SLOW):
                await waits.done.wait()
            group.cancel_scope.cancel()
        self._rounds.pop(slot, None)
        self._out.pop(slot, None)
        return waits.said

    async def _asked_here(self, passing: Passing, waiting: Waiting) -> str:
        """The word of the person at the host: `yes`, `no`, or empty when they said nothing."""
        params = await self._card(waiting)
        if not params:
            return ""
        if passing.request.modern:
            said = await self._round(passing, {OWN: {"method": "elicitation/create", "params": params}})
            said = said.get(OWN) if said else None
        else:
            number, waits = self._number(), _Round(passing)
            self._out[number] = waits
            await self._host.send(messages.request(number, "elicitation/create", params), passing.id)
            said = await self._awaited(waits, number)
        if not isinstance(said, dict) or said.get("action") == "cancel":
            return ""
        content = said.get("content")
        word = content.get("answer") if isinstance(content, dict) and said.get("action") == "accept" else None
        return word if word in ("yes", "no") else "no" if said.get("action") == "decline" else ""

    async def _card(self, waiting: Waiting) -> dict[str, Any] | None:
        """The question as it is shown at the host; None when it asks somebody else than who sits there."""
        desk = self._host.desk
        run = await desk.carrier.state()
        asked = run.questions.get(waiting.question)
        roles = {desk.person} | {role for each in _people(run) if each.id == desk.person for role in each.roles}
        asks = {run.owner if name == "owner" else name for name in asked.question.of} if asked is not None else set()
        if asked is None or not roles & asks:
            return None
        why = "; ".join(reason.why for reason in asked.question.reasons)
        lines = [f"remit asks {desk.person}: {asked.question.text}", asked.question.preview, f"Why it is asked: {why}"]
        choice = {"type": "string", "enum": ["yes", "no"], "title": "May this happen, once, exactly as shown?"}
        schema = {"type": "object", "properties": {"answer": choice}, "required": ["answer"]}
        return {"mode": "form", "message": "\n\n".join(line for line in lines if line), "requestedSchema": schema}

    async def _recorded(self, waiting: Waiting, word: str) -> bool:
        desk = self._host.desk
        assert desk.signer is not None
        try:
            await answer(
                desk.carrier.hands, desk.run, waiting.question, word, signer=desk.signer, assurance="terminal",
                note="asked at the MCP host",
            )  # fmt: skip
        except RemitError as error:
            self._host.log(f"the answer at the host does not count: {error}")
            return False
        return True

    async def _released(self, passing: Passing, waiting: Waiting) -> Done | Refusal | Waiting:
        """How it ended; it still waits where others must say yes too."""
        desk, until = self._host.desk, anyio.current_time() + SLOW
        while True:
            said = await desk.wait(passing, waiting, STEP)
            over = passing.left.is_set() or anyio.current_time() > until
            if not isinstance(said, Waiting) or said.unknown or over:
                return said
            open_ = (await desk.carrier.state()).open_questions
            if any(each.draft == waiting.draft if waiting.draft else each.question == waiting.question for each in open_):
                return said

    async def _held(self, passing: Passing, waiting: Waiting, seconds: float) -> Done | Refusal | Waiting:
        """The call is held open for a while, with a word of progress where the host wants any."""
        desk, until, told = self._host.desk, anyio.current_time() + seconds, 0
        said: Done | Refusal | Waiting = waiting
        while isinstance(said, Waiting) and not passing.left.is_set() and (left := until - anyio.current_time()) > 0:
            if passing.token is not None and seconds - left >= told * TOLD:
                told += 1
                words = f"{waiting.question} waits for {', '.join(waiting.asked)}"
                params = {"progressToken": passing.token, "progress": told, "message": words}
                await self._host.send(messages.note("notifications/progress", params), passing.id)
            said = await desk.wait(passing, waiting, min(STEP, left))
        return said

    def _elicits(self, request: Request) -> bool:
        can = self._host.capabilities(request).get("elicitation")
        return isinstance(can, dict) and (not can or "form" in can)

    def _number(self) -> str:
        self._last += 1
        return f"remit-{self._last}"


def _marked(params: dict[str, Any], name: str) -> dict[str, Any]:
    """A server's question, so that nobody takes it for one of remit's: saying yes to it approves nothing."""
    return {**params, "message": f"[The server {name} asks this, not remit] {params.get('message', '')}"}


def _people(run: Any) -> Any:
    return run.started.organisation.people if run.started is not None else ()
