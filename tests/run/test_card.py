"""The card shows exactly what will happen, and never calls a value anybody's but the agent's without a reason."""

import json
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_people import FINANCE, HASH, LEAD, ORGANISATION, OWNER, asked, begun, drafted, refund, said
from test_lifecycle import RUN, START, Story

from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.contract.address import address
from remit.contract.rule import Rule
from remit.errors import BadInput
from remit.run import event as e
from remit.run.card import Shown, Why, card
from remit.run.origin import origin


def waiting(**arguments: object) -> Story:
    story, action = begun(), refund(**arguments)
    story.tell(drafted("R1:E1", action), asked("Q1", action, "R1:E1"))
    return story


def sources(story: Story, question: str = "Q1") -> dict[str, tuple[str, str]]:
    return {shown.name: (shown.source, shown.place) for shown in card(story.run, question).values}


def test_the_card_says_everything_about_what_will_happen() -> None:
    shown = card(waiting().run, "Q1")
    assert (shown.what, shown.recipient, shown.amount, shown.preview) == ("call refund", "c-17", "60.00 EUR", "pays 60.00 EUR")
    assert (shown.goal, shown.owner, shown.asked, shown.choices) == (
        "Give order ORD-2041 its money back", OWNER, (LEAD,), ("yes", "no", "modify"),
    )  # fmt: skip
    assert shown.why == (
        Why(rule="large", words="a refund of more than 50", contract="the contract", because="money is a person's"),
    )
    assert shown.spend == (("turns", "0", "10"), ("calls", "0", "5"), ("time", "0 s", "600 s"))
    assert shown.on_no == "the draft is withdrawn and nothing goes out; exactly this is not asked again"
    assert shown.on_silence == f"at 2026-01-01 00:01 UTC {FINANCE} is asked as well"
    assert shown.expires == START + timedelta(seconds=60)
    assert shown.digest == refund().digest()
    assert shown.settled == ""


def test_every_value_says_where_it_came_from() -> None:
    assert sources(waiting()) == {
        "amount": ("agent", ""),
        "currency": ("contract", "rule small"),
        "tier": ("contract", "rule small"),
        "customer": ("agent", ""),
        "order_id": ("contract", "goal"),
    }


def test_what_an_earlier_effect_returned_is_a_tool_result_and_names_the_effect() -> None:
    story, look = begun(), Action(verb="call", object="look_up", arguments={})
    story.tell(
        drafted("R1:E1", look),
        e.Intended(run=RUN, key="R1:E1", action=look),
        e.Effected(run=RUN, key="R1:E1", ok=True, output='{"customers": [{"id": "c-17", "balance": 60}]}', returned=("c-17",)),
        asked("Q1", refund(amount=Decimal(60))),
    )
    assert sources(story)["customer"] == ("tool result", "R1:E1")
    assert sources(story)["amount"] == ("agent", ""), "two figures are alike by accident"
    story.tell(e.Effected(run=RUN, key="elsewhere", ok=True, returned=("c-99",)), asked("Q2", refund(customer="c-99")))
    assert sources(story, "Q2")["customer"] == ("tool result", "")


def test_a_card_is_made_in_no_time_however_much_effects_gave_back() -> None:
    story, look = begun(), Action(verb="call", object="look_up", arguments={})
    for at in range(31):
        key = f"R1:E{at}"
        output = json.dumps([{f"k{each}": f"v{at}-{each}"} for each in range(4000)])
        story.tell(
            drafted(key, look), e.Intended(run=RUN, key=key, action=look), e.Effected(run=RUN, key=key, ok=True, output=output)
        )
    tags = {f"tags{at}": [f"v{each % 31}-{at}" for each in range(99)] + ["nowhere"] for at in range(9)}
    found = {"one": "v7-3999", **tags}
    story.tell(asked("Q1", refund(**found)))
    begins = time.process_time()
    shown = sources(story)
    assert time.process_time() - begins < 5
    assert shown["one"] == ("tool result", "R1:E7")
    assert shown["tags0"] == ("agent", "")


