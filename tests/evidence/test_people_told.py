"""Effects and people in the account, the dialogue and the procedure: who was asked, what was changed, whether it went out."""

from msgspec.structs import replace

from remit.contract.rule import Rule
from remit.evidence.account import account
from remit.evidence.explain import WENT_OUT, explain
from remit.evidence.procedure import lines, procedure
from remit.run import event as e

from .people import (
    KEY,
    LEAD,
    NEXT,
    OWNER,
    RUN,
    WHY,
    answered,
    asked,
    begun,
    drafted,
    handed,
    offered,
    recorded,
    refund,
    rejected,
    started,
    took,
)  # fmt: skip

DECIDED = e.Decided(
    run=RUN, action=refund(), digest=refund().digest(), decision="ask", reasons=(WHY,), at_door="door", of=(LEAD,), key=KEY
)
BEGIN = (started(), DECIDED, drafted(), asked())
SENT = (answered(), handed(), begun(), e.Effected(run=RUN, key=KEY, ok=True, receipt="refund-77"))
DOUBT = (answered(), handed(), begun(), e.InDoubt(run=RUN, key=KEY, why="the line broke"))
END = e.VerdictReached(run=RUN, verdict="success")


def went_out(*events: e.Event) -> str:
    reply = next(reply for reply in explain(recorded(*BEGIN, *events)) if reply.said == WENT_OUT)
    return next(line for line in reply.record if line.startswith("call refund"))


def test_sent_says_when_by_whose_yes_and_under_which_hash() -> None:
    assert went_out(*SENT) == (
        "call refund: it went out 2030-01-01 00:00:08 UTC; receipt refund-77; "
        f"approved by {LEAD} (person-signed), 2030-01-01 00:00:05 UTC, hash {refund().digest()}"
    )


def test_not_sent_says_that_no_one_approved_and_that_it_did_not_go_out() -> None:
    assert went_out() == "call refund: it stands as a draft; it did not go out; no one approved; it did not go out"


def test_withdrawn_says_how_and_why() -> None:
    gone = went_out(e.Withdrawn(run=RUN, key=KEY, how="expired", why="nobody answered in time"))
    assert gone == (
        "call refund: withdrawn 2030-01-01 00:00:05 UTC (expired: nobody answered in time); it did not go out; "
        "no one approved; it did not go out"
    )


def test_unknown_is_said_to_be_unknown_and_a_late_word_is_shown_as_a_conflict() -> None:
    assert "whether it went out is unknown" in went_out(*DOUBT)
    assert "it was begun" in went_out(*SENT[:3])
    assert "whether it went out is unknown" in went_out(*SENT[:3])
    gone = e.Resolved(run=RUN, key=KEY, by="person", said="abandoned", person=LEAD)
    late = e.Confirmed(run=RUN, key=KEY, receipt="c-1", by="the provider")
    assert "it did not go out" in went_out(*DOUBT, gone)
    text = went_out(*DOUBT, gone, late)
    assert "it went out" in text
    assert "conflict: it happened after all (c-1), though it was recorded as `abandoned`" in text


def test_what_nobody_was_asked_about_names_who_keeps_it() -> None:
    records = recorded(started(), drafted(), handed(OWNER), begun(), e.Effected(run=RUN, key=KEY, ok=True, receipt="r"))
    approved, out = explain(records)[1:]
    assert approved.record == (f"call refund: nobody was asked; {OWNER} answers for it",)
    assert out.record[0].endswith(f"nobody was asked; {OWNER} answers for it, hash {refund().digest()}")


def test_a_change_says_what_became_of_each_argument_and_carries_both_hashes() -> None:
    less = refund("45.00", note="half")
    rule = Rule(id="no-vip", effect="never", verb="call", objects=("refund",))
    told = account(recorded(*BEGIN, answered("modify", becomes=less, rules=(rule,))))
    (row,) = told.approved
    assert (row.action, row.object, row.who) == ("approve with a change", "Q1: call refund", LEAD)
    assert row.reason == (
        'person-signed; 1 more rule binds the rest of the run; amount: 60.00 became 45.00; note: nothing became "half"'
    )
    assert row.receipt.startswith(f"{refund().digest()}; {less.digest()}; signature sha256:")
    assert "approved with a change" in explain(recorded(*BEGIN, answered("modify", becomes=less)))[1].record[0]


