"""How a run ended: the last line for a program, the closing screen for a person, and the exit code."""

from typing import Any

from remit.run.change import Change
from remit.run.state import Run

CODES = {
    "success": 0, "success_with_exceptions": 0, "failed": 1, "refused": 3, "exhausted": 5, "stopped": 6, "unknown": 7,
}  # fmt: skip


def exit_code(run: Run) -> int:
    """0 success, 1 failed or not publishable, 3 refused, 4 waiting for a person, 5 limit, 6 stopped, 7 unknown."""
    if run.verdict is None:
        return 7 if run.doubts else 4
    if run.publish_failed:
        return 1
    if run.verdict == "success" and any(asked.question.about == "publish" and not asked.said for asked in run.questions.values()):
        return 4
    return CODES[run.verdict]


def outcome(run: Run) -> dict[str, Any]:
    """The `remit.run/1` document."""
    judged = run.judged
    changes = judged.changes.changes if judged else ()
    dropped = set(judged.dropped) if judged else set()
    return {
        "schema": "remit.run/1",
        "run": run.id,
        "verdict": run.verdict,
        "acceptance": run.acceptance,
        "published": run.published is not None and not run.undone,
        "undone": run.undone,
        "changes": [change_row(change, dropped) for change in changes],
        "refs": list(judged.refs) if judged else [],
        "withheld": list(judged.withheld) if judged else [],
        "exceptions": list(run.exceptions),
        "refusals": run.refusals,
        "spend": {
            "turns": run.spend.turns, "calls": run.spend.calls, "tokens": run.spend.tokens,
            "usd": f"{run.spend.usd / 1_000_000:.6f}", "time": round(run.spend.time, 3),
        },
        "owner": run.owner,
        "outbox": [{"draft": each.key, "state": each.state} for each in run.drafts.values()],
        "questions": [question.question for question in run.open_questions],
        "why": run.publish_failed or run.why,
    }  # fmt: skip


def change_row(change: Change, dropped: set[str]) -> dict[str, Any]:
    """One changed path as a program reads it."""
    how = "deleted" if change.verb == "delete" else ("added" if change.before.type == "absent" else "changed")
    return {"path": change.path, "change": how, "published": change.path not in dropped, "type": change.after.type}
