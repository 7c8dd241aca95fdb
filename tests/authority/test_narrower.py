"""A child is compared with its parent before it starts; a clean answer means every rule is inside one of the parent's."""

from typing import Any

import pytest
from authority_worlds import CONDITIONS, VALUES, act, actions, contract, contracts, lineage, rule, said, scalar, text
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.action import Action
from remit.authority.compile import compile_rule
from remit.authority.conditions import compile_condition
from remit.authority.implies import condition_inside
from remit.authority.narrower import narrower
from remit.contract.condition import Anything, Glob, Host, Known, Length, OneOf, Prefix, Range, SubsetOf, Url
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Pace
from remit.contract.models import Model, ModelPrice
from remit.contract.rule import Rule

PARENT = contract(
    rule("may", "write", "docs/**"),
    rule("ask", "write", "src/**", who="architect"),
    rule("never", "push", "any"),
    rule("may", "call", "refund", where={"amount": Range(low="0", high="50"), "customer": Anything()}),
    rule("may", "run", "git add ..."),
    rule("may", "fetch", "*.corp.com:443"),
    rule("may", "delegate", "script", times=2),
    limits=Limits(turns=10, time=60),
)


def wider(*rules: Rule, **more: Any) -> list[tuple[str, str]]:
    child = contract(*rules, **{"limits": PARENT.limits, **more})
    return [(finding.where, finding.message) for finding in narrower(PARENT, child) if finding.severity == "error"]


@pytest.mark.parametrize(
    "inside",
    [
        rule("may", "write", "docs/a/*.md"),
        rule("ask", "write", "src/a.py"),
        rule("may", "call", "refund", where={"amount": Range(low="1", high="50"), "customer": text("c1")}),
        rule("may", "call", "refund", where={"amount": OneOf(values=(scalar(5), scalar(50))), "customer": Anything()}),
        rule("may", "run", "git add docs/a"),
        rule("may", "fetch", "https://api.corp.com/v1"),
        rule("may", "delegate", "script", times=1),
        rule("never", "write", "anything"),
    ],
)
def test_what_is_inside_is_not_complained_about(inside: Rule) -> None:
    assert wider(inside) == []


@pytest.mark.parametrize(
    ("outside", "where", "said_"),
    [
        (rule("may", "write", "**"), "may[0]", "the parent holds nothing that covers `**`"),
        (rule("may", "read", "docs/a"), "may[0]", "the parent holds nothing that covers `docs/a`"),
        (rule("may", "write", "docs"), "may[0]", "the parent holds nothing that covers `docs`"),
        (
            rule("may", "call", "refund", where={"amount": Range(low="0", high="51"), "customer": Anything()}),
            "may[0].where.amount",
            "`amount` is from 0 to 51, and the parent holds from 0 to 50",
        ),
        (
            rule("may", "call", "refund", where={"amount": Range(low="0", high="50"), "customer": Anything(), "cc": Anything()}),
            "may[0].where.cc",
            "`cc` is not an argument the parent's rule names",
        ),
        (
            rule("may", "call", "refund", where={"customer": Anything()}),
            "may[0]",
            "`amount` is free, and the parent wants it from 0 to 50",
        ),
        (rule("may", "run", "git add -f"), "may[0]", "the parent holds nothing that covers `git add -f`"),
        (rule("may", "fetch", "corp.com:443"), "may[0]", "the parent holds nothing that covers `corp.com:443`"),
        (rule("may", "push", "any"), "may[0]", "the parent holds nothing that covers `any`"),
        (rule("may", "delegate", "script", times=3), "may[0]", "the parent's rule counts 2 times"),
    ],
)
def test_what_is_wider_is_said_with_its_place(outside: Rule, where: str, said_: str) -> None:
    assert wider(outside) == [(where, said_)]


def test_limits_owner_containment_and_dropped_rules_are_said() -> None:
    child = contract(rule("may", "write", "src/a"), limits=Limits(turns=11), owner="other@example.com", containment="L1")
    found = {(finding.code, finding.severity, finding.where) for finding in narrower(PARENT, child)}
    assert found == {
        ("WIDER", "error", "limits.turns"),
        ("LIMIT-OPEN", "warning", "limits"),
        ("OWNER-CHANGED", "error", "owner"),
        ("WIDER", "error", "containment"),
        ("ASK-DROPPED", "warning", "may[0]"),
        ("NOT-CARRIED", "note", ""),
    }


def covers_some(base: Contract, action: Action) -> bool:
    for each in base.rules:
        compiled = compile_rule(each, "", {})
        if each.effect != "never" and each.verb == action.verb and said(lineage(contract(each)), action) != "refuse":
            assert compiled.fault == ""
            return True
    return False


@given(contracts(), contracts(), st.lists(actions(), min_size=1, max_size=12))
def test_a_clean_child_covers_nothing_its_parent_does_not(parent: Contract, child: Contract, many: list[Action]) -> None:
    if any(finding.severity == "error" for finding in narrower(parent, child)):
        return
    for action in many:
        for each in child.rules:
            if each.effect == "may" and said(lineage(contract(each)), action) == "allow":
                assert covers_some(parent, action)


@given(contracts())
def test_a_contract_is_narrower_than_itself(base: Contract) -> None:
    assert [finding for finding in narrower(base, base) if finding.severity == "error"] == []


