"""The account of a run: what was allowed, considered, refused, who was told, who approved, and the evidence (E123-127)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from remit.authority.action import Action
from remit.authority.decision import Code
from remit.evidence import rows
from remit.evidence.row import Question, Row
from remit.evidence.rows_people import changed
from remit.evidence.standing import Standing, standing
from remit.run.event import (
    BoundarySet,
    Confirmed,
    Decided,
    Effected,
    HandedOff,
    InDoubt,
    Intended,
    QuestionAnswered,
    QuestionAsked,
    Recorded,
    Resolved,
    Started,
    Stopped,
    VerdictReached,
    Withdrawn,
)
from remit.run.outbox import Draft
from remit.value import Value

SCHEMA = "remit.account/1"


class Account(Value, frozen=True, kw_only=True):
    """The five questions, each answered by rows in the order things happened. `boundary` is what made the rest absent."""

    schema: str = SCHEMA
    allowed: tuple[Row, ...]
    considered: tuple[Row, ...]
    refused: tuple[Row, ...]
    notified: tuple[Row, ...]
    approved: tuple[Row, ...]
    evidence: tuple[Row, ...]
    boundary: Mapping[str, Any]


def account(records: Sequence[Recorded]) -> Account:
    """From the events of a run, its children's among them, in ledger order. Every attempt is decided, blocked or absent."""
    receipts, stands = _receipts(records), standing(records)
    groups: dict[Question, list[Row]] = {
        "allowed": [], "considered": [], "refused": [], "notified": [], "approved": [], "evidence": [],
    }  # fmt: skip
    root = records[0].run if records else ""
    for record in records:
        for question, row in told(record, stands):
            if question == "allowed" and isinstance(record.event, Decided):
                row = _with(row, receipt=receipts.get((record.run, record.event.key or str(record.seq)), ""))
            groups[question].append(row if record.run == root else _with(row, actor=f"{row.actor} of {record.run}"))
    groups["refused"] = sorted([*_once(groups["refused"]), *_unanswered(records, stands)], key=_place)
    groups["evidence"] += _unknown(records, stands)
    groups["evidence"].sort(key=_place)
    return Account(
        allowed=tuple(groups["allowed"]), considered=tuple(groups["considered"]), refused=tuple(groups["refused"]),
        notified=tuple(groups["notified"]), approved=tuple(groups["approved"]), evidence=tuple(groups["evidence"]),
        boundary=_boundary(records, root),
    )  # fmt: skip


def _once(refused: list[Row]) -> list[Row]:
    """A dropped path whose own refusal is recorded is not told twice."""
    decided = {row.object for row in refused if row.rule or row.contract}
    return [row for row in refused if row.rule or row.contract or row.action != "publish" or row.object not in decided]


def told(record: Recorded, stands: Standing) -> Iterator[tuple[Question, Row]]:
    """The rows of one event, with what other entries know of it: the act a question or a key stands for."""
    for question, row in rows.of(record):
        match record.event:
            case QuestionAnswered() as event:
                yield question, _answered(row, event, stands.stood.get(record.seq))
            case HandedOff(key=key) | Withdrawn(key=key) | InDoubt(key=key) | Resolved(key=key) | Confirmed(key=key):
                yield question, _named(row, key, stands.actions.get((record.run, key)), stands.draft_of(record.run, key))
            case _:
                yield question, row


def _answered(row: Row, event: QuestionAnswered, asked: QuestionAsked | None) -> Row:
    """An answer names the act it was about and its digest: a question's number alone would prove nothing (APP-05)."""
    if asked is None:
        return row
    said = asked.action.said() if asked.action else asked.text
    rule = next((reason.rule for reason in asked.reasons if reason.rule), "")
    proof = (asked.digest, event.digest if event.action else "", row.receipt)
    return msgspec.structs.replace(
        row, object=f"{row.object}: {said}", rule=rule, contract=row.contract or asked.contract,
        reason="; ".join(text for text in (row.reason, changed(asked.action, event.action)) if text),
        receipt="; ".join(text for text in proof if text),
    )  # fmt: skip