def test_each_new_fact_answers_the_question_it_belongs_to() -> None:
    told = account(
        recorded(
            *BEGIN,
            e.Notified(run=RUN, who=LEAD, how="page", what="Q1"),
            e.Delivered(run=RUN, page=4, who=LEAD, how="mail", ok=False, receipt="refused"),
            rejected(),
            e.QuestionEscalated(run=RUN, question="Q1", to=NEXT, why="nobody answered in time"),
            e.QuestionReminded(run=RUN, question="Q1", count=2),
            *DOUBT,
            e.Resolved(run=RUN, key=KEY, by="probe", said="happened", receipt="r-1"),
            offered(),
            took(),
        )
    )
    assert [(row.action, row.object) for row in told.refused] == [("answer", "Q1")]
    assert told.refused[0].reason == "the answer `yes` does not count: AUTHORITY: this is beyond what they may sign"
    assert [(row.action, row.reason) for row in told.notified] == [
        ("tell", "by page"), ("deliver a page", "could not be delivered by mail"),
    ]  # fmt: skip
    assert [(row.action, row.object, row.who) for row in told.approved] == [
        ("approve", "Q1: call refund", LEAD),
        ("hand off", "call refund: suggestion to decision", LEAD),
        ("take the outcome over", "", NEXT),
    ]
    assert [row.action for row in told.considered] == ["call", "draft", "ask", "escalate", "remind", "offer the outcome"]
    assert ("doubt", "call refund") in [(row.action, row.object) for row in told.evidence]
    assert ("resolve a doubt", "call refund") in [(row.action, row.object) for row in told.evidence]
    assert "outcome unknown" not in [row.action for row in told.evidence], "it was found out"


def test_a_page_that_did_not_arrive_is_not_said_to_have_told_anybody() -> None:
    page = e.Notified(run=RUN, who=LEAD, how="page", what="Q1")
    lost = e.Delivered(run=RUN, page=4, who=LEAD, how="mail", ok=False, receipt="refused")
    said = explain(recorded(*BEGIN, page, lost))[2].record[-2:]
    assert said == (
        f"{LEAD} was told 2030-01-01 00:00:05 UTC by page: Q1",
        f"a page to {LEAD} could not be delivered by mail 2030-01-01 00:00:06 UTC; refused",
    )


def test_an_intent_whose_doubt_nobody_resolved_stays_unknown_in_the_evidence() -> None:
    told = account(recorded(*BEGIN, *DOUBT, END))
    assert [row.object for row in told.evidence if row.action == "outcome unknown"] == ["call refund"]


def test_a_quorum_that_was_not_reached_is_an_approval_by_nobody() -> None:
    two = replace(BEGIN[3], quorum=2)
    told = account(recorded(*BEGIN[:3], two, answered(), END))
    assert [row.who for row in told.approved] == [LEAD]
    assert told.refused[-1].reason == "no one approved; it did not go out"


def test_a_doubt_nobody_resolved_is_not_said_to_have_stayed_at_home() -> None:
    told = account(recorded(*BEGIN, *DOUBT, asked("Q2", about="doubt"), END))
    assert told.refused[-1].reason == "nobody said what became of it; whether it happened is unknown"


def test_the_procedure_has_every_step_with_actor_input_decision_and_evidence() -> None:
    steps = procedure(recorded(*BEGIN, *SENT, END))
    assert [step.step for step in steps] == list(range(1, 10))
    assert all(step.actor and step.action and step.evidence for step in steps)
    arguments = '{"amount":60.00,"currency":"EUR","customer":"c-1"}'
    assert [(step.actor, step.action, step.input) for step in steps[1:7]] == [
        ("agent", "call", f"refund {arguments}"),
        ("agent", "draft", f"call refund {arguments}"),
        ("remit", "ask", f"Q1: May the agent call refund? {arguments}"),
        (LEAD, "approve", f"Q1: call refund {arguments}"),
        ("remit", "hand off", f"call refund: suggestion to decision {arguments}"),
        ("remit", "intend", f"call refund {arguments}"),
    ]
    assert steps[1].decision.startswith("ask by large: asked of lead@example.com")
    assert steps[4].decision == "yes to rule large: person-signed"
    assert steps[5].decision == f"{LEAD} answers from here: approved in Q1"
    assert steps[7].evidence == "refund-77"
    assert len([line for line in "\n".join(lines(steps)).splitlines() if line.startswith("   ")]) > 9


def test_a_line_break_in_a_preview_or_a_reason_forges_no_line() -> None:
    forged = replace(drafted(), preview="pays\nforged: row")
    records = recorded(started(), forged, e.Withdrawn(run=RUN, key=KEY, how="refused", why="no\nforged: row"))
    assert not any(line.startswith("forged") for line in "\n".join(lines(procedure(records))).splitlines())


def test_who_took_the_outcome_over_is_named_as_its_owner() -> None:
    handled = explain(recorded(started(), offered(), took()))[0]
    assert handled.record[-1] == f"the outcome is owned by {NEXT}, who has not taken it"
