"""What a host is told of a run: bounded, and with everything that could hide in it made visible."""

from collections.abc import Sequence
from typing import Any

import msgspec

from remit.evidence.account import account
from remit.evidence.visible import visible
from remit.mcp.server.house import House
from remit.run.event import Recorded
from remit.run.state import Run

MOST_ROWS, MOST_WORDS, MOST_TEXT, MOST_RUNS = 60, 600, 60_000, 50
QUESTIONS = {1: "allowed", 2: "refused", 3: "notified", 4: "approved", 5: "evidence"}
ONLY_PEOPLE = "only a named person answers this: `remit inbox`, or `remit answer {run} {question}`"


def status(house: House, run: Run, *, driven: bool) -> dict[str, Any]:
    """How a run stands."""
    told = house.outcome(run)
    questions = [
        {
            "question": each.question, "about": each.about, "text": cut(each.text), "asks": list(each.of),
            "answer_with": "the tool `context`" if each.about == "context"
            else ONLY_PEOPLE.format(run=run.id, question=each.question),
        }
        for each in run.open_questions
    ]  # fmt: skip
    idle = run.verdict is None and not driven and not questions
    note = f"no process of this server is at it; where nobody else is either, a person types `remit resume {run.id}`"
    return {
        **told, **({"note": note} if idle else {}),
        "goal": cut(run.contract.goal), "phase": run.phase, "changes": told["changes"][:MOST_ROWS],
        "changes_left_out": max(0, len(told["changes"]) - MOST_ROWS), "questions": questions, "at_work": driven,
        "why": cut(told["why"]), "exceptions": [cut(each) for each in told["exceptions"][:MOST_ROWS]],
        "outbox": told["outbox"][-MOST_ROWS:],
    }  # fmt: skip


def told_account(records: Sequence[Recorded], question: int) -> dict[str, Any]:
    """The five questions; the newest rows of each, and how many were left out."""
    found = account(records)
    wanted = [QUESTIONS[question]] if question else list(QUESTIONS.values())
    told: dict[str, Any] = {"schema": found.schema, "run": records[0].run if records else ""}
    for name in wanted:
        rows = getattr(found, name)
        told[name] = [bounded(row) for row in msgspec.to_builtins(rows[-MOST_ROWS:])]
        if len(rows) > MOST_ROWS:
            told[f"{name}_left_out"] = len(rows) - MOST_ROWS
    if not question:
        told["boundary"] = bounded(msgspec.to_builtins(found.boundary))
    return told


def bounded(value: Any) -> Any:
    """Every text cut and made visible, every list cut."""
    match value:
        case str():
            return cut(value)
        case dict():
            return {key: bounded(each) for key, each in value.items() if each not in ("", None)}
        case list() | tuple():
            return [bounded(each) for each in value[:MOST_ROWS]]
        case _:
            return value


def cut(text: str, most: int = MOST_WORDS) -> str:
    """A text as it may be shown."""
    plain = visible(text)
    return plain if len(plain) <= most else f"{plain[:most]}… ({len(plain) - most} characters more)"