def test_what_is_beyond_what_is_looked_at_is_the_agents() -> None:
    story = begun()
    every = {f"n{at:02}": ["standard"] * 100 for at in range(12)}
    story.tell(asked("Q1", refund(**every, last="ORD-2041")))
    assert sources(story)["last"] == ("agent", "")
    story.tell(asked("Q2", refund(many=["ORD-2041"] * 5000, last="ORD-2041")))
    assert (sources(story, "Q2")["many"], sources(story, "Q2")["last"]) == (("agent", ""), ("contract", "goal"))


def test_members_of_registers_and_people_come_from_the_organisation() -> None:
    mail = Action(
        verb="call", object="send_email",
        arguments={"to": ["customer@example.com"], "cc": "lead-desk@example.com", "subject": "EU", "reply_to": FINANCE},
    )  # fmt: skip
    story = begun()
    story.tell(asked("Q1", mail))
    assert sources(story) == {
        "to": ("organisation", "register recipients"),
        "cc": ("organisation", f"person {LEAD}"),
        "subject": ("agent", ""),
        "reply_to": ("organisation", f"person {FINANCE}"),
    }


def test_a_list_is_as_good_as_its_worst_member() -> None:
    mail = Action(verb="call", object="send_email", arguments={"to": ["customer@example.com", "thief@example.net"]})
    story = begun()
    story.tell(asked("Q1", mail))
    assert sources(story) == {"to": ("agent", "")}


def test_what_the_owner_answered_is_the_owners() -> None:
    story = begun()
    story.tell(
        asked("Q1", refund(), about="context", text="Which customer?"),
        said("Q1", "yes", OWNER, note="the customer is c-17, not c-1"),
        asked("Q2", refund()),
        asked("Q3", refund(customer="c-1")),
        asked("Q4", refund(customer="c-")),
    )
    assert sources(story, "Q2")["customer"] == ("owner", "Q1")
    assert sources(story, "Q3")["customer"] == ("owner", "Q1")
    assert sources(story, "Q4")["customer"] == ("agent", "")


def test_a_value_a_person_changed_is_the_persons_and_earlier_answers_are_void() -> None:
    story = waiting()
    less = refund(amount=Decimal("45.00"))
    story.tell(said("Q1", "modify", LEAD, action=less, digest=less.digest()))
    shown = card(story.run, "Q1")
    assert sources(story)["amount"] == ("person", "Q1")
    assert sources(story)["currency"] == ("contract", "rule small")
    assert (shown.amount, shown.digest, shown.said, shown.settled) == (
        "45.00 EUR", less.digest(), (f"{LEAD}: modify",), "yes",
    )  # fmt: skip


def test_the_same_value_of_another_tool_or_argument_is_not_the_contracts() -> None:
    run = begun().run
    assert origin(run, "currency", "EUR", action=refund()) == ("contract", "rule small")
    assert origin(run, "note", "EUR", action=refund()) == ("agent", "")
    assert origin(run, "note", "goodwill", action=refund()) == ("agent", "")
    assert origin(run, "currency", "EUR", action=Action(verb="call", object="credit")) == ("agent", "")


def test_a_childs_contract_vouches_for_nothing() -> None:
    run = begun(parent="r0").run
    assert origin(run, "currency", "EUR", action=refund()) == ("agent", "")
    assert origin(run, "order_id", "ORD-2041", action=refund()) == ("agent", "")


_KNOWN = {"EUR", "standard", "vip", "goodwill", "ORD-2041", "customer@example.com", "EU"}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(
    name=st.sampled_from(["amount", "currency", "tier", "customer", "to", "subject", "note"]),
    value=_JSON,
    tool=st.sampled_from(["refund", "send_email", "credit", "unknown"]),
)
def test_a_value_the_agent_made_up_is_the_agents(name: str, value: object, tool: str) -> None:
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(each, str) and (each in _KNOWN or each in "Give order ORD-2041 its money back") for each in texts):
        return
    action = Action(verb="call", object=tool, arguments={name: value})
    assert origin(begun().run, name, value, action=action) == ("agent", "")


@given(st.text(min_size=1, max_size=12))
def test_a_part_of_a_word_of_the_goal_is_not_from_the_goal(text: str) -> None:
    goal = "Give order ORD-2041 its money back"
    source, place = origin(begun().run, "order_id", text, action=refund())
    if source == "contract":
        assert place == "goal"
        assert len(text) >= 6
        assert f" {text.strip()} " in f" {goal} "


