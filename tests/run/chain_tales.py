"""A chain without an engine: whatever may be begun is begun, and what comes back, and what people say, is drawn."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
from test_lifecycle import RUN, START

from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.outcome import Recovery
from remit.contract.party import Organisation
from remit.plan.reported import Report, Validation, Verified
from remit.plan.step import Plan, Step
from remit.run import chain_move as m
from remit.run import event as e
from remit.run.chain_move import chain_moves
from remit.run.chained import GapsAccepted, PlanEnded, PlanPinned, StepEnded, StepReopened, StepSkipped, StepStarted, Validated
from remit.run.evolve import replay
from remit.run.state import Run

OWNER = "release-lead@example.com"
OVER = {"complete", "skipped"}
ENDED = {*OVER, "failed"}


def has_what_it_needs(plan: Plan, step: Step, standing: dict[str, str]) -> bool:
    """Said once more in other words than `plan.graph` says it, so that one can be held against the other."""
    names = {each.id for each in plan.steps}
    if any(standing[name] not in OVER for name in step.after):
        return False
    if any(standing[name] not in ENDED for name in {*step.soft, *step.optional} & names):
        return False
    for group in step.any_of:
        states = [standing[name] for name in group if name in names]
        if states and "complete" not in states and set(states) != {"skipped"}:
            return False
    if step.last:
        late = {each.id for each in plan.steps if each.last}
        before = _upstream(plan, step)
        followers = {each.id for each in plan.steps if late & _upstream(plan, each)}
        return all(standing[name] in OVER for name in names - late - followers - before)
    return True


def _upstream(plan: Plan, step: Step) -> set[str]:
    found: set[str] = set()
    todo = [step]
    while todo:
        one = todo.pop()
        for name in (*one.after, *one.soft, *one.optional, *(each for group in one.any_of for each in group)):
            if name not in found:
                found.add(name)
                todo.append(plan.step(name))
    return found


def share(one: Step, other: Step) -> bool:
    """Whether two steps claim one path; the plans drawn here claim whole files only."""
    return bool({*one.writes} & {*other.writes})


@dataclass
class Tale:
    """One chain as it is told: `calm` is how many draws go by before nothing fails any more and nobody refuses."""

    plan: Plan
    recovery: tuple[Recovery, ...]
    unattended: bool
    random: Random
    calm: int = 25
    ticks: int = 1
    records: list[e.Recorded] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    drawn: int = 0
    state: Run = field(default_factory=Run)

    def begin(self) -> "Tale":
        contract = Contract(goal="g", owner=OWNER, rules=(), limits=Limits(time=600), success=(), recovery=self.recovery)
        started = e.Started(
            run=RUN, contract=contract, organisation=Organisation(), workspace="/w", command=(), trigger="t", runtime="chain",
            unattended=self.unattended, requester=OWNER,
        )  # fmt: skip
        self.tell(started, PlanPinned(run=RUN, plan=self.plan))
        self.tell(e.AttemptStarted(run=RUN, attempt=1))
        return self

    def tell(self, *facts: e.Event) -> None:
        for fact in facts:
            seq = len(self.records)
            kind = str(msgspec.to_builtins(fact)["kind"])
            at = START + timedelta(seconds=seq * self.ticks)
            self.records.append(e.Recorded(seq=seq, at=at, run=RUN, kind=kind, event=fact))
            self.state = replay(self.records[-1:], self.state)

    @property
    def standing(self) -> dict[str, str]:
        assert self.state.chain is not None
        return {name: str(stood.status) for name, stood in self.state.chain.steps.items()}

    def facts(self, *kinds: type) -> list[Any]:
        return [record.event for record in self.records if isinstance(record.event, kinds)]

    # ---------------------------------------------------------------------------------------------- what may happen next

    def goes_on(self) -> bool:
        """One thing more happens; False at the end. Fails at a dead end: nothing to do, and nobody to wait for."""
        chain = self.state.chain
        assert chain is not None
        if chain.over:
            return False
        moves = chain_moves(self.state)
        fair(self, moves)
        under_way = [move for move in moves if isinstance(move, m.Take) and chain.steps[move.step].status == "in_progress"]
        new = [move for move in moves if move not in under_way]
        asked = [each.question for each in self.state.questions.values() if not each.said]
        assert moves or asked, f"a dead end: {self.standing}"
        happenings: list[tuple[str, Any]] = [("move", move) for move in new]
        happenings += [("back", move) for move in under_way] + [("said", each) for each in asked]
        if len(new) > 1 and self.random.random() < 0.6:  # a coordinator begins all that may be begun at one look
            happenings = [("all", new)]
        what, about = self.random.choice(happenings)
        self.drawn += 1
        match what:
            case "move":
                self.moved(about)
            case "all":
                for move in about:
                    self.moved(move)
            case "back":
                self.back(about)
            case _:
                self.said(about)
        return True

    def moved(self, move: m.Step) -> None:
        """What the coordinator writes for a move."""
        match move:
            case m.Take():
                if not self.odds(0.06):
                    child = f"{RUN}.{len(self.records)}"
                    return self.tell(
                        StepStarted(run=RUN, step=move.step, number=move.number, child=child, because=move.because)
                    )  # fmt: skip
                why = "the child asks for more than is left"
                return self.tell(
                    StepEnded(run=RUN, step=move.step, number=move.number, child="", outcome="failed", why=why)
                )  # fmt: skip
            case m.AskStep():
                return self.asks("step", move.step, m.TROUBLE)
            case m.AskGaps():
                assert self.state.chain is not None
                return self.asks("gaps", str(self.state.chain.round), move.options)
            case m.AskPerson():
                return self.asks("step", move.step, ())
            case m.Settle():
                how: Any = "complete" if move.done else "failed"
                return self.tell(StepEnded(run=RUN, step=move.step, number=1, child="", outcome=how))
            case m.Reopen():
                return self.tell(StepReopened(run=RUN, step=move.step, why=move.why, question=move.question))
            case m.Skip():
                skipped = StepSkipped(run=RUN, step=move.step, person=move.person, question=move.question, why=move.why)
                return self.tell(skipped)
            case m.Validate():
                return self.tell(Validated(run=RUN, child=f"{RUN}.v", round=move.round, found=self.found()))
            case m.Accept():
                return self.tell(GapsAccepted(run=RUN, person=move.person, question=move.question, missing=move.missing))
            case m.Finish():
                return self.tell(PlanEnded(run=RUN, how=move.how, why=move.why))

    def asks(self, about: Any, step: str, options: Any) -> None:
        name = f"Q{len(self.state.questions) + 1}"
        self.tell(
            e.QuestionAsked(run=RUN, question=name, about=about, text="?", of=(OWNER,), contract="c", options=options, step=step)
        )  # fmt: skip

    def back(self, move: m.Take) -> None:
        """A child comes back: as it should, or in any other way; what it says it left need not be there."""
        assert self.state.chain is not None
        stood = self.state.chain.steps[move.step]
        outcomes = ["failed", "hung", "conflict", "needs input"]
        outcome: Any = self.random.choice(outcomes) if self.odds(0.45) else "complete"
        if outcome == "complete" and not self.odds(0.3):
            self.left.add(move.step)
        child = stood.children[-1]
        self.tell(
            StepEnded(
                run=RUN, step=move.step, number=stood.tries, child=child, outcome=outcome, why="" if outcome == "complete" else "it broke",
                report=Report(skill=move.step, found=True),
            )
        )  # fmt: skip

    def said(self, question: e.QuestionAsked) -> None:
        if self.odds(0.15):
            return self.tell(e.QuestionExpired(run=RUN, question=question.question, otherwise="refuse"))
        words: list[Any] = list(question.options) or ["yes", "no"]
        if self.drawn > self.calm:
            words = [word for word in words if word not in {"no", "abort"}]
        word: Any = self.random.choice(words)
        return self.tell(
            e.QuestionAnswered(
                run=RUN, question=question.question, answer=word, person=OWNER, assurance="scripted", statement="", signature="", key=""
            )
        )  # fmt: skip

    def found(self) -> Validation:
        """What validation sees: a step that was not left out owes one thing, whatever it said."""
        owing = [step.id for step in self.plan.steps if step.kind != "person"]
        missing = tuple(name for name in owing if name not in self.left)
        if self.odds(0.08):
            return Validation(status="FAIL", completeness=0, verified=0, expected=0, warnings=("it did not do its work",))
        listed = tuple(
            Verified(name=name, by=name, status="missing" if name in missing else "complete", files=1) for name in owing
        )  # fmt: skip
        done = len(owing) - len(missing)
        status: Any = "PASS" if not missing else "PARTIAL" if done * 2 > len(owing) else "FAIL"
        per_cent = 100 * done // len(owing) if owing else 100
        return Validation(
            status=status, completeness=per_cent, verified=done, expected=len(owing), deliverables=listed, missing=missing
        )  # fmt: skip

    def odds(self, chance: float) -> bool:
        return self.drawn <= self.calm and self.random.random() < chance


def fair(tale: Tale, moves: tuple[m.Step, ...]) -> None:
    """Nothing is begun too early, nothing twice, no two that claim one path, and never more than may run at once."""
    run, plan, standing = tale.state, tale.plan, tale.standing
    chain = run.chain
    assert chain is not None
    names = [getattr(move, "step", type(move).__name__) for move in moves]
    assert len(names) == len(set(names)), f"two moves for one step: {moves}"
    takes = [move for move in moves if isinstance(move, m.Take)]
    now = {*(name for name, status in standing.items() if status == "in_progress"), *(move.step for move in takes)}
    assert all(plan.step(name).kind != "person" for name in now), "what a person does is handed to nobody else"
    begun = [move for move in takes if standing[move.step] != "in_progress"]
    assert not begun or len(now) <= plan.parallel, f"{len(now)} at once, {plan.parallel} may"
    for move in begun:
        step = plan.step(move.step)
        others = {**standing, **dict.fromkeys([each.step for each in begun], "in_progress")}
        assert has_what_it_needs(plan, step, others), f"`{step.id}` was begun before what it needs was there: {others}"
        assert not [name for name in now - {step.id} if share(step, plan.step(name))], f"`{step.id}` shares a path"
        assert move.number == chain.steps[step.id].tries + 1
        assert move.because or standing[step.id] == "pending", "nothing is done again without a reason"
    for each in moves:
        match each:
            case m.Finish(how="complete"):
                assert chain.current and chain.validation is not None and chain.validation.status == "PASS"
            case m.Finish(how="partial"):
                assert chain.current and chain.validation is not None
            case m.AskStep() | m.AskGaps():
                assert not run.started.unattended  # type: ignore[union-attr]
            case m.Validate():
                assert {*standing.values()} <= OVER and moves == (each,)
    if any(isinstance(each, m.Finish) for each in moves):
        assert len(moves) == 1
