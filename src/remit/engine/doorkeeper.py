"""Who the box asks and tells: every want of the agent becomes an action at the gate."""

import base64
import binascii
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import anyio
import msgspec

from remit.authority.action import Action
from remit.authority.decision import Allow, Code, Decision, Reason, Refuse, word
from remit.contract.glob import normal_path
from remit.contract.limits import Spend
from remit.contract.party import Tool
from remit.contract.rule import GIT_VERBS, PATH_VERBS, VERBS
from remit.engine.calls import Called, call, performed
from remit.engine.gate import Answer, Gate, exhausted
from remit.engine.hands import Hands
from remit.engine.hosted import tell
from remit.engine.outbox import release
from remit.engine.waiting import until_answered, until_released
from remit.errors import Conflict, RemitError
from remit.ports import Box, Exec, Performer
from remit.run.event import Blocked, Charged, Decided, Effected, Event
from remit.run.state import Run

Delegate = Callable[[str, dict[str, Any], Answer], Awaitable[dict[str, Any]]]
"""Carries out a granted `delegate`: parent run, arguments, grant; gives the reply to the agent."""

TAIL = 4096
BATCH = 64
OWN = "/run/remit/bin/remit"
"""remit's own helper inside the box: its start is recorded and never refused"""
LONGEST = 1024
MOST_WORDS = 32
MOST_PROGRAMS = 5000
PATIENCE = 3600.0
NO_ARGUMENTS = PATH_VERBS | GIT_VERBS


class Doorkeeper:
    """`ports.Watcher` for one attempt of one run."""

    def __init__(self, hands: Hands, gate: Gate, run: str, *, log: Path, observes: bool, delegate: Delegate) -> None:
        self._hands = hands
        self._gate = gate
        self._run = run
        self._log = log
        self._judges_programs = observes
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
        self._touch()
        self.busy += 1
        try:
            return await self._request(message)
        finally:
            self.busy -= 1
            self._touch()

    async def _request(self, message: dict[str, Any]) -> dict[str, Any]:
        if message.get("verb") == "done":
            self.done = self._hands.clock.now()
            return {"schema": "remit.act/1", "run": self._run, "decision": "allow", "reasons": [], "done": True}
        if message.get("verb") == "got":
            return await self._got(str(message.get("object") or ""))
        if message.get("verb") == "ask":
            return await self._ask(str(message.get("object") or ""), message.get("wait"))
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
                authorities = self._gate.lineage(transaction, self._gate.fold(transaction, self._run))
            found = performed(self._hands, authorities, action)
            if found is not None:
                return await self._call(action, *found, wait, ref=str(message.get("ref") or ""))
        answer = await self._gate.decide(self._run, action, at="door", effect=effect)
        if answer.question is not None:
            keep(self._hands.contents(self._run), content)
            answer = await self._wait_for_person(answer, action, wait, effect)
        if not isinstance(answer.decision, Allow) or answer.grant is None:
            if answer.over:
                self.over = answer.over
                self.wake.set()
            return reply(answer.decision, self._run, question=answer.question)
        if action.verb == "write":
            return await self._write(answer, content or b"")
        if action.verb == "delegate":
            return await self._delegate(self._run, dict(message.get("arguments") or {}), answer)
        note = f"allowed; remit itself performs no `{action.verb}` here, so nothing has happened yet"
        return reply(answer.decision, self._run) | {"done": False, "note": note}

    async def _call(self, action: Action, tool: Tool, performer: Performer, wait: float, *, ref: str) -> dict[str, Any]:
        """A tool that acts on the world: what the caller is told says how far it got."""
        called = await call(self._hands, self._gate, self._run, action, tool, performer, ref=ref[:LONGEST])
        if called.question and await until_answered(self._hands, self._run, called.question, wait):
            self._touch()
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
        self._touch()
        return await self._gate.decide(self._run, action, at="door", effect=effect)

    async def _ask(self, text: str, wait: object) -> dict[str, Any]:
        """A question of the agent's own to the owner: it grants nothing, it only supplies what is not known."""
        question = await self._gate.ask_owner(self._run, text[:2000])
        if question is None:
            self._stop_if_used_up(await self._hands.replay(self._run))
            return reply(refused(Code.LIMIT, "too much is before people already, or no turn is left"), self._run)
        await until_answered(self._hands, self._run, question, seconds(wait))
        asked = (await self._hands.replay(self._run)).questions[question]
        said: dict[str, Any] = {"schema": "remit.act/1", "run": self._run, "decision": "ask", "reasons": [], "question": question}
        if asked.answer is not None:
            said |= {"decision": "allow", "answer": asked.answer.answer, "note": asked.answer.note, "done": True}
        return said

    async def exec(self, program: Exec) -> bool:
        """A program is about to start: recorded always, decided where the contract has `run` rules."""
        self._touch()
        words = tuple(map(printable, (program.path, *program.argv[1:])))
        if self._judges_programs and program.path != OWN:
            await self.flush()
            answer = await self._gate.decide(self._run, Action(verb="run", object=words), at="observer")
            return isinstance(answer.decision, Allow)
        self.programs += 1
        if self.programs <= MOST_PROGRAMS:
            why = "remit's own helper" if program.path == OWN else "no `run` rule: programs are recorded, not refused"
            self._pending.append(seen(self._run, words, why))
        if len(self._pending) >= BATCH:
            await self.flush()
        return True

    async def connect(self, host: str, port: int) -> bool:
        """The box wants to reach a host."""
        self._touch()
        answer = await self._gate.decide(self._run, Action(verb="fetch", object=f"{host}:{port}"), at="proxy")
        return isinstance(answer.decision, Allow)

    async def blocked(self, what: str, object_: str, by: str) -> None:
        """The box or the kernel stopped something, and somebody saw it."""
        self._pending.append(Blocked(run=self._run, what=what, object=object_, by=by))

    async def output(self, stream: Literal["stdout", "stderr"], data: bytes) -> None:
        """What the program printed goes to the run's own log; the ledger keeps size, hash and tail."""
        self._touch()
        self._hash.update(data)
        self.bytes += len(data)
        self.tail = (self.tail + data)[-TAIL:]
        with self._log.open("ab") as log:
            log.write(data)

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

    def _touch(self) -> None:
        self.moved = self._hands.clock.now()


