"""What the validation agent is told: what is due, where, and nothing of how it came about."""

from collections.abc import Sequence

from remit.contract.deliverable import Deliverable
from remit.plan.screens.line import line
from remit.plan.step import Plan


def validation_brief(plan: Plan, due: Sequence[Deliverable], *, project: str) -> str:
    """The words for a fresh context (VAL-01): it may read, and its opinion stands beside what is computed."""
    lines = [
        "You are validating what a chain of skills has left behind. You know nothing of how it was made, and you may only read.",
        "",
        "## Context",
        f"- Goal: {line(plan.goal, 2000)}",
        f"- Project Path: {line(project, 2000)}",
        "",
        "## Expected Deliverables",
    ]
    for each in due:
        lines.append("- " + line(each.name + (f" (owed by {each.by})" if each.by else ""), 400))
        lines += [f"  - {line(path, 400)}" for path in each.files]
        lines += [f"  - one of {line(', '.join(group), 400)}" for group in each.either]
        lines += [f"  - {line(f'`{content.pattern}` in {content.place}', 400)}" for content in each.contains]
    if not due:
        lines.append("- none were named: say whether the goal is reached")
    lines += [
        "",
        "## Instructions",
        "1. Verify that every file exists and is no placeholder",
        "2. Check that the code says what it should",
        "3. Report what is missing, and nothing else; do not change anything",
    ]
    return "\n".join(lines)