def test_only_like_questions_are_put_together() -> None:
    story = begun()
    other = Reason(code=Code.APPROVAL, rule="other", contract=HASH, why="w")
    story.tell(
        asked("Q1", refund()),
        asked("Q2", refund(customer="c-18")),
        asked("Q3", refund(customer="c-19"), of=(FINANCE,)),
        asked("Q4", refund(customer="c-20"), reasons=(other,)),
        asked("Q5", Action(verb="call", object="credit")),
        asked("Q6", refund(customer="c-21")),
        said("Q6", "no"),
    )
    assert card(story.run, "Q1").like == ("Q2",)
    assert card(story.run, "Q6").settled == "no"


@pytest.mark.parametrize(
    ("about", "choices", "on_no"),
    [
        ("change", ("yes", "no"), "what is asked about is left out of what is published"),
        ("recovery", ("yes", "no"), "the work is not tried again; the next rung of the recovery holds"),
        ("publish", ("yes", "no"), "what was made is dropped, and nothing is published"),
        ("context", ("yes", "no"), "the agent goes on without knowing it"),
        ("doubt", ("happened", "redo", "abandon"), "given up, it is never tried again; what really happened stays unknown"),
    ],
)
def test_every_kind_of_question_says_what_may_be_answered_and_what_a_no_does(
    about: str, choices: tuple[str, ...], on_no: str
) -> None:
    story = begun()
    question = e.QuestionAsked(run=RUN, question="Q1", about=about, text="?", of=(OWNER,))  # type: ignore[arg-type]
    story.tell(question)
    shown = card(story.run, "Q1")
    assert (shown.choices, shown.on_no, shown.what, shown.values, shown.like) == (choices, on_no, "", (), ())
    assert shown.on_silence.startswith(("it waits", "the agent goes on"))


def test_silence_is_told_by_the_ladder_to_its_end() -> None:
    story = waiting()
    story.tell(e.QuestionEscalated(run=RUN, question="Q1", to=FINANCE, why="w", expires=START + timedelta(seconds=120)))
    shown = card(story.run, "Q1")
    assert (shown.asked, shown.on_silence) == ((LEAD, FINANCE), "at 2026-01-01 00:02 UTC it is refused")
    story.tell(e.QuestionExpired(run=RUN, question="Q1", otherwise="refuse"))
    assert card(story.run, "Q1").settled == "expired"


def test_the_rule_that_asks_is_named_with_the_contract_it_stands_in() -> None:
    story, action = begun(), refund()
    above = Reason(code=Code.APPROVAL, rule="r9", contract="sha256:parent", why="the parent asks")
    top = Reason(code=Code.APPROVAL, rule="org-mail", contract=address(ORGANISATION), why="the organisation asks")
    added = Reason(code=Code.APPROVAL, rule="no-vip", contract="sha256:condition", why="a person asked for it")
    rule = Rule(id="no-vip", effect="ask", verb="call", objects=("refund",), because="vips are called")
    story.tell(
        asked("Q1", action), said("Q1", "modify", LEAD, rules=(rule,)), asked("Q2", action, reasons=(above, top, added)),
    )  # fmt: skip
    assert card(story.run, "Q2").why == (
        Why(rule="r9", words="the parent asks", contract="a contract above"),
        Why(rule="org-mail", words="the organisation asks", contract="Example"),
        Why(rule="no-vip", words="a person asked for it", contract=f"the condition of {LEAD}", because="vips are called"),
    )


def test_answers_to_what_it_was_before_are_marked() -> None:
    story = begun()
    action = refund()
    less = refund(amount=Decimal("45.00"))
    story.tell(
        drafted("R1:E1", action), asked("Q1", action, "R1:E1", quorum=2),
        said("Q1", "yes", OWNER), said("Q1", "modify", LEAD, action=less, digest=less.digest()),
    )  # fmt: skip
    shown = card(story.run, "Q1")
    assert shown.said == (f"{OWNER}: yes (of what it was before)", f"{LEAD}: modify")
    assert shown.settled == ""
    assert shown.values[0] == Shown(name="amount", value="45.00", source="person", place="Q1")


def test_an_unknown_question_is_unusable_input() -> None:
    with pytest.raises(BadInput, match="has no question `Q9`"):
        card(begun().run, "Q9")
