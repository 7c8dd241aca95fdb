"""Answers three refund requests: asks remit for each, and reports what became of it. It never sees the shop's token."""

import json
import pathlib
import subprocess

REQUESTS = (
    {"order_id": "A-1001", "customer": "c-17", "customer_tier": "standard", "legal": False, "amount": "50.00", "reason": "late"},
    {
        "order_id": "A-1002",
        "customer": "c-18",
        "customer_tier": "standard",
        "legal": False,
        "amount": "50.01",
        "reason": "broken",
    },
    {"customer": "c-19", "customer_tier": "standard", "legal": False, "amount": "20.00", "reason": "no order id was given"},
)


def refund(request: dict[str, object]) -> dict[str, object]:
    """One request put to remit; money is written as a JSON number, digit for digit."""
    amount = request.pop("amount")
    rest = json.dumps(request | {"currency": "EUR"})
    arguments = f'{rest[:-1]}, "amount": {amount}}}'
    done = subprocess.run(["remit", "act", "call", "refund", "--args", arguments], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def main() -> None:
    """Every request, and a line about each in the report."""
    lines = ["# Refunds", ""]
    for request in REQUESTS:
        told = refund(dict(request))
        why = told.get("receipt") or "; ".join(reason["why"] for reason in told["reasons"])
        lines.append(
            f"- {request.get('order_id', 'no order')}: {request['amount']} EUR: {told.get('state', told['decision'])}: {why}"
        )
    pathlib.Path("report.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
