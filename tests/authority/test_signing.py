"""Who may answer, and why a yes would not count: said before it is taken, and never otherwise than `decide` counts it."""

import pytest
from authority_worlds import OWNER, act, actions, contract, lineage, rule
from hypothesis import event, given
from hypothesis import strategies as st
from people_worlds import NAMES, asking_contracts, organisations, ruled, yes

from remit.authority.action import Action
from remit.authority.compile import Authority
from remit.authority.decision import Allow, Ask, Refuse, strictness
from remit.authority.signing import may_answer, objection
from remit.contract.contract import Contract
from remit.contract.outcome import Escalation
from remit.contract.party import ASSURANCES, Assurance, Organisation, Person, Tool

LEAD, DEPUTY, HEAD, CHIEF, OTHER = (f"{name}@example.com" for name in ("lead", "deputy", "head", "chief", "other"))
ORGANISATION = Organisation(
    people=(
        Person(id=LEAD, roles=("support",), substitutes=(DEPUTY,), answers_to=HEAD),
        Person(id=DEPUTY, substitutes=(OTHER,)),
        Person(id=HEAD, answers_to=CHIEF),
        Person(id=CHIEF),
        Person(id=OTHER),
        Person(id=OWNER, substitutes=(DEPUTY,)),
    )
)
ASKING = contract(rule("ask", "push", "main", who="support"))
PUSH = act("push", "main")


def under(base: Contract = ASKING, organisation: Organisation = ORGANISATION) -> tuple[Authority, ...]:
    return lineage(base, organisation=organisation)


@pytest.mark.parametrize(
    ("person", "may"),
    [(LEAD, True), (DEPUTY, True), (HEAD, True), (CHIEF, True), (OTHER, False), (OWNER, False), ("", False), ("support", False)],
)
def test_a_role_is_answered_by_a_holder_a_substitute_or_somebody_above(person: str, may: bool) -> None:
    own = under()[-1]
    assert may_answer("support", person, own, PUSH, owner=OWNER) is may
    assert (objection(under(), PUSH, person, "support") is None) is may
    assert isinstance(ruled(under(), PUSH, yes(under(), PUSH, person)), Allow if may else Ask)


def test_the_owner_is_answered_for_by_a_substitute_too() -> None:
    own = under(contract(rule("ask", "push", "main")))
    assert isinstance(ruled(own, PUSH, yes(own, PUSH, DEPUTY)), Allow)
    assert isinstance(ruled(own, PUSH, yes(own, PUSH, OTHER)), Ask)


@pytest.mark.parametrize("about", ["main", "push", "any"])
def test_whoever_is_next_about_it_may_answer_and_whoever_is_only_paged_may_not(about: str) -> None:
    paging = contract(*ASKING.rules, escalation=(Escalation(about=about, page=OTHER, within=60, then=("owner",)),))
    assert isinstance(ruled(under(paging), PUSH, yes(under(paging), PUSH, OWNER)), Allow)
    assert isinstance(ruled(under(paging), PUSH, yes(under(paging), PUSH, OTHER)), Ask)
    elsewhere = contract(*ASKING.rules, escalation=(Escalation(about="refund", page=OTHER),))
    assert isinstance(ruled(under(elsewhere), PUSH, yes(under(elsewhere), PUSH, OTHER)), Ask)


def test_the_page_of_one_contract_gives_no_say_in_another() -> None:
    paging = contract(*ASKING.rules, escalation=(Escalation(about="any", page=OTHER),))
    both = lineage(ASKING, paging, organisation=ORGANISATION)
    assert isinstance(ruled(both, PUSH, yes(both, PUSH, OTHER)), Ask)
    assert objection(both, PUSH, OTHER, "support") is not None


