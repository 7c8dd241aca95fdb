"""Who the box asks and tells: every want of the agent becomes an action at the gate."""

import hashlib
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import anyio

from remit.authority.action import Action
from remit.authority.decision import Allow, Code
from remit.contract.limits import Spend
from remit.contract.party import Tool
from remit.engine.beneath import beneath, decided, meant, neutral
from remit.engine.calls import call, performed
from remit.engine.escalation import goes_up, kept_here
from remit.engine.gate import Answer, Gate, exhausted
from remit.engine.hands import Hands
from remit.engine.hosted import tell
from remit.engine.meter import Meter
from remit.engine.outbox import release
from remit.engine.skill import give, invokes, named, only
from remit.engine.speech import Speech
from remit.engine.waiting import until_answered, until_released
from remit.engine.want import read_request, refused, reply, seconds, told
from remit.errors import Conflict, RemitError
from remit.ports import Box, Exec, Performer
from remit.run.event import Blocked, Charged, ContextLoaded, Decided, Effected, Event
from remit.run.state import Run

Delegate = Callable[[str, dict[str, Any], Answer], Awaitable[dict[str, Any]]]
"""Carries out a granted `delegate`: parent run, arguments, grant; gives the reply to the agent."""

TAIL = 4096
BATCH = 64
OWN = frozenset({"/run/remit/bin/remit", "/run/remit/bin/remit-mcp", "/run/remit/bin/hands"})
"""remit's own helpers inside the box: their start is recorded and never refused"""
LONGEST = 1024
MOST_PROGRAMS = 5000
MOST_GRANTS = 512


