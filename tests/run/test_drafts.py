"""An effect in the outbox: whatever is told about it, what was known is never lost without a word."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from run_people import LEAD, asked, begun, drafted, refund, said
from test_lifecycle import RUN, START

from remit.run import event as e
from remit.run.outbox import ENDED, OPEN, Draft, after, meant

KEY = "R1:E1"
ACTION = refund()
FACTS = st.one_of(
    st.just(e.Intended(run=RUN, key=KEY, action=ACTION)),
    st.builds(e.Effected, run=st.just(RUN), key=st.just(KEY), ok=st.booleans(), receipt=st.sampled_from(["", "r-1", "r-2"])),
    st.builds(
        e.Withdrawn, run=st.just(RUN), key=st.just(KEY), how=st.sampled_from(["refused", "expired", "abandoned"]), why=st.just("w")
    ),
    st.just(e.InDoubt(run=RUN, key=KEY, why="the power went")),
    st.builds(
        e.Resolved, run=st.just(RUN), key=st.just(KEY), by=st.sampled_from(["probe", "idempotency", "person"]),
        said=st.sampled_from(["happened", "did not happen", "may be repeated", "abandoned"]),
    ),
    st.builds(e.Confirmed, run=st.just(RUN), key=st.just(KEY), receipt=st.sampled_from(["c-1", "c-2"]), by=st.just("provider")),
    st.just(e.HandedOff(run=RUN, key=KEY, transition="draft to sent", responsible=(LEAD,), by="approved in Q1")),
)  # fmt: skip


def fresh() -> Draft:
    return Draft(drafted=drafted(KEY, ACTION), at=START, action=ACTION)


def told(*facts: object) -> Draft:
    draft = fresh()
    for fact in facts:
        draft = after(draft, fact, START)  # type: ignore[arg-type]
    return draft


@given(st.lists(FACTS, max_size=10))
def test_what_is_published_is_never_left_without_a_conflict_on_record(facts: list[object]) -> None:
    draft = fresh()
    for fact in facts:
        before, draft = draft, after(draft, fact, START)  # type: ignore[arg-type]
        if before.state == "published":
            assert draft.state == "published" or draft.conflict, fact


@given(st.lists(FACTS, max_size=10))
def test_what_has_ended_stays_ended_and_only_word_that_it_happened_changes_it(facts: list[object]) -> None:
    draft = fresh()
    for fact in facts:
        before, draft = draft, after(draft, fact, START)  # type: ignore[arg-type]
        if before.state in ENDED and draft.state != before.state:
            assert draft.state == "published", fact
            decided = {before.state, before.resolved.said if before.resolved else before.state}
            if before.begun is None:
                assert "nobody had released it" in draft.conflict
            else:
                assert any(word in draft.conflict for word in decided)


@given(st.lists(FACTS, max_size=10))
def test_nothing_is_begun_twice_without_a_doubt_resolved_in_between(facts: list[object]) -> None:
    draft = fresh()
    unresolved = False
    for fact in facts:
        before, draft = draft, after(draft, fact, START)  # type: ignore[arg-type]
        if isinstance(fact, e.Intended) and before.state in {"publishing", "unknown"}:
            unresolved = True
        assert not unresolved or draft.conflict, "begun again though nobody knew what became of the first time"


@given(st.lists(FACTS, max_size=10))
def test_a_conflict_once_seen_is_never_overwritten_with_nothing(facts: list[object]) -> None:
    draft = fresh()
    for fact in facts:
        before, draft = draft, after(draft, fact, START)  # type: ignore[arg-type]
        assert draft.conflict or not before.conflict
        assert draft.key == KEY


@given(st.lists(FACTS, max_size=10))
def test_only_what_was_begun_can_come_to_be_in_doubt(facts: list[object]) -> None:
    draft = told(*facts)
    assert draft.begun is not None or draft.state not in {"publishing", "unknown"}
    assert draft.tries == sum(isinstance(fact, e.Intended) for fact in facts) or draft.conflict


def test_a_late_confirmation_keeps_what_was_decided_beside_it() -> None:
    begin, doubt = e.Intended(run=RUN, key=KEY, action=ACTION), e.InDoubt(run=RUN, key=KEY, why="cut off")
    gone = e.Resolved(run=RUN, key=KEY, by="person", said="abandoned", person=LEAD)
    late = e.Confirmed(run=RUN, key=KEY, receipt="c-1", by="provider")
    draft = told(begin, doubt, gone, late)
    assert (draft.state, draft.receipt) == ("published", "c-1")
    assert draft.resolved == gone
    assert draft.conflict == "it happened after all (c-1), though it was recorded as `abandoned`"
    assert told(begin, doubt, late).conflict == "", "a doubt is no decision"


def test_word_of_what_nobody_released_is_a_conflict() -> None:
    draft = told(e.Confirmed(run=RUN, key=KEY, receipt="c-1", by="provider"))
    assert (draft.state, draft.conflict) == ("published", "it happened (c-1), though nobody had released it")


def test_a_no_of_the_provider_after_somebody_said_it_happened_is_a_conflict() -> None:
    draft = told(
        e.Intended(run=RUN, key=KEY, action=ACTION),
        e.InDoubt(run=RUN, key=KEY, why="cut off"),
        e.Resolved(run=RUN, key=KEY, by="person", said="happened", person=LEAD, receipt="they told me"),
        e.Effected(run=RUN, key=KEY, ok=False, receipt="the provider refused it"),
    )
    assert draft.state == "published"
    assert "the provider refused it" in draft.conflict


def test_what_a_probe_found_is_kept_with_its_output() -> None:
    draft = told(
        e.Intended(run=RUN, key=KEY, action=ACTION),
        e.InDoubt(run=RUN, key=KEY, why="cut off"),
        e.Resolved(run=RUN, key=KEY, by="probe", said="happened", receipt="r-1"),
        e.Effected(run=RUN, key=KEY, ok=True, receipt="r-1", output='{"id": 1}'),
    )
    assert (draft.state, draft.receipt, draft.output, draft.conflict) == ("published", "r-1", '{"id": 1}', "")


def test_a_draft_is_asked_while_any_of_its_questions_is_open() -> None:
    story = begun()
    story.tell(drafted(KEY, ACTION))
    assert story.run.drafts[KEY].state == "drafted"
    story.tell(asked("Q1", ACTION, KEY), asked("Q2", ACTION, KEY, of=("owner@example.com",)))
    assert story.run.drafts[KEY].state == "asked"
    story.tell(said("Q1", "yes"))
    assert story.run.drafts[KEY].state == "asked"
    less = refund(currency="CHF")
    story.tell(said("Q2", "modify", "owner@example.com", action=less, digest=less.digest()))
    assert (story.run.drafts[KEY].state, story.run.drafts[KEY].action) == ("answered", less)
    assert story.run.drafts[KEY].drafted.action == ACTION


def test_asking_again_means_the_same_draft_until_it_is_over_and_its_end_was_told() -> None:
    draft, digest = fresh(), ACTION.digest()
    over = Draft(drafted=drafted("R1:E2", ACTION), at=START, action=ACTION, state="published", collected=True)
    assert meant({KEY: draft}, digest) is draft
    assert meant({"R1:E2": over}, digest) is None
    assert meant({"R1:E2": over, KEY: draft}, digest) is draft
    for state in ("drafted", "asked", "answered", "publishing", "unknown"):
        waits = replace(over, state=state)
        assert meant({"R1:E2": waits}, digest) is waits, "what is not over is no new effect, however often it was told"
    untold = replace(over, collected=False)
    assert meant({"R1:E2": untold}, digest) is untold
    named = replace(over, drafted=drafted("R1:E3", ACTION, ref="order 7"))
    assert meant({"R1:E3": named}, digest, "order 7") is named, "the caller's own name stands for one effect for good"
    assert meant({"R1:E3": named}, digest) is None


def test_open_and_ended_states_have_nothing_in_common() -> None:
    assert not OPEN & ENDED
