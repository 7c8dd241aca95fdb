"""The progress file of a chain is made from what was recorded, is always the same, and is read by what reads such files."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.progress_file import CONTEXT_BYTES, NAME, Progress, context_bytes, read_progress, write_progress
from remit.plan.reported import Exported, Issue, Report, Validation, Verified
from remit.plan.step import Pinned, Plan, Step
from remit.run.chain import Chain, fold
from remit.run.chain_progress import progress, session_of
from remit.run.chained import PlanEnded, PlanPinned, StepEnded, StepSkipped, StepStarted, Validated
from remit.run.fact import Fact
from remit.run.state import Run

START = datetime(2026, 1, 10, 14, 30, tzinfo=UTC)
RUN = "run-7"
NAMES = ("sea-routes", "ticket-store", "crew-login", "harbour-light")


def step(name: str) -> Step:
    return Step(id=name, skill=Pinned(name=name, invocation=f"harbour:{name}"))


PLAN = Plan(
    name="ferry-bookings",
    goal="Book ferries",
    steps=(*map(step, NAMES), Step(id="look", kind="person", person="owner")),
    maturity="advanced",
    runtime="agent",
    source="ferry-bookings.md",
)


def started(name: str, number: int = 1) -> Fact:
    return StepStarted(run=RUN, step=name, number=number, child=f"{name}-{number}")


def ended(name: str, outcome: str = "complete", number: int = 1, **more: object) -> Fact:
    return StepEnded(run=RUN, step=name, number=number, child=f"{name}-{number}", outcome=outcome, **more)  # type: ignore[arg-type]


def told(*facts: tuple[int, Fact], plan: Plan = PLAN, invoked: tuple[str, ...] = (), project: str = "/project") -> Progress:
    """The progress after facts, each so many minutes after the start."""
    chain: Chain | None = fold(None, PlanPinned(run=RUN, plan=plan), START)
    at = START
    for seq, (minutes, fact) in enumerate(facts, 1):
        at = START + timedelta(minutes=minutes)
        chain = fold(chain, fact, at, seq)
    found = progress(Run(id=RUN, started_at=START, at=at, chain=chain), project=project, invoked=invoked)
    assert found is not None
    return found


REPORT = Report(
    skill="sea-routes",
    found=True,
    decisions=("map: OpenSeaMap", "no ferries at night", "map: another"),
    outputs=(Exported(key="routes", value="src/routes.py"),),
)
MIDWAY = (
    (0, started("sea-routes")),
    (3, ended("sea-routes", files=("src/routes.py",), report=REPORT)),
    (3, started("ticket-store")),
    (5, ended("ticket-store", "hung", why="no word for 30 minutes")),
)


def test_a_run_that_is_no_chain_has_no_progress() -> None:
    assert progress(Run(id=RUN)) is None


def test_statuses_agents_and_times_are_those_that_were_recorded() -> None:
    found = told(*MIDWAY, invoked=("harbour:sea-routes",))
    assert [(each.name, each.status, each.agent_id, each.error) for each in found.skills] == [
        ("sea-routes", "complete", "sea-routes-1", None),
        ("ticket-store", "failed", "ticket-store-1", "no word for 30 minutes"),
        ("crew-login", "pending", None, None),
        ("harbour-light", "pending", None, None),
    ]
    first = found.skills[0]
    assert (first.invocation, first.executor) == ("harbour:sea-routes", "agent")
    assert (first.started_at, first.completed_at) == ("2026-01-10T14:30:00Z", "2026-01-10T14:33:00Z")
    assert (found.started_at, found.updated_at) == ("2026-01-10T14:30:00Z", "2026-01-10T14:35:00Z")


def test_files_are_those_that_were_seen_and_decisions_go_by_topic() -> None:
    outputs = told(*MIDWAY).skills[0].outputs
    assert outputs is not None
    assert outputs.files_created == ("/project/src/routes.py",)
    assert outputs.decisions == {"map": "OpenSeaMap", "decision_2": "no ferries at night", "decision_3": "map: another"}
    assert outputs.exports == {"routes": "src/routes.py"}


def test_the_head_names_blueprint_maturity_and_session() -> None:
    found = told()
    assert (found.version, found.blueprint, found.maturity, found.goal) == ("1.0", "ferry-bookings", "production", "Book ferries")
    assert told(plan=Plan(name="mine", goal="g", steps=(step("a"),), source="mine.chain.yaml")).blueprint is None


def test_the_same_run_always_has_the_same_session_and_it_is_a_uuid() -> None:
    assert session_of(RUN) == session_of(RUN) == told().session_id
    assert session_of(RUN) != session_of("run-8")
    assert (uuid.UUID(session_of(RUN)).version, uuid.UUID(session_of(RUN)).variant) == (5, uuid.RFC_4122)


def test_counts_are_computed_and_activation_is_what_was_seen() -> None:
    execution = told(*MIDWAY, invoked=("harbour:sea-routes",)).execution
    assert (execution.total_skills, execution.completed_count, execution.failed_count, execution.skipped_count) == (4, 1, 1, 0)
    assert (execution.current_index, execution.activation_rate) == (1, 50.0)


def test_a_skill_counts_as_invoked_by_its_name_or_its_invocation() -> None:
    facts = ((0, started("sea-routes")),)
    assert told(*facts, invoked=("sea-routes",)).execution.activation_rate == 100.0
    assert told(*facts, invoked=("other-group:sea-routes",)).execution.activation_rate == 100.0
    assert told(*facts, invoked=("boats",)).execution.activation_rate == 0.0


def test_what_was_never_begun_counts_against_activation_once_the_chain_is_over_unless_it_was_skipped_by_consent() -> None:
    over = (
        *MIDWAY,
        (6, StepSkipped(run=RUN, step="crew-login", person="owner@example.com")),
        (7, PlanEnded(run=RUN, how="aborted")),
    )
    execution = told(*over, invoked=("sea-routes",)).execution
    assert (execution.skipped_count, execution.activation_rate) == (1, 33.3)


def test_skills_that_were_at_work_at_the_same_time_are_a_batch() -> None:
    facts = (
        (0, started("sea-routes")), (0, started("ticket-store")), (2, ended("sea-routes")), (3, started("crew-login")),
        (4, ended("ticket-store")), (5, started("harbour-light")), (6, ended("crew-login")), (7, ended("harbour-light")),
    )  # fmt: skip
    assert told(*facts).execution.parallel_batches == (("sea-routes", "ticket-store"), ("crew-login", "harbour-light"))


def test_a_chain_one_after_the_other_has_no_batches() -> None:
    assert told(*MIDWAY).execution.parallel_batches == ()


def test_a_retry_shows_the_last_agent() -> None:
    found = told(*MIDWAY, (6, started("ticket-store", 2)))
    assert (found.skills[1].status, found.skills[1].agent_id, found.skills[1].error) == ("in_progress", "ticket-store-2", None)


def test_what_was_told_is_gathered_by_skill() -> None:
    custom = told(*MIDWAY).context.areas["custom"]
    assert custom == {
        "sea-routes": {
            "map": "OpenSeaMap",
            "decision_2": "no ferries at night",
            "decision_3": "map: another",
            "routes": "src/routes.py",
        }
    }


def test_what_does_not_fit_is_named_not_cut() -> None:
    large = Report(found=True, decisions=(f"essay: {'x' * CONTEXT_BYTES}",))
    facts = ((0, started("sea-routes")), (1, ended("sea-routes", report=large)), (2, started("ticket-store")))
    found = told(*facts, (3, ended("ticket-store", report=REPORT)))
    assert found.context.areas["custom"]["left_out"] == ["sea-routes"]
    assert "ticket-store" in found.context.areas["custom"]
    assert found.skills[0].outputs is not None


def test_validation_is_what_was_computed() -> None:
    judged = Validation(
        status="PARTIAL", completeness=75, verified=3, expected=4, missing=("Lamps",), warnings=("no linter is here",),
        deliverables=(Verified(name="Routes", status="complete"), Verified(name="Lamps", status="missing", details=("lamps.yaml",))),
        issues=(Issue(path="src/routes.py", what="it is empty", line=1),),
    )  # fmt: skip
    found = told((9, Validated(run=RUN, child="v", round=1, found=judged))).validation
    assert found is not None
    assert (found.completeness, found.status, found.missing) == (75, "PARTIAL", ("Lamps",))
    assert [(each.name, each.status, each.details) for each in found.deliverables] == [
        ("Routes", "verified", None), ("Lamps", "missing", "lamps.yaml"),
    ]  # fmt: skip
    assert found.warnings == ("src/routes.py:1: it is empty", "no linter is here")


def test_before_validation_there_is_none() -> None:
    assert told(*MIDWAY).validation is None


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
reports = st.builds(
    Report,
    found=st.just(True),
    decisions=st.lists(words | st.integers(0, CONTEXT_BYTES).map(lambda size: "y" * size), max_size=3).map(tuple),
    outputs=st.lists(st.builds(Exported, key=words, value=words), max_size=3).map(tuple),
)
outcomes = st.sampled_from(["complete", "complete", "failed", "hung", "conflict"])
facts = st.lists(
    st.one_of(
        st.builds(started, st.sampled_from(NAMES), st.integers(1, 3)),
        st.builds(lambda name, outcome, report: ended(name, outcome, report=report), st.sampled_from(NAMES), outcomes, reports),
        st.builds(lambda name: StepSkipped(run=RUN, step=name, person="p"), st.sampled_from(NAMES)),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(facts)
def test_whatever_happened_the_file_is_sound_small_and_read_as_it_was_written(happened: list[Fact]) -> None:
    found = told(*enumerate(happened), invoked=NAMES[:2])
    assert context_bytes(found.context) < CONTEXT_BYTES
    assert 0 <= found.execution.activation_rate <= 100
    again, noted = read_progress(write_progress(found), file=NAME)
    assert (again, noted) == (found, ())
