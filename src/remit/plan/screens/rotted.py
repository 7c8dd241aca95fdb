"""What one conversation made of a chain: the report of standard mode (S3)."""

from collections.abc import Sequence

from remit.plan.screens.line import line


def rotted(title: str, expected: Sequence[str], invoked: Sequence[str], validated: bool) -> str:
    """Which of the expected skills were invoked, and whether validation was executed. All of it observed, nothing claimed."""
    count, seen = len(expected), frozenset(invoked)
    hits = sum(name in seen for name in expected)
    percent = 100 * hits // count if count else 100
    actual = f"{'All' if hits == count else 'Only'} {hits}/{count} invoked ({percent}% activation)"
    skills = f"{count} skill{'' if count == 1 else 's'}"
    return "\n".join(
        (
            f"{line(title)} ({skills})", "",
            f"Expected: All {skills} invoked",
            f"Actual: {actual}", "",
            "Skills executed:",
            *(f"  - {line(name)}{'' if name in seen else ' (SKIPPED - context rot)'}" for name in expected), "",
            f"Validation: {'Executed' if validated else 'Never executed'}",
        )
    )  # fmt: skip
