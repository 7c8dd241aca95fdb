"""Screens that wait for an answer: which mode, whether to begin, what to do about trouble and about gaps."""

from collections.abc import Sequence
from typing import Final

from remit.plan.screens.line import line
from remit.plan.screens.naming import label, shown_name
from remit.plan.step import Plan

_MARK: Final = " (RECOMMENDED)"


def mode(advised: str, reasons: Sequence[str] = ()) -> str:
    """Which of the two modes, `advised` (`standard` or `delegated`) marked; its reasons, where given, stand above (MODE-04)."""
    why = [f"   - {line(each)}" for each in reasons] if advised else []
    above = [f"{advised.capitalize()} execution is recommended:", *why, ""] if why else []
    return "\n".join(
        (
            *above,
            "Choose execution mode:", "",
            f"1. Standard Execution{_MARK if advised == 'standard' else ''}",
            "   - Single conversation flow",
            "   - Best for: Short chains (2-3 skills)", "",
            f"2. Delegated Execution{_MARK if advised == 'delegated' else ''}",
            "   - Fresh sub-agent per skill",
            "   - Best for: Complex blueprints, long chains",
            "   - Benefit: ~100% skill activation rate", "",
            "Your choice (1/2):",
        )
    )  # fmt: skip


def confirmation(plan: Plan) -> str:
    """What will be done, and whether to (MODE-05). The final validation is an item of the plan and counted as one."""
    total = len(plan.steps) + 1
    word = "skills" if all(step.kind == "skill" for step in plan.steps) else "steps"
    how = "Delegated (fresh context per skill)" if plan.mode == "delegated" else "Standard (single conversation)"
    items = [f"{label(step)} {shown_name(step)}{' (optional)' if step.may_skip else ''}" for step in plan.steps]
    return "\n".join(
        (
            f"{plan.mode.upper()} SKILL CHAIN EXECUTION", "",
            f"Goal: {line(plan.goal, 500) or 'None'}",
            f"{word.capitalize()}: {total} {word} in sequence",
            f"Mode: {how}", "",
            "EXECUTION PLAN:",
            *(f"{number}. {item}" for number, item in enumerate([*items, "[VALIDATION] Final validation"], 1)), "",
            "Proceed? (yes/modify/cancel)",
        )
    )  # fmt: skip


def trouble(name: str, why: str = "") -> str:
    """A sub-agent failed or hangs; `why`, where given, is shown below its name (ERR-01, S5, S8)."""
    return "\n".join(
        (
            f"Sub-agent issue: {line(name)}", *([f"  {line(why)}"] if why.strip() else []), "",
            "Options:",
            "1. Retry with fresh sub-agent",
            "2. Skip this skill (with consent)",
            "3. Abort execution", "",
            "Your choice:",
        )
    )  # fmt: skip


def gaps(missing: Sequence[str]) -> str:
    """Validation found something missing (ERR-04, VAL-07, S7)."""
    return "\n".join(
        (
            "Validation found gaps:", "",
            "MISSING:", *(f"- {line(each)}" for each in missing), "",
            "Options:",
            "1. Generate missing components",
            "2. Accept partial completion",
            "3. View detailed report", "",
            "Your choice:",
        )
    )  # fmt: skip
