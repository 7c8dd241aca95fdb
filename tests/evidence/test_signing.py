"""What people signed is what is recorded: answers, changes, conditions, receipts, offers, acceptances, even what did not count."""

from typing import Any

import pytest
from msgspec.structs import replace

from remit.contract.rule import Rule
from remit.evidence.verify import Fault, Verified, said, verify
from remit.run import event as e

from .people import (
    KEYS,
    LEAD,
    NEXT,
    ORGANISATION,
    OWNER,
    RUN,
    STRANGER,
    accepted,
    answered,
    asked,
    drafted,
    offered,
    refund,
    rejected,
    started,
    took,
    worked,
)  # fmt: skip
from .strategies import PUBLIC, record

LESS = refund("45.00")
RULE = Rule(id="no-vip", effect="never", verb="call", objects=("refund",))
BEGIN = (started(), drafted(), asked())


def checked(*events: e.Event) -> Verified | Fault:
    rows, heads = record([*BEGIN, *events])
    return verify(rows, heads, [PUBLIC])


@pytest.mark.parametrize(
    "events",
    [
        (answered(),),
        (answered("no"),),
        (answered("modify", becomes=LESS),),
        (answered("modify", rules=(RULE,)),),
        (answered("modify", becomes=LESS, rules=(RULE,)),),
        (answered("modify", becomes=LESS), answered("yes", about=LESS.digest(), person=OWNER)),
        (answered("happened", receipt="they called me"),),
        (rejected(), answered()),
        (rejected(key=STRANGER, person="somebody@example.com"), rejected(signature="", key="", statement="")),
        (
            answered(note="they called me\nand asked"),
            offered(note="I leave"),
            took(note="gladly"),
            accepted(NEXT, note="well done"),
        ),
        (worked("sha256:one"), worked("sha256:two", attempt=2), accepted(sealed="sha256:two")),
        (worked("sha256:one"), e.AttemptStarted(run=RUN, attempt=2), accepted(sealed="")),
        (offered(), took(), accepted(NEXT)),
        (offered(), took(accepted=False), accepted(OWNER)),
        (offered(), offered(to=LEAD), took(LEAD), accepted(LEAD)),
        (accepted(OWNER),),
    ],
)
def test_what_is_signed_and_recorded_alike_verifies(events: tuple[e.Event, ...]) -> None:
    found = checked(*events)
    assert isinstance(found, Verified), said(found)
    assert found.signatures == sum(bool(getattr(event, "signature", "")) for event in events)


