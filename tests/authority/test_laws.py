"""What must hold of `decide` whatever the contract says, over worlds in which allow is common."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from authority_worlds import JSON_VALUES, NOW, actions, contract, contracts, decided, lineage, rule, rules, said
from hypothesis import event, given, settings
from hypothesis import strategies as st

from remit.authority.action import Action
from remit.authority.approval import Approval
from remit.authority.decide import decide, granted, numbers
from remit.authority.decision import strictness, word
from remit.authority.spent import Spent
from remit.contract import condition as written
from remit.contract.contract import Contract
from remit.contract.party import Organisation
from remit.contract.rule import VERBS, Rule

ORDER = {"allow": 0, "ask": 1, "refuse": 2}


@given(contracts(), contracts(), actions())
def test_a_child_is_never_allowed_what_its_parent_refuses(parent: Contract, child: Contract, action: Action) -> None:
    alone, together = said(lineage(parent), action), said(lineage(parent, child), action)
    event(f"parent {alone}, together {together}")
    assert ORDER[together] >= ORDER[alone]


@given(st.lists(contracts(), min_size=1, max_size=4), actions())
def test_the_strictest_of_the_lineage_stands(family: list[Contract], action: Action) -> None:
    together = decided(lineage(*family), action)
    assert strictness(together) == max(strictness(decided(lineage(each), action)) for each in family)


@given(contracts(), rules(st.just("never")), actions())
def test_adding_a_never_never_widens(base: Contract, never: Rule, action: Action) -> None:
    more = contract(*base.rules, never)
    assert ORDER[said(lineage(more), action)] >= ORDER[said(lineage(base), action)]


@given(contracts(), rules(st.just("ask")), actions())
def test_adding_an_ask_never_creates_an_allow_without_an_approval(base: Contract, ask: Rule, action: Action) -> None:
    more = contract(*base.rules, ask)
    if said(lineage(more), action) == "allow":
        assert said(lineage(base), action) == "allow"


PEOPLE = st.lists(st.sampled_from(["release-lead@example.com", "x"]), max_size=3)


@given(contracts(), contracts(), actions(), PEOPLE)
def test_approvals_of_one_contract_allow_nothing_that_another_asks(
    one: Contract, two: Contract, action: Action, people: list[str]
) -> None:
    given_ = [Approval(action=action.digest(), contract=one.hash(), person=person) for person in people]
    if said(lineage(two), action) == "ask" and one.hash() != two.hash():
        assert said(lineage(one, two), action, approvals=given_) != "allow"


@given(
    st.sampled_from(VERBS),
    st.text() | st.lists(st.text(), max_size=4).map(tuple),
    st.dictionaries(st.text(max_size=6), JSON_VALUES, max_size=4),
)
def test_decide_is_total(verb: Any, object_: Any, arguments: Mapping[str, Any]) -> None:
    everything = contract(
        *(rule(effect, each, "any" if each not in ("read", "write", "delete") else "**") for each in VERBS for effect in ("may",))
    )
    under = lineage(everything, organisation=Organisation(rules=everything.rules))
    action = Action(verb=verb, object=object_, arguments=arguments)
    decision = decide(under, action, spent=Spent(), now=NOW)
    assert decision.reasons
    assert all(reason.why and reason.contract for reason in decision.reasons)
    assert numbers(under, action) == {}
    granted(under, action, decision)


@pytest.mark.parametrize("broken", [object(), None, 5])
def test_decide_answers_even_what_is_no_action(broken: Any) -> None:
    everything = contract(rule("may", "call", "any"))
    assert word(decide(lineage(everything), broken, spent=Spent(), now=NOW)) == "refuse"
    assert word(decide(lineage(everything), Action(verb="call", object=broken), spent=Spent(), now=NOW)) == "refuse"
    assert word(decide(lineage(everything), Action(verb=broken, object="x"), spent=Spent(), now=NOW)) == "refuse"


@given(contracts(), contracts(), actions())
def test_every_decision_says_why(parent: Contract, child: Contract, action: Action) -> None:
    hashes = {parent.hash(), child.hash()}
    decision = decided(lineage(parent, child), action)
    assert decision.reasons
    for reason in (*decision.reasons, *decision.considered):
        assert reason.why
        assert reason.contract in hashes


def test_allow_is_common_in_these_worlds() -> None:
    """A law over worlds that refuse everything proves nothing and misses the wider child."""
    seen: list[str] = []

    @settings(max_examples=1000)  # a share needs a sample
    @given(contracts(), contracts(), actions())
    def look(parent: Contract, child: Contract, action: Action) -> None:
        seen.append(said(lineage(parent, child), action))

    look()
    assert seen.count("allow") >= len(seen) // 12
    assert seen.count("ask") >= 1


# ------------------------------------------------------------------------- the plainest reading of the language, as an oracle


@given(st.lists(contracts(), min_size=1, max_size=3), actions())
def test_the_compiled_answer_is_the_plain_reading(family: list[Contract], action: Action) -> None:
    expected = max((plainly(each, action) for each in family), key=lambda answer: ORDER[answer])
    event(expected)
    assert said(lineage(*family), action) == expected


@pytest.mark.thorough
@given(st.lists(contracts(), min_size=1, max_size=4), st.lists(actions(), min_size=1, max_size=20))
def test_the_compiled_answer_is_the_plain_reading_over_many_actions(family: list[Contract], many: list[Action]) -> None:
    under = lineage(*family)
    for action in many:
        assert said(under, action) == max((plainly(each, action) for each in family), key=lambda answer: ORDER[answer])


def plainly(base: Contract, action: Action) -> str:
    """Every rule in order, no index, no closures: never, then ask, then may, else refuse."""
    fitting = [
        each for each in base.rules if each.verb == action.verb and any(plain_object(text, action) for text in each.objects)
    ]
    if any(no_amount(each, action) for each in fitting):
        return "refuse"
    met = {each.effect for each in fitting if plain_rule(each, action)}
    if "never" in met or not met & {"may", "ask"}:
        return "refuse"
    danger = {".env": "read", ".remit.yaml": "write"}
    for ending, verb in danger.items():
        if action.verb == verb and str(action.object).endswith(ending):
            covering = [each for each in fitting if each.effect != "never" and plain_rule(each, action)]
            texts = [text for each in covering for text in each.objects if plain_object(text, action)]
            if not any(text.endswith(ending) for text in texts):
                return "refuse"
    return "ask" if "ask" in met else "allow"


def plain_object(pattern: str, action: Action) -> bool:
    import re

    if action.verb == "call":
        return pattern in ("any", action.object)
    out = ""
    for piece in re.findall(r"\*\*/|\*\*$|\*|\?|[^*?]+", pattern):
        out += {"**/": "(?:[^/]+/)*", "**": ".+", "*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
    return re.fullmatch(out, str(action.object)) is not None


def plain_rule(each: Rule, action: Action) -> bool:
    if each.effect == "may" and each.verb == "call" and set(action.arguments) - {where.argument for where in each.where}:
        return False
    for where in each.where:
        if where.argument not in action.arguments:
            if each.effect == "may":
                return False
            continue
        answer = plain_condition(where.condition, action.arguments[where.argument])
        if answer is False or (answer is None and each.effect == "may"):
            return False
    return True


def no_amount(each: Rule, action: Action) -> bool:
    """A value that a rule measures and that is none, unless another condition says the rule is not meant."""
    if each.effect == "may" and each.verb == "call" and set(action.arguments) - {where.argument for where in each.where}:
        return False
    if each.effect == "may" and any(where.argument not in action.arguments for where in each.where):
        return False
    answers = [
        (where.condition, plain_condition(where.condition, action.arguments[where.argument]))
        for where in each.where
        if where.argument in action.arguments
    ]
    if any(answer is False for _, answer in answers):
        return False
    return any(answer is None and "range" in repr(condition).lower() for condition, answer in answers)


def plain_condition(condition: Any, value: Any) -> bool | None:
    kind = "truth" if isinstance(value, bool) else "number" if isinstance(value, int | Decimal) else type(value).__name__
    match condition:
        case written.Anything():
            return True
        case written.Equals(value=one):
            return value == one.text if kind == "str" else None
        case written.OneOf(values=many):
            return value in [one.text for one in many] if kind == "str" else None
        case written.Range(low=low, high=high, over=over):
            if kind != "number" or (value < 0 and Decimal(low) >= 0):
                return None
            return Decimal(low) <= value <= Decimal(high) and not (over and value == Decimal(low))
        case written.Prefix(text=start):
            return value[: len(start)] == start if kind == "str" else None
        case written.Contains(text=part):
            return part in value if kind in ("str", "list") else None
        case written.Length(low=low, high=high):
            return low <= len(value) <= high if kind in ("str", "list") else None
        case written.Not(condition=inner):
            answer = plain_condition(inner, value)
            return None if answer is None else not answer
    raise AssertionError(condition)


def test_time_is_given_never_taken() -> None:
    under = lineage(contract(rule("ask", "write", "**")))
    action = Action(verb="write", object="a")
    given_ = Approval(action=action.digest(), contract=under[0].hash, person="release-lead@example.com", expires=NOW)
    early, late = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    assert said(under, action, approvals=[given_], now=early) == "allow"
    assert said(under, action, approvals=[given_], now=late) == "ask"
