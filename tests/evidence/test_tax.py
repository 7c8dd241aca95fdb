"""Interruptions counted, like questions once; what history suggests reads back as a contract and is exactly what was seen."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from remit.authority.action import Action
from remit.authority.compile import compile_contract
from remit.authority.decide import decide
from remit.authority.decision import Allow, Ask, Code, Reason
from remit.authority.spent import Spent
from remit.contract.parse import parse
from remit.evidence.suggestions import Suggestion, suggestions
from remit.evidence.tax import Tax, since, tax
from remit.run import event as e

from .people import CONTRACT, HASH, LEAD, NEXT, OWNER, answered, asked, drafted, recorded, refund, started

Records = list[e.Recorded]


def split(*events: e.Event) -> tuple[Records, Records]:
    records = recorded(*events)
    return [one for one in records if one.kind == "started"], [one for one in records if one.kind != "started"]


def counted(*events: e.Event) -> Tax:
    return tax(*split(*events))


def hinted(*events: e.Event) -> tuple[Suggestion, ...]:
    return suggestions(*split(*events))


def run(at: int, *events: e.Event) -> tuple[e.Event, ...]:
    return (started(f"r{at}"), *events, e.VerdictReached(run=f"r{at}", verdict="success"))


def yes(at: int, amount: str = "60.00", **more: str) -> tuple[e.Event, ...]:
    act = refund(amount, **more)
    return run(at, asked(action=act, run=f"r{at}", draft=""), answered(run=f"r{at}", about=act.digest()))


def test_each_kind_of_interruption_is_counted_as_its_own() -> None:
    told = counted(
        started(), asked(), answered(),
        asked("Q2", about="context", action=None, reasons=(), of=(OWNER,)),
        e.QuestionEscalated(run="r1", question="Q2", to=NEXT, why="w"),
        asked("Q3", about="doubt"), asked("Q4", about="recovery"), asked("Q5", about="publish"), started("r2"),
    )  # fmt: skip
    assert told.kinds == {"approval": 1, "missing context": 1, "escalation": 1, "doubt": 1, "recovery": 1, "publish": 1}
    assert (told.interruptions, told.questions, told.runs, told.touched, told.per_100_runs) == (6, 5, 2, 1, 300.0)
    assert dict(told.cited)["interruptions that supplied missing context"] == "32 %"


def test_like_questions_open_at_the_same_time_are_one_interruption() -> None:
    other = refund(customer="c-2")
    both = (asked(draft=""), asked("Q2", action=other, draft=""))
    assert counted(started(), *both).interruptions == 1
    assert counted(started(), both[0], answered(), both[1]).interruptions == 2, "the first was closed by then"
    assert counted(started(), both[0], replace(both[1], of=(NEXT,))).interruptions == 2, "another person is pulled in"
    gone = e.Withdrawn(run="r1", key="R1:E1", how="refused", why="w")
    assert counted(started(), drafted(), asked(), gone, asked("Q2", action=other)).interruptions == 2
    half = replace(asked(draft=""), quorum=2)
    assert counted(started(), half, answered(), both[1]).interruptions == 1, "a second person is still to answer"


def test_a_childs_questions_are_those_of_the_run_above_it() -> None:
    told = counted(started(), started("r1.1", parent="r1"), asked(run="r1.1"))
    assert (told.runs, told.interruptions, told.per_100_runs) == (1, 1, 100.0)


def test_how_long_people_took_is_the_median_of_what_was_answered() -> None:
    assert counted(started(), asked(draft=""), answered(), asked("Q2", draft="")).waiting == 1.0
    assert counted(started(), asked()).waiting is None


@pytest.mark.parametrize(
    ("pattern", "trend"),
    [("1" * 20, "flat"), ("0" * 20, "flat"), ("0" * 10 + "1" * 10, "growing"), ("1" * 10 + "0" * 10, "falling"), ("111", "few")],
)
def test_the_second_half_of_the_runs_shows_whether_it_grows(pattern: str, trend: str) -> None:
    events = [event for at, each in enumerate(pattern) for event in (yes(at) if each == "1" else run(at))]
    told = counted(*events)
    assert told.trend.startswith(trend) or (trend == "few" and told.trend == "too few runs to tell")
    assert told.interruptions == pattern.count("1")


def test_ten_or_a_thousand_runs_cost_the_same_for_each_hundred() -> None:
    for count in (10, 1000):
        told = counted(*(event for at in range(count) for event in (yes(at) if at % 5 == 0 else run(at))))
        assert (told.per_100_runs, told.trend) == (20.0, "flat")


def test_what_came_of_the_questions_of_a_rule_is_counted() -> None:
    told = counted(
        *yes(1), *run(2, asked(run="r2", draft=""), answered("no", run="r2")),
        *run(3, asked(run="r3", draft=""), e.QuestionExpired(run="r3", question="Q1", otherwise="refuse")),
        *run(4, asked(run="r4", draft=""), answered("modify", becomes=refund("51.00"), run="r4")), *run(5, asked(run="r5", draft="")),
    )  # fmt: skip
    (row,) = told.rules
    assert (row.rule, row.asked, row.yes, row.changed, row.no, row.expired, row.open) == ("large", 5, 1, 1, 1, 1, 1)


def test_only_runs_of_the_time_asked_for_are_looked_at_with_their_children() -> None:
    records, _ = split(started("a"), started("b"), started("b.1", parent="b"))
    moment = records[0].at + timedelta(seconds=0.5)
    assert [record.run for record in since(records, moment)] == ["b", "b.1"]
    assert since(records, None) == records


def pasted(suggestion: Suggestion) -> str:
    return f"goal: g\nowner: {OWNER}\n{suggestion.yaml}"


def test_what_was_always_answered_yes_unchanged_is_offered_as_may_within_what_was_seen() -> None:
    found = [one for one in hinted(*(event for at in range(6) for event in yes(at, f"{60 + at}.00"))) if one.about == "widen"]
    assert [(one.rule, one.owner, one.do) for one in found] == [("large", OWNER, "paste")]
    assert found[0].evidence.startswith(f"all 6 questions were answered yes unchanged, by {LEAD}; these bounds were seen.")
    assert found[0].yaml == (
        "may:\n  - call: refund\n    where: {amount: {from: 60.00, to: 65.00}, currency: EUR, customer: c-1}\n"
        "ask:\n  - call: refund\n    where: {amount: {over: 65.00, to: 500}, currency: EUR}\n    who: lead@example.com\n"
    )
    parsed = parse(pasted(found[0]), file="c")
    assert parsed.findings == ()
    authority = compile_contract(replace(CONTRACT, rules=parsed.draft.rules))
    for amount, kind in (("60.00", Allow), ("65.00", Allow), ("65.01", Ask)):
        assert isinstance(decide([authority], refund(amount), spent=Spent(), now=split(started())[0][0].at), kind)


@pytest.mark.parametrize("spoiled", ["no", "modify", "expired", "too few"])
def test_a_single_other_answer_is_enough_not_to_suggest_it(spoiled: str) -> None:
    events = [event for at in range(4 if spoiled == "too few" else 5) for event in yes(at)]
    if spoiled == "expired":
        events += run(9, asked(run="r9", draft=""), e.QuestionExpired(run="r9", question="Q1", otherwise="refuse"))
    elif spoiled != "too few":
        less = refund("55.00") if spoiled == "modify" else None
        events += run(9, asked(run="r9", draft=""), answered(spoiled, run="r9", becomes=less))
    assert "widen" not in [one.about for one in hinted(*events)]


@given(
    st.lists(
        st.tuples(st.decimals("50.01", "500", places=2), st.sampled_from(["c-1", "c-2", "no", "1.0"])), min_size=5, max_size=9
    )
)
def test_the_widened_rule_reads_back_and_covers_everything_that_was_seen(seen: list[tuple[Decimal, str]]) -> None:
    events = [event for at, (amount, customer) in enumerate(seen) for event in yes(at, str(amount), customer=customer)]
    (found,) = [one for one in hinted(*events) if one.about == "widen"]
    parsed = parse(pasted(found), file="c")
    assert parsed.findings == ()
    authority = compile_contract(replace(CONTRACT, rules=parsed.draft.rules))
    now = split(started())[0][0].at
    for amount, customer in seen:
        assert isinstance(decide([authority], refund(str(amount), customer=customer), spent=Spent(), now=now), Allow)
    outside = refund(str(max(amount for amount, _ in seen)), customer="c-99")
    assert not isinstance(decide([authority], outside, spent=Spent(), now=now), Allow)


def test_an_argument_without_bounds_worth_writing_suggests_nothing() -> None:
    many = [event for at in range(25) for event in yes(at, customer=f"c-{at}")]
    assert "widen" not in [one.about for one in hinted(*many)]


def test_what_is_allowed_and_never_used_is_suggested_to_be_taken_out() -> None:
    events = [event for at in range(5) for event in run(at)]
    found = {one.about: one for one in hinted(*events)}
    assert found["never used"].yaml == "may:\n  - write: replies/**\n"
    assert found["never used"].evidence.startswith("in 5 finished runs nothing was done under this rule")
    reason = Reason(code=Code.ALLOWED, rule="replies", contract=HASH, why="w")
    act = Action(verb="write", object="replies/a.md")
    used = e.Decided(run="r3", action=act, digest=act.digest(), decision="allow", reasons=(reason,), at_door="publish")
    assert "never used" not in {one.about for one in hinted(*events, used)}
    assert hinted(*events[:8]) == (), "four runs show nothing"


def test_an_ask_that_never_asked_is_suggested_to_be_taken_out() -> None:
    found = [one for one in hinted(*(event for at in range(5) for event in yes(at))) if one.about == "never asked"]
    assert [(one.rule, one.do, one.yaml) for one in found] == [("mail", "take out", "ask:\n  - call: send_email\n")]


def test_questions_that_always_run_out_of_time_lack_somebody_who_answers() -> None:
    events = [
        event
        for at in range(5)
        for event in run(at, asked(run=f"r{at}", draft=""), e.QuestionExpired(run=f"r{at}", question="Q1", otherwise="refuse"))
    ]
    (found,) = [one for one in hinted(*events) if one.about == "nobody answers"]
    assert found.evidence == "all 5 questions ran out of time unanswered"
    assert found.yaml == (
        "escalation:\n  - for: refund\n    page: lead@example.com\n    within: 2h\n    remind: 30m\n    then: [owner]\n"
    )
    assert parse(pasted(found), file="c").findings == ()