def _named(row: Row, key: str, action: Action | None, draft: Draft | None) -> Row:
    """An effect is called by what it does; that what is known contradicts what was decided is said."""
    if action is None:
        return row
    said = action.said()
    conflict = draft.conflict if draft is not None and row.action == "hear that it happened" else ""
    return msgspec.structs.replace(
        row,
        object=said if row.object == key else f"{said}: {row.object}",
        reason="; ".join(text for text in (row.reason, f"conflict: {conflict}" if conflict else "") if text),
        receipt=row.receipt or key,
    )


def _place(row: Row) -> int:
    return row.seq


def _with(row: Row, *, receipt: str | None = None, actor: str | None = None) -> Row:
    return msgspec.structs.replace(
        row, actor=row.actor if actor is None else actor, receipt=row.receipt if receipt is None else receipt
    )


def _receipts(records: Sequence[Recorded]) -> dict[tuple[str, str], str]:
    """What came of each grant: the effect's receipt, or in plain words that it failed."""
    found = {}
    for record in records:
        match record.event:
            case Intended(key=key) | InDoubt(key=key):
                found[(record.run, key)] = "outcome unknown"
            case Effected(key=key, ok=ok, receipt=receipt):
                found[(record.run, key)] = (receipt or "done") if ok else f"did not happen: {receipt}"
            case Resolved(key=key, said=said, by=by, receipt=receipt):
                found[(record.run, key)] = receipt or f"{said}, by {by}"
            case Confirmed(key=key, receipt=receipt):
                found[(record.run, key)] = receipt or "done"
    return found


def _unanswered(records: Sequence[Recorded], stands: Standing) -> list[Row]:
    """Questions that nobody settled although the run has ended: they were not carried out, and the account says so."""
    ended = {record.run for record in records if isinstance(record.event, VerdictReached | Stopped)}
    return [
        rows.unanswered(record, record.event)
        for record in records
        if isinstance(record.event, QuestionAsked) and record.run in ended and _silent(stands, record.run, record.event.question)
    ]


def _silent(stands: Standing, run: str, question: str) -> bool:
    asked = stands.questions[run, question]
    return not asked.said or asked.answer is None


def _unknown(records: Sequence[Recorded], stands: Standing) -> list[Row]:
    """Intents whose outcome was never recorded."""
    return [
        rows.evidence(record, "outcome unknown", record.event.action.said(), reason="no outcome was recorded for this intent")
        for record in records
        if isinstance(record.event, Intended) and record.seq in stands.open_intents
    ]


def _boundary(records: Sequence[Recorded], root: str) -> dict[str, Any]:
    """What was promised and what was compiled from it. Whatever is not named here was absent: it could not be reached."""
    found: dict[str, Any] = {"run": root}
    absent = "whatever is not listed here was not there to be reached"
    for record in records:
        if record.run != root:
            continue
        match record.event:
            case Started() as started:
                found |= _promised(started)
            case BoundarySet() as compiled:
                found |= {
                    "level": compiled.level, "missing": list(compiled.missing), "stage": compiled.stage,
                    "visible": list(compiled.visible), "hidden": list(compiled.hidden), "hosts": list(compiled.hosts),
                    "environment": list(compiled.environment), "limits": dict(compiled.limits), "absent": absent,
                    "warnings": list(compiled.warnings),
                }  # fmt: skip
    return found


def _promised(started: Started) -> dict[str, Any]:
    contract = started.contract
    return {
        "goal": contract.goal,
        "owner": contract.owner,
        "contract": contract.hash(),
        "rules": [
            {"effect": rule.effect, "verb": rule.verb, "objects": list(rule.objects), "id": rule.id, "because": rule.because}
            for rule in contract.rules
        ],
        "organisation": started.organisation.name,
        "organisation_rules": [
            {"effect": rule.effect, "verb": rule.verb, "objects": list(rule.objects), "id": rule.id, "because": rule.because}
            for rule in started.organisation.rules
        ],
    }


def approvals_used(records: Sequence[Recorded]) -> frozenset[str]:
    """Digests of actions that were allowed because a person said yes."""
    return frozenset(
        record.event.digest
        for record in records
        if isinstance(record.event, Decided)
        and record.event.decision == "allow"
        and any(reason.code is Code.APPROVED for reason in record.event.reasons)
    )


def moment(at: datetime) -> str:
    """A moment as a person reads it, UTC, to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
