"""What a runtime has of its attempt: its program's line, the gate for each tool call, the stage, and the account of its model."""

import hashlib
from collections.abc import Mapping
from typing import Any

from remit.authority.action import Action
from remit.authority.decision import Allow, Ask, Decision, Reason, Refuse
from remit.engine.beneath import decided, neutral
from remit.engine.doorkeeper import Doorkeeper, keep
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.engine.meter import Meter
from remit.engine.skill_folders import within
from remit.engine.waiting import until_answered
from remit.errors import Conflict
from remit.ports import Box, Native, Ruling
from remit.run.chained import Reported
from remit.run.event import ContextLoaded, ToolReturned
from remit.run.state import Run

MOST_WAIT = 3600.0
MOST_WORDS = 32_000
"""characters kept of a runtime's last words"""


class AtWork:
    """`ports.Seat` for one attempt. What it allows is on record before the runtime hears of it."""

    def __init__(self, hands: Hands, gate: Gate, keeper: Doorkeeper, meter: Meter, box: Box) -> None:
        self.account = meter
        self.asked: dict[str, str] = {}
        """ids of tool calls that were asked about, and their names"""
        self._hands, self._gate, self._keeper, self._box = hands, gate, keeper, box
        self._known: Run | None = None
        self.unmodelled = 0
        """tool calls asked about since the model was called last"""
        self._calls = 0

    async def read(self) -> bytes | None:
        """The next bytes its program printed; None when there will be no more."""
        return await self._keeper.speech.get()

    async def say(self, data: bytes) -> None:
        """To its program's standard input."""
        await self._box.say(data)

    async def close(self) -> None:
        """End its program's standard input."""
        await self._box.close()

    async def rule(self, native: Native, *, wait: float = 0.0) -> Ruling:
        """Decide a tool call before it is made: every one of its actions must be allowed, and each is recorded."""
        self.asked[native.id] = native.tool
        made = self.account.made
        self.unmodelled = self.unmodelled + 1 if made == self._calls else 1
        self._calls = made
        self._keeper.touch()
        self._keeper.busy += 1
        try:
            return await self._rule(native, min(wait, MOST_WAIT))
        finally:
            self._keeper.busy -= 1
            self._keeper.touch()

    async def _rule(self, native: Native, wait: float) -> Ruling:
        run = self._keeper.run
        state = await self._hands.replay(run, self._known)
        self._known = state
        if state.stop:
            return Ruling(allowed=False, why=f"the run was stopped by {state.stop}")
        if not native.actions:
            return Ruling(allowed=True)
        await self._keeper.flush()
        refusals: list[str] = []
        question = ""
        for action in self._bound(native):
            if action.verb == "run" and not self._keeper.judges:
                why = "no `run` rule: what starts in the box is recorded, not refused"
                await self._hands.record(decided(run, action, neutral(why), at="runtime"))
                continue
            if within(state, action):
                why = "a file of a skill of this run: it is shown read-only"
                await self._hands.record(decided(run, action, neutral(why), at="runtime"))
                continue
            answer = await self._gate.decide(run, action, at="runtime")
            if answer.question and await until_answered(self._hands, run, answer.question, wait):
                answer = await self._gate.decide(run, action, at="runtime")
            if isinstance(answer.decision, Allow):
                self._keeper.granted(action)
                continue
            question = question or answer.question or ""
            refusals.append(told(action, answer.decision, answer.question or ""))
            if isinstance(answer.decision, Refuse):  # then nobody need be asked about the rest of it
                break
        return Ruling(allowed=not refusals, why="\n".join(refusals), question=question)

    def _bound(self, native: Native) -> tuple[Action, ...]:
        """The actions, a write bound to the bytes it would leave: a person's yes is to exactly those."""
        content = native.content
        if content is None or [each.verb for each in native.actions] != ["write"]:
            return native.actions
        keep(self._hands.contents(self._keeper.run), content)
        named = {"sha256": hashlib.sha256(content).hexdigest()}
        return (Action(verb="write", object=native.actions[0].object, arguments=named),)

    async def act(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """One request, as if it came through the door."""
        return await self._keeper.request(dict(message))

    async def write(self, path: str, data: bytes) -> None:
        """Write a workspace file on the stage. Raises Conflict when nobody granted exactly this, or a link is in the way."""
        if not self._keeper.was_granted(Action(verb="write", object=path), data):
            raise Conflict(f"`{path}` was not granted")
        await self._box.write(path, data)

    async def remove(self, path: str) -> None:
        """Delete a workspace file on the stage. Raises Conflict when nobody granted it."""
        if not self._keeper.was_granted(Action(verb="delete", object=path)):
            raise Conflict(f"`{path}` was not granted")
        await self._box.remove(path)

    async def loaded(self, what: str, content: bytes) -> None:
        """Put on record which context was loaded (PRIM-10)."""
        named = f"sha256:{hashlib.sha256(content).hexdigest()}"
        await self._hands.record(ContextLoaded(run=self._keeper.run, what=what[:256], digest=named, bytes=len(content)))

    async def report(self, text: str) -> None:
        """Put on record the runtime's last words (SUB-06)."""
        await self._hands.record(reported(self._keeper.run, self._keeper.attempt, text))

    async def used(self, native: str) -> None:
        """Put on record that a tool call came back."""
        self._keeper.touch()
        await self._hands.record(ToolReturned(run=self._keeper.run, call=native[:256]))


def reported(run: str, attempt: int, text: str) -> Reported:
    """Last words as they are recorded: their end is kept where they are too long, their digest is over all of them."""
    digest = f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"
    return Reported(run=run, attempt=attempt, text=text[-MOST_WORDS:], digest=digest)


def told(action: Action, decision: Decision, question: str) -> str:
    """A refusal as a model can act on it: what, why, and what to do instead."""
    reasons: tuple[Reason, ...] = decision.reasons
    why = "; ".join(dict.fromkeys(f"{each.why} ({each.code.value})" for each in reasons)) or "no rule allows it"
    instead = "; ".join(dict.fromkeys(each.instead for each in reasons if each.instead))
    if isinstance(decision, Ask):
        of = ", ".join(decision.of)
        waits = f"question {question} is before {of}; go on with other work, or end here and say what waits"
        return f"remit: `{action.said()}` waits for a person: {why}. {waits}."
    return f"remit refused `{action.said()}`: {why}." + (f" Instead: {instead}." if instead else "")
