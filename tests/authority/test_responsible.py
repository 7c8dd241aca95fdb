"""At every hand-off somebody answers; conditions only narrow; an owner can change while the run goes on."""

from typing import Any, get_args

import pytest
from authority_worlds import OWNER, act, actions, contract, contracts, lineage, rule, rules
from hypothesis import event, given
from hypothesis import strategies as st
from people_worlds import NAMES, asking_contracts, organisations, ruled, yes

from remit.authority.action import Action
from remit.authority.compile import compile_condition_rules, compile_contract, with_owner
from remit.authority.consequence import irreversible
from remit.authority.decision import Allow, Ask, Refuse, strictness
from remit.authority.responsible import leaves, responsible, transition
from remit.authority.subject import Subject, subject
from remit.contract.binding import PublishFile
from remit.contract.condition import Range
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Sum
from remit.contract.party import Argument, Organisation, Person, Tool, ToolEffect
from remit.contract.rule import Rule
from remit.errors import BadInput

LEAD = "lead@example.com"
SMALL = rule("may", "call", "pay", where={"amount": Range(low="0", high="50")})
PAY = Tool(name="pay", tier="high-risk", effect="execute")
ORGANISATION = Organisation(people=(Person(id=LEAD), Person(id=OWNER, may_sign=(SMALL,))), tools=(PAY,))


def answering(base: Contract, action: Action, *people: str, owner: str = OWNER, **more: Any) -> tuple[str, ...] | Refuse:
    own = lineage(base, organisation=more.pop("organisation", ORGANISATION))
    decision = ruled(own, action, yes(own, action, *people))
    assert isinstance(decision, Allow)
    return responsible(own, action, decision, yes(own, action, *people), owner=owner, **more)


FREE = contract(rule("may", "call", "pay", where={"amount": Range(low="0", high="900")}))
ASKED = contract(rule("ask", "call", "pay", who=LEAD))


def test_whoever_approved_it_answers_for_it_else_the_owner_who_keeps_it() -> None:
    assert answering(ASKED, act("call", "pay", amount=900), LEAD) == (LEAD,)
    assert answering(ASKED, act("call", "pay", amount=900), OWNER, LEAD) == (LEAD,)  # the owner was not asked
    assert answering(FREE, act("call", "pay", amount=50)) == (OWNER,)


def test_everyone_of_a_quorum_answers_for_it_each_once() -> None:
    two = contract(rule("ask", "call", "pay", id="a", who="x", quorum=2), rule("ask", "call", "pay", id="b", who=LEAD))
    organisation = Organisation(people=(Person(id=LEAD, roles=("x",)), Person(id="b@example.com", roles=("x",))), tools=(PAY,))
    assert answering(two, act("call", "pay"), LEAD, "b@example.com", organisation=organisation) == (LEAD, "b@example.com")


@pytest.mark.parametrize(
    ("amount", "owner", "said"),
    [
        (51, OWNER, "beyond what release-lead@example.com, who owns the run, may sign"),
        (50, "", "the run has no owner"),
        (50, "gone@example.com", "gone@example.com, who owns the run, is no person the organisation knows"),
    ],
)
def test_where_nobody_can_answer_it_is_refused_with_what_to_do(amount: int, owner: str, said: str) -> None:
    found = answering(FREE, act("call", "pay", amount=amount), owner=owner)
    assert isinstance(found, Refuse)
    assert found.reasons[0].code == "NO-OWNER"
    assert said in found.reasons[0].why
    assert found.reasons[0].instead


def test_an_owner_keeps_no_tool_above_their_tier() -> None:
    low = Organisation(people=(Person(id=OWNER, signs_tier="bounded"),), tools=(PAY,))
    found = answering(FREE, act("call", "pay", amount=1), organisation=low)
    assert isinstance(found, Refuse)
    assert found.reasons[0].code == "NO-OWNER"


SAYING = st.one_of(st.just(NAMES), st.just(NAMES), st.lists(st.sampled_from(NAMES)))


@given(st.lists(asking_contracts(), min_size=1, max_size=2), organisations(), actions(), SAYING)
def test_whoever_answers_said_yes_or_owns_it(
    family: list[Contract], organisation: Organisation, action: Action, people: list[str]
) -> None:
    own = lineage(*family, organisation=organisation)
    given_ = yes(own, action, *people)
    decision = ruled(own, action, given_)
    if not isinstance(decision, Allow):
        return
    found = responsible(own, action, decision, given_, owner=family[-1].owner)
    approved = any(reason.code == "APPROVED" for reason in decision.reasons)
    event(f"approved {approved}, {type(found).__name__}")
    if isinstance(found, Refuse):
        assert not approved
        assert found.reasons[0].code == "NO-OWNER"
    else:
        assert found
        assert len(set(found)) == len(found)
        assert set(found) <= set(people) if approved else found == (family[-1].owner,)


@pytest.mark.parametrize(
    ("effect", "becomes", "left"),
    [
        ("send", "draft to sent", True),
        ("execute", "suggestion to decision", True),
        ("suggest", "suggestion to decision", False),
        ("queue", "internal to external", True),
        ("publish", "internal to external", True),
        ("read", "reversible to irreversible", False),
        ("draft", "reversible to irreversible", False),
    ],
)
def test_every_effect_turns_the_work_into_something(effect: ToolEffect, becomes: str, left: bool) -> None:
    tool = Tool(name="act", effect=effect)
    assert transition(tool, "call") == becomes
    assert leaves(act("call", "act"), tool) is left