def test_two_different_people_make_a_quorum_and_one_person_twice_does_not() -> None:
    two = under(contract(rule("ask", "push", "main", who="support", quorum=2)))
    open_ = ruled(two, PUSH)
    assert isinstance(open_, Ask)
    assert (open_.of, dict(open_.quorum)) == (("support",), {"support": 2})
    assert "2 different people" in open_.reasons[0].why
    half = ruled(two, PUSH, yes(two, PUSH, LEAD, LEAD))
    assert isinstance(half, Ask)
    assert [reason.code for reason in half.considered if reason.rule] == ["APPROVED"]
    done = ruled(two, PUSH, yes(two, PUSH, LEAD, HEAD))
    assert isinstance(done, Allow)
    assert [reason.why.split(" ")[0] for reason in done.reasons] == [LEAD, HEAD]


def test_the_largest_quorum_of_those_who_are_asked_alike_is_told() -> None:
    several = under(
        contract(
            rule("ask", "push", "main", id="one", who="support", quorum=3),
            rule("ask", "push", "any", id="two", who="support", quorum=2),
        )
    )
    decision = ruled(several, PUSH)
    assert isinstance(decision, Ask)
    assert dict(decision.quorum) == {"support": 3}
    assert dict(ruled(under(), PUSH).quorum) == {}  # type: ignore[union-attr]


def test_under_four_eyes_whoever_asked_for_it_does_not_approve_it() -> None:
    strict = Organisation(people=ORGANISATION.people, four_eyes=True)
    own = under(organisation=strict)
    alone = ruled(own, PUSH, yes(own, PUSH, LEAD), requester=LEAD)
    assert isinstance(alone, Ask)
    assert [reason.why for reason in alone.considered if reason.code == "AUTHORITY"] == [
        f"{LEAD} asked for this, and the organisation wants another pair of eyes"
    ]
    assert isinstance(ruled(own, PUSH, yes(own, PUSH, LEAD, DEPUTY), requester=LEAD), Allow)
    assert isinstance(ruled(own, PUSH, yes(own, PUSH, LEAD), requester=OWNER), Allow)
    assert isinstance(ruled(under(), PUSH, yes(under(), PUSH, LEAD), requester=LEAD), Allow)


def test_nobody_says_yes_to_a_tool_above_their_tier() -> None:
    people = (Person(id=LEAD, signs_tier="bounded"), Person(id=HEAD, signs_tier="high-risk"), Person(id=CHIEF))
    for tier, signing in (("bounded", [LEAD, HEAD, CHIEF]), ("high-risk", [HEAD, CHIEF]), ("human-approved", [CHIEF])):
        tools = (Tool(name="deploy", tier=tier, effect="execute"),)  # type: ignore[arg-type]
        own = under(contract(rule("ask", "call", "deploy", who="x"), escalation=()), Organisation(people=people, tools=tools))
        for person in (LEAD, HEAD, CHIEF):
            asking = under(contract(rule("ask", "call", "deploy", who=person)), Organisation(people=people, tools=tools))
            action = act("call", "deploy")
            assert isinstance(ruled(asking, action, yes(asking, action, person)), Allow) is (person in signing)
            assert (objection(asking, action, person, person) is None) is (person in signing)
        assert isinstance(ruled(own, act("call", "deploy")), Refuse)  # nobody is `x`


def test_what_cannot_be_read_or_is_no_contract_is_objected_to() -> None:
    assert str(getattr(objection(under(), act("write", "../x"), LEAD, "support"), "code", "")) == "INPUTS"
    assert str(getattr(objection((), PUSH, LEAD, "support"), "code", "")) == "UNCOVERED"
    found = objection(under(), PUSH, LEAD, "support", assurance="scripted")
    assert found is not None
    assert (found.code, found.why) == ("AUTHORITY", "an answer by `scripted` does not suffice for this")


def test_the_owner_may_be_called_by_name() -> None:
    signing = Organisation(people=(Person(id=OWNER, may_sign=(rule("may", "push", "side"),)), Person(id=LEAD)))
    own = under(contract(rule("ask", "push", "any"), rule("may", "write", "**")), signing)
    for asked in ("owner", OWNER):
        assert objection(own, act("push", "side"), OWNER, asked) is None
        found = objection(own, PUSH, OWNER, asked)
        assert found is not None
        assert found.why == f"this is beyond what {OWNER} may sign"


