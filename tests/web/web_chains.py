"""Chains for the pages: plans in every state, filled through the ledger as a coordinator would."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from web_worlds import OWNER, contract, ended, organisation

from remit.contract.limits import Spend
from remit.contract.outcome import ObservedCheck
from remit.plan.reported import Exported, Issue, Report, Validation, Verified
from remit.plan.step import Left, Pinned, Plan, Step
from remit.run import chained as c
from remit.run import event as e
from remit.run.chain_move import GAPS, TROUBLE

TROUBLED = "Sub-agent issue: {}\n\nOptions:\n1. Retry with fresh sub-agent\n2. Skip this skill (with consent)\n3. Abort execution\n\nYour choice:"
MISSING = "Validation found gaps:\n\nMISSING:\n{}\n\nOptions:\n1. Generate missing components\n2. Accept partial completion\n3. View detailed report\n\nYour choice:"


def skill(name: str, **more: Any) -> Step:
    return Step(id=name, skill=Pinned(name=name, invocation=f"kit:{name}"), **more)


def pinned(run: str, home: Path, steps: Sequence[Step], **more: Any) -> list[e.Event]:
    """A chain begun: its start and its plan."""
    given: dict[str, Any] = {"name": "shop", "title": "A small shop", "goal": "A shop that takes orders", **more}
    made = contract(given["goal"], success=(ObservedCheck(id="steps", steps=True),))
    return [
        e.Started(
            run=run, contract=made, organisation=organisation(home), workspace="/srv/shop", command=(), trigger="by hand",
            requester=OWNER, runtime="chain",
        ),
        c.PlanPinned(run=run, plan=Plan(steps=tuple(steps), **given), advised="delegated", why=("four skills or more",), confirmed=OWNER),
    ]  # fmt: skip


def child(
    run: str, home: Path, number: int, step: str, *, spend: Spend | None = None, verdict: Any = "success", words: str = ""
) -> list[e.Event]:
    """A sub-agent of a step: begun, spent something, and ended unless there is no verdict."""
    name = f"{run}.{number}"
    found: list[e.Event] = [
        e.ChildStarted(run=run, child=name, key=f"k{number}", reserved=Spend(turns=10)),
        e.Started(
            run=name, contract=contract(f"Do {step}"), organisation=organisation(home), workspace="/srv/shop", command=("worker",),
            trigger="delegated", requester=OWNER, parent=run, step=step,
        ),
        e.AttemptStarted(run=name, attempt=1),
        e.Charged(run=name, spend=spend or Spend(turns=3, tokens=21_000, usd=110_000), what="model"),
    ]  # fmt: skip
    if words:
        found += [
            c.Reported(run=name, attempt=1, text=words, digest="sha256:00"),
            e.Output(run=name, attempt=1, bytes=len(words), sha256="", tail=words),
        ]
    if verdict:
        found += ended(name, verdict=verdict)
        found.append(e.ChildEnded(run=run, child=name, verdict=verdict, spend=Spend(turns=3)))
    return found


def began(run: str, step: str, number: int, at: int, because: str = "") -> c.StepStarted:
    return c.StepStarted(run=run, step=step, number=at, child=f"{run}.{number}", because=because)


def ended_well(run: str, step: str, number: int, at: int = 1, **more: Any) -> c.StepEnded:
    report = Report(
        skill=step, found=True, files=(f"src/{step}.py",), decisions=(f"{step} is kept small",),
        outputs=(Exported(key=f"{step}_path", value=f"src/{step}.py", source=step),),
    )  # fmt: skip
    given: dict[str, Any] = {"report": report, "files": (f"src/{step}.py",), **more}
    return c.StepEnded(run=run, step=step, number=at, child=f"{run}.{number}", outcome="complete", **given)


def every_state(run: str, home: Path) -> list[e.Event]:
    """Complete, tried again, in progress, skipped, failed and asked about, and pending ones behind them."""
    steps = [
        skill("model"), skill("api", after=("model",)), skill("search", after=("model",)), skill("chat", after=("api",)),
        skill("theme", after=("model",), may_skip=True), skill("charts", after=("search",), soft=("theme",)),
        Step(id="look", kind="person", person=OWNER, prompt="Look at it", after=("chat",)), skill("watch", last=True),
    ]  # fmt: skip
    return [
        *pinned(run, home, steps, left=(Left(name="A load test", why="maturity: starter"),)),
        began(run, "model", 1, 1), *child(run, home, 1, "model", words="SKILL COMPLETE: model\nit is done"), ended_well(run, "model", 1),
        began(run, "api", 2, 1), *child(run, home, 2, "api", verdict="failed"),
        c.StepEnded(run=run, step="api", number=1, child=f"{run}.2", outcome="failed", why="its tests fail"),
        began(run, "api", 3, 2, "failed: its tests fail"), *child(run, home, 3, "api"),
        ended_well(run, "api", 3, 2, flagged=("src/nowhere.py",)),
        began(run, "search", 4, 1), *child(run, home, 4, "search", verdict="failed"),
        c.StepEnded(run=run, step="search", number=1, child=f"{run}.4", outcome="hung", why="it did not end in time (60 s)"),
        c.StepSkipped(run=run, step="theme", person=OWNER, question="Q1", why="not wanted"),
        began(run, "chat", 5, 1), *child(run, home, 5, "chat", verdict=""),
        asks_step(run, "Q1", "search", "hung: it did not end in time (60 s)"),
    ]  # fmt: skip


def asks_step(run: str, question: str, step: str, preview: str, **more: Any) -> e.QuestionAsked:
    given: dict[str, Any] = {"of": (OWNER,), "text": TROUBLED.format(step), **more}
    return e.QuestionAsked(run=run, question=question, about="step", options=TROUBLE, step=step, preview=preview, **given)


def found(name: str = "Dashboard", by: str = "watch") -> Validation:
    return Validation(
        status="PARTIAL", completeness=83, verified=5, expected=6, missing=(name,),
        deliverables=(
            Verified(name="API endpoints", status="complete", by="api", files=3, found=3, how=("src/api.py: pattern, line by line",)),
            Verified(name=name, status="missing", by=by, files=1, found=0, details=("ops/board.json is not there",)),
            Verified(name="A load test", status="skipped", by="", details=("maturity: starter",)),
        ),
        issues=(Issue(path="src/api.py", what="a placeholder is left: TBD", line=12, by="api"),), warnings=("no linter for Go here",),
        tools=("python",),
    )  # fmt: skip


def with_gaps(run: str, home: Path) -> list[e.Event]:
    """Two steps complete, validated, and the owner asked about what is missing."""
    return [
        *pinned(run, home, [skill("api"), skill("watch", after=("api",))]),
        began(run, "api", 1, 1), *child(run, home, 1, "api"), ended_well(run, "api", 1),
        began(run, "watch", 2, 1), *child(run, home, 2, "watch"), ended_well(run, "watch", 2),
        *child(run, home, 3, "validation"),
        c.Validated(run=run, child=f"{run}.3", round=1, found=found()),
        e.QuestionAsked(run=run, question="Q1", about="gaps", text=MISSING.format("- Dashboard"), of=(OWNER,), options=GAPS, step="1"),
    ]  # fmt: skip


def wide(run: str, home: Path, count: int = 64) -> list[e.Event]:
    """A plan of many steps: eight lines of them, joined at the end; half of it is done."""
    steps = [skill(f"step-{at:02}", after=(f"step-{at - 8:02}",) if at >= 8 else ()) for at in range(count - 1)]
    facts = pinned(run, home, [*steps, skill("join", last=True)], name="wide", parallel=8)
    for at in range(count // 2):
        name = f"step-{at:02}"
        facts += [began(run, name, at + 1, 1), *child(run, home, at + 1, name), ended_well(run, name, at + 1)]
    return facts
