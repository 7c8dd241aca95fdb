"""A loop in a process of its own, for crash tests: HOME WORK [RUN]. Its tool appends to a file; its last words are JSON.

`AMOUNT` is what each refund is worth, `PATIENCE` how many seconds it waits for people.
"""

import json
import os
import signal
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
from refund_desk import CONTRACT, organisation

import remit

HOME, WORK, TILL = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[2]).parent / "till"
DIE = os.environ.get("DIE_IN_TOOL", "")
AMOUNT = Decimal(os.environ.get("AMOUNT", "20"))
PATIENCE = float(os.environ.get("PATIENCE", "20"))


def paid() -> list[list[str]]:
    return [line.split() for line in TILL.read_text().splitlines()] if TILL.exists() else []


def probe(key: str, **_: Any) -> str | None:
    return next((f"seen {order}" for order, known in paid() if known == key), None)


@remit.tool("refund", tier="high-risk", inert=["reason"], probe=probe)
def refund(
    order_id: str, customer: str, amount: Decimal, currency: str, customer_tier: str, legal: bool, reason: str = "", *, key: str
) -> str:
    """One line in the till for each refund."""
    if f"before {order_id}" == DIE:
        os.kill(os.getpid(), signal.SIGKILL)
    with TILL.open("a") as till:
        till.write(f"{order_id} {key}\n")
        till.flush()
        os.fsync(till.fileno())
    if f"after {order_id}" == DIE:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"paid {order_id}"


def asking(order: str) -> dict[str, Any]:
    return {
        "order_id": order, "customer": "c-1", "amount": AMOUNT, "currency": "EUR", "customer_tier": "standard", "legal": False,
        "reason": "late",
    }  # fmt: skip


async def loop() -> None:
    contract = WORK.parent / "refunds.remit.yaml"
    contract.write_text(CONTRACT)
    resume = sys.argv[3] if len(sys.argv) > 3 else None
    opened = remit.guard(
        None if resume else contract, tools=[refund], org=organisation(), home=HOME, workspace=WORK,
        requester="desk-owner@example.com", resume=resume,
    )  # fmt: skip
    receipts = []
    async with opened as guard:
        for order in ("A-1", "A-2", "A-3"):
            said = await guard.call("refund", asking(order))
            if isinstance(said, remit.Waiting):
                said = await guard.wait(said, timeout=PATIENCE)
            receipts.append(said.receipt if isinstance(said, remit.Done) else repr(said))
        outcome = await guard.finish()
    print(json.dumps({"receipts": receipts, "verdict": outcome.verdict, "run": guard.run}))


anyio.run(loop)
