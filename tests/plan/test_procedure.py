"""The numbered procedure of a plan: nobody's step is without a number, an actor, its bounds and its proof (OBS-11)."""

from remit.contract.deliverable import Deliverable
from remit.contract.outcome import FileCheck
from remit.plan.procedure import lines, procedure
from remit.plan.step import Pinned, Plan, Step

INNER = Plan(name="checks", goal="g", steps=(Step(id="lint", kind="command", command=("make", "lint")),))
PLAN = Plan(
    name="notes",
    goal="Write the notes",
    runtime="light",
    steps=(
        Step(id="collect", kind="prompt", prompt="Collect the\nchanges", writes=("notes/",), time=60),
        Step(id="style", skill=Pinned(name="style", invocation="docs:style"), writes=("notes/style.md",)),
        Step(id="inner", kind="chain", chain=INNER, after=("collect",)),
        Step(id="approve", kind="person", person="lead@example.com", prompt="Read it", last=True,
             checks=(FileCheck(id="there", file="notes/a.md", exists=True),)),
    ),
    deliverables=(Deliverable(name="The notes", by="collect", files=("notes/a.md",)),),
)  # fmt: skip


def test_every_step_is_numbered_those_of_a_chain_inside_below_it_and_the_validation_last() -> None:
    assert [(each.number, each.step, each.wave) for each in procedure(PLAN)] == [
        ("1", "collect", 1), ("2", "style", 2), ("3", "inner", 2), ("3.1", "lint", 1), ("4", "approve", 3), ("5", "validation", 4),
    ]  # fmt: skip


def test_a_step_says_who_does_what_within_what_and_what_proves_it() -> None:
    first, second, *_, last, _ = procedure(PLAN, standing={"collect": "complete"})
    assert (first.actor, first.does, first.state) == ("sub-agent on light", "Collect the changes", "complete")
    assert first.within == ("what the chain may", "claims notes/", "at most 1m") and first.evidence == ("The notes",)
    assert (second.does, second.apart) == ("invokes the skill docs:style", ("1",))
    assert (last.actor, last.after, last.evidence) == ("lead@example.com", ("all others",), ("check there",))


def test_a_person_reads_it_line_by_line() -> None:
    shown = "\n".join(lines(procedure(PLAN, standing={"collect": "complete"})))
    assert shown.startswith(
        "1. collect: Collect the changes [complete]\n   by sub-agent on light; what the chain may; claims notes/; at most 1m\n"
    )
    assert "   never beside 1\n" in shown and "3.1. lint: runs make lint\n   by remit, in the sandbox" in shown