class Doorkeeper:
    """`ports.Watcher` for one attempt of one run."""

    def __init__(
        self, hands: Hands, gate: Gate, run: str, *, log: Path, observes: bool, delegate: Delegate, shows: bool = False,
        meter: Meter | None = None, attempt: int = 0,
    ) -> None:  # fmt: skip
        self.attempt = attempt
        self._hands = hands
        self._gate = gate
        self._run = self.run = run
        self._shows = shows
        self._meter = meter
        self._grants: list[Action] = []
        self.speech = Speech()
        self.talks = False
        """whether what it prints is a conversation that somebody reads"""
        self._log = log
        self.judges = observes
        """whether a contract of the lineage has rules about programs"""
        self._delegate = delegate
        self._pending: list[Event] = []
        self._hash = hashlib.sha256()
        self.box: Box | None = None
        self.moved = hands.clock.now()
        self.bytes = 0
        self.tail = b""
        self.over: str = ""
        self.wake = anyio.Event()
        self.done: datetime | None = None
        self.busy = 0
        self.programs = 0

    # ------------------------------------------------------------ asked by the box

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """One want of the agent: decided, recorded, carried out where remit can, answered with reasons it can act on."""
        self.touch()
        self.busy += 1
        try:
            return await self._request(message)
        finally:
            self.busy -= 1
            self.touch()

    async def _request(self, message: dict[str, Any]) -> dict[str, Any]:
        if message.get("verb") == "done":
            self.done = self._hands.clock.now()
            return {"schema": "remit.act/1", "run": self._run, "decision": "allow", "reasons": [], "done": True}
        if message.get("verb") == "got":
            return await self._got(str(message.get("object") or ""))
        if message.get("verb") == "ask":
            known = str(message.get("question") or "")
            return await self._ask(str(message.get("object") or ""), message.get("wait"), known)
        try:
            action, content, wait = read_request(message)
        except ValueError as error:
            return await self._unusable(message, str(error))
        try:
            return await self._act(action, content, wait, message)
        except RemitError as error:  # it costs a turn and stands in the record, or it could be tried for ever unseen
            return await self._unusable(message, str(error))

    async def _unusable(self, message: dict[str, Any], why: str) -> dict[str, Any]:
        """A want that is no action is refused, recorded and counted like any other: it must not be a way to go unseen."""
        await self.flush()
        told = printable(f"{message.get('verb')} {message.get('object')}")[:LONGEST]
        await self._hands.record(
            Blocked(run=self._run, what="request", object=told, by=f"the door: {why}"),
            Charged(run=self._run, spend=Spend(turns=1), what="a request that is no action"),
        )
        self._stop_if_used_up(await self._hands.replay(self._run))
        return reply(refused(Code.INPUTS, why), self._run)

    def _stop_if_used_up(self, run: Run) -> None:
        over = exhausted(run)
        if over:
            self.over = over
            self.wake.set()

    async def _act(self, action: Action, content: bytes | None, wait: float, message: dict[str, Any]) -> dict[str, Any]:
        effect = action.verb in {"write", "delegate"}
        await self.flush()
        if action.verb == "call":
            async with self._gate.transaction() as transaction:
                run = self._gate.fold(transaction, self._run)
                authorities = self._gate.lineage(transaction, run)
            if invokes(action, run):
                return await self._skill(run, action, wait)
            found = performed(self._hands, authorities, action)
            if found is not None:
                return await self._call(action, *found, wait, ref=str(message.get("ref") or ""))
        if goes_up(action) and (no := await kept_here(self._gate, self._run, action)):
            return reply(no, self._run)
        answer = await self._decided(action, wait, effect, content)
        if not isinstance(answer.decision, Allow) or answer.grant is None:
            return reply(answer.decision, self._run, question=answer.question)
        if action.verb == "write":
            return await self._write(answer, content or b"")
        if action.verb == "delegate":
            return await self._delegate(self._run, dict(message.get("arguments") or {}), answer)
        note = f"allowed; remit itself performs no `{action.verb}` here, so nothing has happened yet"
        return reply(answer.decision, self._run) | {"done": False, "note": note}

    async def _decided(self, action: Action, wait: float, effect: bool = False, content: bytes | None = None) -> Answer:
        """What the gate says, once a person was waited for where one is asked; a limit that is used up ends the attempt."""
        answer = await self._gate.decide(self._run, action, at="door", effect=effect)
        if answer.question is not None:
            keep(self._hands.contents(self._run), content)
            answer = await self._wait_for_person(answer, action, wait, effect)
        if answer.over:
            self.over = answer.over
            self.wake.set()
        return answer

    async def _skill(self, run: Run, action: Action, wait: float) -> dict[str, Any]:
        """A skill is invoked: decided like any call, then its text is the answer."""
        action, pinned = named(action, run)
        answer = await self._decided(action, wait)
        if isinstance(answer.decision, Allow) and pinned is not None:
            return await give(self._hands, run, answer.decision, pinned)
        if isinstance(answer.decision, Allow):  # a rule would have it, and this run has no skill of that name
            what = printable(action.said())[:LONGEST]
            await self._hands.record(Blocked(run=self._run, what="skill", object=what, by="the door: no such skill here"))
            return reply(only(run), self._run)
        return reply(answer.decision if pinned else only(run, answer.decision), self._run, question=answer.question)

    async def _call(self, action: Action, tool: Tool, performer: Performer, wait: float, *, ref: str) -> dict[str, Any]:
        """A tool that acts on the world: what the caller is told says how far it got."""
        called = await call(self._hands, self._gate, self._run, action, tool, performer, ref=ref[:LONGEST])
        if called.question and await until_answered(self._hands, self._run, called.question, wait):
            self.touch()
            await release(self._hands, self._gate, self._run, called.key)
            await until_released(self._hands, self._run, called.key)
            called = await call(self._hands, self._gate, self._run, action, tool, performer, ref=ref[:LONGEST])
        if called.over:
            self.over = called.over
            self.wake.set()
        return told(called, self._run)

    async def _got(self, key: str) -> dict[str, Any]:
        """The caller has read how a draft ended. Until it says so, asking again means the same effect: a reply can get lost."""
        known = key in (await self._hands.replay(self._run)).drafts
        if known:
            await tell(self._gate, self._run, key)
        return {"schema": "remit.act/1", "run": self._run, "decision": "allow", "reasons": [], "done": known}

    async def _write(self, answer: Answer, content: bytes) -> dict[str, Any]:
        assert answer.grant is not None and self.box is not None
        path = str(answer.grant.action.object)
        try:
            await self.box.write(path, content)
        except (Conflict, OSError) as error:
            await self._hands.record(Effected(run=self._run, key=answer.grant.key, ok=False, receipt=str(error)))
            return reply(refused(Code.INPUTS, f"`{path}` could not be written: {error}"), self._run)
        receipt = f"sha256:{hashlib.sha256(content).hexdigest()}"
        await self._hands.record(Effected(run=self._run, key=answer.grant.key, ok=True, receipt=receipt))
        return reply(answer.decision, self._run) | {"done": True, "receipt": receipt}

    async def _wait_for_person(self, answer: Answer, action: Action, wait: float, effect: bool) -> Answer:
        """Hold the agent for a person at the terminal, or for as long as it said it would wait."""
        assert answer.question is not None
        if not await until_answered(self._hands, self._run, answer.question, wait):
            return answer
        self.touch()
        return await self._gate.decide(self._run, action, at="door", effect=effect)

    async def _ask(self, text: str, wait: object, known: str = "") -> dict[str, Any]:
        """A question of the agent's own to the owner: it grants nothing, it only supplies what is not known.

        `known` is one that it asked before: then it only learns what became of it.
        """
        earlier = (await self._hands.replay(self._run)).questions.get(known)
        mine = earlier is not None and earlier.question.about == "context"
        question = known if mine else await self._gate.ask_owner(self._run, text[:2000])
        if question is None:
            self._stop_if_used_up(await self._hands.replay(self._run))
            return reply(refused(Code.LIMIT, "too much is before people already, or no turn is left"), self._run)
        await until_answered(self._hands, self._run, question, seconds(wait))
        asked = (await self._hands.replay(self._run)).questions[question]
        said: dict[str, Any] = {"schema": "remit.act/1", "run": self._run, "decision": "ask", "reasons": [], "question": question}
        if asked.expired and asked.answer is None:
            said |= {"decision": "refuse"}
        if asked.said and not asked.told:
            words = (asked.answer.note or asked.answer.answer) if asked.answer is not None else "nobody answered"
            named = f"sha256:{hashlib.sha256(words.encode()).hexdigest()}"
            await self._hands.record(
                ContextLoaded(run=self._run, what=f"answer {question}", digest=named, bytes=len(words.encode()))
            )
        if asked.answer is not None:
            said |= {"decision": "allow", "answer": asked.answer.answer, "note": asked.answer.note, "done": True}
        return said

    async def exec(self, program: Exec) -> bool:
        """A program is about to start: recorded always, decided where the contract has `run` rules."""
        self.touch()
        words = tuple(map(printable, (program.path, *program.argv[1:])))
        if self.judges and self._shows and program.path not in OWN:
            return await self._beneath(words)
        if self.judges and program.path not in OWN:
            await self.flush()
            answer = await self._gate.decide(self._run, Action(verb="run", object=words), at="observer")
            return isinstance(answer.decision, Allow)
        why = "remit's own helper" if program.path in OWN else "no `run` rule: programs are recorded, not refused"
        await self._seen(decided(self._run, Action(verb="run", object=words), neutral(why)))
        return True

    async def _beneath(self, words: tuple[str, ...]) -> bool:
        grant = next((each for each in self._grants if each.verb == "run" and meant(each.object, words)), None)
        if grant is not None:  # a yes to one start is no yes to the next
            self._grants.remove(grant)
        found = await beneath(self._gate, self._run, words, granted=grant is not None)
        if found.decision == "allow":
            await self._seen(found)
            return True
        await self.flush()
        await self._hands.record(found)
        return False

    async def _seen(self, found: Decided) -> None:
        self.programs += 1
        if self.programs <= MOST_PROGRAMS:
            self._pending.append(found)
        if len(self._pending) >= BATCH:
            await self.flush()

    async def connect(self, host: str, port: int) -> bool:
        """The box wants to reach a host."""
        self.touch()
        answer = await self._gate.decide(self._run, Action(verb="fetch", object=f"{host}:{port}"), at="proxy")
        return isinstance(answer.decision, Allow)

    async def blocked(self, what: str, object_: str, by: str) -> None:
        """The box or the kernel stopped something, and somebody saw it."""
        self._pending.append(Blocked(run=self._run, what=what, object=object_, by=by))

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """What the program printed goes to the run's own log; the ledger keeps size, hash and tail."""
        self.touch()
        self._hash.update(data)
        self.bytes += len(data)
        self.tail = (self.tail + data)[-TAIL:]
        with self._log.open("ab") as log:
            log.write(data)
        if self.talks and stream == "stdout":
            await self.speech.put(data)

    async def model(self, connection: socket.socket) -> None:
        """A model call comes out of the box."""
        if self._meter is None or self._hands.models is None:
            connection.close()
        else:
            await self._hands.models.serve(connection, self._meter)

    def granted(self, action: Action) -> None:
        """A tool call of the runtime was granted: what it amounts to may now be done, once, by whoever sits at the line."""
        self._grants = [*self._grants, action][-MOST_GRANTS:]

    def was_granted(self, action: Action, content: bytes | None = None) -> bool:
        """Whether exactly this was granted and is not done yet; then it is used up."""
        for each in self._grants:
            meant = (each.verb, each.object) == (action.verb, action.object)
            named = each.arguments.get("sha256")
            if meant and (content is None or named in (None, hashlib.sha256(content).hexdigest())):
                self._grants.remove(each)
                return True
        return False

    # ------------------------------------------------------------ asked by the attempt

    @property
    def sha256(self) -> str:
        """Of everything printed."""
        return self._hash.hexdigest()

    async def flush(self) -> None:
        """Record what was only seen; when it was more than is worth keeping, how much more."""
        if self._pending:
            pending, self._pending = self._pending, []
            await self._hands.record(*pending)

    def touch(self) -> None:
        """Something happened: the attempt is no silence."""
        self.moved = self._hands.clock.now()


def printable(text: str) -> str:
    """Text as it can be recorded: bytes of a name or an argument that are not UTF-8 become `\\xNN`."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def keep(folder: Path, content: bytes | None) -> None:
    """Hold on to what a person is asked about, by its hash: the answer may come when the box is long gone."""
    if content is not None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / hashlib.sha256(content).hexdigest()).write_bytes(content)
