"""A runtime at work: driven beside its box, asked to leave off, and held against what its model was seen to want."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import anyio

from remit.contract.limits import Pace, Spend
from remit.engine.doorkeeper import Doorkeeper
from remit.engine.gate import Gate
from remit.engine.gear import Gear
from remit.engine.hands import Hands
from remit.engine.meter import Meter
from remit.engine.seat import AtWork
from remit.errors import RemitError
from remit.ports import Box
from remit.run.event import Unasked

POLITE = 0.5
"""seconds a runtime has to leave off when it is asked to, before its box is killed"""
LINGER = 1.0
"""seconds its program has to end once its driver is done"""
MOST_UNASKED = 100
MOST_UNMODELLED = 1000
"""tool calls between two calls of the model; a runtime that asks for more is not led by one"""


class Working:
    """One attempt's runtime. A plain command has no driver; then this only watches."""

    def __init__(
        self, hands: Hands, gate: Gate, gear: Gear, keeper: Doorkeeper, box: Box, paces: Sequence[Pace] = ()
    ) -> None:  # fmt: skip
        self.gear = gear
        self.paces = paces
        self.over = anyio.Event()
        self.trouble = ""
        """why the driver failed"""
        self.leaving = False
        """whether its box is being ended: then a driver that finds its line cut has no trouble of its own"""
        self._hands, self._keeper = hands, keeper
        self._seat = AtWork(hands, gate, keeper, gear.meter, box)

    async def drive(self) -> None:
        """Until the runtime says that it is done; what goes wrong in the driver is told, and ends the attempt."""
        runtime, task = self.gear.runtime, self.gear.task
        if runtime is None or task is None:
            self.over.set()
            return
        try:
            await runtime.drive(self._seat, task)
        except Exception as error:  # noqa: BLE001 - whatever a driver met, the attempt has to be closed and recorded
            said = f"{error}" if isinstance(error, RemitError) else f"{type(error).__name__}: {error}"
            if not self.leaving:
                self.trouble = f"the runtime `{runtime.name}` failed: {said}"[:500]
        finally:
            self._keeper.done = self._hands.clock.now()
            self._keeper.speech.deafen()
            self.over.set()

    def astray(self) -> str:
        """Why its asking leads nowhere, or nothing: no model stands behind so many tool calls."""
        if self._seat.unmodelled > MOST_UNMODELLED:
            return f"{self._seat.unmodelled} tool calls were asked about since the model was called last"
        return ""

    def leave(self) -> None:
        """Its box is being ended: nobody waits for a model any more, and a driver's cut line is no trouble."""
        self.leaving = True
        self.gear.meter.closed = True

    async def left_off(self) -> None:
        """Ask it to leave off, in its own protocol, and not for long."""
        if self.gear.runtime is None or self.over.is_set():
            return
        with anyio.move_on_after(POLITE):
            await self.gear.runtime.cancel()

    def finished(self, now: datetime, grace: float) -> bool:
        """Whether its program should have ended by itself by now."""
        done = self._keeper.done
        return done is not None and (now - done).total_seconds() > (grace if self.gear.runtime is None else LINGER)

    def moved(self, now: datetime) -> datetime:
        """When something happened last; what is under way is no silence."""
        meter = self.gear.meter
        return now if self._keeper.busy or meter.busy else max(self._keeper.moved, meter.moved)

    def unasked(self, attempt: int) -> list[Unasked]:
        """Tool calls the model wrote that nobody asked the gate about: bounded by the box, and told."""
        if not self.gear.shows:
            return []
        tools = self.gear.meter.tools
        known = {tool.id for tool in tools}
        asked = Counter(name for id_, name in self._seat.asked.items() if id_ not in known)
        found: list[Unasked] = []
        for tool in tools:
            if tool.id in self._seat.asked:
                continue
            if asked[tool.name] > 0:  # a runtime that has ids of its own for them
                asked[tool.name] -= 1
                continue
            call, text = tool.id[:200], tool.arguments[:500]
            found.append(Unasked(run=self._keeper.run, attempt=attempt, tool=tool.name[:200], call=call, text=text))
        return found[:MOST_UNASKED]


def too_fast(paces: Sequence[Pace], meter: Meter, now: datetime) -> str:
    """Why money or tokens go faster than a contract of the lineage lets them, or nothing (KILL-03)."""
    return next((why for pace in paces if (why := _faster(pace, meter.paid(now, pace.within)))), "")


def _faster(pace: Pace, paid: Spend) -> str:
    if pace.usd is not None and paid.usd > pace.usd:
        return f"{dollars(paid.usd)} usd within {pace.within} s, and {dollars(pace.usd)} is the pace"
    if pace.tokens is not None and paid.tokens > pace.tokens:
        return f"{paid.tokens} tokens within {pace.within} s, and {pace.tokens} is the pace"
    return ""


def dollars(micros: int) -> str:
    """Millionths of a dollar as a person reads them: two decimals, more where those would show nothing."""
    text = f"{micros / 1_000_000:.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.ljust(2, '0')}"
