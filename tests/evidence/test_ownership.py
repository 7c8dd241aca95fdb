"""At which exact step a person becomes responsible, and what is only implied."""

import pytest

from remit.contract.parse import parse, parse_organisation
from remit.evidence.handed import owned
from remit.evidence.ownership import IMPLIED, Plan, plan
from remit.run import event as e
from remit.run.evolve import replay

from .people import (
    KEY,
    LEAD,
    NEXT,
    OWNER,
    RUN,
    accepted,
    answered,
    asked,
    begun,
    drafted,
    handed,
    offered,
    recorded,
    started,
    took,
)

KEYTEXT = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
ORG = f"""\
name: Example
people:
  - id: owner@example.com
    keys: [{KEYTEXT}]
    may sign:
      - call: refund
        where: {{amount: {{from: 0, to: 50}}, currency: EUR, customer: any}}
      - call: send_email
  - id: lead@example.com
    roles: [support-lead]
    keys: [{KEYTEXT[:-1]}g]
    may sign:
      - call: refund
        where: {{amount: {{from: 0, to: 500}}, currency: EUR}}
  - id: keyless@example.com
    roles: [nobody-home]
tools:
  refund: {{effect: execute, tier: high-risk, arguments: {{amount: number, currency: text, customer: text}}}}
  send_email: {{effect: send, arguments: {{to: text}}}}
  look_up: {{effect: read, arguments: {{customer: text}}}}
"""
CONTRACT = """\
goal: Answer the customers of July
owner: owner@example.com
may:
  - call: refund
    where: {amount: {from: 0.01, to: 50}, currency: EUR, customer: any}
  - call: look_up
    where: {customer: any}
  - write: replies/**
ask:
  - call: refund
    where: {amount: {over: 50, to: 500}, currency: EUR}
    who: support-lead
  - call: send_email
limits: {turns: 40, time: 30m}
success: [{id: a, file: replies/a.md, exists: true}]
recovery:
  - {when: stuck, do: hand over, to: support-lead}
escalation:
  - {for: refund, page: support-lead, within: 2h, then: [owner], otherwise: stop}
"""


def planned(contract: str = CONTRACT, org: str | None = ORG, **more: str) -> Plan:
    parsed = parse(contract, file="c.remit.yaml")
    organisation = None
    if org is not None:
        read = parse_organisation(org, file="org.remit.yaml")
        assert read.organisation is not None, read.findings
        organisation = read.organisation
    return plan(parsed.draft, organisation, identity=more.get("identity"), marks=parsed.marks)


def wrong(found: Plan) -> list[str]:
    assert all(one.code == IMPLIED and one.severity == "error" for one in found.findings)
    return [f"{one.where}: {one.message}" for one in found.findings]


def test_every_hand_off_names_its_step_its_person_and_how_it_is_recorded() -> None:
    found = planned()
    assert wrong(found) == []
    rows = [(step.step, step.what, step.transition, step.responsible, step.recorded) for step in found.steps]
    assert rows == [
        (1, "call refund", "suggestion to decision", (OWNER,), "kept by the owner under rule may-call-1"),
        (2, "call refund", "suggestion to decision", (LEAD,), "signed answer bound to the action"),
        (3, "call send_email", "draft to sent", (OWNER,), "signed answer bound to the action"),
        (
            4, "publish the workspace", "suggestion to decision", (OWNER,),
            "kept by the owner, whose checks decide; it can be undone",
        ),
        (
            5, "hand over to support-lead when stuck", "suggestion to decision", (OWNER,),
            "offer of ownership, and its signed acceptance by support-lead",
        ),
        (6, "take the outcome", "suggestion to decision", (OWNER,), "signed acceptance bound to the outcome"),
    ]  # fmt: skip
    assert found.steps[1].ladder == ("support-lead", "owner")
    assert found.steps[1].silence == "after 7200 s for support-lead, then owner: the run is stopped"
    assert found.steps[2].silence == "it waits: nothing happens until somebody answers"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("owner: owner@example.com\n", "", "owner: no owner: nobody answers for what nobody is asked about"),
        (
            "owner: owner@example.com\n", "owner: [owner@example.com, lead@example.com]\n",
            "owner: 2 owners: each will think that another one answers",
        ),
        (
            "owner: owner@example.com\n", "owner: else@example.com\n",
            "owner: `else@example.com` owns this and is nobody the organisation knows",
        ),
        (
            "who: support-lead", "who: support-lad",
            "rule ask-call-1: `support-lad` is to be asked, and that is nobody the organisation knows, nor a role anybody holds",
        ),
        (
            "who: support-lead", "who: nobody-home",
            "rule ask-call-1: `keyless@example.com` is to be asked and has no key, so no answer of theirs could be proved",
        ),
        (
            "then: [owner]", "then: [keyless@example.com]",
            "escalation[0].page: `keyless@example.com` is to be paged and has no key, so no answer of theirs could be proved",
        ),
        (
            "amount: {from: 0.01, to: 50}", "amount: {from: 0.01, to: 50.01}",
            "rule may-call-1: `owner@example.com` keeps it and may not sign it: amount 50.01, currency EUR, customer anything",
        ),
        (
            "amount: {from: 0.01, to: 50}", "amount: any",
            "rule may-call-1: `owner@example.com` keeps it and may not sign it: amount anything, currency EUR, customer anything",
        ),
        (
            "currency: EUR, customer: any}", "currency: [EUR, CHF], customer: any}",
            "rule may-call-1: `owner@example.com` keeps it and may not sign it: amount 50, currency CHF, customer anything",
        ),
        (
            "to: 500}", "to: 501}",
            "rule ask-call-1: nobody who is asked (lead@example.com, owner@example.com) may sign all of it: amount 501, currency EUR",
        ),
        (
            "limits:", "tools: {wipe: {effect: publish}}\nlimits:",
            "tools.wipe: `wipe` cannot be called back, and no rule says who answers for it",
        ),
    ],
)  # fmt: skip
def test_what_is_only_implied_is_an_error(old: str, new: str, what: str) -> None:
    assert old in CONTRACT
    found = planned(CONTRACT.replace(old, new, 1))
    assert what in wrong(found)
    assert not found.ok


