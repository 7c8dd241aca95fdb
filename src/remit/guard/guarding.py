"""The guard: what a loop of one's own asks for every act of its tools, and what becomes of each of them."""

from collections.abc import Mapping
from typing import Any

import anyio
from anyio.abc import TaskGroup

from remit.authority.action import Action
from remit.authority.decision import Ask, Code
from remit.authority.responsible import leaves
from remit.authority.wire import read_json
from remit.engine import hosted
from remit.engine.attempt import STORM
from remit.engine.calls import Called, call, ended
from remit.engine.inbox import ask_stop
from remit.engine.lineage import tool_of
from remit.engine.outbox import confirm
from remit.engine.supervisor import ending
from remit.engine.waiting import until_released
from remit.errors import BadInput, RemitError
from remit.guard.carrying import POLL, Carrier
from remit.guard.results import Done, Outcome, Refused, Waiting
from remit.guard.wanting import wanted
from remit.run.outbox import ENDED
from remit.run.state import Run

OVER = "the work of this run is over"
Result = Done | Refused | Waiting
Slot = tuple[str, str]


class _Later:
    """One call that is on its way, whoever waits for it."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None

    def value(self) -> Result:
        if self.error is not None:
            raise self.error
        if self.result is None:
            raise BadInput("the guard was left before this was decided")
        return self.result


class Guard:
    """One run, and the door for its acts. Made by `remit.guard(…)`; `run` is its id, as `remit show` takes it."""

    def __init__(self, carrier: Carrier, group: TaskGroup, person: str) -> None:
        self.run = carrier.run_id
        self._carrier, self._group, self._person = carrier, group, person
        self._hands, self._gate = carrier.hands, carrier.gate
        self._left: dict[Slot, list[_Later]] = {}
        self._over = self._gone = False
        self._last: Outcome | None = None

    # ------------------------------------------------------------ acts

    async def call(
        self, name: str, arguments: Mapping[str, Any] | None = None, /, *, key: str = "", **named: Any
    ) -> Done | Refused | Waiting:
        """Have a tool called: decided, recorded, and carried out at most once when it may be.

        Asking again while it waits, or is in doubt, is no second effect. `key` is the caller's own name for the act: the same
        name always means the same act, also after a crash. Whoever stops waiting for the call does not stop the call: the next
        same one is told how it ended. Numbers are `int` or `Decimal`. Raises only what is remit's or the machine's fault.
        """
        self._here()
        action = wanted(name, arguments, named, key)
        if isinstance(action, str):
            shown = "".join(mark if mark.isprintable() else "\ufffd" for mark in str(name)[:200])
            return await self._told(await hosted.unusable(self._hands, self.run, f"call {shown}", action))
        slot = (action.digest(), key)
        later = self._left[slot].pop(0) if self._left.get(slot) else self._begun(action, key)
        try:
            await later.done.wait()
        except anyio.get_cancelled_exc_class():
            self._left.setdefault(slot, []).append(later)
            raise
        return later.value()

    async def wait(self, waiting: Waiting, timeout: float | None = None) -> Done | Refused | Waiting:  # noqa: ASYNC109 - it gives the state, not an error
        """What became of it: as soon as that is known, or how it stands after `timeout` seconds. Raises BadInput."""
        self._here()
        with anyio.move_on_after(timeout):
            while True:
                found = await self._stands(waiting)
                if not isinstance(found, Waiting):
                    return found
                await anyio.sleep(POLL)
        return await self._stands(waiting)

    async def ask(self, text: str, timeout: float = 0) -> str | None:  # noqa: ASYNC109 - the same
        """A question of the loop's own to the owner, which only supplies what is not known; None while there is no answer.

        The same text is the same question, however often it is asked.
        """
        self._here()
        run = await self._carrier.state()
        known = [
            name for name, each in run.questions.items() if each.question.about == "context" and each.question.text == text[:2000]
        ]
        if run.stop and not known:
            return None
        name = known[0] if known else await self._gate.ask_owner(self.run, text[:2000])
        if name is None:
            return None
        with anyio.move_on_after(timeout):
            await self._carrier.until(lambda run: bool(run.questions[name].said))
        said = (await self._carrier.state()).questions[name].answer
        return (said.note or said.answer) if said is not None else None

    async def confirm(self, draft: str, receipt: str) -> Done | Refused | Waiting:
        """Late word, from a webhook say, that an effect happened: a fact beside all others. Raises BadInput for no draft."""
        self._here()
        await confirm(self._hands, self.run, draft, receipt, by="word from outside, through the guard")
        return await self._stands(Waiting(draft=draft))

    # ------------------------------------------------------------ the end

    async def finish(self) -> Outcome:
        """No more acts: the checks run, and their verdict stands. While people are awaited it is None; finish again later.

        After the guard was left it says how the run stood then.
        """
        self._over = True
        if not self._gone or self._last is None:
            self._here()
            self._last = outcome(await self._carrier.end())
        return self._last

    async def stop(self, why: str) -> Outcome:
        """End the run; what has begun is waited for, what waits is withdrawn."""
        if self._gone:
            return await self.finish()
        run = await self._carrier.state()
        if run.verdict is None and not run.stop:
            await ask_stop(self._hands, self.run, by=self._person, why=why)
        return await self.finish()

    def leave(self) -> None:
        """The context is over, and with it everything but the last word on how the run stood."""
        self._gone = True

    # ------------------------------------------------------------ inside

    def _here(self) -> None:
        if self._gone:
            raise BadInput(f"the guard of run `{self.run}` was left", hint=f"open it again with `resume={self.run!r}`")

    def _begun(self, action: Action, key: str) -> _Later:
        """Under way in a task of its own: a caller that is cancelled must not tear an effect in two."""
        later = _Later()
        self._carrier.begun()
        self._group.start_soon(self._carried, action, key, later)
        return later

    async def _carried(self, action: Action, key: str, later: _Later) -> None:
        try:
            called = await self._decided(action, key)
            with anyio.CancelScope(shield=True):  # it has happened: that it is told must not get lost
                later.result = await self._told(called)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever called
            later.error = error
        finally:
            self._carrier.ended()
            later.done.set()

    async def _decided(self, action: Action, key: str) -> Called:
        run = await self._carrier.state()
        if (self._over or run.phase != "working") and not run.stop:
            return await hosted.refuse(self._gate, self.run, action, Code.STOPPED, OVER, "start another run")
        if run.storm >= STORM and not run.stop:
            await ask_stop(self._hands, self.run, by="remit", why=f"{run.storm} refusals in a row")
        if hosted.overtime(run, self._gate.now()):
            return await hosted.refuse(self._gate, self.run, action, Code.LIMIT, "no time is left")
        async with self._gate.transaction() as transaction:
            lineage = self._gate.lineage(transaction, self._gate.fold(transaction, self.run))
        tool = tool_of(lineage, action)
        try:
            performer = self._hands.tools.find(tool) if tool is not None and self._hands.tools is not None else None
        except RemitError as error:
            return await hosted.refuse(self._gate, self.run, action, Code.INPUTS, str(error))
        if tool is None or performer is None:
            declared = "is declared, and nothing here carries it out" if tool is not None else "is no tool of this run"
            why = f"`{action.object}` {declared}"
            return await hosted.refuse(self._gate, self.run, action, Code.UNCOVERED, why, "use one of the tools of the run")
        if not leaves(action, tool):
            return await hosted.act(self._hands, self._gate, self.run, action, performer)
        called = await call(self._hands, self._gate, self.run, action, tool, performer, ref=key)
        return await self._released(called)

    async def _released(self, called: Called) -> Called:
        """A draft that somebody else in this process is publishing just now: how that ended."""
        drafts = (await self._carrier.state()).drafts
        if called.question or called.key not in drafts or drafts[called.key].state != "publishing":
            return called
        await until_released(self._hands, self.run, called.key)
        draft = (await self._carrier.state()).drafts[called.key]
        if draft.state not in ENDED:
            return ended(draft, called.decision)
        return ended(await hosted.tell(self._gate, self.run, called.key), called.decision)

    async def _stands(self, waiting: Waiting) -> Result:
        run = await self._carrier.state()
        if waiting.draft:
            draft = run.drafts.get(waiting.draft)
            if draft is None:
                raise BadInput(f"run `{self.run}` has no draft `{waiting.draft}`")
            if draft.state in ENDED:
                draft = await hosted.tell(self._gate, self.run, draft.key)
            return await self._told(ended(draft, Ask(of=(), reasons=())))
        asked = run.questions.get(waiting.question)
        if asked is None or asked.question.action is None:
            raise BadInput(f"run `{self.run}` has no question `{waiting.question}` about an act")
        if not asked.said:
            return _waiting(run, waiting.question, "")
        # Answered, and nothing of it is in the outbox: the gate decides once more, now with what was said.
        return await self.call(str(asked.question.action.object), asked.question.action.arguments)

    async def _told(self, called: Called) -> Result:
        """What became of a call, as the caller reads it; that it was read is recorded."""
        run = await self._carrier.state()
        if called.key in run.drafts:
            await hosted.tell(self._gate, self.run, called.key)
        match called.state:
            case "done":
                output = read_json(called.output) if called.output else None
                return Done(receipt=called.receipt, output=output, draft=called.key if called.key in run.drafts else "")
            case "refused":
                first = called.decision.reasons[0]
                begun = called.key in run.intents and first.code is Code.DENIED
                return Refused(
                    reason=first.why, instead=first.instead, code="FAILED" if begun else first.code.value,
                    reasons=called.decision.reasons,
                )  # fmt: skip
            case _:
                return _waiting(run, called.question, called.key)


def _waiting(run: Run, question: str, draft: str) -> Waiting:
    """As it stands now: who is asked, and for how long."""
    open_ = [each for each in run.open_questions if (each.draft == draft if draft else each.question == question)]
    named = run.drafts.get(draft)
    return Waiting(
        question=open_[0].question if open_ else question, draft=draft,
        asked=tuple(dict.fromkeys(who for each in open_ for who in each.of)), expires=open_[0].expires if open_ else None,
        unknown=named is not None and named.state == "unknown",
    )  # fmt: skip


def outcome(run: Run) -> Outcome:
    """How the run stands now, at its end or before it."""
    if run.verdict is not None:
        return Outcome(verdict=run.verdict, exceptions=run.exceptions, why=run.publish_failed or run.why, run=run.id)
    open_ = [f"{each.question} asks {', '.join(each.of)}" for each in run.blocking]
    doubts = [f"nobody knows whether this happened: {each.action.said()}" for each in run.doubts]
    why = "; ".join(["waiting", *open_, *doubts]) if open_ or doubts else ending(run)
    return Outcome(verdict=None, why=why, run=run.id)