def test_what_nobody_asks_is_objected_to_only_where_no_contract_would_count_it() -> None:
    free = under(contract(rule("may", "push", "main")))
    assert objection(free, PUSH, LEAD, "support") is None
    assert objection(free, PUSH, OTHER, "support") is not None


# ------------------------------------------------------------------------------------------------------------------- laws

FAMILY = st.lists(asking_contracts(), min_size=1, max_size=2)
ASSURED: st.SearchStrategy[Assurance] = st.sampled_from([*ASSURANCES, "person-signed", "person-signed"])


@given(FAMILY, organisations(), actions(), ASSURED, st.sampled_from([*NAMES, ""]))
def test_without_an_objection_the_yes_counts(
    family: list[Contract], organisation: Organisation, action: Action, assurance: Assurance, requester: str
) -> None:
    own = lineage(*family, organisation=organisation)
    before = ruled(own, action, requester=requester)
    event(f"before {type(before).__name__}")
    if not isinstance(before, Ask):
        return
    answered, unanswered, said = set(), set(), set()
    for asked in before.of:
        fit = [
            name for name in NAMES
            if objection(own, action, name, asked, assurance=assurance, requester=requester) is None
        ]  # fmt: skip
        if len(fit) >= before.quorum.get(asked, 1):
            answered.add(asked)
            said.update(fit)
        else:
            unanswered.add(asked)
    after = ruled(own, action, yes(own, action, *sorted(said), assurance=assurance), requester=requester)
    event(f"after {type(after).__name__}")
    assert not isinstance(after, Refuse)
    still = set(after.of) if isinstance(after, Ask) else set()
    assert not answered & still
    assert unanswered <= still


@given(FAMILY, organisations(), actions(), ASSURED, st.sampled_from([*NAMES, ""]), st.sampled_from(NAMES))
def test_with_an_objection_the_yes_never_counts(
    family: list[Contract], organisation: Organisation, action: Action, assurance: Assurance, requester: str, person: str
) -> None:
    own = lineage(*family, organisation=organisation)
    before = ruled(own, action, requester=requester)
    if not isinstance(before, Ask):
        return
    after = ruled(own, action, yes(own, action, person, assurance=assurance), requester=requester)
    for asked in before.of:
        if objection(own, action, person, asked, assurance=assurance, requester=requester) is not None:
            event("objected")
            assert isinstance(after, Ask)
            assert asked in after.of


@given(FAMILY, organisations(), actions(), st.lists(st.sampled_from(NAMES)), st.sampled_from(NAMES))
def test_a_requester_and_an_empty_room_only_make_it_stricter(
    family: list[Contract], organisation: Organisation, action: Action, people: list[str], requester: str
) -> None:
    own = lineage(*family, organisation=organisation)
    given_ = yes(own, action, *people)
    free, barred = ruled(own, action, given_), ruled(own, action, given_, requester=requester)
    assert strictness(barred) >= strictness(free)
    if not organisation.four_eyes:
        assert barred == free
    alone = ruled(own, action, given_, attended=False)
    assert not isinstance(alone, Ask)
    if isinstance(free, Ask):
        assert isinstance(alone, Refuse)
        assert alone.reasons[0].code in ("IRREVERSIBLE", "APPROVAL")
        assert alone.reasons[1:] == free.reasons
        assert all(who in alone.reasons[0].why for who in free.of)
    else:
        assert alone == free


@given(FAMILY, organisations(), actions(), st.lists(st.sampled_from(NAMES), max_size=4))
def test_one_more_yes_never_makes_it_stricter(
    family: list[Contract], organisation: Organisation, action: Action, people: list[str]
) -> None:
    own = lineage(*family, organisation=organisation)
    steps = [strictness(ruled(own, action, yes(own, action, *people[:count]))) for count in range(len(people) + 1)]
    assert steps == sorted(steps, reverse=True)
