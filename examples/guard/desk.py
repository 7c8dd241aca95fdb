"""A loop of one's own with two tools over the guard: `desk.py WORK` answers three refund requests, `desk.py WORK RUN` comes back.

Where a model would choose the next act, a list of requests stands in; nothing else is different.
"""

import asyncio
import sys
from decimal import Decimal
from pathlib import Path

import remit

HERE = Path(__file__).parent
ORDERS = {"A-1001": Decimal("50.00"), "A-1002": Decimal("89.90"), "A-1003": Decimal("1200.00")}
WORK = Path(sys.argv[1])


@remit.tool(effect="read")
def look_up(order_id: str) -> dict[str, object]:
    """What was paid for an order."""
    return {"order_id": order_id, "paid": ORDERS[order_id]}


def became_of(key: str, **_: object) -> str | None:
    """The book knows every refund by its key: so a doubt can be ended without asking anybody."""
    book = WORK.parent / "book"
    lines = book.read_text().splitlines() if book.exists() else []
    return next((line for line in lines if line.endswith(key)), None)


@remit.tool(tier="high-risk", probe=became_of)
def refund(order_id: str, amount: Decimal, currency: str, *, key: str) -> str:
    """Pay back: a line in the book, which stands for the payment provider."""
    line = f"{order_id} {amount} {currency} {key}"
    with (WORK.parent / "book").open("a") as book:
        book.write(f"{line}\n")
    return line


async def handled(guard: remit.Guard, order_id: str) -> str:
    """One request, as an agent would go about it: look, then act, then read what became of it."""
    seen = await guard.call("look_up", order_id=order_id)
    if not isinstance(seen, remit.Done):
        return f"{order_id}: not found"
    result = await guard.call(
        "refund", order_id=order_id, amount=seen.output["paid"], currency="EUR", key=f"refund of {order_id}"
    )
    match result:
        case remit.Done(receipt=receipt):
            return f"{order_id}: done, {receipt}"
        case remit.Refused(reason=reason, code=code):
            return f"{order_id}: refused ({code}), {reason}"
        case remit.Waiting(question=question, asked=asked):
            return f"{order_id}: waiting, {question} asks {', '.join(asked)}"


async def main() -> None:
    """Open, work, write the report that the contract wants to see, finish."""
    resume = sys.argv[2] if len(sys.argv) > 2 else None
    contract = None if resume else HERE / "desk.remit.yaml"
    async with remit.guard(contract, tools=[look_up, refund], workspace=WORK, resume=resume) as guard:
        print(f"run {guard.run}")
        if resume is None:
            lines = [await handled(guard, order_id) for order_id in ORDERS]
            (WORK / "report.md").write_text("\n".join(["# Refunds", "", *lines, ""]))
            print(*lines, sep="\n")
    outcome = await guard.finish()
    print(f"outcome: {outcome.verdict or outcome.why}")


if __name__ == "__main__":
    asyncio.run(main())