def printable(text: str) -> str:
    """Text as it can be recorded: bytes of a name or an argument that are not UTF-8 become `\\xNN`."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def keep(folder: Path, content: bytes | None) -> None:
    """Hold on to what a person is asked about, by its hash: the answer may come when the box is long gone."""
    if content is not None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / hashlib.sha256(content).hexdigest()).write_bytes(content)


def seen(run: str, words: tuple[str, ...], why: str) -> Decided:
    """A program that was only recorded; its words are cut, since an agent chooses how long they are."""
    cut = tuple(word if len(word) <= LONGEST else f"{word[:LONGEST]}…" for word in words[:MOST_WORDS])
    action = Action(verb="run", object=cut if len(words) <= MOST_WORDS else (*cut, f"… and {len(words) - MOST_WORDS} more words"))
    reason = Reason(code=Code.NEUTRAL, rule=None, contract="", why=why)
    return Decided(run=run, action=action, digest=action.digest(), decision="allow", reasons=(reason,), at_door="observer")


def seconds(wait: object) -> float:
    """How long an agent says it will wait, in reason."""
    return min(PATIENCE, max(0.0, float(wait))) if isinstance(wait, int | float | Decimal) else 0.0


def read_request(message: dict[str, Any]) -> tuple[Action, bytes | None, float]:
    """A line from the door as an action. Raises ValueError with words for the agent.

    Paths and refs take no arguments of the agent's choosing: they would make one act look like many (a no is sticky).
    """
    verb, object_ = message.get("verb"), message.get("object")
    arguments = message.get("arguments") or {}
    if verb not in VERBS:
        raise ValueError(f"no such verb `{verb}`; one of {', '.join(VERBS)}")
    if not isinstance(arguments, dict):
        raise ValueError("`arguments` must be a map")
    if isinstance(object_, list) and all(isinstance(part, str) for part in object_) and object_:
        object_ = tuple(object_)
    if not isinstance(object_, str | tuple) or not object_:
        raise ValueError("`object` must be a text, or a list of texts for `run`")
    content = _content(message.get("content"))
    if verb in NO_ARGUMENTS:
        arguments = {}
    if verb in PATH_VERBS and (not isinstance(object_, str) or normal_path(object_) != object_):
        raise ValueError(f"`{object_}` is no plain path inside the workspace")
    if verb == "write":
        arguments = {"sha256": hashlib.sha256(content or b"").hexdigest()}
    return Action(verb=verb, object=object_, arguments=arguments), content, seconds(message.get("wait"))


def _content(text: object) -> bytes | None:
    if text is None:
        return None
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("`content` must be base64") from None


def refused(code: Code, why: str) -> Refuse:
    """A refusal of remit's own, before or after any rule."""
    return Refuse(reasons=(Reason(code=code, rule=None, contract="", why=why),))


def told(called: Called, run: str) -> dict[str, Any]:
    """A call of a tool as the agent reads it: done, refused, waiting for a person, or nobody knows."""
    said = reply(called.decision, run, question=called.question or None) | {"state": called.state}
    if called.key:
        said |= {"draft": called.key}
    if called.state == "done":
        said |= {"done": True, "receipt": called.receipt, "output": json.loads(called.output) if called.output else None}
    if called.state == "drafted":
        said |= {"note": "it stands in the outbox and is released once the work is published"}
    if called.state == "unknown":
        said |= {"decision": "ask", "note": "nobody knows whether it happened; do not do it another way: a person finds out"}
    return said


def reply(decision: Decision, run: str, *, question: str | None = None) -> dict[str, Any]:
    """A decision as the agent reads it."""
    said: dict[str, Any] = {
        "schema": "remit.act/1",
        "run": run,
        "decision": word(decision),
        "reasons": msgspec.to_builtins(decision.reasons),
        "done": False,
    }
    return said | ({"question": question} if question else {})
