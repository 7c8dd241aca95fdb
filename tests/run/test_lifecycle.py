"""A run is a fold: any legal story folds, any prefix of it folds, and the next move is always known."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Spend
from remit.contract.outcome import FileCheck, Recovery
from remit.contract.party import Organisation
from remit.contract.rule import Rule
from remit.errors import Tampered
from remit.run import event as e
from remit.run import next_move as m
from remit.run.change import ChangeSet
from remit.run.evolve import evolve, replay
from remit.run.lifecycle import MOVES, PHASES, diagram, next_phase
from remit.run.state import Run

START = datetime(2026, 1, 1, tzinfo=UTC)
RUN = "r1"
WHENS = ["links fails", "any check fails", "refused", "stuck", "limit reached", "crashed", "failed"]
REMEDIES = ["retry", "continue", "ask owner", "hand over", "undo", "stop"]

recoveries = st.lists(
    st.builds(
        Recovery,
        when=st.sampled_from(WHENS),
        do=st.sampled_from(REMEDIES),
        times=st.integers(1, 2),
        to=st.just("release-lead@example.com"),
        listed_in=st.just("broken.md"),
    ),
    max_size=5,
).map(tuple)


def contract(recovery: tuple[Recovery, ...] = (), publish: str = "auto") -> Contract:
    return Contract(
        goal="the docs are ready",
        owner="release-lead@example.com",
        rules=(Rule(id="r", effect="may", verb="write", objects=("docs/**",)),),
        limits=Limits(time=60, turns=5),
        success=(FileCheck(id="links", file="a", exists=True),),
        recovery=recovery,
        publish="ask" if publish == "ask" else "auto",
    )


class Story:
    """Facts of one run, in order, as a ledger would hold them."""

    def __init__(self) -> None:
        self.records: list[e.Recorded] = []

    def tell(self, *facts: e.Event) -> None:
        for fact in facts:
            kind = msgspec.to_builtins(fact)["kind"]
            seq = len(self.records)
            self.records.append(e.Recorded(seq=seq, at=START + timedelta(seconds=seq), run=fact.run, kind=kind, event=fact))

    @property
    def run(self) -> Run:
        return replay(self.records)


def begun(recovery: tuple[Recovery, ...] = (), publish: str = "auto") -> Story:
    story = Story()
    story.tell(
        e.Started(
            run=RUN,
            contract=contract(recovery, publish),
            organisation=Organisation(),
            workspace="/w",
            command=("true",),
            trigger="t",
        )
    )
    return story


REASON = Reason(code=Code.UNCOVERED, rule=None, contract="c", why="no rule")


def act(story: Story, move: m.Move, draw: st.DataObject) -> bool:  # noqa: C901 - one case a move
    """What an engine might record for a move, chosen by hypothesis; False when the story rests."""
    run = story.run
    match move:
        case m.Work(attempt=attempt):
            story.tell(e.AttemptStarted(run=RUN, attempt=attempt))
            for _ in range(draw.draw(st.integers(0, 3))):
                refused = e.Decided(
                    run=RUN,
                    action=Action(verb="push", object="x"),
                    digest="d",
                    decision="refuse",
                    reasons=(REASON,),
                    at_door="door",
                )
                story.tell(refused)
            if draw.draw(st.booleans()):
                why = draw.draw(st.sampled_from(["ended", "limit", "stopped", "stuck"]))
                story.tell(e.WorkDone(run=RUN, attempt=attempt, status=0, why=why, sealed="s", receipt="gone"))
        case m.Lose():
            story.tell(e.AttemptLost(run=RUN, attempt=run.attempt, why="gone"))
        case m.Judge():
            held = ("d",) if draw.draw(st.integers(0, 3)) == 0 and not run.questions else ()
            if held:
                story.tell(e.QuestionAsked(run=RUN, question=f"Q{len(run.questions) + 1}", about="change", text="?", of=("o",)))
            story.tell(e.ChangesJudged(run=RUN, attempt=run.attempt, changes=ChangeSet(), held=held))
        case m.Check(round=round_):
            failed = ("links",) if draw.draw(st.booleans()) else ()
            excused = failed if draw.draw(st.booleans()) else ()
            story.tell(
                e.CheckRan(run=RUN, check="links", round=round_, ok=not failed, evidence=""),
                e.ChecksFinished(
                    run=RUN, round=round_, failed=failed, excused=excused, exceptions=tuple(f"x {name}" for name in excused)
                ),
            )
        case m.Recover(entry=entry, rung=rung):
            story.tell(e.RecoveryEntered(run=RUN, entry=entry, when=rung.when, do=rung.do, why="w"))
            if rung.do == "ask owner":
                name = f"Q{len(run.questions) + 1}"
                until = START if draw.draw(st.booleans()) else None
                story.tell(e.QuestionAsked(run=RUN, question=name, about="recovery", text="?", of=("o",), expires=until))
        case m.AskPublish():
            story.tell(e.QuestionAsked(run=RUN, question=f"Q{len(run.questions) + 1}", about="publish", text="?", of=("o",)))
        case m.Conclude(verdict=verdict, exceptions=exceptions):
            story.tell(e.VerdictReached(run=RUN, verdict=verdict, exceptions=exceptions))
        case m.Publish():
            if run.phase != "publishing":
                story.tell(e.PublishIntended(run=RUN, attempt=run.attempt, journal="j"))
            if draw.draw(st.booleans()):
                story.tell(e.Published(run=RUN, attempt=run.attempt, paths=(), refs=(), receipt="r"))
            elif draw.draw(st.booleans()):
                story.tell(e.PublishFailed(run=RUN, attempt=run.attempt, why="conflict"))
        case m.Discard():
            story.tell(e.Undone(run=RUN, paths=(), receipt="r"))
        case m.Undo():
            story.tell(
                e.Undone(run=RUN, paths=(), receipt="r") if draw.draw(st.booleans()) else e.UndoFailed(run=RUN, why="later")
            )
        case m.Expire(question=question):
            story.tell(e.QuestionExpired(run=RUN, question=question, otherwise=draw.draw(st.sampled_from(["refuse", "stop"]))))
        case m.Tell():
            story.tell(e.Notified(run=RUN, who="o", how="inbox", what="ended", ending=True))
        case m.Rest():
            return person(story, draw)
    return True


def person(story: Story, draw: st.DataObject) -> bool:
    """Somebody acts on a resting run, or nobody does."""
    run = story.run
    if not draw.draw(st.booleans()):
        return False
    if run.open_questions:
        said = draw.draw(st.sampled_from(["yes", "no"]))
        name = run.open_questions[0].question
        story.tell(
            e.QuestionAnswered(
                run=RUN, question=name, answer=said, person="o", assurance="terminal", statement="s", signature="g", key="k"
            )
        )
        return True
    if run.verdict is not None and run.acceptance == "pending":
        said = draw.draw(st.sampled_from(["accepted", "declined"]))
        story.tell(e.Accepted(run=RUN, acceptance=said, person="o", assurance="terminal", statement="s", signature="g", key="k"))
        return True
    if run.phase == "published" and not run.undone:
        story.tell(e.UndoIntended(run=RUN, by="o"))
        return True
    return False


@given(data=st.data(), recovery=recoveries, publish=st.sampled_from(["auto", "ask"]))
def test_every_story_an_engine_can_tell_ends_and_every_prefix_of_it_folds(
    data: st.DataObject, recovery: tuple[Recovery, ...], publish: str
) -> None:
    story = begun(recovery, publish)
    for _ in range(120):
        if data.draw(st.integers(0, 40)) == 0 and story.run.verdict is None:
            story.tell(e.StopAsked(run=RUN, by="o"))
        if not act(story, m.next_move(story.run, START), data):
            break
    else:
        assert story.run.spend.time >= 60 or len(story.records) < 120, "a story that never ends must at least use up its time"
    state = Run()
    for record in story.records:
        state = evolve(state, record)
        m.next_move(state, START)
    assert state == story.run


@given(st.data())
def test_no_success_without_a_round_of_checks_that_all_pass_or_are_excused(data: st.DataObject) -> None:
    story = begun((Recovery(when="links fails", do="continue", listed_in="b"), Recovery(when="failed", do="undo")))
    while len(story.records) < 80 and act(story, m.next_move(story.run, START), data):
        pass
    run = story.run
    if run.verdict in {"success", "success_with_exceptions"}:
        assert run.finished is not None
        assert set(run.finished.failed) <= set(run.finished.excused)
        assert (run.verdict == "success_with_exceptions") == bool(run.finished.exceptions)


@given(st.data())
def test_exceptions_are_never_published_before_the_owner_takes_them(data: st.DataObject) -> None:
    story = begun((Recovery(when="links fails", do="continue", listed_in="b"),))
    while len(story.records) < 80 and act(story, m.next_move(story.run, START), data):
        run = story.run
        if run.verdict == "success_with_exceptions" and run.phase in {"publishing", "published"}:
            assert run.acceptance == "accepted"


def test_a_fact_that_cannot_be_breaks_the_fold() -> None:
    story = begun()
    story.tell(e.Published(run=RUN, attempt=1, paths=(), refs=(), receipt="r"))
    with pytest.raises(Tampered, match="entry 1 says `published` of run `r1`, which is `ready`"):
        _ = story.run


def test_an_excuse_for_one_check_does_not_make_another_pass() -> None:
    story = begun((Recovery(when="links fails", do="continue", listed_in="b"), Recovery(when="failed", do="stop")))
    story.tell(
        e.AttemptStarted(run=RUN, attempt=1),
        e.WorkDone(run=RUN, attempt=1, status=0, why="ended", sealed="s", receipt="r"),
        e.ChangesJudged(run=RUN, attempt=1, changes=ChangeSet()),
        e.ChecksFinished(run=RUN, round=1, failed=("links", "other"), excused=("links",), exceptions=("x",)),
    )
    move = m.next_move(story.run, START)
    assert isinstance(move, m.Recover)
    assert move.rung.do == "stop"


def test_dead_time_after_a_crash_is_not_charged() -> None:
    story = begun()
    story.tell(e.AttemptStarted(run=RUN, attempt=1), e.Warned(run=RUN, limit="time", used="1", of="2"))
    late = e.Recorded(
        seq=9, at=START + timedelta(days=3), run=RUN, kind="attempt_lost", event=e.AttemptLost(run=RUN, attempt=1, why="gone")
    )
    assert evolve(story.run, late).spend == Spend(time=1.0)


def test_every_phase_is_reached_by_the_table_and_every_move_names_a_fact() -> None:
    kinds = {msgspec.inspect.type_info(kind).tag for kind in e.Event.__args__}  # type: ignore[attr-defined]
    assert {kind for _, kind in MOVES} <= kinds
    assert set(MOVES.values()) | {"new"} == set(PHASES)
    assert next_phase("new", "decided") == "new"
    assert diagram().startswith("stateDiagram-v2")
