"""A refund desk for the guard: the policy of S15, people with keys, and a till that counts what was paid."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio

import remit
from remit.app import engine
from remit.contract.parse import parse_organisation
from remit.contract.party import Organisation
from remit.engine.inbox import answer
from remit.run.state import Run
from remit.testing.signer import PaperSigner

LEAD, FINANCE, OWNER = "support-lead@example.com", "finance@example.com", "desk-owner@example.com"
PEOPLE = """\
people:
  - id: support-lead@example.com
    roles: [support-lead]
    keys: ["{lead}"]
    answers to: finance@example.com
    signs tier: high-risk
    may sign:
      - call: refund
        where: {{amount: {{from: 0.01, to: 500}}, currency: EUR, customer_tier: standard}}
  - id: finance@example.com
    roles: [finance]
    keys: ["{finance}"]
  - id: desk-owner@example.com
    keys: ["{owner}"]
"""
CONTRACT = """\
goal: Answer the open refund requests of today
owner: desk-owner@example.com
may:
  - {call: look_up, where: {order_id: any}}
  - call: refund
    where: {amount: {from: 0.01, to: 50}, currency: EUR, customer_tier: standard, legal: false, customer: any, order_id: any, reason: any}
ask:
  - {id: lead, call: refund, where: {amount: {over: 50, to: 500}, currency: EUR, customer_tier: standard, legal: false}, who: support-lead}
  - {id: large, call: refund, where: {amount: {over: 500, to: 10000}, currency: EUR}, who: finance}
limits:
  turns: 60
  time: 30m
  sums: [{sum: refund.amount, per: customer, within: 1h, to: 450, then: ask}]
success: [{id: log, file: refunds.md, exists: true}]
recovery: [{when: failed, do: undo}]
escalation:
  - {for: refund, page: support-lead, within: 2h, remind: 30m, then: [finance], attach: [order_id, reason], otherwise: refuse}
"""


def organisation(text: str = "") -> Organisation:
    keys = {"lead": LEAD, "finance": FINANCE, "owner": OWNER}
    parsed = parse_organisation(PEOPLE.format(**{each: PaperSigner(who).public for each, who in keys.items()}) + text, file="org")
    assert parsed.organisation is not None, parsed.findings
    return parsed.organisation


class Desk:
    """One home, one workspace, one till."""

    def __init__(self, folder: Path) -> None:
        self.home, self.work = folder / "home", folder / "work"
        self.work.mkdir()
        (self.work / "refunds.md").write_text("# Refunds\n")
        self.contract = folder / "refunds.remit.yaml"
        self.contract.write_text(CONTRACT)
        self.organisation = organisation()
        self.paid: list[tuple[str, Decimal]] = []
        self.keys: list[str] = []
        self.raises: list[Exception] = []
        self.tools: list[Callable[..., Any]] = [self.refund_tool(), self.look_up_tool()]

    def refund_tool(self, **declared: Any) -> Callable[..., Any]:
        @remit.tool("refund", **{"tier": "high-risk", "inert": ["reason"], **declared})
        async def refund(
            order_id: str,
            customer: str,
            amount: Decimal,
            currency: str,
            customer_tier: str,
            legal: bool,
            reason: str = "",
            *,
            key: str,
        ) -> dict[str, Any]:
            """Pay back."""
            self.keys.append(key)
            if self.raises:
                raise self.raises.pop(0)
            self.paid.append((order_id, amount))
            return {"id": f"refund-{len(self.paid)}", "amount": amount}

        return refund

    def look_up_tool(self) -> Callable[..., Any]:
        @remit.tool("look_up", effect="read")
        def look_up(order_id: str) -> dict[str, Any]:
            if order_id == "broken":
                raise LookupError("no such order")
            return {"order_id": order_id, "total": Decimal("50.00")}

        return look_up

    def guard(self, **more: Any) -> AbstractAsyncContextManager[remit.Guard]:
        given = {
            "tools": self.tools,
            "org": self.organisation,
            "home": self.home,
            "workspace": self.work,
            "requester": OWNER,
            **more,
        }
        contract = None if "resume" in more else given.pop("contract", self.contract)
        return remit.guard(contract, **given)

    async def answers(self, run: str, word: str, *, by: str = LEAD, question: str = "", **more: Any) -> Run:
        """A signed answer, given by another process of the same machine as it were."""
        async with engine(self.home) as supervisor:
            state = await supervisor.hands.replay(run)
            name = question or state.open_questions[0].question
            return await answer(supervisor.hands, run, name, word, signer=PaperSigner(by), assurance="person-signed", **more)

    async def state(self, run: str) -> Run:
        async with engine(self.home) as supervisor:
            return await supervisor.hands.replay(run)

    async def kinds(self, run: str) -> list[str]:
        async with engine(self.home) as supervisor:
            return [each.kind for each in await supervisor.hands.ledger.events(run)]


def asking(amount: Any = Decimal("50.00"), **changed: Any) -> dict[str, Any]:
    """The arguments of one refund; `...` leaves one out."""
    usual = {
        "order_id": "A-1",
        "customer": "c-1",
        "currency": "EUR",
        "customer_tier": "standard",
        "legal": False,
        "reason": "late",
    }
    return {name: value for name, value in {"amount": amount, **usual, **changed}.items() if value is not ...}


def story(tell: Callable[[], Awaitable[None]], seconds: float = 60) -> None:
    """Run it, and never longer than a test may take."""

    async def bounded() -> None:
        with anyio.fail_after(seconds):
            await tell()

    anyio.run(bounded)