TASKS = {
    "draft_copy": ("draft", False), "summarise_calls": ("suggest", False), "brainstorm": ("suggest", False),
    "extract_bullets": ("read", False), "send_commitment": ("send", True), "refund": ("execute", True),
    "decide_for_customer": ("execute", True), "file_with_auditor": ("publish", True),
}  # fmt: skip


def test_the_eight_tasks_of_the_source_are_reversible_or_of_consequence_exactly() -> None:
    tools = "".join(f"  {name}: {{effect: {effect}, tier: high-risk}}\n" for name, (effect, _) in TASKS.items())
    rules = "".join(f"  - call: {name}\n" for name in TASKS)
    found = planned(f"goal: g\nowner: {OWNER}\nask:\n{rules}tools:\n{tools}", None, identity=OWNER)
    assert [step.what.removeprefix("call ") for step in found.steps[:-1]] == [name for name, (_, of) in TASKS.items() if of]
    assert found.ok


def test_a_tier_above_what_the_owner_signs_is_implied() -> None:
    org = ORG.replace("  - id: owner@example.com\n", "  - id: owner@example.com\n    signs tier: bounded\n")
    assert [text.partition(":")[0] for text in wrong(planned(org=org))] == ["rule may-call-1"]


def test_what_an_ask_leaves_open_is_no_reason_that_nobody_may_sign_it() -> None:
    narrow = ORG.replace(
        "{amount: {from: 0, to: 500}, currency: EUR}", "{amount: {from: 0, to: 500}, currency: EUR, customer_tier: standard}"
    )
    assert narrow != ORG
    assert wrong(planned(org=narrow)) == []
    assert len(wrong(planned(CONTRACT.replace("to: 500}", "to: 500.01}"), org=narrow))) == 1


def test_an_owner_with_the_local_key_needs_no_organisation_file() -> None:
    plain = "goal: g\nowner: owner@example.com\nmay:\n  - write: docs/**\nask:\n  - push: origin\n"
    found = planned(plain, None, identity=OWNER)
    assert wrong(found) == []
    assert [(step.what, step.transition) for step in found.steps] == [
        ("push origin", "internal to external"),
        ("publish the workspace", "suggestion to decision"),
        ("take the outcome", "suggestion to decision"),
    ]


def test_every_mistake_has_its_place_in_the_file() -> None:
    (one,) = planned(CONTRACT.replace("who: support-lead", "who: support-lad", 1)).findings
    assert str(one.mark) == "c.remit.yaml:10:5"


def test_a_run_says_what_was_handed_off_at_which_step_and_whose_the_outcome_is() -> None:
    events = (
        started(), drafted(), asked(), answered(), handed(), begun(), e.Effected(run=RUN, key=KEY, ok=True, receipt="r"),
        e.AttemptStarted(run=RUN, attempt=1),
        e.WorkDone(run=RUN, attempt=1, status=0, why="ended", sealed="s", receipt="gone"),
        e.VerdictReached(run=RUN, verdict="success"),
    )  # fmt: skip
    records = recorded(*events)
    told = owned(records, replay(records))
    assert [(step.seq, step.what, step.transition, step.who, step.by) for step in told.steps] == [
        (4, "call refund", "suggestion to decision", (LEAD,), "approved in Q1")
    ]
    assert (told.owner, told.offered_to, told.done) == (OWNER, "", False)
    assert told.says == f"success, but nobody has taken the outcome; {OWNER} owns it"

    records = recorded(*events, offered())
    told = owned(records, replay(records))
    assert (told.owner, told.offered_to, told.done) == (OWNER, NEXT, False)
    assert told.says == f"success, but nobody has taken the outcome; stays with {OWNER} until {NEXT} accepts"

    records = recorded(*events, offered(), took(), accepted(NEXT))
    told = owned(records, replay(records))
    assert (told.owner, told.offered_to, told.acceptance, told.done) == (NEXT, "", "accepted", True)
    assert [step.what for step in told.steps[1:]] == [
        "the outcome is offered", "the outcome is taken over", "the outcome is accepted",
    ]  # fmt: skip
    assert told.steps[-1].proof.startswith("signature sha256:")


def test_a_draft_nobody_released_is_shown_as_one() -> None:
    records = recorded(started(), drafted(), asked())
    told = owned(records, replay(records))
    assert told.waiting == (f"{KEY}: call refund (asked)",)
    assert (told.done, told.says) == (False, f"not completed; {OWNER} owns it")
