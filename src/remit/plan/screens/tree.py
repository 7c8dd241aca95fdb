"""A chain as a small tree: each step with its state."""

from collections.abc import Mapping
from typing import Final

from remit.plan.screens.line import line
from remit.plan.screens.naming import label, shown_name
from remit.plan.screens.progress import bar
from remit.plan.step import Plan

VALIDATION: Final = "validation"
"""the key under which `standing` may carry the state of the final validation"""
_MARK: Final = {"complete": "✓", "in_progress": "▸", "failed": "✗", "skipped": "○"}


def status(plan: Plan, standing: Mapping[str, str]) -> str:
    """The plan and how far it is: ✓ complete, ▸ in progress, ✗ failed, ○ skipped, · pending. The final validation is the last
    item and counted; its state is `standing["validation"]`, pending where that is not given.
    """
    items = [(f"{label(step)} {shown_name(step)}", standing.get(step.id, "pending")) for step in plan.steps]
    items.append(("[VALIDATION] Final validation", standing.get(VALIDATION, "pending")))
    done = sum(state == "complete" for _, state in items)
    rows = [f"{line(plan.title or plan.name)} ({plan.mode})  {bar(done, len(items))}"]
    for number, (text, state) in enumerate(items, 1):
        branch = "└─" if number == len(items) else "├─"
        rows.append(
            f"{branch} {_MARK.get(state, '·')} {text}{'' if state == 'complete' else ' - ' + line(state.replace('_', ' '), 40)}"
        )
    return "\n".join(rows)
