"""An engine's world with an outbox: tools that act in memory, people who may sign, and agents that call."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine_worlds import OWNER, Crash, Watched, World, contract, rule

from remit.contract.condition import Range
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.outcome import Escalation
from remit.contract.party import Argument, Assurance, Organisation, Person, Tool
from remit.contract.rule import Rule, Where
from remit.engine.inbox import answer
from remit.engine.start import start
from remit.errors import Broken
from remit.ports import Notifier, Page, Receipt
from remit.run.outbox import Draft
from remit.run.state import Run
from remit.testing.effects import MemoryEffects, MemoryTools
from remit.testing.sandbox import Inside
from remit.testing.signer import PaperSigner

LEAD = "support-lead@example.com"
FINANCE = "finance@example.com"
OTHER = "second-lead@example.com"


def person(name: str, *roles: str, **more: Any) -> Person:
    return Person(id=name, keys=(PaperSigner(name).public,), roles=roles, **more)


def limited(to: str) -> tuple[Rule, ...]:
    return (
        rule("may", "call", "refund", id=f"signs-{to}", where=(Where(argument="amount", condition=Range(low="0", high=to)),)),
    )


REFUND = Tool(
    name="refund", tier="high-risk", effect="execute", arguments=(Argument(name="amount", type="number", required=True),)
)
PEOPLE = (
    person(OWNER, "owner"),
    person(LEAD, "lead", answers_to=FINANCE, contact="https://pager.example.com/lead"),
    person(FINANCE, "finance", contact="https://pager.example.com/finance"),
    person(OTHER, "lead"),
)
ORG = Organisation(people=PEOPLE, tools=(REFUND,), assurance="terminal")


def amounts(low: str, high: str, *, over: bool = False) -> tuple[Where, ...]:
    return (Where(argument="amount", condition=Range(low=low, high=high, over=over)),)


FREE = rule("may", "call", "refund", id="small", where=amounts("0", "50"))
ASKED = rule("ask", "call", "refund", id="large", where=amounts("50", "500", over=True), who=LEAD)


def paying(*rules: Rule, **more: Any) -> Contract:
    """Small refunds are free, large ones are the lead's to decide, unless other rules are given."""
    given = {"limits": Limits(time=36000, turns=60), "success": (), **more}
    return contract(*(rules or (FREE, ASKED)), **given)


def pages(*, within: int | None = None, **more: Any) -> tuple[Escalation, ...]:
    return (Escalation(about="refund", page=LEAD, within=within, **more),)


class Pager:
    """What reaches people, as `remit.ports.Notifier`: every page is kept, or fails as told."""

    name = "pager"

    def __init__(self) -> None:
        self.sent: list[Page] = []
        self.fails = ""
        self.tried = 0

    async def tell(self, page: Page) -> str:
        self.tried += 1
        if self.fails:
            raise Broken(self.fails)
        self.sent.append(page)
        return f"page {len(self.sent)}"


class Shop(World):
    """`effects` by the name of their tool; `pager` reaches everybody who has a contact."""

    def __init__(self, folder: Path, *agents: Any, **effects: MemoryEffects) -> None:
        super().__init__(folder, *agents)
        self.effects: Mapping[str, MemoryEffects] = effects or {"refund": MemoryEffects(name="refund")}
        self.pager = Pager()
        self.organisation = ORG
        for each in self.effects.values():
            each._clock = self.clock
        self.fit(tools=MemoryTools(self.effects), channel=self._channel)

    def fit(self, **more: Any) -> None:
        """Give the engine other hands, as a restart would."""
        self.hands = replace(self.hands, **more)
        self.supervisor = Watched(self.hands, self.moves)

    def _channel(self, contact: str, organisation: Organisation) -> Notifier | None:
        return self.pager

    @property
    def refunds(self) -> MemoryEffects:
        return self.effects["refund"]

    @property
    def paid(self) -> list[Any]:
        """The amounts that went out, in order."""
        return [arguments["amount"] for _, arguments in self.refunds.happened]

    async def handed_over(self, contract: Contract, **more: Any) -> Run:
        """Started and driven until it rests."""
        return await self.drive(await self.taken_on(contract, **more))

    async def taken_on(self, contract: Contract, **more: Any) -> str:
        return await start(self.hands, contract, self.organisation, self.work, ("agent",), trigger="a test", **more)

    async def said(
        self, run: str, word: str, *, question: str = "Q1", by: str = LEAD, assurance: Assurance = "terminal", **more: Any
    ) -> Run:
        """Answered, and driven on."""
        await answer(self.hands, run, question, word, signer=PaperSigner(by), assurance=assurance, **more)
        return await self.drive(run)

    async def killed(self, run: str) -> None:
        """Driven until this process goes down."""
        try:
            await self.drive(run)
        except Crash:
            return
        except BaseExceptionGroup as several:
            assert several.subgroup(Crash)
            return
        raise AssertionError("it went on living")

    async def draft(self, run: str, number: int = 1) -> Draft:
        return (await self.hands.replay(run)).drafts[f"{run}:E{number}"]

    async def later(self, run: str, **time: float) -> Run:
        """Let time pass, then let the engine look."""
        self.jump(**time)
        return await self.supervisor.drive(run)


class Fragile(MemoryEffects):
    """A provider whose first `times` performances go wrong as `dies` says, or bring this whole process down (`crash`)."""

    def __init__(self, *, times: int = 1, crash: bool = False, how: Any = "after", **more: Any) -> None:
        super().__init__(name="refund", **more)
        self.left, self.crash, self.how = times, crash, how

    async def perform(self, key: str, arguments: Mapping[str, Any], *, workspace: Path) -> Receipt:
        self.left -= 1
        self.dies = self.how if self.left >= 0 else ""
        try:
            return await super().perform(key, arguments, workspace=workspace)
        except Broken:
            if self.crash:
                raise Crash from None
            raise


def calls(
    *wants: Mapping[str, Any] | int, replies: list[dict[str, Any]] | None = None, tool: str = "refund", wait: float = 0
) -> Any:
    """An agent that makes these calls, one after the other; a number is an amount."""

    async def agent(inside: Inside) -> None:
        for want in wants:
            arguments = {"amount": want} if isinstance(want, int) else dict(want)
            said = await inside.act("call", tool, arguments=arguments, wait=wait)
            if replies is not None:
                replies.append(said)

    return agent
