"""What one decision costs, against the plainest indexed matcher in Python and, where it can be imported, Cedar."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from remit.authority.action import Action
from remit.authority.compile import Authority, compile_contract
from remit.authority.decide import decide
from remit.authority.decision import word
from remit.authority.spent import Spent
from remit.bench.row import Goal, Row
from remit.bench.turns import in_turn, show
from remit.contract.condition import Anything, OneOf, Prefix, Range, Scalar
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.rule import Effect, Rule, Where

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOST = Goal(kind="at_most", bound=20e-6)
CEDAR = Goal(kind="times", bound=0.1)
PLAIN = "an indexed matcher in plain Python"
HANDLES = "cedarpy, policies and entities parsed beforehand"


def rows(*, quick: bool = False) -> Iterator[Row]:
    """20 and 200 rules, a lineage of one and of four; against Cedar a lineage of one, as it knows no other."""
    for rules in (20, 200):
        for depth in (1, 4):
            name = f"decide, {rules} rules x {depth}"
            contestants = {"ours": _ours(rules, depth), "plain": _plain(rules, depth)}
            if depth == 1 and (cedar := _cedar(rules)):
                contestants["cedar"] = cedar
            answers = {contestant: run() for contestant, run in contestants.items()}
            if set(answers.values()) != {"allow"}:
                raise AssertionError(f"they do not agree, so there is nothing to compare: {answers}")
            took = in_turn(contestants, rounds=300 if quick else 1500, warm=50 if quick else 200)
            yield Row(name=name, against=PLAIN, goal=MOST, ours=took["ours"], rival=took["plain"])
            if depth == 1:
                found = took.get("cedar")
                why = "" if found else "not installed"
                yield Row(name=f"{name}, beside Cedar", against=HANDLES, goal=CEDAR, ours=took["ours"], rival=found, why=why)


def authorities(rules: int, depth: int) -> list[Authority]:
    """A lineage of contracts with this many rules each."""
    return [compile_contract(_contract(rules, f"goal {number}")) for number in range(depth)]


def action(rules: int) -> Action:
    """An action that the rules in their middle allow."""
    return Action(verb="call", object=f"tool-{rules // 8}", arguments=ARGUMENTS)


ARGUMENTS: dict[str, Any] = {"amount": Decimal("20.00"), "currency": "EUR", "customer": "c-17", "reason": "late"}


def _tools(rules: int) -> Iterator[tuple[Effect, str]]:
    for index in range(rules):
        effects: tuple[Effect, ...] = ("may", "ask", "never", "may")
        yield effects[index % 4], f"tool-{index // 4}"


def _contract(rules: int, goal: str) -> Contract:
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
    return Contract(goal=goal, owner="o@example.com", rules=tuple(found), limits=Limits(), success=(), recovery=())


def _ours(rules: int, depth: int) -> Callable[[], str]:
    lineage, asked, spent = authorities(rules, depth), action(rules), Spent()
    return lambda: word(decide(lineage, asked, spent=spent, now=NOW))


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
        return None  # before it had handles it parsed everything again for every question
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
    policies, entities = cedarpy.PolicySet.from_str(text), cedarpy.Entities.from_json_str("[]")
    request = {
        "principal": 'Agent::"a"',
        "action": f'Action::"tool-{rules // 8}"',
        "resource": 'Thing::"t"',
        "context": {"amount": 2000, "currency": "EUR", "customer": "c-17", "reason": "late"},
    }

    def run() -> str:
        return "allow" if cedarpy.is_authorized(request, policies, entities).allowed else "refuse"

    return run


if __name__ == "__main__":
    show(rows())
