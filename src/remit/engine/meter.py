"""The account of a run's model calls: the worst case is set aside in the ledger before a call, and settled after it."""

import secrets
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import anyio

from remit.authority.decision import Code
from remit.contract.limits import Spend
from remit.contract.models import Model, ModelPrice, named_model
from remit.engine.afford import Room, TooMuch, charged, fitting, not_allowed
from remit.engine.gate import Gate
from remit.engine.hands import Hands
from remit.ports import Hold, ModelCall, NoCall, Prices, ToolUse, Transaction, Usage
from remit.run.event import Blocked, LimitReached, ModelRefused, ModelReserved, ModelSettled, Warned
from remit.run.state import Run

How = Literal["counted", "estimated", "released"]
PATIENCE = 20.0
"""seconds a call waits for others that are under way to give back what they did not need"""
LOOK = 0.05
MOST_WAITING = 256
"""calls that may wait for room at once; a further one is refused"""
MOST_TOOLS = 64
MOST_PAID = 10_000
"""calls that are remembered for the pace"""
LONGEST = 200
STORM = 3
"""refusals after which the attempt is ended: whoever still asks does not read the answers"""


class Meter:
    """`ports.Account` of one attempt of one run. Several may keep account of the same run at once: the ledger decides."""

    def __init__(self, hands: Hands, gate: Gate, run: str, attempt: int) -> None:
        self.token = f"remit-{secrets.token_urlsafe(24)}"
        self.over = ""
        """the limit that left no room"""
        self.refusals = 0
        self.refused_at: datetime | None = None
        self.made = 0
        """calls that were reserved"""
        self.closed = False
        """whether the attempt is being ended: then nobody waits for room any more"""
        self.tools: list[ToolUse] = []
        """every tool call the model wrote, as the conversation shows it"""
        self.moved = hands.clock.now()
        self.busy = 0
        self._hands, self._gate, self._run, self._attempt = hands, gate, run, attempt
        self._waiting, self._turn = 0, anyio.Lock()
        self._prices: Prices = hands.prices or Unpriced()
        self._calls: dict[str, tuple[ModelCall, ModelPrice | None, Spend]] = {}
        self._paid: deque[tuple[datetime, Spend]] = deque(maxlen=MOST_PAID)

    async def reserve(self, call: ModelCall) -> Hold | NoCall:
        """Set the worst case aside, before anything is sent; waits a while for calls under way to settle first."""
        found = await self._reserve(call)
        if isinstance(found, TooMuch) and found.later and self._waiting < MOST_WAITING:
            self._waiting += 1
            try:
                found = await self._awaited(call, found)
            finally:
                self._waiting -= 1
        if isinstance(found, TooMuch):
            return await self._no(call, found)
        self.moved, self.busy, self.made = self._hands.clock.now(), self.busy + 1, self.made + 1
        return found

    async def _awaited(self, call: ModelCall, found: Hold | TooMuch) -> Hold | TooMuch:
        """Room, as others give it back; one looks at a time, or hundreds would hold the ledger."""
        with anyio.move_on_after(PATIENCE):
            async with self._turn:
                while isinstance(found, TooMuch) and found.later and not self.closed:
                    seen = await self._hands.ledger.version()
                    await anyio.sleep(LOOK)
                    if await self._hands.ledger.version() == seen:  # nothing was settled anywhere, so there is no more room
                        continue
                    found = await self._reserve(call)
        return found

    async def _reserve(self, call: ModelCall) -> Hold | TooMuch:
        async with self._gate.transaction() as transaction:
            run = self._gate.fold(transaction, self._run)
            if run.stop or run.phase != "working" or run.attempt != self._attempt:
                return TooMuch(code=Code.STOPPED, why=f"the run was stopped by {run.stop}" if run.stop else "the work is over")
            lists, entry = self._models(transaction, run, call)
            if no := not_allowed(call, lists):
                return no
            price, most = entry.price, entry.output
            used, held = run.spend.plus(run.reserved), run.held
            room = fitting(call, run.limits, used, held, self._prices, price, most)
            if isinstance(room, TooMuch):
                return room
            return self._hold(transaction, run, call, price, room)

    def _hold(
        self, transaction: Transaction, run: Run, call: ModelCall, price: ModelPrice | None, room: Room
    ) -> Hold:  # fmt: skip
        key = f"{run.id}:M{run.modelled + 1}"
        self._calls[key] = (call, price, room.worst)
        transaction.append(
            ModelReserved(run=run.id, key=key, model=call.model, reserved=room.worst, source=room.source, stripped=call.hosted)
        )
        return Hold(key=key, output=room.output)

    def _models(self, transaction: Transaction, run: Run, call: ModelCall) -> tuple[list[Sequence[Model]], Model]:
        """The allow-lists of the lineage, and what they say of this model: its price, and the shortest answer any of them allows.

        What a contract says a model costs counts only where a person wrote it: a child's may come from an agent.
        """
        assert run.started is not None
        above = [self._gate.fold(transaction, each).contract.models for each in run.started.ancestors]
        lists: list[Sequence[Model]] = [run.started.organisation.models, *above, run.contract.models]
        rows = [named_model(models, call.model, call.provider) for models in lists]
        price = next((row.price for row in rows[:2] if row is not None and row.price is not None), None)
        most = min((row.output for row in rows if row is not None and row.output is not None), default=None)
        return lists, Model(name=call.model, price=price, output=most)

    async def _no(self, call: ModelCall, why: TooMuch) -> NoCall:
        self.refusals += 1
        self.refused_at = self.refused_at or self._hands.clock.now()
        if self.closed and self.refusals > 1:  # a row for each of hundreds that wait would hold up the very stop they wait for
            return NoCall(code=why.code.value, why=why.why, first=False)
        async with self._gate.transaction() as transaction:
            run = self._gate.fold(transaction, self._run)
            transaction.append(ModelRefused(run=self._run, model=call.model, code=why.code.value, why=why.why))
            if why.limit and f"{why.limit} reached" not in run.warned:
                have, most = getattr(run.spend, why.limit), getattr(run.limits, why.limit)
                transaction.append(LimitReached(run=self._run, limit=why.limit, used=str(have), of=str(most)))
        self.over = self.over or why.limit
        return NoCall(code=why.code.value, why=why.why, first=self.refusals == 1)

    async def settle(self, hold: Hold, usage: Usage | None, tools: Sequence[ToolUse] = ()) -> None:
        """Charge what was used; None: nobody knows, so the whole reservation is charged. A second time changes nothing."""
        known = self._calls.pop(hold.key, None)
        if known is None:
            return
        call, price, worst = known
        if usage is not None and min(usage.input, usage.output, usage.cache_read, usage.cache_write) < 0:
            usage = None  # a count below nothing is no count: it would make room
        self.tools += tools
        cost = charged(call, usage, self._prices, price) if usage is not None else None
        if usage is None or cost is None:
            await self._settled(hold.key, worst, "estimated", tools=tools, why="nobody knows what it came to")
            return
        spend = Spend(turns=1, tokens=usage.input + usage.output, usd=cost.usd)
        await self._settled(hold.key, spend, "counted", usage=usage, source=cost.source, tools=tools)

    async def release(self, hold: Hold, why: str) -> None:
        """Give everything back but the turn."""
        if self._calls.pop(hold.key, None) is not None:
            await self._settled(hold.key, Spend(turns=1), "released", why=why[:LONGEST])

    async def _settled(
        self, key: str, spend: Spend, how: How, *, usage: Usage | None = None, source: str = "", tools: Sequence[ToolUse] = (),
        why: str = "",
    ) -> None:  # fmt: skip
        now = self._hands.clock.now()
        self.moved, self.busy = now, self.busy - 1
        self._paid.append((now, spend))
        seen = tuple(f"{each.id} {each.name}"[:LONGEST] for each in tools[:MOST_TOOLS])
        counted = usage or Usage()
        async with self._gate.transaction() as transaction:
            transaction.append(
                ModelSettled(
                    run=self._run, key=key, spend=spend, how=how, input=counted.input, output=counted.output,
                    source=source, tools=seen, why=why,
                )
            )  # fmt: skip
            self._warn(transaction)

    def _warn(self, transaction: Transaction) -> None:
        """At four fifths of a limit, say so once (BUD-04)."""
        run = self._gate.fold(transaction, self._run)
        for name in ("turns", "tokens", "usd"):
            have, most = getattr(run.spend, name), getattr(run.limits, name)
            if most and have >= 0.8 * most and name not in run.warned:
                transaction.append(Warned(run=self._run, limit=name, used=str(have), of=str(most)))

    async def refused(self, what: str, why: str) -> None:
        """Put on record what was turned away before it was a call."""
        self.refusals += 1
        await self._hands.record(Blocked(run=self._run, what="model call", object=what[:LONGEST], by=f"the meter: {why}"))

    def ended(self, now: datetime, grace: float) -> str:
        """The limit that ends the attempt: the runtime was told, and goes on all the same."""
        late = self.refused_at is not None and (now - self.refused_at).total_seconds() > grace
        return self.over if self.over and (late or self.refusals > STORM) else ""

    def paid(self, now: datetime, within: float) -> Spend:
        """What was charged within the last seconds, for the pace."""
        total, since = Spend(), now - timedelta(seconds=within)
        for at, spend in reversed(self._paid):
            if at <= since:
                break
            total = total.plus(spend)
        return total


class Unpriced:
    """Where there is no price list, no model has a known price."""

    def cost(self, model: str, provider: str, usage: Usage) -> None:
        """Nobody knows."""
        return


def left_open(run: Run, why: str) -> list[ModelSettled]:
    """Calls that nobody will settle any more are charged in full: what was set aside may have been spent."""
    return [ModelSettled(run=run.id, key=key, spend=spend, how="estimated", why=why) for key, spend in run.holds.items()]