NOBODY: dict[str, Any] = {"assurance": "scripted", "statement": "", "signature": "", "key": ""}
OTHER = "signed something else than what is recorded"
ATTACKS: dict[str, tuple[tuple[e.Event, ...], str]] = {
    "the new action was exchanged": (
        (replace(answered("modify", becomes=LESS), action=refund("450.00")),), "another digest than that of what the action became",
    ),
    "the new action and its digest were exchanged": (
        (replace(answered("modify", becomes=LESS), action=refund("450.00"), digest=refund("450.00").digest()),), OTHER,
    ),
    "a change was added to a plain yes": ((replace(answered(), answer="modify", action=LESS, digest=LESS.digest()),), OTHER),
    "a change was taken out": ((replace(answered("modify", becomes=LESS), action=None, digest=""),), OTHER),
    "a condition was taken out": ((replace(answered("modify", rules=(RULE,)), rules=()),), OTHER),
    "a condition was added": ((replace(answered("modify", becomes=LESS), rules=(RULE,)),), OTHER),
    "a condition was exchanged": ((replace(answered("modify", rules=(RULE,)), rules=(replace(RULE, effect="ask"),)),), OTHER),
    "a receipt was exchanged": ((replace(answered("happened", receipt="r-1"), receipt="r-2"),), OTHER),
    "the answer was turned": ((replace(answered("no"), answer="yes"),), OTHER),
    "it answers what was asked before a change": ((answered("modify", becomes=LESS), answered("yes", person=OWNER)), OTHER),
    "it was said in another run": ((replace(answered(run="r9"), run=RUN),), OTHER),
    "a stranger's key": ((answered(key=STRANGER),), "not one that the organisation of run `r1` knows for `lead@example.com`"),
    "another person's key": ((answered(key=KEYS[OWNER]),), "not one that the organisation of run `r1` knows"),
    "no signature": ((replace(answered(), signature=""),), "does not cover the statement"),
    "a note was added": ((replace(answered(), note="the account is 4711"),), OTHER),
    "a note was exchanged": ((replace(answered(note="4711"), note="4712"),), OTHER),
    "a note was taken out": ((replace(answered(note="4711"), note=""),), OTHER),
    "a note was added to an acceptance": ((replace(accepted(), note="and double their bonus"),), OTHER),
    "a note was added to an offer": ((replace(offered(), note="as agreed"),), OTHER),
    "a note was added to a transfer": ((offered(), replace(took(), note="but not for July")), OTHER),
    "an answer is more certain than it was": ((replace(answered(assurance="terminal"), assurance="session"),), OTHER),
    "an acceptance is more certain than it was": ((replace(accepted(), assurance="person-signed"),), OTHER),
    "an offer is more certain than it was": ((replace(offered(), assurance="person-signed"),), OTHER),
    "another outcome was taken than was made": ((worked("sha256:made"), accepted(sealed="sha256:seen")), OTHER),
    "an outcome was taken that was made anew": (
        (worked("sha256:one"), worked("sha256:two", attempt=2), accepted(sealed="sha256:one")), OTHER,
    ),
    "an answer was stripped of its signature": ((replace(answered(), **NOBODY),), "nobody signed the answer of `lead@example.com`"),
    "a no was stripped of its signature": ((replace(answered("no"), **NOBODY),), "nobody signed"),
    "an answer to nothing that was asked is unsigned": ((replace(answered(name="Q9"), **NOBODY),), "nobody signed"),
    "an acceptance was stripped of its signature": ((replace(accepted(), **NOBODY),), "does not cover the statement"),
    "an offer was stripped of its signature": ((replace(offered(), **NOBODY),), "does not cover the statement"),
    "a transfer was stripped of its signature": ((offered(), replace(took(), **NOBODY)), "does not cover the statement"),
    "the offer goes to another": ((replace(offered(), to=LEAD),), OTHER),
    "somebody offers what is not theirs": ((offered(by=LEAD),), "was offered by `lead@example.com`, while `owner@example.com` owned it"),
    "nobody offered it": ((took(),), "`next@example.com` accepted an outcome that was not offered to them"),
    "it was offered to another": ((offered(to=LEAD), took(NEXT)), "was not offered to them"),
    "it is taken twice": ((offered(), took(), took()), "was not offered to them"),
    "a no was made a yes": ((offered(), replace(took(accepted=False), accepted=True)), OTHER),
    "the owner of before takes it": ((offered(), took(), accepted(OWNER)), "by `owner@example.com`, while `next@example.com` owned it"),
    "who was only offered it takes it": ((offered(), accepted(NEXT)), "by `next@example.com`, while `owner@example.com` owned it"),
    "an answer passes for an offer": (
        (replace(offered(), **{name: getattr(answered(person=OWNER), name) for name in ("statement", "signature", "key")}),),
        "does not cover the statement",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_recorded_otherwise_than_it_was_signed_is_found_where_it_stands(name: str) -> None:
    events, what = ATTACKS[name]
    found = checked(*events)
    assert isinstance(found, Fault), "it passed"
    assert what in found.what
    assert found.seq == len(BEGIN) + len(events) - 1


def test_in_test_mode_an_answer_needs_no_signature_and_counts_as_none() -> None:
    lax = started(organisation=replace(ORGANISATION, assurance="scripted"))
    less = (replace(answered("modify", becomes=LESS), **NOBODY), answered("yes", about=LESS.digest(), person=OWNER))
    rows, heads = record([lax, drafted(), asked(), *less])
    found = verify(rows, heads, [PUBLIC])
    assert isinstance(found, Verified), said(found)
    assert (found.signatures, found.unsigned) == (1, 1)


def test_what_decides_about_no_effect_may_be_answered_unsigned_and_that_is_said() -> None:
    question = asked("Q2", about="context", action=None, digest="", draft="")
    found = checked(question, replace(answered(name="Q2", note="the blue one"), **NOBODY), answered())
    assert isinstance(found, Verified), said(found)
    assert (found.signatures, found.unsigned) == (1, 1)


@pytest.mark.parametrize("wrong", [{"statement": "remit.answer/1\n"}, {"signature": "none"}, {"key": ""}, {"signature": ""}])
def test_an_answer_that_did_not_count_claims_nothing_whatever_it_looks_like(wrong: dict[str, Any]) -> None:
    found = checked(replace(rejected(), **wrong), answered())
    assert isinstance(found, Verified), said(found)
    assert found.signatures == 1


def test_a_run_whose_beginning_was_erased_is_checked_as_far_as_it_is_known() -> None:
    rows, heads = record([answered(), offered(by=LEAD), accepted(NEXT)])
    assert isinstance(verify(rows, heads, [PUBLIC]), Verified)


def test_the_names_of_people_in_the_attacks_are_known() -> None:
    assert set(KEYS) == {OWNER, LEAD, NEXT}