def test_every_effect_there_is_is_in_that_table() -> None:
    assert set(get_args(ToolEffect)) == {"send", "execute", "suggest", "queue", "publish", "read", "draft"}


def test_publishing_and_pushing_leave_and_deleting_does_not() -> None:
    assert [transition(None, verb) for verb in ("publish", "push", "delete")] == [
        "internal to external", "internal to external", "reversible to irreversible",
    ]  # fmt: skip
    assert [leaves(act(verb, "x"), None) for verb in ("publish", "push", "delete", "write", "call")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("value", "final"),
    [
        (True, True),
        ("x", True),
        (0, True),
        (["a"], True),
        (False, False),
        (None, False),
        ("", False),
        ([], False),
        ({}, False),
        (..., False),
    ],
)
def test_an_irreversible_argument_that_says_something_makes_the_call_so(value: object, final: bool) -> None:
    tool = Tool(name="update", tier="bounded", arguments=(Argument(name="close", irreversible=True),))
    ready = subject(act("call", "update", **({} if value is ... else {"close": value})))
    assert isinstance(ready, Subject)
    assert irreversible(ready, tool) is final


def test_unattended_an_irreversible_argument_is_refused_as_such_and_the_rest_as_unapproved() -> None:
    tool = Tool(name="update", arguments=(Argument(name="close", irreversible=True),))
    own = lineage(contract(rule("ask", "call", "update")), organisation=Organisation(tools=(tool,)))
    said = [
        ruled(own, act("call", "update", **given_), attended=False).reasons[0].code
        for given_ in ({"close": True}, {"close": False}, {})
    ]
    assert said == ["IRREVERSIBLE", "APPROVAL", "APPROVAL"]


def test_a_contract_never_says_what_a_tool_really_does() -> None:
    agents, own = PublishFile(folder="/etc"), PublishFile(folder="/srv/site")
    declaring = contract(rule("may", "call", "any"), tools=(Tool(name="put", does=agents), Tool(name="pay", does=agents)))
    organisation = Organisation(tools=(Tool(name="put", does=own),))
    tools = lineage(declaring, organisation=organisation)[-1].tools
    assert (tools["put"].does, tools["pay"].does) == (own, None)


# ------------------------------------------------------------------------------------------------ conditions, other owners

NARROWING = st.lists(rules(st.sampled_from(["ask", "never"])), min_size=1, max_size=3, unique_by=lambda each: each.id).map(tuple)


@given(st.lists(contracts(), min_size=1, max_size=2), NARROWING, organisations(), actions(), st.integers(0, 3))
def test_a_condition_never_makes_a_decision_less_strict(
    family: list[Contract], narrowing: tuple[Rule, ...], organisation: Organisation, action: Action, at: int
) -> None:
    own = lineage(*family, organisation=organisation)
    condition = compile_condition_rules(narrowing, organisation, by=LEAD)
    with_it = (*own[:at], condition, *own[at:])
    before, after = ruled(own, action), ruled(with_it, action)
    event(f"{type(before).__name__} to {type(after).__name__}")
    assert strictness(after) >= strictness(before)
    given_ = yes(own, action, *NAMES)
    assert strictness(ruled(with_it, action, given_)) >= strictness(ruled(own, action, given_))


def test_a_condition_binds_asks_the_owner_and_is_named_in_the_reasons() -> None:
    own = lineage(contract(rule("may", "write", "**")))
    condition = compile_condition_rules((rule("never", "write", "src/**"), rule("ask", "write", "docs/**")), None, by=LEAD)
    under = (*own, condition)
    assert isinstance(ruled(under, act("write", "README.md")), Allow)
    refused = ruled(under, act("write", "src/a"))
    assert [(reason.code, reason.contract) for reason in refused.reasons] == [("AUTHORITY", condition.hash)]
    asked = ruled(under, act("write", "docs/a"))
    assert isinstance(asked, Ask)
    assert asked.of == ("owner",)
    assert isinstance(ruled(under, act("write", "docs/a"), yes(under, act("write", "docs/a"), OWNER)), Allow)
    assert condition.name == f"the condition of {LEAD}"


def test_a_condition_cannot_allow() -> None:
    with pytest.raises(BadInput, match="cannot allow"):
        compile_condition_rules((rule("may", "write", "**"),), None, by=LEAD)


@given(contracts(), actions(), st.sampled_from(["", LEAD, OWNER]))
def test_another_owner_is_as_if_the_contract_had_said_so(base: Contract, action: Action, owner: str) -> None:
    moved = with_owner(compile_contract(base), owner)
    assert moved.hash == base.hash()
    said = compile_contract(contract(*base.rules, owner=owner))
    one, two = ruled((moved,), action), ruled((said,), action)
    assert type(one) is type(two)
    assert [(reason.code, reason.rule, reason.why) for reason in one.reasons] == [
        (reason.code, reason.rule, reason.why) for reason in two.reasons
    ]


def test_after_a_transfer_only_the_new_owner_answers_and_windows_stay() -> None:
    asking = compile_contract(contract(rule("ask", "push", "main"), limits=Limits(sums=(Sum(of="pay.amount", to="1"),))))
    moved = with_owner(asking, LEAD)
    push = act("push", "main")
    assert isinstance(ruled((moved,), push, yes((moved,), push, LEAD)), Allow)
    assert isinstance(ruled((moved,), push, yes((moved,), push, OWNER)), Ask)
    assert not moved.simple
    assert with_owner(moved, LEAD) is moved
