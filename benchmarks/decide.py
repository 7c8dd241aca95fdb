"""What one decision costs, against the plainest indexed matcher in Python and, where it can be imported, Cedar.

Everything is measured in one interleaved run, so that a busy machine slows all of them alike; compare the ratios, not the times.
`python -m benchmarks.decide` prints them.
"""

import gc
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter_ns
from typing import Any

import click

from remit.authority.action import Action
from remit.authority.compile import compile_contract
from remit.authority.decide import decide
from remit.authority.decision import word
from remit.authority.spent import Spent
from remit.contract.condition import Anything, OneOf, Prefix, Range, Scalar
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.rule import Effect, Rule, Where

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 1500
MOST = 20.0
"""microseconds a decision over 200 rules and four contracts may take (median)"""


def rows() -> list[tuple[str, float, float, str]]:
    """Name, our median and the rival's in microseconds, and the goal in words."""
    found = []
    for rules in (20, 200):
        for depth in (1, 4):
            name = f"decide, {rules} rules x {depth} contracts"
            goal = f"at most {MOST:g} µs" if (rules, depth) == (200, 4) else "of the order of the plainest matcher"
            contestants = {"ours": _ours(rules, depth), "plain": _plain(rules, depth)}
            if depth == 1 and (cedar := _cedar(rules)):
                contestants["cedar"] = cedar
            medians = _race(contestants)
            found.append((f"{name}, against plain Python", medians["ours"], medians["plain"], goal))
            if "cedar" in medians:
                found.append((f"{name}, against cedarpy handles", medians["ours"], medians["cedar"], "faster"))
    return found


def measure() -> list[dict[str, str | float]]:
    """The same as records: name, ours, rival, ratio, goal."""
    return [
        {"name": name, "ours": ours, "rival": rival, "ratio": ours / rival, "goal": goal} for name, ours, rival, goal in rows()
    ]


# ---------------------------------------------------------------------------------------------------------------------


def _race(contestants: dict[str, Callable[[], str]]) -> dict[str, float]:
    """Median microseconds of each, taken in turns. They must agree, else the comparison is void."""
    answers = {name: run() for name, run in contestants.items()}
    assert set(answers.values()) == {"allow"}, answers
    times: dict[str, list[int]] = {name: [] for name in contestants}
    for run in contestants.values():
        for _ in range(200):
            run()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for name, run in contestants.items():
                before = perf_counter_ns()
                run()
                times[name].append(perf_counter_ns() - before)
    finally:
        gc.enable()
    return {name: statistics.median(taken) / 1000 for name, taken in times.items()}


ARGUMENTS: dict[str, Any] = {"amount": Decimal("20.00"), "currency": "EUR", "customer": "c-17", "reason": "late"}


def _tools(rules: int) -> Iterator[tuple[Effect, str]]:
    for index in range(rules):
        effects: tuple[Effect, ...] = ("may", "ask", "never", "may")
        yield effects[index % 4], f"tool-{index // 4}"


def _contract(rules: int) -> Contract:
    """Four rules to a tool: a bounded `may`, an `ask` above it, a `never` on a prefix, and a second `may` of another currency."""
    found = []
    for index, (effect, tool) in enumerate(_tools(rules)):
        conditions: dict[str, Any] = {"amount": Range(low="0.01", high="50")}
        if effect == "ask":
            conditions = {"amount": Range(low="50", high="500", over=True)}
        elif effect == "never":
            conditions = {"customer": Prefix(text="blocked-")}
        else:
            currency = "EUR" if index % 4 == 0 else "USD"
            conditions |= {
                "currency": OneOf(values=(Scalar(type="text", text=currency),)),
                "customer": Anything(),
                "reason": Anything(),
            }
        where = tuple(Where(argument=name, condition=condition) for name, condition in conditions.items())
        found.append(Rule(id=f"rule-{index}", effect=effect, verb="call", objects=(tool,), where=where))
    return Contract(goal="g", owner="o@example.com", rules=tuple(found), limits=Limits(), success=(), recovery=())


def _ours(rules: int, depth: int) -> Callable[[], str]:
    lineage = [compile_contract(_contract(rules)) for _ in range(depth)]
    action = Action(verb="call", object=f"tool-{rules // 8}", arguments=ARGUMENTS)
    spent = Spent()
    return lambda: word(decide(lineage, action, spent=spent, now=NOW))


def _plain(rules: int, depth: int) -> Callable[[], str]:
    """A dict from tool to lambdas: no reasons, no hostile values, no lineage but a loop."""
    index: dict[str, list[tuple[str, Callable[[dict[str, Any]], bool]]]] = {}
    low, top, most = Decimal("0.01"), Decimal(50), Decimal(500)
    tests: Sequence[Callable[[dict[str, Any]], bool]] = (
        lambda given: low <= given["amount"] <= top and given["currency"] == "EUR",
        lambda given: top < given["amount"] <= most,
        lambda given: given["customer"].startswith("blocked-"),
        lambda given: low <= given["amount"] <= top and given["currency"] == "USD",
    )
    for place, (effect, tool) in enumerate(_tools(rules)):
        index.setdefault(tool, []).append((effect, tests[place % 4]))
    tool = f"tool-{rules // 8}"

    def run() -> str:
        strictest = "allow"
        for _ in range(depth):
            met = {effect for effect, test in index.get(tool, ()) if test(ARGUMENTS)}
            if "never" in met or not met:
                return "refuse"
            if "ask" in met:
                strictest = "ask"
        return strictest

    return run


def _cedar(rules: int) -> Callable[[], str] | None:
    """The same rules as Cedar policies behind handles; amounts in cents, because Cedar has no decimals of its own kind."""
    try:
        import cedarpy
    except ImportError:
        return None
    if not all(hasattr(cedarpy, name) for name in ("PolicySet", "Entities")):
        return None
    when = (
        ("permit", 'context.amount >= 1 && context.amount <= 5000 && context.currency == "EUR"'),
        ("forbid", "context.amount > 5000 && context.amount <= 50000"),
        ("forbid", 'context.customer like "blocked-*"'),
        ("permit", 'context.amount >= 1 && context.amount <= 5000 && context.currency == "USD"'),
    )
    text = "\n".join(
        f'{when[place % 4][0]}(principal, action == Action::"{tool}", resource) when {{ {when[place % 4][1]} }};'
        for place, (_, tool) in enumerate(_tools(rules))
    )
    policies, entities = cedarpy.PolicySet(text), cedarpy.Entities([])
    request = {
        "principal": 'Agent::"a"',
        "action": f'Action::"tool-{rules // 8}"',
        "resource": 'Thing::"t"',
        "context": {"amount": 2000, "currency": "EUR", "customer": "c-17", "reason": "late"},
    }

    def run() -> str:
        return "allow" if cedarpy.is_authorized(request, policies, entities).allowed else "refuse"

    return run


def main() -> None:
    """Print the rows."""
    for row in measure():
        click.echo(
            f"{row['name']:<55} {row['ours']:8.2f} µs  {row['rival']:8.2f} µs  ratio {row['ratio']:6.2f}  goal: {row['goal']}"
        )


if __name__ == "__main__":
    main()