MORE = [
    *CONDITIONS, SubsetOf(values=(scalar("b"),)), SubsetOf(values=(scalar("b"), scalar("a"))), Glob(pattern="docs/**"),
    Glob(pattern="docs/*"),
    Host(pattern="*.corp.com"), Host(pattern="a.corp.com"), Url(prefix="https://a.com/v1"), Url(prefix="https://a.com/v1/x"),
    Length(low=1, high=2), Prefix(text="a@"),
    Range(low="-5", high="20", over=True), Range(low="20", high="20"),
    OneOf(values=(scalar(20), scalar("b"))),
    OneOf(values=(scalar(True), scalar(None))), Known(register="r"),
]  # fmt: skip
SAMPLES: list[Any] = [
    *VALUES, 19, 20, 60, 61, ["a"], ["a", "b"], "docs/a", "docs/a/b", "a.corp.com", "x.corp.com", "https://a.com/v1/x/y",
    "ab", "abc", False,
]  # fmt: skip


def test_one_condition_inside_another_is_never_wrong() -> None:
    yes = 0
    for outer in MORE:
        for inner in MORE:
            if not condition_inside(outer, inner):
                continue
            yes += 1
            wide, narrow = (compile_condition(each, {"r": frozenset({"b"})}) for each in (outer, inner))
            assert [
                value for value in SAMPLES if narrow(value, frozenset()) is True and wide(value, frozenset()) is not True
            ] == []
    assert yes > 2 * len(MORE)


def test_a_refusing_child_needs_nothing() -> None:
    assert wider(rule("never", "write", "**")) == []
    assert said(lineage(PARENT), act("push", "main")) == "refuse"


def of_models(*models: Model, model: str = "", pace: Pace | None = None) -> Contract:
    return contract(PARENT.rules[0], limits=Limits(turns=10, time=60, pace=pace), models=models, model=model)


PRICED = of_models(
    Model(name="claude-*", price=ModelPrice(input="3", output="15"), output=8000),
    Model(name="local-*", price=ModelPrice()),
    Model(name="any-*"),
    pace=Pace(usd=600_000, tokens=100_000, within=60),
)


def found(child: Contract) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, one.where) for one in narrower(PRICED, child)]


PACE = Pace(usd=600_000, tokens=100_000, within=60)


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        (of_models(Model(name="claude-a"), model="claude-a", pace=PACE), []),
        (of_models(Model(name="claude-*", price=ModelPrice(input="3.00", output="20")), pace=PACE), []),
        (of_models(Model(name="local-a", price=ModelPrice()), pace=PACE), []),
        (of_models(pace=PACE), [("LIMIT-OPEN", "warning", "models")]),
        (of_models(Model(name="claude-a"), Model(name="*"), pace=PACE), [("WIDER", "error", "models[1]")]),
        (of_models(Model(name="claude-a"), model="other", pace=PACE), [("WIDER", "error", "model")]),
        (of_models(Model(name="claude-a", price=ModelPrice()), pace=PACE), [("WIDER", "error", "models[0].price")]),
        (of_models(Model(name="claude-a", price=ModelPrice(input="3", output="15", cached="1")), pace=PACE), [("WIDER", "error", "models[0].price")]),
        (of_models(Model(name="any-a", price=ModelPrice(input="9", output="9")), pace=PACE), [("WIDER", "error", "models[0].price")]),
        (of_models(Model(name="claude-a", output=9000), pace=PACE), [("WIDER", "error", "models[0].output")]),
        (of_models(Model(name="claude-a")), [("LIMIT-OPEN", "warning", "limits")] * 2),
        (of_models(Model(name="claude-a"), pace=Pace(usd=1, within=60)), [("LIMIT-OPEN", "warning", "limits")]),
        (of_models(Model(name="claude-a"), pace=Pace(usd=600_001, tokens=100_000, within=60)), [("WIDER", "error", "limits.pace")]),
        (of_models(Model(name="claude-a"), pace=Pace(usd=300_001, tokens=50_000, within=30)), [("WIDER", "error", "limits.pace")]),
        (of_models(Model(name="claude-a"), pace=Pace(usd=300_000, tokens=50_000, within=30)), []),
        (of_models(Model(name="claude-a"), pace=Pace(usd=600_000, tokens=100_000, within=600)), []),
    ],
)  # fmt: skip
def test_a_child_calls_no_other_models_nor_cheaper_ones_nor_at_a_faster_pace(
    child: Contract, expected: list[tuple[str, str, str]]
) -> None:
    assert found(child) == expected


def test_only_a_price_of_its_own_is_too_wide_where_the_parent_says_nothing_of_models() -> None:
    assert [one.where for one in narrower(of_models(), of_models(Model(name="a"), model="a"))] == []
    assert [one.where for one in narrower(of_models(), of_models(Model(name="a", price=ModelPrice())))] == ["models[0].price"]


@given(st.integers(1, 50), st.integers(1, 50), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 50)), max_size=30))
def test_a_pace_that_is_no_looser_never_lets_more_through(amount: int, within: int, spent: list[tuple[int, int]]) -> None:
    """Whatever stays within the child's pace stays within the parent's."""

    def over(pace: Pace) -> bool:
        starts = [sum(tokens for at, tokens in spent if start <= at < start + pace.within) for start in range(100)]
        return max(starts) > (pace.tokens or 0)

    parent, child = Pace(tokens=60, within=20), Pace(tokens=amount, within=within)
    looser = any(one.severity == "error" for one in narrower(of_models(pace=parent), of_models(pace=child)))
    assert looser or over(child) or not over(parent)


def test_whether_the_conversation_is_kept_is_free() -> None:
    assert narrower(PARENT, contract(*PARENT.rules, limits=PARENT.limits, history="keep")) == ()
