"""The record as a procedure: every step numbered and timed, with actor, input, decision and evidence (A74)."""

from collections.abc import Sequence
from datetime import datetime

from remit.evidence import rows
from remit.evidence.account import moment
from remit.evidence.codec import encode_line
from remit.run.event import Decided, Recorded
from remit.value import Value

SCHEMA = "remit.procedure/1"


class Step(Value, frozen=True, kw_only=True):
    """One numbered step. `after` is seconds since the step before; `input` what was put in; `evidence` what proves it."""

    step: int
    seq: int
    at: datetime
    after: float
    actor: str
    action: str
    input: str
    decision: str
    evidence: str


def procedure(records: Sequence[Recorded]) -> tuple[Step, ...]:
    """A step for every event, none left out, in the order of the record."""
    steps: list[Step] = []
    for number, record in enumerate(records, 1):
        row = next((row for _, row in rows.of(record)), None) or rows.evidence(record, record.kind.replace("_", " "))
        before = steps[-1].at if steps else record.at
        steps.append(
            Step(
                step=number, seq=record.seq, at=record.at, after=(record.at - before).total_seconds(), actor=row.actor,
                action=row.action, input=_input(record, row), decision=_decision(record, row),
                evidence=row.receipt or f"ledger entry {record.seq}",
            )
        )  # fmt: skip
    return tuple(steps)


def lines(steps: Sequence[Step]) -> list[str]:
    """The procedure as a person reads it."""
    return [
        f"{step.step:4}. {moment(step.at)} (+{step.after:.3f} s)  {_one_line(step.actor)}: {_one_line(step.action)}"
        + "".join(f"\n      {name:9} {_one_line(text)}" for name, text in _fields(step) if text)
        for step in steps
    ]


def _one_line(text: str) -> str:
    """A line break in a path must not be able to forge a step."""
    return text.replace("\n", "\\n")


def _fields(step: Step) -> tuple[tuple[str, str], ...]:
    return (("input", step.input), ("decision", step.decision), ("evidence", step.evidence))


def _input(record: Recorded, row: rows.Row) -> str:
    if isinstance(record.event, Decided) and record.event.action.arguments:
        return f"{row.object} {encode_line(record.event.action.arguments).decode()}"
    return row.object


def _decision(record: Recorded, row: rows.Row) -> str:
    if isinstance(record.event, Decided):
        rule = f" by {row.rule}" if row.rule else ""
        return f"{record.event.decision}{rule}: {row.reason}"
    return row.reason
