"""The record as a procedure: every step numbered and timed, with actor, input, decision and evidence (A74)."""

from collections.abc import Sequence
from datetime import datetime

from remit.authority.action import Action
from remit.evidence import rows
from remit.evidence.account import moment, told
from remit.evidence.codec import encode_line
from remit.evidence.standing import Standing, standing
from remit.run.event import Decided, Drafted, HandedOff, Intended, QuestionAnswered, QuestionAsked, Recorded
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
    stands = standing(records)
    for number, record in enumerate(records, 1):
        row = next((row for _, row in told(record, stands)), None) or rows.evidence(record, record.kind.replace("_", " "))
        before = steps[-1].at if steps else record.at
        steps.append(
            Step(
                step=number, seq=record.seq, at=record.at, after=(record.at - before).total_seconds(), actor=row.actor,
                action=row.action, input=_input(record, row, stands), decision=_decision(record, row),
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


def _input(record: Recorded, row: rows.Row, stands: Standing) -> str:
    """What was put into the step: the act with every argument, as it stood at that step."""
    match record.event:
        case Decided(action=action) | Drafted(action=action) | Intended(action=action):
            return _full(row.object, action)
        case QuestionAsked(question=question, action=action):
            return _full(f"{question}: {row.object}", action)
        case QuestionAnswered(action=action):
            asked = stands.stood.get(record.seq)
            return _full(row.object, action or (asked.action if asked else None))
        case HandedOff(key=key):
            return _full(row.object, stands.actions.get((record.run, key)))
        case _:
            return row.object


def _full(text: str, action: Action | None) -> str:
    return f"{text} {encode_line(action.arguments).decode()}" if action is not None and action.arguments else text


def _decision(record: Recorded, row: rows.Row) -> str:
    match record.event:
        case Decided(decision=decision):
            rule = f" by {row.rule}" if row.rule else ""
            return f"{decision}{rule}: {row.reason}"
        case QuestionAnswered(answer=answer):
            rule = f" to rule {row.rule}" if row.rule else ""
            return f"{answer}{rule}: {row.reason}"
        case _:
            return row.reason
